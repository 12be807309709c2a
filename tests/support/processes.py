# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands of Ansible that run while the test does something to them, and what they started."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from support.ansible import Workspace

#: For what takes a second or two on an idle machine.
PATIENCE = 40


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for it, and fail if it does not come."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"it never came that {what}"
        time.sleep(0.05)


def until_nothing_runs(workspace: Workspace) -> None:
    """A module outlives a task that was broken off, and would log in anew at the next test's server."""
    place = str(workspace.folder)
    until(lambda: not any(place in _command(pid) for pid in _parents()), "what was broken off ends")


class Playbook:
    """A running ansible-playbook, in a session of its own, as a terminal would start it."""

    def __init__(
        self, workspace: Workspace, tasks: list[dict[str, Any]], env: dict[str, str], *started_by: str
    ) -> None:
        path = workspace.folder / "running.yml"
        plays = [{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]
        path.write_text(json.dumps(plays), encoding="utf-8")
        self.process = subprocess.Popen(
            [*started_by, str(Path(sys.executable).parent / "ansible-playbook"), str(path)],
            cwd=workspace.folder,
            env=workspace.environment(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._seen: set[int] = set()

    def __enter__(self) -> Playbook:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill_all()

    def family(self) -> set[int]:
        """It and everything that it started and that still runs."""
        parents = _parents()
        found = {self.process.pid} if self.process.poll() is None else set()
        found |= {pid for pid in self._seen if pid in parents}
        while more := {pid for pid, parent in parents.items() if parent in found} - found:
            found |= more
        self._seen |= found
        return found

    def module(self) -> int | None:
        """The process that runs the module's code, once there is one."""
        return max((pid for pid in self.family() if "AnsiballZ" in _command(pid).rpartition("python")[2]), default=None)

    def wait(self) -> int:
        return self.process.wait(timeout=PATIENCE)

    def kill_all(self) -> None:
        """SIGKILL to all of it, as when a machine runs out of memory."""
        for pid in self.family():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.wait()


def _parents() -> dict[int, int]:
    """Parent by process, zombies left out."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
            except OSError:
                continue
            if state != "Z":
                parents[int(entry.name)] = int(parent)
    return parents


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""
