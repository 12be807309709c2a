# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs as Tower runs them: ansible-runner in a private folder that is laid out, and filled, as AWX does it."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from simulator.client import Simulator

from support.ansible import LOCAL, Workspace
from support.server import environment

COLLECTION = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
SKELETON = COLLECTION / "examples" / "tower"
#: What the skeleton leaves to the team.
PROJECT_ID = "8e9f0a1b-2c3d-4e5f-8a7b-9c0d1e2f3a4b"


class _Setup(yaml.SafeLoader):
    """Of tower_setup's data, in which what belongs to Tower is marked unsafe."""

    def unsafe(self, node: yaml.ScalarNode) -> str:
        return str(self.construct_scalar(node))


_Setup.add_constructor("!unsafe", _Setup.unsafe)


class _Unsafe(yaml.SafeDumper):
    """As AWX writes extra variables: every text, the names too, is unsafe."""

    def represent_data(self, data: Any) -> Any:
        return self.represent_scalar("!unsafe", data) if isinstance(data, str) else super().represent_data(data)


def setup() -> dict[str, Any]:
    """What tower_setup makes in Tower."""
    text = (COLLECTION / "playbooks" / "vars" / "tower_setup.yml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.load(text, _Setup)  # noqa: S506 - a SafeLoader
    return found


def questions(playbook: str) -> list[dict[str, Any]]:
    """The survey of the job template of that playbook."""
    made = setup()
    (template,) = (each for each in made["tower_setup_templates"] if each["playbook"] == playbook)
    asked = {each["variable"]: each for each in made["tower_setup_questions"]}
    return [asked[variable] for variable in template["survey"]]


def credential(**given: str) -> dict[str, str]:
    """The environment of the credential type, every field blank that is not given."""
    names = setup()["tower_setup_credential_type"]["injectors"]["env"]
    assert set(given) <= set(names)
    return {**dict.fromkeys(names, ""), **given}


def localhost() -> dict[str, Any]:
    return {"_meta": {"hostvars": {"localhost": LOCAL}}, "all": {"hosts": ["localhost"]}}


def sliced(inventory: Mapping[str, Any], number: int, count: int) -> dict[str, Any]:
    """The inventory of one slice: all groups, and of the hosts by name every ``count``-th."""
    hostvars = inventory["_meta"]["hostvars"]
    kept = sorted(hostvars)[number - 1 :: count]
    groups = {
        name: {**group, "hosts": [host for host in group["hosts"] if host in kept]} if "hosts" in group else group
        for name, group in inventory.items()
        if name != "_meta"
    }
    return {"_meta": {"hostvars": {host: hostvars[host] for host in kept}}, **groups}


@dataclass(frozen=True)
class Job:
    """One that has ended, with all that it left."""

    folder: Path
    status: str
    rc: int
    stdout: str
    events: list[dict[str, Any]]

    def _stats(self) -> dict[str, Any]:
        (event,) = (each["event_data"] for each in self.events if each["event"] == "playbook_on_stats")
        found: dict[str, Any] = event
        return found

    @property
    def artifacts(self) -> dict[str, Any]:
        """What the next job of a workflow gets as extra variables."""
        found: dict[str, Any] = self._stats()["artifact_data"]
        return found

    @property
    def told(self) -> dict[str, Any]:
        """The small result of a playbook of this collection."""
        found: dict[str, Any] = self.artifacts["secretops_infisical"]
        return found

    @property
    def failed_hosts(self) -> list[str]:
        """Whom Tower offers for a relaunch on failed hosts."""
        stats = self._stats()
        return sorted({*stats["failures"], *stats["dark"]})

    def result(self, task: str) -> dict[str, Any]:
        """Of the only host of that task."""
        ended = ("runner_on_ok", "runner_on_failed")
        (event,) = (
            each["event_data"] for each in self.events if each["event"] in ended and each["event_data"]["task"] == task
        )
        found: dict[str, Any] = event["res"]
        return found


class Tower:
    """``env`` is that of the machine, ``login`` what the credential puts into the environment of a job."""

    def __init__(self, folder: Path, env: Mapping[str, str], login: Mapping[str, str]) -> None:
        self.folder = folder
        self.env = env
        self.login = login
        self.project = folder / "project"
        shutil.copytree(SKELETON, self.project)
        self._jobs = 0

    def configure(self, file: str, old: str, new: str) -> None:
        """What a team fills in."""
        path = self.project / file
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{old} in {file}"
        path.write_text(text.replace(old, new), encoding="utf-8")

    def _private(self) -> Path:
        """A new job's folder: the project, the collections that it requires, an inventory, an environment."""
        self._jobs += 1
        private = self.folder / f"job{self._jobs}"
        for name in ("inventory", "env", "artifacts", "cp"):
            (private / name).mkdir(parents=True)
        private.chmod(0o700)
        shutil.copytree(self.project, private / "project")
        collections = private / "requirements_collections" / "ansible_collections" / "secretops"
        collections.mkdir(parents=True)
        (collections / "infisical").symlink_to(COLLECTION)
        return private

    def _environment(self, private: Path, **more: str) -> dict[str, str]:
        return {
            **self.env,
            # As the shell has it that a container begins with.
            "PWD": str(private / "project"),
            "AWX_PRIVATE_DATA_DIR": str(private),
            "ANSIBLE_FORCE_COLOR": "True",
            "ANSIBLE_HOST_KEY_CHECKING": "False",
            "ANSIBLE_INVENTORY_UNPARSED_FAILED": "True",
            "ANSIBLE_PARAMIKO_RECORD_HOST_KEYS": "False",
            # The test's own environment is linked to the collection, an execution environment is not.
            "ANSIBLE_COLLECTIONS_SCAN_SYS_PATH": "false",
            **more,
        }

    def sync(self, source: str = "fleet.okta_rotations.yml") -> dict[str, Any]:
        """An inventory update, which gets no extra variables, and what a job's inventory then is."""
        private = self._private()
        output = private / "artifacts" / "output.json"
        command = [str(BIN / "ansible-inventory"), "--list", "--export"]
        command += ["-i", str(private / "project" / source), "--output", str(output)]
        command += ["--playbook-dir", str(private / "project")]
        env = dict(self.login) | self._environment(
            private,
            ANSIBLE_INVENTORY_EXPORT="True",
            ANSIBLE_VERBOSE_TO_STDERR="True",
            ANSIBLE_HOST_PATTERN_MISMATCH="error",
            # Which ansible-core 2.19 does not read.
            ANSIBLE_COLLECTIONS_PATHS=str(private / "requirements_collections"),
        )
        done = subprocess.run(
            command, cwd=private / "project", env=env, capture_output=True, text=True, timeout=120, check=False
        )
        if done.returncode:
            raise RuntimeError(done.stdout + done.stderr)
        found: dict[str, Any] = json.loads(output.read_text(encoding="utf-8"))
        hosts = {host for group in found.values() for host in group.get("hosts", [])}
        found["_meta"]["hostvars"] = {host: found["_meta"]["hostvars"].get(host, {}) for host in sorted(hosts)}
        return found

    def launch(
        self,
        playbook: str,
        inventory: Mapping[str, Any],
        variables: Mapping[str, Any] | None = None,
        *,
        limit: Iterable[str] = (),
        check: bool = False,
        verbosity: int = 0,
        forks: int = 0,
        cancel: Callable[[], bool] | None = None,
    ) -> Job:
        """A job. ``variables`` are answers of its survey, or artifacts of the job before it in a workflow."""
        private = self._private()
        script = private / "inventory" / "hosts"
        text = json.dumps(inventory)
        script.write_text(f"#! /usr/bin/env python3\n# -*- coding: utf-8 -*-\nprint({text!r})\n", encoding="utf-8")
        script.chmod(0o700)
        given = {"awx_job_id": self._jobs, "awx_user_name": "admin", **(variables or {})}
        written = yaml.dump(given, Dumper=_Unsafe, default_flow_style=False)
        (private / "env" / "extravars").write_text(written, encoding="utf-8")
        command = ["--check"] if check else []
        command += ["-u", "root", *([f"--forks={forks}"] if forks else [])]
        command += ["-l", ",".join(limit)] if limit else []
        command += [f"-{'v' * verbosity}"] if verbosity else []
        (private / "env" / "cmdline").write_text(shlex.join(command), encoding="utf-8")
        (private / "env" / "envvars").write_text(json.dumps(self.login), encoding="utf-8")
        settings = {"suppress_ansible_output": True, "pexpect_timeout": 0.2}
        (private / "env" / "settings").write_text(json.dumps(settings), encoding="utf-8")
        env = self._environment(
            private,
            JOB_ID=str(self._jobs),
            ANSIBLE_RETRY_FILES_ENABLED="False",
            ANSIBLE_SSH_CONTROL_PATH_DIR=str(private / "cp"),
            ANSIBLE_COLLECTIONS_PATH=str(private / "requirements_collections"),
        )
        runner = [str(BIN / "ansible-runner"), "run", str(private), "--playbook", playbook, "--ident", str(self._jobs)]
        process = subprocess.Popen(
            [*runner, "--inventory", str(script)],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        while process.poll() is None and cancel is not None and not cancel():
            time.sleep(0.05)
        if process.poll() is None and cancel is not None:
            process.terminate()
            _kill(private, process.pid)
        said, _nothing = process.communicate(timeout=300)
        return _ended(private, private / "artifacts" / str(self._jobs), said)


def _ended(private: Path, artifacts: Path, said: str) -> Job:
    if not (artifacts / "status").exists():
        raise RuntimeError(said)
    status, code, stdout = ((artifacts / name).read_text(encoding="utf-8") for name in ("status", "rc", "stdout"))
    events = [json.loads(path.read_text(encoding="utf-8")) for path in (artifacts / "job_events").glob("*.json")]
    return Job(private, status, int(code), stdout, sorted(events, key=_number))


def _number(event: Mapping[str, Any]) -> int:
    return int(event["counter"])


def _kill(private: Path, runner: int) -> None:
    """SIGKILL to everything in the job's container, where without one ansible-runner reaches one group of processes."""
    mark = f"AWX_PRIVATE_DATA_DIR={private}\0".encode()
    for path in Path("/proc").glob("[0-9]*/environ"):
        pid = int(path.parent.name)
        with contextlib.suppress(OSError):
            if pid != runner and mark in path.read_bytes():
                os.kill(pid, signal.SIGKILL)


def tower_for(simulator: Simulator, workspace: Workspace, **more: str) -> Tower:
    """One whose credential is that of the simulator's identity; ``more`` are other fields of it."""
    login = credential(**{**environment(simulator), **more})
    return Tower(workspace.folder / "tower", workspace.environment(), login)
