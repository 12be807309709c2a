# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module's own process would give the task: environment, working folder, and an end that cleans up."""

from __future__ import annotations

import os
import re
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

from ansible_collections.secretops.infisical.plugins.module_utils._errors import invalid_arguments

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
#: A process reads these when it starts: setting them later is not the same thing.
_READ_AT_START = ("PYTHON", "LD_", "DYLD_", "OPENSSL_", "LC_", "LANG", "MALLOC_")
#: Python's tempfile looks at these once and remembers.
_TEMPORARY = ("TMPDIR", "TEMP", "TMP")
_FORK_SAFETY = "OBJC_DISABLE_INITIALIZE_FORK_SAFETY"


def refuse_unsafe_fork() -> None:
    """For steps that send requests in ansible-core's forked workers, whatever it costs there."""
    if sys.platform == "darwin" and os.environ.get(_FORK_SAFETY) != "YES":
        raise invalid_arguments(
            "On macOS a process that ansible-core forks crashes at its first request: set "
            f"{_FORK_SAFETY}=YES and no_proxy=* in the environment of ansible-playbook."
        )


def only_at_start(environment: Mapping[str, str]) -> list[str]:
    """The variables that do nothing, or something else, in a process that runs already."""
    return [name for name in environment if name.startswith(_READ_AT_START) or not _NAME.fullmatch(name)]


@contextmanager
def applied(environment: Mapping[str, str], folder: str) -> Iterator[None]:
    """The task's environment and the folder in which the local connection starts modules, for as long as it runs.

    A worker runs all items of a loop and all retries, so that everything is put back.
    """
    before = {name: os.environ.get(name) for name in environment}
    # O_PATH, where there is one, needs no right to list the folder.
    folder_before = os.open(".", getattr(os, "O_PATH", os.O_RDONLY) | os.O_CLOEXEC)
    temporary = tempfile.tempdir
    try:
        os.chdir(folder)
        os.environ.update(environment)
        if any(name in environment for name in _TEMPORARY):
            tempfile.tempdir = None
        yield
    finally:
        tempfile.tempdir = temporary
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        # A folder that is barred meanwhile must not overturn what was done.
        with suppress(OSError):
            os.fchdir(folder_before)
        os.close(folder_before)


class Interrupted(BaseException):
    """A signal asked this process to end. No ``except Exception`` may stop it."""

    def __init__(self, number: int) -> None:
        super().__init__(f"signal {number}")
        self.number = number


@contextmanager
def interruptible() -> Iterator[None]:
    """An interrupt unwinds the stack, so that the session revokes its token, and then takes ansible-core's own way.

    ansible-core's handler in a worker ends the process at once, where a module's process would clean up.
    """
    if threading.current_thread() is not threading.main_thread():
        # Python delivers signals to no other thread, and allows no other to set handlers.
        yield
        return
    known = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    # What is ignored stays ignored: whoever started ansible-core under nohup wants it to go on.
    before = {number: handler for number, handler in known.items() if handler is not signal.SIG_IGN}

    def unwind(number: int, _frame: FrameType | None) -> NoReturn:
        for each in before:
            # A second one, which Ctrl-C pressed twice is, would stop the revocation.
            signal.signal(each, signal.SIG_IGN)
        raise Interrupted(number)

    try:
        for number in before:
            signal.signal(number, unwind)
        yield
    except Interrupted as interrupt:
        _put_back(before)
        os.kill(os.getpid(), interrupt.number)
        raise
    finally:
        _put_back(before)


def _put_back(handlers: Mapping[signal.Signals, object]) -> None:
    for number, handler in handlers.items():
        # None stands for a handler that was not installed from Python, and cannot be.
        signal.signal(number, signal.SIG_DFL if handler is None else handler)  # type: ignore[arg-type]
