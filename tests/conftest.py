# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all tests share."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import NoReturn

import pytest

# pytest's own settings say so too, but ansible-test brings settings of its own.
sys.path.insert(0, str(Path(__file__).resolve().parent))

from simulator.client import Simulator
from support import children
from support.ansible import Workspace

_ENDING = (signal.SIGTERM, signal.SIGHUP)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """A temporary folder for everything that the run leaves, removed with it; ``--basetemp`` keeps tests' files.

    Not in the checkout: ansible-core puts sockets below it, whose path may have 107 characters at most.
    """
    if "before_release" not in str(config.getini("markers")):
        # ansible-test brings settings of its own, and repeats the tests on many Pythons.
        config.addinivalue_line("markers", "before_release: takes too long for every day")
        config.addinivalue_line("markers", "weekly: takes too long for each change")
        config.addinivalue_line("markers", "counted: the coverage needs it")
        config.addinivalue_line("markers", "uncounted: the coverage does without it")
        config.addinivalue_line("markers", "run_once: long, and says itself how its tasks run")
        config.option.markexpr = config.option.markexpr or "not before_release"
    if hasattr(config, "workerinput"):
        # The environment came from the process that started it.
        return
    children.adopt()
    folder = tempfile.TemporaryDirectory(prefix="t-")
    config.add_cleanup(folder.cleanup)
    config.add_cleanup(children.end_all)
    os.environ["TMPDIR"] = folder.name
    tempfile.tempdir = None
    if not config.option.basetemp:
        config.option.basetemp = os.path.join(folder.name, "pytest")
    for number in _ENDING:
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _end)


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    """As Ctrl-C does it: what is open is closed, and the folder goes."""
    for each in _ENDING:
        signal.signal(each, signal.SIG_IGN)
    pytest.exit(f"signal {number}", returncode=128 + number)


@pytest.fixture(scope="session")
def running_simulator() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator


@pytest.fixture
def simulator(running_simulator: Simulator) -> Simulator:
    """The simulator as after its start."""
    running_simulator.reset()
    return running_simulator


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)
