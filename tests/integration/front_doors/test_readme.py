# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the README shows runs as it stands, but for places, and it is as Galaxy and Automation Hub want it."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from simulator.client import Simulator
from support.ansible import COLLECTION, MODULE, Workspace
from support.galaxy import galaxy
from support.handover import Handover
from support.server import environment

pytestmark = pytest.mark.uncounted

README = (COLLECTION / "README.md").read_text(encoding="utf-8")
#: In this order.
HEADINGS = [
    "Description",
    "Requirements",
    "Installation",
    "Use cases",
    "Testing",
    "Contributing",
    "Support",
    "Release notes",
    "Related information",
    "License",
]
REPOSITORY = r"https://github\.com/secretops/infisical"
SYSTEMCTL = """#!/bin/sh
case "$1" in show) echo "LoadState=loaded"; echo "ActiveState=active"; echo "UnitFileState=enabled";; esac
"""

BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)
COMMANDS = [line for kind, block in BLOCKS if kind == "bash" for line in block.splitlines() if line[0] != "#"]
#: A requirements file, a playbook, two inventories.
REQUIREMENTS, PLAYBOOK, CONSUMERS, FLEET = [yaml.safe_load(block) for kind, block in BLOCKS if kind == "yaml"]


def commands(*words: str) -> list[list[str]]:
    """Those that hold all of the words."""
    found = [shlex.split(line) for line in COMMANDS if all(word in line for word in words)]
    assert found, words
    return found


# -- what it looks like


def test_the_sections_stand_in_the_order_of_the_template() -> None:
    assert re.findall(r"^## (.*)$", README, re.MULTILINE) == HEADINGS


def test_every_link_is_a_full_url_and_those_to_the_repository_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)]*)\)", README) + re.findall(r"^\[[^\]]+\]: (.*)$", README, re.MULTILINE)
    assert len(links) > 10
    assert [link for link in links if not link.startswith("https://")] == []
    paths = re.findall(rf"{REPOSITORY}/(?:blob|tree)/main/([\w./-]+)", " ".join(links))
    assert "CONTRIBUTING.md" in paths
    assert [path for path in paths if not (COLLECTION / path).exists()] == []


def test_nobody_is_told_to_install_ansible_by_pip() -> None:
    assert re.findall(r"pip3? install.*ansible", README) == []


def test_it_can_be_read_in_five_minutes() -> None:
    assert len(README.splitlines()) <= 190


def test_every_command_is_run_here() -> None:
    """Each of them is one that a test below takes, and a language that no test takes is one without commands."""
    ways = ("collection install", "localhost -m", ".handover", ".rotate_fleet", ".tower_setup")
    assert [line for line in COMMANDS if sum(way in line for way in ways) != 1] == []
    assert {kind for kind, _block in BLOCKS} == {"bash", "console", "yaml"}
    for kind, block in BLOCKS:
        assert kind != "console" or re.fullmatch(r"(make \w+\n)+", block)


def test_every_target_is_one_of_the_makefile() -> None:
    targets = set(re.findall(r"[\n`]make (\w+)[\n`]", README))
    assert {"demo", "test", "playground", "docs", "quality", "bench"} <= targets
    makefile = (COLLECTION / "Makefile").read_text(encoding="utf-8")
    assert targets <= set(re.findall(r"^(\w+):", makefile, re.MULTILINE))


# -- installation


def releases(workspace: Workspace) -> list[Path]:
    """Tarballs of this name that hold nothing but the README."""
    source, target = workspace.folder / "source", workspace.folder / "releases"
    source.mkdir()
    shutil.copy(COLLECTION / "README.md", source)
    about = yaml.safe_load((COLLECTION / "galaxy.yml").read_text(encoding="utf-8"))
    for version in ("1.0.0", "1.4.0", "2.0.0"):
        (source / "galaxy.yml").write_text(yaml.safe_dump({**about, "version": version}), encoding="utf-8")
        built = workspace.command(["ansible-galaxy", "collection", "build", str(source), "--output-path", str(target)])
        assert built.returncode == 0, built.output
    return sorted(target.glob("*.tar.gz"))


