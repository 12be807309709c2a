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
from .setting_up import LOGIN, way_to

GUIDE = COLLECTION / "docs" / "docsite" / "rst" / "guide_tower.rst"
SKELETON = COLLECTION / "examples" / "tower"


def shown(document: Path) -> str:
    """Its commands, without prompts."""
    text = document.read_text(encoding="utf-8")
    blocks = re.findall(r"^\.\. code-block:: bash\n\n((?:   .*\n)+)", text, re.MULTILINE) + re.findall(
        r"```console\n(.*?)```", text, re.DOTALL
    )
    return "".join(re.sub(r"^( {3}|\$ )", "", block, flags=re.MULTILINE) for block in blocks)


@pytest.mark.parametrize("document", [GUIDE, SKELETON / "README.md"], ids=lambda path: path.name)
def test_the_commands_set_tower_up(workspace: Workspace, awx: Awx, document: Path) -> None:
    for path in SKELETON.glob("*.yml"):
        shutil.copy(path, workspace.folder)
    lines = shown(document).splitlines()
    (command,) = (line for line in lines if line.startswith("ansible-playbook"))
    done = workspace.command(shlex.split(command), {**way_to(awx), **LOGIN})
    assert done.returncode == 0, done.output
    assert len(awx.names()["job_templates"]) == 4
    set_by_hand = {name for line in lines if line.startswith("export") for name in re.findall(r"(\w+)=", line)}
    # Tower's own may be a token, or a name with a password as in the tests.
    assert set_by_hand == {"CONTROLLER_HOST", "CONTROLLER_OAUTH_TOKEN", *LOGIN}


@pytest.mark.parametrize("document", [GUIDE, SKELETON / "README.md"], ids=lambda path: path.name)
def test_awx_awx_is_asked_for_as_its_maintainers_name_it(document: Path) -> None:
    assert "ansible-galaxy collection install 'awx.awx:>=24,<25'" in shown(document)
