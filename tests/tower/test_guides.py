# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands that set Tower up, as the guide and the skeleton show them."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest
from support.ansible import COLLECTION, Workspace

from .awx_api import Awx
from .setting_up import LOGIN, PROJECT, way_to

GUIDE = COLLECTION / "docs" / "docsite" / "rst" / "guide_tower.rst"
SKELETON = COLLECTION / "examples" / "tower"
EXPORTED = re.compile(r"(\w+)=")


def shown(document: Path) -> str:
    """Its commands, without prompts."""
    text = document.read_text(encoding="utf-8")
    blocks = re.findall(r"^\.\. code-block:: bash\n\n((?:   .*\n)+)", text, re.MULTILINE) + re.findall(
        r"```console\n(.*?)```", text, re.DOTALL
    )
    return "".join(re.sub(r"^( {3}|\$ )", "", block, flags=re.MULTILINE) for block in blocks)


def lines_of(document: Path) -> tuple[list[str], set[str]]:
    """The command that sets Tower up, and what is set before it."""
    lines = shown(document).splitlines()
    (command,) = (line for line in lines if line.startswith("ansible-playbook"))
    return shlex.split(command), {
        name for line in lines if line.startswith("export") for name in EXPORTED.findall(line)
    }


@pytest.mark.weekly
def test_the_commands_of_the_skeleton_set_tower_up(workspace: Workspace, awx: Awx) -> None:
    for path in SKELETON.glob("*.yml"):
        shutil.copy(path, workspace.folder)
    command, _exported = lines_of(SKELETON / "README.md")
    done = workspace.command(command, {**way_to(awx), **LOGIN})
    assert done.returncode == 0, done.output
    assert len(awx.names()["job_templates"]) == 4


@pytest.mark.parametrize("document", [GUIDE, SKELETON / "README.md"], ids=lambda path: path.name)
def test_what_is_exported_is_what_the_set_up_reads(document: Path) -> None:
    # Tower's own may be a token, or a name with a password as in the tests.
    assert lines_of(document)[1] == {"CONTROLLER_HOST", "CONTROLLER_OAUTH_TOKEN", *LOGIN}


def test_the_guide_shows_the_command_of_these_tests() -> None:
    command = ["ansible-playbook", "secretops.infisical.tower_setup", "-e", f"tower_setup_project_url={PROJECT}"]
    assert lines_of(GUIDE)[0] == command


@pytest.mark.parametrize("document", [GUIDE, SKELETON / "README.md"], ids=lambda path: path.name)
def test_awx_awx_is_asked_for_as_its_maintainers_name_it(document: Path) -> None:
    assert "ansible-galaxy collection install 'awx.awx:>=24,<25'" in shown(document)
