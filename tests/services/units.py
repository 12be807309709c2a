# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Units of a service manager. What is known about them is in one folder, for every call is a process of its own."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from .born import born

_TESTS = Path(__file__).resolve().parents[1]
#: Until a service listens, and until it has ended. After that it is killed.
_PATIENCE = 30


class UnitFailed(Exception):
    """A unit did not do what it was told."""


class Units:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, name: str, command: list[str]) -> None:
        self._save(name, {"command": command, "pid": 0, "born": ""})

    def names(self) -> list[str]:
        return sorted(path.stem for path in self._folder.glob("*.json"))

    def pid(self, name: str) -> int:
        """0 where it does not run."""
        unit = self._load(name)
        return int(unit["pid"]) if unit["born"] and born(unit["pid"]) == unit["born"] else 0

    def file(self, name: str) -> Path:
        return self._folder / f"{name}.json"

    def log(self, name: str) -> str:
        path = self._log(name)
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def start(self, name: str) -> None:
        """Returns when it listens, as with ``Type=notify``."""
        with self._alone(name):
            if not self.pid(name):
                self._start(name)

    def stop(self, name: str) -> None:
        """Returns when it has ended."""
        with self._alone(name):
            self._stop(name)

    def restart(self, name: str) -> None:
        with self._alone(name):
            self._stop(name)
            self._start(name)

    def reload(self, name: str) -> None:
        """Returns when it has read its settings, as with ``Type=notify-reload``."""
        with self._alone(name):
            pid = self.pid(name)
            if not pid:
                raise UnitFailed("it is not active, cannot reload")
            before = len(self.log(name))
            os.kill(pid, signal.SIGHUP)
            if not self._said(name, before, "reloaded", lambda: bool(self.pid(name))):
                raise UnitFailed("it did not read its settings")

    def _start(self, name: str) -> None:
        before = len(self.log(name))
        command = self._load(name)["command"]
        # Nothing of the caller's: its end, its output and its variables are not the service's.
        compiled = os.environ.get("PYTHONPYCACHEPREFIX", "")
        with self._log(name).open("ab") as log:
            process = subprocess.Popen(
                command,
                cwd=self._folder,
                env={
                    "PATH": "/usr/bin:/bin",
                    "LC_ALL": "C.UTF-8",
                    "PYTHONPATH": str(_TESTS),
                    "PYTHONPYCACHEPREFIX": compiled,
                    "PYTHONDONTWRITEBYTECODE": "" if compiled else "1",
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._save(name, {"command": command, "pid": process.pid, "born": born(process.pid)})
        if not self._said(name, before, "port", lambda: process.poll() is None):
            raise UnitFailed(f"it did not start:\n{self.log(name)[before:]}")

    def _stop(self, name: str) -> None:
        deadline = time.monotonic() + _PATIENCE
        number = signal.SIGTERM
        while pid := self.pid(name):
            if number == signal.SIGKILL or time.monotonic() > deadline:
                number = signal.SIGKILL
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
            while self.pid(name) and (number == signal.SIGKILL or time.monotonic() < deadline):
                time.sleep(0.01)

    def _said(self, name: str, before: int, key: str, alive: Callable[[], bool]) -> bool:
        """Wait for a line of JSON with that key, and whether its value is a good one."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            # What it said last is read after it ended too.
            goes_on = alive() and time.monotonic() < deadline
            for line in self.log(name)[before:].splitlines(keepends=True):
                if line.startswith("{") and line.endswith("}\n"):
                    said = json.loads(line)
                    if key in said:
                        return bool(said[key])
            if not goes_on:
                return False
            time.sleep(0.01)

    @contextlib.contextmanager
    def _alone(self, name: str) -> Iterator[None]:
        """Two calls for one unit are jobs that wait for each other."""
        with (self._folder / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _log(self, name: str) -> Path:
        return self._folder / f"{name}.log"

    def _load(self, name: str) -> dict[str, Any]:
        unit: dict[str, Any] = json.loads(self.file(name).read_text(encoding="utf-8"))
        return unit

    def _save(self, name: str, unit: dict[str, Any]) -> None:
        new = self._folder / f"{name}.new"
        new.write_text(json.dumps(unit), encoding="utf-8")
        new.replace(self.file(name))
