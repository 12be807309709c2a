# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What readings of one rotation tell about each other: which one is stale, and which one shows movement."""

from __future__ import annotations

from datetime import datetime, timedelta

from .._timestamps import parse_timestamp
from .api import CACHED, LOCK_LOST, Reading
from .lock import Note

#: How far the server's clock, the proxy's and this host's may be apart when a rotation is placed after a reading.
CLOCK_MARGIN = timedelta(minutes=2)
#: For how long the note of an earlier task of this machine binds. A restored backup is not stale for ever.
NOTE_BINDS = timedelta(minutes=10)


class Known:
    """The newest state of one rotation that is known, by which older readings are told.

    ``at_least`` is a ``lastRotatedAt`` that the caller saw.
    """

    def __init__(self, at_least: datetime | None = None) -> None:
        self._newest = at_least
        self._note: Note | None = None
        self._binds = False

    def heed(self, note: Note | None, now: datetime) -> None:
        """The note that an earlier task of this machine left."""
        self._note = note
        self._binds = note is not None and abs(now - note.written_at) < NOTE_BINDS

    def learn(self, last_rotated_at: datetime) -> None:
        if self._newest is None or last_rotated_at > self._newest:
            self._newest = last_rotated_at

    def why_stale(self, reading: Reading) -> str:
        """Why the reading shows an older state than the present one; empty when nothing says so."""
        if reading.from_cache:
            return CACHED
        if self._newest is not None and reading.last_rotated_at < self._newest:
            newest = self._newest.isoformat(timespec="milliseconds")
            return f"lastRotatedAt is {reading.rotation['lastRotatedAt']}, and {newest} is known already"
        return self._against_the_note(reading) if self._binds else ""

    def why_doubtful(self, reading: Reading) -> str:
        """The same by a note that is too old to bind; empty when there is no doubt."""
        return "" if self._binds else self._against_the_note(reading)

    def _against_the_note(self, reading: Reading) -> str:
        note = self._note
        if note is None:
            return ""
        rotated, at = parse_timestamp(note.last_rotated_at), note.written_at.isoformat(timespec="seconds")
        if reading.last_rotated_at < rotated:
            return (
                f"a task of this machine knew at {at} that lastRotatedAt was {note.last_rotated_at}, and it is "
                f"{reading.rotation['lastRotatedAt']}, as after a restored backup"
            )
        # A failed attempt since then proves nothing: it may be of somebody who failed before that request began.
        if note.settled or rotated < reading.last_rotated_at >= note.earliest:
            return ""
        return f"a task of this machine requested a rotation at {at}, whose end it did not see and which does not show"


def moved(before: Reading, after: Reading) -> bool:
    """Whether ``after`` shows a rotation that was made after the reading ``before``."""
    return before.last_rotated_at < after.last_rotated_at >= _earliest_after(before)


def failed_since(before: Reading, after: Reading) -> bool:
    """Whether a newer attempt failed. Losing the lock is recorded as a failure too, while the winner still runs."""
    newer = before.last_attempted_at < after.last_attempted_at >= _earliest_after(before)
    older = after.last_rotated_at < before.last_rotated_at
    return after.failed and newer and not older and not after.last_message.endswith(LOCK_LOST)


def _earliest_after(reading: Reading) -> datetime:
    """What is older was there before the reading, by both clocks, and a replica that lagged did not show it."""
    moments = [moment for moment in (reading.server_time, reading.host_time) if moment is not None]
    return min(moments) - CLOCK_MARGIN


def rotated_more_than_once(before: Reading, after: Reading) -> bool:
    """Whether another rotation was made besides: each one flips ``activeIndex``."""
    index = after.rotation.get("activeIndex")
    return isinstance(index, int) and index == before.rotation.get("activeIndex")


def note_of(reading: Reading, now: datetime, *, settled: bool) -> Note:
    return Note(reading.rotation["lastRotatedAt"], _earliest_after(reading), now, settled)
