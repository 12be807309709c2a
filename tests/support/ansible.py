# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the command-line tools of Ansible as a user does, with a home and a temporary folder of their own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import weakref
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import yaml

from support import both_ways

SUPPORT = Path(__file__).resolve().parent
COLLECTION = SUPPORT.parents[1]
MODULE = "secretops.infisical.okta_client_secret_rotation"
#: The environment of a run whose tasks are done in the controller's process, and of one with modules.
IN_PROCESS, AS_MODULE = {both_ways.IN_PROCESS: "1"}, {both_ways.IN_PROCESS: "0"}
#: Variables of a host that is this machine.
LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}


def python_path(*first: Path) -> str:
    """So that what a module compiles is kept, after ``first`` and before what whoever runs the tests has set."""
    given = os.environ.get("PYTHONPATH")
    return os.pathsep.join([*map(str, first), str(SUPPORT / "byte_code"), *([given] if given else [])])


@dataclass(frozen=True)
class TaskResult:
    """One task on one host."""

    status: str
    host: str
    task: str
    action: str
    result: dict[str, Any]

    def __getitem__(self, key: str) -> Any:
        return self.result[key]


@dataclass(frozen=True)
class Run:
    """A finished command. ``results`` are in the order in which the tasks ended."""

    returncode: int
    stdout: str
    stderr: str
    results: list[TaskResult] = field(default_factory=list)

    @property
    def output(self) -> str:
        return self.stdout + self.stderr

    def named(self, task: str) -> TaskResult:
        """The only result of the task with that name."""
        found = [result for result in self.results if result.task == task]
        assert len(found) == 1, f"{len(found)} results of {task!r} in:\n{self.output}"
        return found[0]

    @property
    def only(self) -> TaskResult:
        assert len(self.results) == 1, self.output
        return self.results[0]


class Workspace:
    """A folder in which nothing of the user's is read or written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.home.mkdir(parents=True, exist_ok=True)
        # Not in the folder: ansible-core puts a socket there, whose path may have 107 characters at most.
        self.tmp = Path(tempfile.mkdtemp(prefix="w-"))
        weakref.finalize(self, shutil.rmtree, self.tmp, ignore_errors=True)
        self._runs = 0

    def environment(self, extra: dict[str, str] | None = None) -> dict[str, str]:
        kept = {
            key: os.environ[key]
            for key in ("LANG", "LC_ALL", "PYTHONPYCACHEPREFIX", "VIRTUAL_ENV", both_ways.IN_PROCESS)
            if key in os.environ
        }
        measuring = ("COVERAGE_", "_ANSIBLE_COVERAGE_", "ANSIBLE_WORKER_SHUTDOWN_")
        kept |= {key: value for key, value in os.environ.items() if key.startswith(measuring)}
        return {
            "LC_ALL": "C.UTF-8",
            **kept,
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "HOME": str(self.home),
            "TMPDIR": str(self.tmp),
            # As a shell has it.
            "PWD": str(self.folder),
            "ANSIBLE_HOME": str(self.home / ".ansible"),
            # Its default is found through the user database, whatever HOME says.
            "ANSIBLE_REMOTE_TMP": str(self.home / ".ansible" / "tmp"),
            "ANSIBLE_ASYNC_DIR": str(self.home / ".ansible_async"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
            "ANSIBLE_RETRY_FILES_ENABLED": "false",
            # What is compiled goes where whoever runs the tests wants it, or nowhere.
            "PYTHONDONTWRITEBYTECODE": "" if "PYTHONPYCACHEPREFIX" in kept else "1",
            "PYTHONPATH": python_path(),
            **(extra or {}),
        }

    def command(
        self, arguments: list[str], env: dict[str, str] | None = None, stdin: str | None = None, timeout: float = 120
    ) -> Run:
        """Run a tool of the environment's bin folder; tasks' results are collected."""
        self._runs += 1
        results = self.folder / f"results-{self._runs}.jsonl"
        environment = self.environment(
            {
                "RESULTS_FILE": str(results),
                "ANSIBLE_CALLBACK_PLUGINS": str(SUPPORT / "callback_plugins"),
                "ANSIBLE_CALLBACKS_ENABLED": "results",
                "ANSIBLE_LOAD_CALLBACK_PLUGINS": "true",
                **(env or {}),
            }
        )
        done = subprocess.run(
            [str(Path(sys.executable).parent / arguments[0]), *arguments[1:]],
            cwd=self.folder,
            env=environment,
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        lines = results.read_text(encoding="utf-8").splitlines() if results.exists() else []
        run = Run(done.returncode, done.stdout, done.stderr, [TaskResult(**json.loads(line)) for line in lines])
        both_ways.record(run.returncode, [asdict(result) for result in run.results])
        return run

    def playbook(self, plays: list[dict[str, Any]] | str, *arguments: str, env: dict[str, str] | None = None) -> Run:
        """ansible-playbook over plays given as data or as YAML text."""
        text = plays if isinstance(plays, str) else yaml.safe_dump(plays, sort_keys=False)
        path = self.folder / f"playbook-{self._runs + 1}.yml"
        path.write_text(text, encoding="utf-8")
        return self.command(["ansible-playbook", str(path), *arguments], env)

    def tasks(
        self, tasks: list[dict[str, Any]], *arguments: str, env: dict[str, str] | None = None, **play: Any
    ) -> Run:
        """One play on localhost without facts."""
        return self.playbook(
            [{"hosts": "localhost", "gather_facts": False, "tasks": tasks, **play}], *arguments, env=env
        )

    def task(self, options: dict[str, Any], *arguments: str, env: dict[str, str] | None = None, **task: Any) -> Run:
        """One task of the module on localhost."""
        return self.tasks([{"name": "task", MODULE: options, **task}], *arguments, env=env)

    def adhoc(self, options: dict[str, Any], *arguments: str, env: dict[str, str] | None = None) -> Run:
        """The module as an ad-hoc command."""
        return self.command(["ansible", "localhost", "-m", MODULE, "-a", json.dumps(options), *arguments], env)
