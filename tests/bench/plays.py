# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plays that are measured: ours in process, ours as a module, the recipe with uri, and one that does nothing."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from simulator.client import Simulator
from support.ansible import MODULE, Workspace
from support.server import environment

from .measuring import Cost, measured

RECIPE = Path(__file__).with_name("recipe.yml")
FORKS = 50
IN_PROCESS, AS_MODULE, URI, URI_ONE_LOGIN = "in process", "as a module", "uri recipe", "uri recipe, one login"
NOTHING, EMPTY_MODULE = "debug", "a module that does nothing"
_OURS = {MODULE: {"url": "{{ infisical_url }}", "rotation_id": "{{ rotation_id }}", "min_age": 0}}
_NOTHING = {"ansible.builtin.debug": {"msg": "nothing"}}
_LOGIN_DATA = {"login_data": "{{ login.login_data }}"}


class Bench:
    """A server with rotations, and the commands that rotate them in one way or another."""

    def __init__(self, folder: Path, simulator: Simulator, size: int) -> None:
        self.workspace = Workspace(folder)
        self.simulator = simulator
        simulator.reset()
        project = simulator.add_project("bench")["id"]
        self.ids = [rotation["id"] for rotation in simulator.add_rotations(size, projectId=project)]
        shutil.copy(RECIPE, folder / RECIPE.name)
        self.inventory = folder / "bench.okta_rotations.yml"
        self.inventory.write_text(
            json.dumps({"plugin": "secretops.infisical.okta_client_secret_rotations", "projects": {"bench": project}}),
            encoding="utf-8",
        )

    def one(self, way: str) -> Cost:
        """One rotation on localhost."""
        tasks = self._recipe() if way == URI else [{"name": "Rotate", **_OURS}]
        return self._run(way, [self._local(tasks, rotation_id=self.ids[0])], expected=1)

    def loop(self, way: str) -> Cost:
        """All of them on localhost, one after the other, each with a login of its own."""
        other: dict[str, dict[str, Any]] = {
            URI: {"ansible.builtin.include_tasks": RECIPE.name},
            EMPTY_MODULE: {"ansible.builtin.ping": {}},
            NOTHING: _NOTHING,
        }
        task = {"name": "Each", **other.get(way, _OURS)}
        looped = {**task, "loop": self.ids, "loop_control": {"loop_var": "rotation_id"}}
        return self._run(way, [self._local([looped])], expected=len(self.ids))

    def fleet(self, way: str, *, memory: bool = False) -> Cost:
        """All of them as hosts of an inventory; ours with one login."""
        if way == NOTHING:
            tasks: list[dict[str, Any]] = [{"name": "Nothing", **_NOTHING}]
        elif way in (URI, URI_ONE_LOGIN):
            tasks = self._recipe()
            tasks[0]["run_once"] = way == URI_ONE_LOGIN
        else:
            login = {"secretops.infisical.login": {"url": "{{ infisical_url }}"}}
            once = {"register": "login", "no_log": True, "run_once": True}
            tasks = [
                {"name": "Log in", **login, **once},
                {"name": "Rotate", MODULE: {"rotation_id": "{{ rotation_id }}", "min_age": 0, **_LOGIN_DATA}},
                {"name": "Log out", "secretops.infisical.logout": _LOGIN_DATA, "run_once": True},
            ]
        plays = [{"hosts": "okta_client_secret_rotations", "gather_facts": False, "tasks": tasks}]
        arguments = ("-i", str(self.inventory), "--forks", str(FORKS))
        return self._run(way, plays, *arguments, memory=memory, expected=len(self.ids))

    def _recipe(self) -> list[dict[str, Any]]:
        tasks: list[dict[str, Any]] = yaml.safe_load(RECIPE.read_text(encoding="utf-8"))
        return tasks

    def _local(self, tasks: Sequence[dict[str, Any]], **variables: Any) -> dict[str, Any]:
        variables["infisical_url"] = self.simulator.url
        return {"hosts": "localhost", "gather_facts": False, "vars": variables, "tasks": list(tasks)}

    def command(
        self, in_process: str, *arguments: str, memory: bool = False, workspace: Workspace | None = None
    ) -> Cost:
        """ansible-playbook with the credentials of the simulator in its environment."""
        place = workspace or self.workspace
        env = place.environment(environment(self.simulator))
        # As on a machine where it is installed: compiled once, in a folder that is thrown away.
        del env["PYTHONDONTWRITEBYTECODE"]
        env["PYTHONPYCACHEPREFIX"] = str(self.workspace.folder.parent / "compiled")
        env["SECRETOPS_INFISICAL_IN_PROCESS"] = in_process
        command = [str(Path(sys.executable).parent / "ansible-playbook"), *arguments]
        return measured(command, env, place.folder, memory=memory)

    def _run(
        self, way: str, plays: Sequence[dict[str, Any]], *arguments: str, expected: int, memory: bool = False
    ) -> Cost:
        playbook = self.workspace.folder / "playbook.yml"
        playbook.write_text(json.dumps(plays), encoding="utf-8")
        before = sum(self.completed().values())
        cost = self.command("0" if way == AS_MODULE else "1", str(playbook), *arguments, memory=memory)
        wanted = 0 if way in (NOTHING, EMPTY_MODULE) else expected
        done = sum(self.completed().values()) - before
        if done != wanted:
            raise AssertionError(f"{way}: {done} rotations instead of {wanted}")
        return cost

    def completed(self) -> dict[str, int]:
        """How often each was rotated."""
        return {rotation["id"]: rotation["completed"] for rotation in self.simulator.state()["rotations"]}
