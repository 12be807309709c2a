# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fact that a task leaves, and the variable of the inventory, which are two things with two names."""

from __future__ import annotations

import pytest
import yaml
from simulator.client import Simulator
from support.ansible import MODULE, Workspace
from support.server import environment


@pytest.mark.before_release
def test_a_cached_fact_leaves_the_variable_of_the_inventory_alone(workspace: Workspace, simulator: Simulator) -> None:
    """The cache holds what yesterday's task returned; the inventory tells what the server says today."""
    project = simulator.add_project("fleet")["id"]
    rotation = simulator.add_rotation(projectId=project, name="app")["id"]
    inventory = workspace.folder / "fleet.okta_rotations.yml"
    plugin = {"plugin": "secretops.infisical.okta_client_secret_rotations", "projects": {"fleet": project}}
    inventory.write_text(yaml.safe_dump(plugin), encoding="utf-8")
    env = environment(simulator) | {
        "ANSIBLE_CACHE_PLUGIN": "jsonfile",
        "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(workspace.folder / "facts"),
    }
    play = {"hosts": "okta_client_secret_rotations", "gather_facts": False}
    rotate = {"name": "rotate", MODULE: {"rotation_id": "{{ rotation_id }}", "min_age": 0}}
    run = workspace.playbook([{**play, "tasks": [rotate]}], "-i", str(inventory), env=env)
    assert run.returncode == 0, run.output
    yesterday = run.named("rotate")["secretRotation"]["lastRotatedAt"]
    simulator.rival(rotation)
    today = simulator.rotation(rotation)["lastRotatedAt"]
    assert today != yesterday
    told = "{{ [infisical_rotation.lastRotatedAt, ansible_facts.secretRotation.lastRotatedAt] }}"
    say = {"name": "say", "ansible.builtin.debug": {"msg": told}}
    run = workspace.playbook([{**play, "tasks": [say]}], "-i", str(inventory), env=env)
    assert run.returncode == 0, run.output
    assert run.named("say")["msg"] == [today, yesterday]
