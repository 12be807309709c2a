# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading one rotation again and again: what is known of it by now, and waiting for what a reading shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TypeVar

from .._errors import UNKNOWN, InfisicalError, unforeseen
from .._transport.patience import Patience
from . import failures, readings
from .api import Reading

#: Pauses between readings while waiting; the last one repeats. Few, for each one may use up a token.
POLL_PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 10.0)

#: Failures of a reading after which further readings tell nothing new.
HOPELESS = frozenset({"authentication_failed", "permission_denied", "not_found", "route_not_found", "wrong_type"})
#: What is waited for, in words that follow "for".
_FRESH = "a reading that is not stale"
_Read = TypeVar("_Read")


def until(patience: Patience, ask: Callable[[], _Read], unfit: Callable[[_Read], str]) -> tuple[_Read, str]:
    """Ask until nothing is ``unfit`` with the answer, or patience ends: the last one, and what is wrong with it."""
    pauses = iter(POLL_PAUSES)
    found = ask()
    while why := unfit(found):
        pause = min(next(pauses, POLL_PAUSES[-1]), patience.left)
        if pause <= 0:
            return found, why
        patience.pause(pause, _FRESH)
        with patience.spending():
            found = ask()
    return found, ""


class Observer:
    """``at_least`` is a ``lastRotatedAt`` that the caller saw."""

    def __init__(self, patience: Patience, now: Callable[[], datetime], at_least: datetime | None = None) -> None:
        self._patience = patience
        self._now = now
        self._newest: Reading | None = None
        self.known = readings.Known(at_least)

    @contextmanager
    def showing_the_newest(self) -> Iterator[None]:
        """A failure carries the newest reading."""
        try:
            yield
        except InfisicalError as failure:
            if self._newest is not None:
                failure.secret_rotation = self._newest.rotation
            raise

    def read(self, ask: Callable[[], Reading]) -> Reading:
        answer = ask()
        reading = answer._replace(host_time=self._now())
        if self._newest is None or reading.last_rotated_at >= self._newest.last_rotated_at:
            self._newest = reading
        # Of one that a cache kept too: what it shows has been.
        self.known.learn(reading.last_rotated_at)
        return reading

    def request(self, send: Callable[[], Reading], what: str) -> Reading:
        """The answer to a request that may have an effect, which is in doubt whatever else is raised now."""
        try:
            return self.read(send)
        except InfisicalError:
            raise
        except Exception as fault:  # noqa: BLE001 - the work may have been done
            doubt = unforeseen(fault, what)
        doubt.effect = UNKNOWN
        raise doubt

    def fresh(self, ask: Callable[[], Reading], note_path: str = "") -> Reading:
        """A reading that is not known to be stale. Nothing was sent yet, or nothing that had an effect."""
        reading, why = until(self._patience, lambda: self.read(ask), self.known.why_stale)
        if why:
            raise failures.stale(reading, why, note_path)
        return reading

    def wait_for(
        self,
        ask: Callable[[], Reading],
        shows: Callable[[Reading], bool],
        why: str,
        hopeless: frozenset[str] = HOPELESS,
    ) -> tuple[Reading | None, InfisicalError | None]:
        """The first reading that ``shows`` what is waited for, or None and the last obstacle when patience ends.

        ``why`` says in words what that is.
        """
        pauses = iter(POLL_PAUSES)
        obstacle: InfisicalError | None = None
        while True:
            pause = next(pauses, POLL_PAUSES[-1])
            try:
                with self._patience.spending():
                    reading = self.read(ask)
                obstacle = None
            except InfisicalError as failure:
                obstacle = failure
                if failure.reason in hopeless or (failure.retry_after or 0.0) > self._patience.left:
                    return None, failure
                pause = max(pause, failure.retry_after or 0.0)
            else:
                if not reading.from_cache and shows(reading):
                    return reading, None
            left = self._patience.left
            if left <= 0:
                return None, obstacle
            self._patience.pause(min(pause, left), why)

    def watch(
        self, ask: Callable[[], Reading], before: Reading, why: str
    ) -> tuple[Reading, Reading | None, InfisicalError | None]:
        """Read until the rotation moved or failed, or patience is at its end (None, with the last obstacle).

        The first of the three is what the second one is compared with: a reading that is newer, but shows what had
        happened before the request, takes the place of the one before it.
        """

        compared = [before]

        def shows(after: Reading) -> bool:
            last = compared[-1]
            if readings.moved(last, after) or readings.failed_since(last, after):
                return True
            if after.last_rotated_at > last.last_rotated_at:
                compared.append(last._replace(rotation=after.rotation))
            return False

        after, obstacle = self.wait_for(ask, shows, why)
        return compared[-1], after, obstacle
