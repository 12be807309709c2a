# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One task at a time for each rotation on this machine.

The server's own lock ends with the rotation. A task that read before another one rotated and requests just
after it would rotate a second time; this lock spans reading and requesting.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from .._errors import InfisicalError
from .._transport.patience import Patience

_POLL_SECONDS = 0.1


@contextmanager
def hold(url: str, rotation_id: str, patience: Patience) -> Iterator[None]:
    """Wait for the lock as long as patience lasts. The kernel releases it when the process dies."""
    path = lock_path(url, rotation_id)
    descriptor = _acquired(path)
    while descriptor is None:
        if not patience.pause(_POLL_SECONDS):
            raise InfisicalError(
                "rotation_in_progress",
                f"Could not rotate the secret of {rotation_id}: another task of this machine has been at it for "
                "longer than wait_timeout.",
                "Nothing was sent by this task. Run again when the other one has ended.",
                nothing_done=True,
            )
        descriptor = _acquired(path)
    try:
        yield
    finally:
        _remove(path, descriptor)
        os.close(descriptor)


def _remove(path: str, descriptor: int) -> None:
    """Remove the file, if it is still there and ours: who cleans up temporary folders must not fail a rotation."""
    try:
        if os.path.samestat(os.fstat(descriptor), os.stat(path, follow_symlinks=False)):
            os.unlink(path)
    except OSError:
        pass


def lock_path(url: str, rotation_id: str) -> str:
    """The lock file's name. The user is part of it, for another user's file could be neither opened nor removed."""
    digest = hashlib.sha256(f"{url} {rotation_id}".encode()).hexdigest()[:32]
    return os.path.join(tempfile.gettempdir(), f"secretops.infisical-{os.getuid()}-{digest}.lock")


def _acquired(path: str) -> int | None:
    """The locked file's descriptor, or None while somebody else holds it."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as cause:
        raise InfisicalError(
            "lock_unavailable",
            f"Could not open the lock file {path}: {cause.strerror}.",
            "Remove what stands in its place, or set TMPDIR to a folder that this user can write.",
            nothing_done=True,
        ) from cause
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # The holder before us removed the file: a lock on what no longer has a name keeps nobody out.
        if os.path.samestat(os.fstat(descriptor), os.stat(path)):
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(descriptor)
    return None
