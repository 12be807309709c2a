# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A task that is interrupted while it waits: its token is revoked, its files go, and it ends."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import pytest
from ansible.release import __version__
from simulator.client import Simulator
from support.ansible import AS_MODULE, IN_PROCESS, MODULE, Workspace
from support.processes import Playbook, until
from support.server import login, tokens_left

#: Before that, SIGTERM ends ansible-playbook alone, and its tasks end when their work does.
PASSES_ON = tuple(int(part) for part in __version__.split(".")[:2]) >= (2, 19)
INT, TERM, HUP = signal.SIGINT, signal.SIGTERM, signal.SIGHUP


def group(playbook: Playbook, number: int) -> None:
    """As a terminal does on Ctrl-C."""
    os.killpg(playbook.process.pid, number)


def controller(playbook: Playbook, number: int) -> None:
    """As a service manager does."""
    os.kill(playbook.process.pid, number)


def worker(playbook: Playbook, number: int) -> None:
    """The process of the task, which is the youngest where no module runs."""
    os.kill(max(playbook.family()), number)


def module(playbook: Playbook, number: int) -> None:
    pid = playbook.module()
    assert pid is not None
    os.kill(pid, number)


def twice(playbook: Playbook, number: int) -> None:
    """As an impatient person does."""
    group(playbook, number)
    for pid in playbook.family():
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


EVERYDAY = [
    (IN_PROCESS, controller, INT),
    (IN_PROCESS, worker, TERM),
    (AS_MODULE, group, INT),
    (AS_MODULE, controller, TERM),
]
FURTHER = [
    (IN_PROCESS, controller, TERM),
    (AS_MODULE, module, HUP),
    (AS_MODULE, twice, INT),
    (IN_PROCESS, group, INT),
    (IN_PROCESS, worker, INT),
    (IN_PROCESS, worker, HUP),
    (AS_MODULE, group, TERM),
    (AS_MODULE, controller, INT),
    (AS_MODULE, module, INT),
    (AS_MODULE, module, TERM),
    (AS_MODULE, twice, TERM),
]


@pytest.mark.parametrize(
    ("env", "target", "number"),
    EVERYDAY + (FURTHER if os.environ.get("EXACTLY_ONCE_PLAYS") else []),
    ids=lambda value: (
        getattr(value, "__name__", None)
        or getattr(value, "name", None)
        or ("here" if value is IN_PROCESS else "module")
    ),
)
def test_an_interrupted_wait_cleans_up_and_ends(
    workspace: Workspace,
    simulator: Simulator,
    env: dict[str, str],
    target: Callable[[Playbook, int], None],
    number: int,
) -> None:
    rotation = simulator.rotation()["id"]
    simulator.fault_rotate("reset_before")
    # Longer than this test has patience: an interrupt that is not heeded shows.
    wait = 10 if (target, number) == (controller, TERM) and not PASSES_ON else 600
    options = {**login(simulator), "rotation_id": rotation, "wait_timeout": wait}
    with Playbook(workspace, [{"name": "rotate", MODULE: options}], env) as playbook:
        until(lambda: len(simulator.log(f"{rotation}$", "GET")) > 1, "the task waits")
        assert len(tokens_left(simulator)) == 1
        playbook.family()
        target(playbook, number)
        assert playbook.wait() != 0
        until(lambda: not playbook.family(), "all its processes ended")
    assert tokens_left(simulator) == []
    # Python's multiprocessing leaves a folder when SIGTERM ends ansible-core itself; the note is for the next task.
    left = [path for path in workspace.tmp.iterdir() if not path.name.startswith("pymp-")]
    assert [path.suffix for folder in left for path in folder.iterdir()] == [".note"]
    assert simulator.posts() == 1


@pytest.mark.before_release
@pytest.mark.parametrize(("env", "target"), [(IN_PROCESS, worker), (AS_MODULE, module)], ids=["here", "module"])
def test_what_was_started_to_outlive_its_terminal_does(
    workspace: Workspace, simulator: Simulator, env: dict[str, str], target: Callable[[Playbook, int], None]
) -> None:
    rotation = simulator.rotation()["id"]
    simulator.settings(rotationSeconds=2.0)
    options = {**login(simulator), "rotation_id": rotation}
    with Playbook(workspace, [{"name": "rotate", MODULE: options}], env, "nohup") as playbook:
        until(lambda: simulator.posts() == 1, "the request is sent")
        target(playbook, HUP)
        assert playbook.wait() == 0
    assert tokens_left(simulator) == []
