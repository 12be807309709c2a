# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who sits before a task that waits is told so: in process by a line at that time, and both ways by its message."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from simulator.client import Simulator
from support.ansible import MODULE, Workspace
from support.server import environment

#: Less would not be told of.
SECONDS = 6
WAITED = r" It waited \d+ seconds for the server's rate limit\."


@pytest.mark.before_release
def test_a_wait_is_told_while_it_lasts_and_by_the_message(workspace: Workspace, simulator: Simulator) -> None:
    """Two hosts wait side by side, one in process and one as a module; neither has a login to wait for."""
    env = {"INFISICAL_URL": simulator.url, "INFISICAL_TOKEN": simulator.mint_token()}
    ids = [simulator.rotation()["id"], simulator.add_rotation(name="okta-billing")["id"]]
    simulator.fault_rotate("rate_limit", seconds=SECONDS, times=2)
    hosts: dict[str, Any] = {
        "here": {"rotation_id": ids[0], "own": {}},
        # Only a new process reads that.
        "as-a-module": {"rotation_id": ids[1], "own": {"LANG": "C.UTF-8"}},
    }
    inventory = workspace.folder / "hosts.yml"
    local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    inventory.write_text(yaml.safe_dump({"all": {"hosts": hosts, "vars": local}}), encoding="utf-8")
    rotate = {
        "name": "rotate",
        MODULE: {"rotation_id": "{{ rotation_id }}"},
        "environment": "{{ own }}",
        "register": "found",
    }
    tell = {"name": "tell", "ansible.builtin.debug": {"msg": "{{ found.msg }}"}}
    play = {"hosts": "all", "gather_facts": False, "tasks": [rotate, tell]}
    path = workspace.folder / "play.yml"
    path.write_text(yaml.safe_dump([play]), encoding="utf-8")
    output = workspace.folder / "output"
    with (
        output.open("w", encoding="utf-8") as stdout,
        subprocess.Popen(
            [str(Path(sys.executable).parent / "ansible-playbook"), "-i", str(inventory), str(path)],
            env=workspace.environment({**env, "SECRETOPS_INFISICAL_IN_PROCESS": "1"}),
            cwd=workspace.folder,
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
        ) as playbook,
    ):
        assert playbook.stderr
        waiting = (line for line in iter(playbook.stderr.readline, "") if "waiting" in line)
        first = next(waiting, None)
        seen = output.read_text(encoding="utf-8")
        lines = [first, *waiting]
    assert playbook.returncode == 0, output.read_text(encoding="utf-8")
    (line,) = lines
    # How long the refused attempt took is the machine's.
    left = r"waiting up to 1[012]\d s more for the server's rate limit"
    assert re.fullmatch(rf"\[here\] {ids[0]}: {left}; the next attempt is in {SECONDS} s\n", str(line))
    assert "TASK [rotate]" in seen
    assert "changed:" not in seen, "it was told after the result"
    told = output.read_text(encoding="utf-8")
    assert "waiting up to" not in told, "a callback may print data there"
    assert len(re.findall(WAITED, told)) == 2


@pytest.mark.before_release
@pytest.mark.parametrize("way", ["0", "1"], ids=["as a module", "in process"])
def test_a_failure_says_how_long_it_waited(workspace: Workspace, simulator: Simulator, way: str) -> None:
    simulator.fault("rate_limit", path="universal-auth/login", seconds=SECONDS)
    simulator.fault("rate_limit", path="universal-auth/login", seconds=500)
    env = {**environment(simulator), "SECRETOPS_INFISICAL_IN_PROCESS": way}
    run = workspace.task({"rotation_id": simulator.rotation()["id"]}, env=env)
    assert run.only["reason"] == "rate_limited"
    assert re.search(rf"{WAITED}$", run.only["msg"])
    assert ("waiting up to" in run.stderr) is (way == "1")
    assert "waiting up to" not in run.stdout
