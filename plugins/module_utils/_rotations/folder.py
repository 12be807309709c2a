# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Locked files in a folder of the user's own, below the temporary folder.

Elsewhere another user could make them first, or remove them while they are held. A temporary folder in which every
user may rename ours is refused for the same reason; its owner and group, which TMPDIR chose, are trusted.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from .._errors import InfisicalError
from .._transport.redaction import printable

#: How often to try again at once because others removed the folder or the file between two of our steps.
_ATTEMPTS = 100
#: What is older is removed by whoever comes by.
_KEPT_SECONDS = 24 * 60 * 60
LOCK, NOTE, NEW = ".lock", ".note", ".new"
#: Of each rotation: the lock, the note, and a note that is being written.
_NAME = re.compile(r"([0-9a-f]{32})\.(lock|note|new)")
FLAGS = os.O_NOFOLLOW | os.O_CLOEXEC

_REPLACE = "Remove what stands in its place, or set TMPDIR to a folder of a local file system that this user can write."
_CHOOSE = (
    "Set TMPDIR, by its full path, to a folder of a local file system that this user can write, and others cannot or "
    "only with the sticky bit (chmod +t)."
)

_T = TypeVar("_T")


def own_folder() -> str:
    """Never another one in silence: only tasks with the same folder keep each other out."""
    return os.path.join(os.environ.get("TMPDIR") or "/tmp", f"secretops.infisical-{os.geteuid()}")  # noqa: S108


class Locked:
    """A lock while it is held: the file's path, and the folder's descriptor, which all access goes through."""

    def __init__(self, path: str, folder: int, descriptor: int) -> None:
        self.path = path
        self.folder = folder
        self._descriptor = descriptor

    @property
    def stands(self) -> bool:
        """Whether the next task would find this very lock."""
        place, name = os.path.split(self.path)
        return _is_named(self.folder, place) and _is_named(self._descriptor, name, self.folder)

    def release(self) -> None:
        place, name = os.path.split(self.path)
        _release(self.folder, name, self._descriptor)
        os.close(self.folder)
        with suppress(OSError):
            os.rmdir(place)


def locked(path: str) -> Locked | None:
    """The lock, or None while somebody else holds it."""
    place, name = os.path.split(path)
    temporary = os.path.dirname(place)
    for _attempt in range(_ATTEMPTS):
        where, next_step = temporary, _CHOOSE
        try:
            _check_temporary(temporary)
            where, next_step = place, _REPLACE
            folder = _opened(place)
            where = path
            try:
                return Locked(path, folder, _flocked(folder, name))
            except BaseException:
                os.close(folder)
                raise
        except BlockingIOError:
            return None
        except OSError as cause:
            if isinstance(cause, FileNotFoundError) and where != temporary:
                continue
            why = _why(cause)
            break
    else:
        why = "it is removed or replaced as soon as it is there"
    raise _unavailable(where, why, next_step)


def purge(held: Locked) -> None:
    """Remove what is old, each rotation's under its own lock: a task may just be replacing its note."""
    folder = held.folder
    with suppress(OSError):
        found = [_NAME.fullmatch(name) for name in os.listdir(folder)]
        for stem in sorted({match[1] for match in found if match and _is_old(folder, match[0])}):
            if stem + LOCK == os.path.basename(held.path):
                _remove_old(folder, stem)
                continue
            with suppress(OSError):
                lock = _flocked(folder, stem + LOCK)
                _remove_old(folder, stem)
                _release(folder, stem + LOCK, lock)


def attempt(path: str, operation: Callable[[], _T]) -> _T:
    """What the operation returns. The system's own error ends here: it is in no chain of what is raised instead."""
    try:
        return operation()
    except OSError as cause:
        why = _why(cause)
    raise _unavailable(path, why, _REPLACE)


def printable_path(path: str) -> str:
    """A path may hold bytes that are no text."""
    return printable(path.encode("utf-8", "backslashreplace").decode())


def _why(cause: OSError) -> str:
    return cause.strerror or type(cause).__name__


def _unavailable(where: str, why: str, next_step: str) -> InfisicalError:
    return InfisicalError("lock_unavailable", f"Could not use {printable_path(where)} for the lock: {why}.", next_step)


def _check_temporary(path: str) -> None:
    if not os.path.isabs(path):
        raise OSError(errno.EINVAL, "it is another folder for each working folder")
    # With a slash at its end, a file is told from a folder.
    mode = os.stat(os.path.join(path, "")).st_mode
    if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        raise OSError(errno.EPERM, "every user may rename what is in it")


def _opened(path: str) -> int:
    """The user's own folder. A FileNotFoundError is worth another attempt."""
    try:
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | FLAGS)
    except FileNotFoundError:
        with suppress(FileExistsError):
            os.mkdir(path, 0o700)
        raise
    found = os.fstat(folder)
    if found.st_uid == os.geteuid() and not found.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        return folder
    os.close(folder)
    mode = stat.S_IMODE(found.st_mode)
    raise OSError(errno.EPERM, f"it belongs to user {found.st_uid} and has mode {mode:04o} instead of 0700")


def _flocked(folder: int, name: str) -> int:
    """The locked file. BlockingIOError: somebody else holds it. FileNotFoundError: it was removed meanwhile."""
    descriptor = os.open(name, os.O_RDWR | os.O_CREAT | FLAGS, 0o600, dir_fd=folder)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # The holder before us removed the file: a lock on what no longer has a name keeps nobody out.
        if not _is_named(descriptor, name, folder):
            raise FileNotFoundError
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _release(folder: int, name: str, descriptor: int) -> None:
    """Remove the file, if it is still there and ours: who cleans up temporary folders must not fail a rotation."""
    with suppress(OSError):
        if _is_named(descriptor, name, folder):
            os.unlink(name, dir_fd=folder)
    os.close(descriptor)


def _is_named(descriptor: int, name: str, folder: int | None = None) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(name, dir_fd=folder, follow_symlinks=False))
    except OSError:
        return False


def _remove_old(folder: int, stem: str) -> None:
    for name in (stem + NOTE, stem + NEW):
        with suppress(OSError):
            if _is_old(folder, name):
                os.unlink(name, dir_fd=folder)


def _is_old(folder: int, name: str) -> bool:
    return time.time() - os.stat(name, dir_fd=folder, follow_symlinks=False).st_mtime > _KEPT_SECONDS
