# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A refused login is sent once in a run of Ansible, for three of them lock the identity for everybody."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from simulator.client import Simulator
from support.ansible import AS_MODULE, IN_PROCESS, MODULE, Run, Workspace
from support.server import environment, login

HOSTS = 20


def plays(simulator: Simulator, *, rescued: bool = False) -> list[dict[str, Any]]:
    wrong = {**login(simulator), "url": simulator.url, "universal_auth_client_secret": "wrong"}
    rotation = {"rotation_id": simulator.rotation()["id"], "min_age": "0"}
    task = {"name": "rotate", MODULE: {**wrong, **rotation}}
    again = {"name": "again", MODULE: {**wrong, **rotation}, "ignore_errors": True}
    right = {"name": "right", MODULE: {**login(simulator), "url": simulator.url, **rotation}, "run_once": True}
    tasks = [{"block": [task], "rescue": [again, *([right] if rescued else [])]}]
    local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    return [{"hosts": "all", "gather_facts": False, "vars": local, "tasks": tasks}]


def run(workspace: Workspace, simulator: Simulator, hosts: int, env: dict[str, str], **more: Any) -> Run:
    names = "".join(f"h{number}," for number in range(hosts))
    return workspace.playbook(plays(simulator, **more), "-i", names, "--forks", "20", env=env)


@pytest.mark.parametrize(
    "way", [IN_PROCESS, pytest.param(AS_MODULE, marks=pytest.mark.before_release)], ids=["in process", "as a module"]
)
@pytest.mark.uncounted
def test_twenty_hosts_with_a_wrong_secret_are_one_refused_login(
    workspace: Workspace, simulator: Simulator, way: dict[str, str]
) -> None:
    found = run(workspace, simulator, HOSTS, way)
    assert len(simulator.log("/login")) == 1
    reasons = [result["reason"] for result in found.results if result.task in ("rotate", "again")]
    assert reasons == ["authentication_failed"] * 2 * HOSTS
    told = [result["msg"] for result in found.results if "refused before in this run" in result["msg"]]
    assert len(told) == 2 * HOSTS - 1
    assert all("Invalid credentials" in message and "nothing was sent" in message for message in told)


@pytest.mark.before_release
@pytest.mark.counted
@pytest.mark.parametrize("env", [IN_PROCESS, AS_MODULE], ids=["in process", "as a module"])
def test_the_next_task_does_not_try_and_the_right_secret_does(
    workspace: Workspace, simulator: Simulator, env: dict[str, str]
) -> None:
    found = run(workspace, simulator, 1, env, rescued=True)
    assert [entry["status"] for entry in simulator.log("/login")] == [401, 200]
    assert "refused before in this run" in found.named("again")["msg"]
    assert found.named("right")["outcome"] == "rotated"


@pytest.mark.before_release
def test_another_run_tries_again(workspace: Workspace, simulator: Simulator) -> None:
    for _number in range(2):
        run(workspace, simulator, 1, IN_PROCESS)
    assert len(simulator.log("/login")) == 2


@pytest.mark.before_release
@pytest.mark.parametrize("way", [IN_PROCESS, AS_MODULE], ids=["in process", "as a module"])
def test_until_sends_one_login(workspace: Workspace, simulator: Simulator, way: dict[str, str]) -> None:
    options = {"rotation_id": simulator.rotation()["id"]}
    env = {**environment(simulator), **way, "INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET": "wrong"}
    found = workspace.task(options, env=env, register="rotation", until="rotation is success", retries=3, delay=0)
    assert found.returncode == 2
    assert "refused before in this run" in found.only["msg"]
    assert len(simulator.log("/login")) == 1


@pytest.mark.before_release
def test_an_ad_hoc_command_for_many_hosts_sends_one_login(workspace: Workspace, simulator: Simulator) -> None:
    options = json.dumps({"rotation_id": simulator.rotation()["id"]})
    hosts = ",".join(f"h{number}" for number in range(6))
    command = ["ansible", "all", "-i", hosts, "-c", "local", "--forks", "6", "-m", MODULE, "-a", options]
    env = {**environment(simulator), **IN_PROCESS, "INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET": "wrong"}
    assert workspace.command(command, env).returncode == 2
    assert len(simulator.log("/login")) == 1