@pytest.mark.before_release
def test_the_commands_of_the_installation(workspace: Workspace) -> None:
    (workspace.folder / "requirements.yml").write_text(yaml.safe_dump(REQUIREMENTS), encoding="utf-8")
    here = yaml.safe_load((COLLECTION / "galaxy.yml").read_text(encoding="utf-8"))["version"]
    env = {"ANSIBLE_COLLECTIONS_SCAN_SYS_PATH": "false"}
    with galaxy(releases(workspace)) as server:
        env["ANSIBLE_GALAXY_SERVER"] = server

        def version_after(command: list[str], *, at_first: bool = False) -> str:
            target = workspace.folder / "collections"
            if at_first:
                shutil.rmtree(target, ignore_errors=True)
            placed = [str(COLLECTION) if word == "." else word for word in command]
            done = workspace.command(placed, {**env, "ANSIBLE_COLLECTIONS_PATH": str(target)})
            assert done.returncode == 0, done.output
            manifest = target / "ansible_collections" / "secretops" / "infisical" / "MANIFEST.json"
            return str(json.loads(manifest.read_text(encoding="utf-8"))["collection_info"]["version"])

        newest, given, upgrade, listed, checkout = commands("collection install")
        assert version_after(newest, at_first=True) == "2.0.0"
        assert version_after(given, at_first=True) == "1.0.0"
        assert version_after(newest) == "1.0.0"
        assert version_after(upgrade) == "2.0.0"
        assert version_after(listed, at_first=True) == "1.4.0"
        assert version_after(checkout) == here


# -- use cases


def test_rotate_when_due_in_a_playbook(workspace: Workspace, simulator: Simulator) -> None:
    play = {**PLAYBOOK[0], "vars": {"okta_rotation_id": simulator.rotation()["id"]}}
    for outcome in ("rotated", "not_due"):
        run = workspace.playbook([play], env=environment(simulator))
        assert run.returncode == 0, run.output
        assert run.results[0]["outcome"] == outcome
    assert simulator.posts() == 1
    assert "secretRotation" in run.results[0]["ansible_facts"]


def test_rotate_from_the_command_line(workspace: Workspace, simulator: Simulator) -> None:
    (command,) = commands("localhost -m")
    command = [re.sub(r"rotation_id=\S+", f"rotation_id={simulator.rotation()['id']}", word) for word in command]
    run = workspace.command(command, environment(simulator))
    assert run.returncode == 0, run.output
    assert (run.only["outcome"], simulator.posts()) == ("rotated", 1)
    assert MODULE in command


@pytest.mark.before_release
def test_hand_the_new_secret_over(workspace: Workspace, simulator: Simulator) -> None:
    handover = Handover(workspace, simulator, slots=2, activeIndex=1)
    group: dict[str, Any] = CONSUMERS["handover_consumers"]
    settings = workspace.folder / "billing.env"
    settings.write_text("PORT=80\n", encoding="utf-8")
    group["vars"]["handover_take"]["path"] = str(settings)
    group["vars"]["handover_check"]["url"] = f"{simulator.url}/"
    group["vars"] |= {**handover.variables, "handover_report": str(handover.report)}
    (workspace.folder / "consumers.yml").write_text(yaml.safe_dump(CONSUMERS), encoding="utf-8")
    tools = workspace.folder / "bin"
    tools.mkdir()
    (tools / "systemctl").write_text(SYSTEMCTL, encoding="utf-8")
    (tools / "systemctl").chmod(0o755)
    (command,) = commands(".handover")
    path = f"{tools}:{workspace.environment()['PATH']}"
    run = workspace.command(command, {**environment(simulator), "PATH": path})
    assert run.returncode == 0, run.output
    assert handover.rotations() == 1
    assert f"OKTA_CLIENT_SECRET={handover.active}\n" in settings.read_text(encoding="utf-8")
    assert handover.states()["billing.example.com"][0] == "proven"


@pytest.mark.before_release
def test_rotate_a_fleet(workspace: Workspace, simulator: Simulator) -> None:
    simulator.add_rotation(name="young", lastRotatedAt=86_400)
    fleet = {**FLEET, "projects": {name: simulator.state()["project"]["id"] for name in FLEET["projects"]}}
    (workspace.folder / "fleet.okta_rotations.yml").write_text(yaml.safe_dump(fleet), encoding="utf-8")
    check, rotate = commands(".rotate_fleet")
    for command, posts in ((check, 0), (rotate, 1)):
        run = workspace.command(command, environment(simulator))
        assert run.returncode == 0, run.output
        assert simulator.posts() == posts


def test_the_command_for_tower_is_the_guides() -> None:
    """Which `make quality` runs against a stand-in for Tower."""
    (command,) = commands(".tower_setup")
    guide = (COLLECTION / "docs" / "docsite" / "rst" / "guide_tower.rst").read_text(encoding="utf-8")
    assert f"\n   {shlex.join(command)}\n" in guide


@pytest.mark.before_release
def test_the_playbook_passes_the_linter(workspace: Workspace) -> None:
    (playbook,) = (block for kind, block in BLOCKS if kind == "yaml" and yaml.safe_load(block) == PLAYBOOK)
    (workspace.folder / "playbook.yml").write_text(f"---\n{playbook}", encoding="utf-8")
    run = workspace.command(["ansible-lint", "--profile", "production", "--offline", "--strict", "playbook.yml"])
    assert run.returncode == 0, run.output
