# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The other ways in: ad-hoc commands, ansible-runner as Tower uses it, async, and ansible-doc."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from simulator.client import Simulator
from support.ansible import MODULE, Workspace
from support.server import environment, login, tokens_left


def test_an_ad_hoc_command_rotates(workspace: Workspace, simulator: Simulator, rotation: dict[str, Any]) -> None:
    arguments = ["ansible", "localhost", "-m", MODULE, "-a", f"rotation_id={rotation['id']} min_age=30d"]
    run = workspace.command(arguments, environment(simulator))
    assert run.returncode == 0, run.output
    status, _unused, result = run.stdout.partition(" => ")
    assert status == "localhost | CHANGED"
    assert json.loads(result)["outcome"] == "rotated"
    again = workspace.command(arguments, environment(simulator))
    assert again.stdout.startswith("localhost | SUCCESS")
    assert simulator.posts() == 1


def test_an_ad_hoc_command_fails_with_a_reason(workspace: Workspace, simulator: Simulator) -> None:
    run = workspace.adhoc({**login(simulator), "rotation_id": "11111111-2222-4333-8444-555555555555"})
    assert run.returncode == 2
    assert run.only["reason"] == "not_found"


def test_an_ad_hoc_check_changes_nothing(workspace: Workspace, simulator: Simulator, rotation: dict[str, Any]) -> None:
    run = workspace.adhoc({**login(simulator), "rotation_id": rotation["id"]}, "--check", "--diff")
    assert run.only["outcome"] == "would_rotate"
    assert simulator.posts() == 0


def test_ansible_runner_rotates_as_tower_does(
    workspace: Workspace, simulator: Simulator, rotation: dict[str, Any]
) -> None:
    """Credentials in the environment, extra variables as strings, a project folder, events in files."""
    data = workspace.folder / "runner"
    for folder in ("project", "env", "inventory"):
        (data / folder).mkdir(parents=True)
    task = {"name": "rotate", MODULE: {"rotation_id": "{{ okta_rotation_id }}", "validate_certs": "{{ verify }}"}}
    play = [{"hosts": "all", "gather_facts": False, "tasks": [task]}]
    (data / "project" / "rotate.yml").write_text(yaml.safe_dump(play), encoding="utf-8")
    (data / "inventory" / "hosts").write_text("localhost ansible_connection=local\n", encoding="utf-8")
    (data / "env" / "envvars").write_text(yaml.safe_dump(environment(simulator)), encoding="utf-8")
    variables = {"okta_rotation_id": rotation["id"], "verify": "True"}
    (data / "env" / "extravars").write_text(yaml.safe_dump(variables), encoding="utf-8")
    run = workspace.command(["ansible-runner", "run", str(data), "-p", "rotate.yml"])
    assert run.returncode == 0, run.output
    events = [json.loads(path.read_text(encoding="utf-8")) for path in data.glob("artifacts/*/job_events/*.json")]
    (ended,) = [event for event in events if event["event"] == "runner_on_ok"]
    assert ended["event_data"]["res"]["outcome"] == "rotated"
    assert ended["event_data"]["res"]["changed"] is True
    assert simulator.posts() == 1
    assert tokens_left(simulator) == []


@pytest.mark.before_release
def test_it_runs_in_the_background(workspace: Workspace, simulator: Simulator, rotation: dict[str, Any]) -> None:
    in_background: dict[str, Any] = {"async": 60, "poll": 1}
    run = workspace.task({**login(simulator), "rotation_id": rotation["id"]}, **in_background)
    assert run.returncode == 0, run.output
    assert run.only["outcome"] == "rotated"
    assert simulator.posts() == 1


def test_fifty_hosts_without_run_once_rotate_once(
    workspace: Workspace, simulator: Simulator, rotation: dict[str, Any]
) -> None:
    hosts = ",".join(f"host{number}" for number in range(6)) + ","
    play = {
        "hosts": "all",
        "gather_facts": False,
        "connection": "local",
        "tasks": [{"name": "task", MODULE: {**login(simulator), "rotation_id": rotation["id"]}}],
    }
    run = workspace.playbook([play], "-i", hosts, "-f", "6")
    assert run.returncode == 0, run.output
    outcomes = sorted(result["outcome"] for result in run.results)
    assert outcomes == ["not_due"] * 5 + ["rotated"]
    assert simulator.posts() == simulator.rotations_done() == 1


def test_ansible_doc_shows_it_all(workspace: Workspace) -> None:
    run = workspace.command(["ansible-doc", MODULE])
    assert run.returncode == 0, run.output
    for shown in ("min_age", "Left out, it is five minutes", "INFISICAL_URL", "EXAMPLES", "RETURN VALUES", "outcome"):
        assert shown in run.stdout
