# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many tasks that want the same rotation at the same time: the server rotates once."""

from __future__ import annotations

import json
import os
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.secretops.infisical.plugins.module_utils._rotations import lock
from ansible_collections.secretops.infisical.plugins.module_utils._transport.patience import Patience
from ansible_collections.secretops.infisical.plugins.modules import okta_client_secret_rotation as module
from simulator.client import Simulator
from support.ansible import AS_MODULE, IN_PROCESS, LOCAL, MODULE, Run, Workspace
from support.processes import Playbook, until
from support.server import login, tokens_left
from support.tasks import Runner

HOSTS = 20
#: Plays of twenty hosts. `make quality` sets 20, so that chance is no excuse.
PLAYS = int(os.environ.get("EXACTLY_ONCE_PLAYS", "2"))


def _seconds(play: int) -> float:
    """From no time at all to two seconds, spread over the plays."""
    return 2.0 * play / max(1, PLAYS - 1)


def _everywhere(
    workspace: Workspace, simulator: Simulator, rotation: str, env: dict[str, str], hosts: int = HOSTS
) -> Run:
    """One play that rotates the same rotation on all hosts at once."""
    inventory = workspace.folder / "inventory.json"
    names: dict[str, Any] = {f"host-{number}": {} for number in range(hosts)}
    inventory.write_text(json.dumps({"all": {"hosts": names, "vars": LOCAL}}), encoding="utf-8")
    task = {"name": "rotate", MODULE: {**login(simulator), "rotation_id": rotation}}
    play = {"hosts": "all", "gather_facts": False, "tasks": [task]}
    return workspace.playbook([play], "-i", str(inventory), "--forks", str(hosts), env=env)


def _agree(simulator: Simulator, rotation: str, *runs: Run, hosts: int = HOSTS) -> None:
    """One request, one rotation, nobody failed, and all know when it was."""
    now = simulator.rotation(rotation)
    for run in runs:
        assert run.returncode == 0, run.output
        assert len(run.results) == hosts
        assert {task.result["secretRotation"]["lastRotatedAt"] for task in run.results} == {now["lastRotatedAt"]}
    assert now["completed"] == 1
    assert len(simulator.log(f"{rotation}/rotate-secrets", "POST")) == 1
    results = [task.result for run in runs for task in run.results]
    assert sorted(result["outcome"] for result in results) == ["not_due"] * (len(results) - 1) + ["rotated"]
    assert [result["outcome"] for result in results if result["changed"]] == ["rotated"]
    assert tokens_left(simulator) == []


def _no_locks(workspace: Workspace) -> None:
    assert list(workspace.tmp.rglob("*.lock")) == []


@pytest.mark.parametrize("play", range(PLAYS))
def test_twenty_hosts_rotate_once(workspace: Workspace, simulator: Simulator, play: int) -> None:
    simulator.settings(rotationSeconds=_seconds(play))
    rotation = simulator.rotation()["id"]
    # Modules take long to start, which spreads them; in the controller's process they meet.
    env, hosts = (AS_MODULE, 6) if play % 5 == 2 else (IN_PROCESS, HOSTS)
    run = _everywhere(workspace, simulator, rotation, env, hosts)
    _agree(simulator, rotation, run, hosts=hosts)
    _no_locks(workspace)


@pytest.mark.before_release
def test_two_playbooks_at_once_rotate_once(tmp_path: Path, simulator: Simulator) -> None:
    simulator.settings(rotationSeconds=1)
    rotation = simulator.rotation()["id"]
    first, second = Workspace(tmp_path / "first"), Workspace(tmp_path / "second")
    env = {**IN_PROCESS, "TMPDIR": str(first.tmp)}
    with ThreadPoolExecutor() as pool:
        runs = [pool.submit(_everywhere, each, simulator, rotation, env, 4) for each in (first, second)]
    _agree(simulator, rotation, *(run.result() for run in runs), hosts=4)
    _no_locks(first)


def _two_tasks(simulator: Simulator, rotation: str, which: dict[str, str] | None = None) -> list[dict[str, Any]]:
    """The second one begins when the reading of the first one has come."""
    options = {**login(simulator), **(which or {"rotation_id": rotation})}
    with ThreadPoolExecutor() as pool:
        first = pool.submit(Runner(module).run, options, sleep=time.sleep)
        until(lambda: bool(simulator.log(f"{rotation}$", "GET")), "the first task read")
        second = pool.submit(Runner(module).run, options, sleep=time.sleep)
    return [first.result(), second.result()]


