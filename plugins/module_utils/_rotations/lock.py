# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One task at a time for each rotation on this machine, and a note for the one after it.

The server's own lock ends with the rotation. A task that read before another one rotated and requests just
after it would rotate a second time; this lock spans reading and requesting. The note says what a task knew, so
that the next one is not let in by an older reading.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from typing import NamedTuple

from .._errors import InfisicalError
from .._timestamps import parse_timestamp
from .._transport.patience import Patience
from .._transport.urls import canonical
from .folder import FLAGS, LOCK, NEW, NOTE, Locked, attempt, locked, own_folder, printable_path, purge

_POLL_SECONDS = 0.1
_WAITED_FOR = "the lock of another task on this machine"
_LONGEST_NOTE = 4096


class Note(NamedTuple):
    """What a task of this machine knew of a rotation when it requested it (settled false), or at its end (true).

    ``last_rotated_at`` is the server's own text. A rotation from before ``earliest`` is not that request's.
    ``written_at`` is this host's clock; both are in UTC.
    """

    last_rotated_at: str
    earliest: datetime
    written_at: datetime
    settled: bool


class Held:
    """The lock of one rotation while it is held, and the note beside it.

    ``path`` is where the note is, for messages. ``note`` is what was found on entering: None where nothing is, or
    something that is no note. One that the system refuses to read is ``lock_unavailable``, because it may say that
    a request is under way.
    """

    def __init__(self, lock: Locked) -> None:
        self._lock = lock
        self._folder = lock.folder
        self._stem = os.path.basename(lock.path).removesuffix(LOCK)
        self.path = printable_path(lock.path.removesuffix(LOCK) + NOTE)
        self.note = attempt(self.path, self._read)

    def write(self, note: Note) -> None:
        """Leave this note in place of the one before, all of it or nothing.

        Who removes a file while it is locked lets a second task in. Until the note is there this task notices;
        from then on the second one reads it.
        """
        text = json.dumps(note._asdict(), default=datetime.isoformat)
        self._check()
        attempt(self.path, lambda: self._replace(text))
        self._check()

    def forget(self) -> None:
        """Remove the note. One that stays makes the next task wait, which is no reason for this one to fail."""
        if self._lock.stands:
            with suppress(OSError):
                os.unlink(self._stem + NOTE, dir_fd=self._folder)

    def _check(self) -> None:
        if not self._lock.stands:
            raise InfisicalError(
                "lock_unavailable",
                f"Could not keep the lock {printable_path(self._lock.path)}: it was removed or replaced while this "
                "task held it, so that another task may be at the same rotation.",
                "Let nothing clean up that folder while tasks run, and run again.",
            )

    def _read(self) -> Note | None:
        name = self._stem + NOTE
        try:
            if not stat.S_ISREG(os.stat(name, dir_fd=self._folder, follow_symlinks=False).st_mode):
                return None
        except FileNotFoundError:
            return None
        with open(os.open(name, os.O_RDONLY | FLAGS, dir_fd=self._folder), "rb") as file:
            return _parsed(file.read(_LONGEST_NOTE))

    def _replace(self, text: str) -> None:
        new = self._stem + NEW
        with suppress(FileNotFoundError):
            os.unlink(new, dir_fd=self._folder)
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | FLAGS, 0o600, dir_fd=self._folder)
        try:
            with open(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
            os.replace(new, self._stem + NOTE, src_dir_fd=self._folder, dst_dir_fd=self._folder)
        except OSError:
            with suppress(OSError):
                os.unlink(new, dir_fd=self._folder)
            raise


@contextmanager
def hold(url: str, rotation_id: str, patience: Patience) -> Iterator[Held]:
    """Wait for the lock as long as patience lasts. The kernel releases it when the process dies."""
    path = lock_path(url, rotation_id)
    lock = locked(path)
    while lock is None:
        if not patience.pause(_POLL_SECONDS, _WAITED_FOR):
            raise InfisicalError(
                "rotation_in_progress",
                f"Could not begin with {rotation_id}: another task of this machine has been at it for "
                "longer than wait_timeout.",
                "Nothing was sent by this task. Run again when the other one has ended.",
            )
        lock = locked(path)
    try:
        purge(lock)
        yield Held(lock)
    finally:
        lock.release()


def lock_path(url: str, rotation_id: str) -> str:
    """The lock file's name, the same however the server's URL is written."""
    digest = hashlib.sha256(f"{canonical(url)} {rotation_id.lower()}".encode()).hexdigest()[:32]
    return os.path.join(own_folder(), digest + LOCK)


def _parsed(text: bytes) -> Note | None:
    """The note, or None where the text is none: it was cut, or somebody else wrote it."""
    try:
        data = json.loads(text)
        note = Note(
            last_rotated_at=data["last_rotated_at"],
            earliest=parse_timestamp(data["earliest"]).astimezone(timezone.utc),
            written_at=parse_timestamp(data["written_at"]).astimezone(timezone.utc),
            settled=data["settled"],
        )
        parse_timestamp(note.last_rotated_at)
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError):
        return None
    return note if isinstance(note.settled, bool) else None
