# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with the variables of a handover is told before anything is sent; where they stand does not matter."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from simulator.client import Simulator
from support.ansible import COLLECTION, Workspace
from support.handover import KEY, Handover

pytestmark = pytest.mark.run_once

#: Variables of a consumer, and what the message must say: one of each kind, the table of them is among the unit tests.
WRONG: dict[str, tuple[str, Any, str]] = {
    "web1": ("handover_rotation_id", "payments", "handover_rotation_id"),
    "web2": ("handover_rotation_id", "", "missing required arguments: handover_rotation_id"),
    "web3": ("handover_take", {"way": "env_file", "client_secret_key": KEY}, "missing: path found in handover_take"),
    "web4": ("handover_take", {"way": "env_file", "path": "app.env", "client_secret_key": KEY}, "from the root on"),
    "web5": ("handover_check", {"way": "http", "url": "localhost/health"}, "begin it with http:// or https://"),
    "web6": ("infisical_auth_method", "password", "value of infisical_auth_method must be one of"),
}
#: The same of a run.
WRONG_OF_THE_RUN = [
    ("handover_okta_url", "https://example.okta.com/oauth2/default", "give okta_url as https://example.okta.com"),
    ("handover_report", "/nowhere/report.json", "there is no folder /nowhere"),
    ("handover_leaked_secret_id", "kq-8/NotAnId", "is no id of an Okta secret"),
    ("infisical_auth_method", "ldap_auth", "identity_id"),
]


def test_wrong_variables_are_told_each_by_its_consumer_and_stop_all(workspace: Workspace, simulator: Simulator) -> None:
    handover = Handover(workspace, simulator, "right", *WRONG)
    for host, (name, value, _told) in WRONG.items():
        handover.hosts[host][name] = value
    run = handover.run()
    assert run.returncode == 2, run.output
    said = {result.host: result["msg"] for result in run.results if result.status == "failed"}
    assert said.pop("right").startswith(f"The variables of {', '.join(WRONG)} are wrong")
    assert said.keys() == WRONG.keys()
    for host, (_name, _value, told) in WRONG.items():
        assert host in said[host]
        assert told in said[host]
    assert simulator.log() == []


@pytest.mark.parametrize(("name", "value", "told"), WRONG_OF_THE_RUN)
def test_a_wrong_setting_of_the_run_is_told_and_nothing_is_sent(
    workspace: Workspace, simulator: Simulator, name: str, value: str, told: str
) -> None:
    handover = Handover(workspace, simulator, "app")
    handover.hosts["app"][name] = value
    run = handover.run()
    assert run.returncode == 2, run.output
    assert told in run.output.replace("\n", " ")
    assert simulator.log() == []
    assert "kq-8" not in run.output


def test_settings_of_the_run_must_be_the_same(workspace: Workspace, simulator: Simulator) -> None:
    handover = Handover(workspace, simulator, "web1", "web2")
    handover.hosts["web2"] |= {"infisical_token": "a-token-of-web2", "handover_window": "2h"}
    run = handover.run()
    assert run.returncode == 2, run.output
    assert re.search(r"handover_window and infisical_token of web2 and web1 differ", run.output)
    assert "a-token-of-web2" not in run.output
    assert simulator.log() == []


def test_a_pattern_without_hosts_is_no_empty_run(workspace: Workspace, simulator: Simulator) -> None:
    handover = Handover(workspace, simulator, "web1")
    run = handover.run(hosts="nobody")
    assert run.returncode != 0
    assert "handover_hosts has 'nobody', which is no group and no host" in run.output


@pytest.mark.before_release
def test_blank_answers_count_as_left_out(workspace: Workspace, simulator: Simulator) -> None:
    handover = Handover(workspace, simulator, "web1")
    blank = ("consumers_count", "leaked_secret_id", "min_age", "serial", "hosts", "window", "require", "rotate")
    answers: dict[str, Any] = dict.fromkeys(blank, "")
    run = handover.run(**answers)
    assert run.returncode == 0, run.output
    assert handover.rotations() == 1
    assert "Infisical holds one secret only. The other one at Okta, most often made by hand, dies" in run.output


@pytest.mark.before_release
def test_variables_of_the_play_and_of_the_role_count(workspace: Workspace, simulator: Simulator) -> None:
    """The example of the role, with its settings where others of its user's roles have them."""
    text = (COLLECTION / "roles" / "handover" / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    (play,) = yaml.safe_load(block)
    handover = Handover(workspace, simulator, "web1")
    own = handover.hosts["web1"]
    play["vars"] = {"handover_take": own.pop("handover_take"), "handover_rotation_id": handover.id}
    del handover.variables["handover_rotation_id"]
    play["tasks"][0]["vars"] = {"handover_rotate": False, "handover_check": own.pop("handover_check")}
    path = workspace.folder / "own.yml"
    path.write_text(yaml.safe_dump([play]), encoding="utf-8")
    run = handover.run(playbook=str(path))
    assert run.returncode == 0, run.output
    assert (handover.rotations(), handover.holds("web1")) == (0, handover.active)
    # A consumer that is not in the run, and of which nobody knows the rotation, keeps this one from being rotated.
    play["tasks"][0]["vars"]["handover_rotate"] = True
    handover.hosts["web2"] = {}
    path.write_text(yaml.safe_dump([play]), encoding="utf-8")
    run = handover.run("--limit", "web1", playbook=str(path))
    assert run.returncode == 0, run.output
    assert handover.rotations() == 0
    assert "web2 takes the same secret and is not in this run" in run.output


def test_a_strategy_without_batches_is_refused(workspace: Workspace, simulator: Simulator) -> None:
    handover = Handover(workspace, simulator, "web1", "web2")
    role = {"name": "Hand over", "ansible.builtin.import_role": {"name": "secretops.infisical.handover"}}
    play = {"hosts": "handover_consumers", "gather_facts": False, "strategy": "free", "tasks": [role]}
    path = workspace.folder / "own.yml"
    path.write_text(yaml.safe_dump([play]), encoding="utf-8")
    run = handover.run(playbook=str(path))
    assert run.returncode == 2, run.output
    assert "The strategy of the play is free" in run.output
    assert simulator.log() == []
