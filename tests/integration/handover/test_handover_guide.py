# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory and the three playbooks of the guide on handing over run as they stand, but for places."""

from __future__ import annotations

import json
import re
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import yaml
from simulator.client import Simulator
from support import other_collections
from support.ansible import COLLECTION, Workspace
from support.handover import Handover

pytestmark = [pytest.mark.run_once, pytest.mark.before_release]

GUIDE = COLLECTION / "docs" / "docsite" / "rst" / "guide_handover.rst"
SYSTEMCTL = """#!/bin/sh
case "$1" in show) echo "LoadState=loaded"; echo "ActiveState=active"; echo "UnitFileState=enabled";; esac
"""


def blocks() -> list[Any]:
    text = GUIDE.read_text(encoding="utf-8")
    found = re.findall(r"^\.\. code-block:: (?:yaml|yaml\+jinja)\n\n((?: .*\n|\n)+)", text, re.MULTILINE)
    return [yaml.safe_load(dedent(block)) for block in found]


def moved(inventory: dict[str, Any], folder: Path, url: str) -> dict[str, Any]:
    """The same consumers with their files in the folder, and something else that answers."""
    hosts: dict[str, Any] = inventory["handover_consumers"]["hosts"]
    hosts["reporting1"]["handover_take"]["path"] = str(folder / "reporting.env")
    hosts["reporting1"]["handover_check"]["url"] = url
    hosts["billing1"]["handover_take"]["credential_directory"] = str(folder / "credstore")
    hosts["billing1"]["handover_check"]["argv"] = ["test", "-s", str(folder / "credstore" / "okta_client_secret")]
    return hosts


@pytest.fixture
def handover(workspace: Workspace, simulator: Simulator) -> Handover:
    made = Handover(workspace, simulator, slots=2, activeIndex=1)
    made.hosts = moved(blocks()[0], workspace.folder, f"{simulator.url}/")
    for name in ("handover_okta_url", "handover_rotation_id"):
        assert name in blocks()[0]["handover_consumers"]["vars"]
    (workspace.folder / "bin").mkdir()
    (workspace.folder / "bin" / "systemctl").write_text(SYSTEMCTL, encoding="utf-8")
    (workspace.folder / "bin" / "systemctl").chmod(0o755)
    return made


def play(handover: Handover, number: int, *arguments: str) -> None:
    path = handover.workspace.folder / f"situation-{number}.yml"
    path.write_text(yaml.safe_dump(blocks()[number]), encoding="utf-8")
    env = {"PATH": f"{handover.workspace.folder / 'bin'}:{handover.workspace.environment()['PATH']}"}
    run = handover.run(*arguments, env=env, playbook=str(path))
    assert run.returncode == 0, run.output
    assert handover.active in (handover.workspace.folder / "reporting.env").read_text(encoding="utf-8")
    assert (handover.workspace.folder / "credstore" / "okta_client_secret").read_text("utf-8") == handover.active


def test_the_three_situations_one_after_the_other(handover: Handover) -> None:
    play(handover, 1)
    assert handover.rotations() == 1
    assert (handover.workspace.folder / "handover.json").exists()
    play(handover, 2, "-e", f"leaked_secret_id={list(handover.slots)[1]}")
    assert handover.rotations() == 2
    handover.simulator.rival(handover.id)
    play(handover, 3)
    assert (handover.rotations(), len(blocks())) == (3, 5)


def test_the_task_file_for_windows(workspace: Workspace, simulator: Simulator) -> None:
    """With stand-ins for the modules of Windows, which have their options."""
    handover = Handover(workspace, simulator, "app", slots=2, activeIndex=1)
    collections = other_collections.write(workspace.folder)
    (workspace.folder / "take.yml").write_text(yaml.safe_dump(blocks()[4]), encoding="utf-8")
    check = [{"name": "Look", "ansible.builtin.command": "true", "changed_when": False}]
    (workspace.folder / "check.yml").write_text(yaml.safe_dump(check), encoding="utf-8")
    handover.hosts["app"] = {
        # From the working folder on.
        "handover_take": {"way": "tasks", "file": "take.yml"},
        "handover_restart": {"method": "none"},
        "handover_check": {"way": "tasks", "file": "check.yml"},
    }
    for _twice in range(2):
        run = handover.run(rotate=False, env={"ANSIBLE_COLLECTIONS_PATH": str(collections)})
        assert run.returncode == 0, run.output
    api = json.loads(other_collections.api(workspace.folder).read_text(encoding="utf-8"))
    assert api == {
        r"C:\ProgramData\Billing\okta-client-secret": handover.active,
        "services": [["Billing", "restarted"]],
    }
