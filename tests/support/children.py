# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a command that was interrupted leaves running, and which still writes to folders that are to be removed."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import time
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36
#: After that they are no longer asked.
_PATIENCE = 20


def adopt() -> None:
    """From now on a process that loses its parent becomes a child of this one, if it descends from it."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_all() -> None:
    """End the children, and theirs as they are adopted, and see them gone."""
    deadline = time.monotonic() + _PATIENCE
    asked: set[int] = set()
    while children := _children():
        insist = time.monotonic() > deadline
        for pid in children if insist else children - asked:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL if insist else signal.SIGTERM)
        asked |= children
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        time.sleep(0.02)


def _children() -> set[int]:
    own = str(os.getpid())
    found = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if path.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1] == own:
                found.add(int(path.parent.name))
    return found
