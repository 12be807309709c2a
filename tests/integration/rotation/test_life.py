# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of a rotation, from its creation to its removal, twice over: the tasks that ansible-test runs elsewhere."""

from __future__ import annotations

import pytest
from simulator.client import Simulator
from support.ansible import COLLECTION, Workspace

pytestmark = pytest.mark.run_once

LIFE = COLLECTION / "tests" / "integration" / "targets" / "rotation_life" / "tasks" / "life.yml"


@pytest.mark.parametrize("in_process", [pytest.param("0", marks=pytest.mark.before_release), "1"])
def test_from_the_creation_to_the_removal(workspace: Workspace, simulator: Simulator, in_process: str) -> None:
    options = {"url": simulator.url, "token": simulator.mint_token()}
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "module_defaults": {"group/secretops.infisical.all": options},
        "vars": {"simulator_url": simulator.url, "simulator_token": options["token"]},
        "tasks": [{"ansible.builtin.include_tasks": str(LIFE), "vars": {"number": number}} for number in ("0", "1")],
    }
    for number in ("0", "1"):
        simulator.add_application(f"0oalife{number}")
    run = workspace.playbook([play], env={"SECRETOPS_INFISICAL_IN_PROCESS": in_process})
    assert run.returncode == 0, run.output
    assert len([result for result in run.results if result.task == "Compare" and result.status == "ok"]) == 2
