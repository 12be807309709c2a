# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A task that the keyword ``timeout`` ends, as the guide deals with it, and what kept files of modules hold."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import yaml
from ansible_collections.secretops.infisical.plugins.modules import okta_client_secret_rotation
from simulator.client import Simulator
from support.ansible import COLLECTION, Workspace
from support.processes import until_nothing_runs
from support.server import environment, login

GUIDE = COLLECTION / "docs" / "docsite" / "rst" / "guide_failures.rst"


def rescues() -> list[dict[str, Any]]:
    """Of the guide and of the module's examples, the tasks that rescue others."""
    found = re.findall(
        r"^\.\. code-block:: yaml\+jinja\n\n((?: .*\n|\n)+)", GUIDE.read_text(encoding="utf-8"), re.MULTILINE
    )
    tasks = [yaml.safe_load(dedent(text)) for text in found] + [yaml.safe_load(okta_client_secret_rotation.EXAMPLES)]
    return [task for each in tasks for task in each if "rescue" in task]


@pytest.mark.before_release
@pytest.mark.counted
def test_a_rescue_sees_a_rotation_that_the_keyword_timeout_broke_off(
    workspace: Workspace, simulator: Simulator
) -> None:
    tasks = rescues()
    for task in tasks:
        task["block"][0]["timeout"] = 3
    simulator.fault_rotate("delay", seconds=10, work="before", times=0)
    variables = {"okta_rotation_id": simulator.rotation()["id"]}
    run = workspace.tasks(tasks, vars=variables, env=environment(simulator))
    assert run.returncode == 0, run.output
    assert [(result.task, result.status) for result in run.results] == [
        ("Rotate", "failed"),
        ("Ask for a look at Infisical before anything is run again", "ok"),
        ("Rotate", "failed"),
        ("Ask for the orphan at Okta to be removed", "skipped"),
    ]
    assert not {"outcome", "reason"} & run.results[0].result.keys()
    assert simulator.rotations_done() >= 1
    until_nothing_runs(workspace)


def held(folder: Path, word: str) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and word in path.read_text("utf-8", "replace")]


@pytest.mark.before_release
@pytest.mark.parametrize("in_process", [True, False])
def test_kept_files_hold_the_arguments_only_of_a_task_that_runs_as_a_module(
    workspace: Workspace, simulator: Simulator, in_process: bool
) -> None:
    options = {**login(simulator), "rotation_id": simulator.rotation()["id"]}
    secret = options["universal_auth_client_secret"]
    env = {"ANSIBLE_KEEP_REMOTE_FILES": "1", "SECRETOPS_INFISICAL_IN_PROCESS": "1" if in_process else "0"}
    assert workspace.task(options, env=env).returncode == 0
    assert bool(held(workspace.home / ".ansible" / "tmp", secret)) != in_process