def _hold_back_the_first_reading(simulator: Simulator, rotation: str) -> None:
    """Its answer comes late, with what was true when it was asked for."""
    simulator.fault("delay", path=f"{rotation}$", method="GET", seconds=2, work="before")


def _without_a_common_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on two machines, which have no temporary folder in common."""
    hold = lock.hold

    def elsewhere(url: str, rotation_id: str, patience: Patience) -> AbstractContextManager[lock.Held]:
        return hold(f"{url}/{uuid.uuid4()}", rotation_id, patience)

    monkeypatch.setattr(lock, "hold", elsewhere)


def test_on_one_machine_nobody_rotates_between_a_reading_and_its_request(simulator: Simulator) -> None:
    rotation = simulator.rotation()["id"]
    _hold_back_the_first_reading(simulator, rotation)
    assert [result["outcome"] for result in _two_tasks(simulator, rotation)] == ["rotated", "not_due"]
    assert simulator.rotations_done(rotation) == simulator.posts() == 1


def test_who_finds_it_by_name_and_waits_for_its_turn_decides_anew(simulator: Simulator) -> None:
    simulator.settings(rotationSeconds=2)
    one = simulator.rotation()
    place = {"environment": one["environment"]["slug"], "secret_path": one["folder"]["path"]}
    results = _two_tasks(simulator, one["id"], {"name": one["name"], "project_id": one["projectId"], **place})
    assert [(result["outcome"], result["changed"]) for result in results] == [("rotated", True), ("not_due", False)]
    now = simulator.rotation()["lastRotatedAt"]
    assert [result["diff"]["before"]["lastRotatedAt"] for result in results] == [one["lastRotatedAt"], now]
    assert [result["diff"]["after"]["lastRotatedAt"] for result in results] == [now, now]
    assert simulator.rotations_done(one["id"]) == simulator.posts() == 1


@pytest.mark.before_release
def test_across_machines_that_window_stays_open(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the guide says cannot be promised."""
    _without_a_common_lock(monkeypatch)
    rotation = simulator.rotation()["id"]
    _hold_back_the_first_reading(simulator, rotation)
    assert [result["outcome"] for result in _two_tasks(simulator, rotation)] == ["rotated", "rotated"]
    assert simulator.rotations_done(rotation) == 2


@pytest.mark.before_release
def test_across_machines_the_servers_lock_stands(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both read before either rotates; the second request comes while the first one works."""
    _without_a_common_lock(monkeypatch)
    simulator.settings(rotationSeconds=3)
    rotation = simulator.rotation()["id"]
    simulator.fault("delay", path=f"{rotation}$", method="GET", seconds=1, work="before")
    results = _two_tasks(simulator, rotation)
    assert sorted(result["outcome"] for result in results) == ["rotated", "rotated_by_another"]
    assert simulator.rotations_done(rotation) == 1
    moved = simulator.rotation(rotation)["lastRotatedAt"]
    assert {result["secretRotation"]["lastRotatedAt"] for result in results} == {moved}


@pytest.mark.before_release
@pytest.mark.parametrize("env", [IN_PROCESS, AS_MODULE], ids=["in the process", "as a module"])
def test_after_a_kill_in_the_middle_it_is_not_rotated_again(
    workspace: Workspace, simulator: Simulator, env: dict[str, str]
) -> None:
    simulator.settings(rotationSeconds=2)
    rotation = simulator.rotation()["id"]
    task = {"name": "rotate", MODULE: {**login(simulator), "rotation_id": rotation}}
    with Playbook(workspace, [task], env) as playbook:
        until(lambda: simulator.posts() == 1, "the rotation was requested")
        playbook.kill_all()
    assert simulator.rotations_done(rotation) == 0
    at_once = workspace.tasks([task], env=env).only
    assert (at_once["outcome"], at_once["changed"]) in {("rotated_by_another", True), ("not_due", False)}
    later = workspace.tasks([task], env=env).only
    assert (later["outcome"], later["changed"]) == ("not_due", False)
    assert "less than min_age 5 minutes" in later["msg"]
    assert simulator.rotations_done(rotation) == 1
    _no_locks(workspace)
