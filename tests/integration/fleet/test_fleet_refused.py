# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a fleet with a wrong secret sends, as Tower runs it: over hosts that another process had read."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from simulator.client import Simulator
from support.ansible import Run, Workspace
from support.server import environment, login

PLUGIN = "secretops.infisical.okta_client_secret_rotations"
PLAYBOOK = "secretops.infisical.rotate_fleet"
WRONG = {"INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET": "wrong"}


def updated(workspace: Workspace, simulator: Simulator, name: str, size: int, **env: str) -> tuple[Run, Path]:
    """An inventory update, and the file of what it read."""
    project = simulator.add_project(name)["id"]
    simulator.add_rotations(size, projectId=project, name="app")
    source = workspace.folder / f"{name}.okta_rotations.yml"
    source.write_text(yaml.safe_dump({"plugin": PLUGIN, "projects": {name: project}}), encoding="utf-8")
    read = workspace.folder / f"{name}.yml"
    command = ["ansible-inventory", "-i", str(source), "--list", "--yaml", "--export", "--output", str(read)]
    return workspace.command(command, {**environment(simulator), **env}), read


def logins(simulator: Simulator) -> list[int]:
    return [entry["status"] for entry in simulator.log("/login$", "POST")]


@pytest.mark.before_release
def test_each_server_is_sent_one_login(workspace: Workspace, simulator: Simulator) -> None:
    """Of hosts that name two servers, each with credentials of its own."""
    with Simulator() as other:
        hosts = {
            f"app-{number}.{name}": {
                "rotation_id": rotation["id"],
                "infisical_url": server.url,
                **{f"infisical_{option}": value for option, value in login(server).items()},
                "infisical_universal_auth_client_secret": "wrong",
            }
            for name, server in (("here", simulator), ("there", other))
            for number, rotation in enumerate(server.add_rotations(3, name="app"))
        }
        group = {"hosts": hosts, "vars": {"ansible_connection": "local"}}
        stored = workspace.folder / "stored.yml"
        stored.write_text(yaml.safe_dump({"okta_client_secret_rotations": group}), encoding="utf-8")
        run = workspace.command(["ansible-playbook", "-i", str(stored), PLAYBOOK, "--forks", "20"])
        assert run.returncode == 2, run.output
        assert (logins(simulator), logins(other)) == ([401], [401])
        assert (simulator.posts(), other.posts()) == (0, 0)
        for server in (simulator, other):
            assert f"{server.url}: Could not log in" in run.output


@pytest.mark.before_release
def test_after_a_refused_update_the_run_sends_one_more(workspace: Workspace, simulator: Simulator) -> None:
    """Another process knows nothing of the first one's: two of the three refusals that lock an identity."""
    _run, read = updated(workspace, simulator, "fleet", 3)
    run, _read = updated(workspace, simulator, "fleet-again", 1, **WRONG)
    assert "Could not log in" in run.output
    stored = ["-i", str(read), PLAYBOOK, "--forks", "20"]
    run = workspace.command(["ansible-playbook", *stored], {**environment(simulator), **WRONG})
    assert run.returncode == 2, run.output
    assert logins(simulator) == [200, 401, 401]
    assert simulator.posts() == 0
