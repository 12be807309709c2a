# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inventories beside others, and logins that are refused: what one command sends and leaves."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from simulator.client import Simulator
from support.ansible import MODULE, Workspace
from support.server import environment

NAME = "secretops.infisical.okta_client_secret_rotations"
pytestmark = pytest.mark.before_release


def files(workspace: Workspace, simulator: Simulator, *names: str, **options: Any) -> list[str]:
    project = simulator.state()["project"]["id"]
    arguments = []
    for name in names:
        file = workspace.folder / f"{name}.okta_rotations.yml"
        file.write_text(yaml.safe_dump({"plugin": NAME, "projects": {"payments": project}, **options}), "utf-8")
        arguments += ["-i", str(file)]
    return arguments


def test_a_refused_login_is_sent_once_by_a_command(workspace: Workspace, simulator: Simulator) -> None:
    """With the plugin enabled beside auto, with two files and with a task that logs in the same way."""
    task = {"name": "rotate", MODULE: {"rotation_id": simulator.rotation()["id"]}}
    run = workspace.playbook(
        [{"hosts": "localhost", "gather_facts": False, "tasks": [task]}],
        *files(workspace, simulator, "one", "two"),
        env={
            **environment(simulator),
            "INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET": "wrong",
            "ANSIBLE_INVENTORY_ENABLED": f"{NAME},auto",
        },
    )
    assert "refused before in this run" in run.named("rotate")["msg"]
    assert len(simulator.log("/login")) == 1


def test_a_task_of_a_rotations_host_runs_in_process(workspace: Workspace, simulator: Simulator) -> None:
    task = {"name": "rotate", MODULE: {"url": "{{ infisical_url }}", "rotation_id": "{{ rotation_id }}"}}
    run = workspace.playbook(
        [{"hosts": "all", "gather_facts": False, "tasks": [task]}],
        *files(workspace, simulator, "one"),
        "-vvv",
        env={**environment(simulator), "SECRETOPS_INFISICAL_IN_PROCESS": "1"},
    )
    assert run.returncode == 0, run.output
    assert "runs in the process of the controller" in run.output
    assert "runs as a module" not in run.output


def test_what_a_file_leaves_when_it_cannot_be_read(workspace: Workspace, simulator: Simulator) -> None:
    good = files(workspace, simulator, "good")
    bad = files(workspace, simulator, "bad", enviroment=["prod"])
    listed = workspace.command(["ansible-inventory", *good, *bad, "--list"], environment(simulator))
    assert listed.returncode == 0, listed.output
    (variables,) = json.loads(listed.stdout)["_meta"]["hostvars"].values()
    assert "enviroment" in str(variables["infisical_inventories_unread"])
    assert "bad.okta_rotations.yml" in str(variables["infisical_inventories_unread"])
