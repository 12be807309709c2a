# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run over consumers is made of, and what is refused before anything is sent."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from ansible.errors import AnsibleConnectionFailure
from ansible_collections.secretops.infisical.plugins.action import handover
from support.options import ID
from unit.handover.handover_steps import Play, act
from unit.handover.handover_variables import NEEDED

SECRET = "a-token-of-twenty-characters"
OTHER = "11111111-0d44-4b50-8888-8dd25736052a"
SHARED: dict[str, Any] = {**NEEDED, "infisical_url": "https://infisical.example", "infisical_token": SECRET}


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("INFISICAL_URL", "INFISICAL_TOKEN", "INFISICAL_CA_PATH"):
        monkeypatch.delenv(name, raising=False)


def hosts(*names: str, **own: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: {} for name in names} | own


def refused(play: Play, **more: Any) -> str:
    result = play.act("check", **more)
    assert (result["failed"], result["changed"], result["reason"]) == (True, False, "invalid_arguments")
    assert SECRET not in json.dumps(result)
    return str(result["msg"])


# -- own


def test_a_consumer_tells_what_is_its_own_and_no_setting_of_the_run() -> None:
    own = Play(hosts("a"), **SHARED).hostvars["a"]["handover_own"]
    assert own.keys() == {"rotation_id", "take", "restart", "check", "shared", "changed"}
    assert (own["rotation_id"], own["take"]["path"], own["changed"]) == (ID, "/etc/app.env", False)
    assert SECRET not in json.dumps(own)


def test_a_wrong_variable_of_a_consumer_names_it() -> None:
    play = Play(hosts("a", b={"handover_check": {"way": "http", "url": "x"}}), **SHARED)
    own = play.hostvars["b"]["handover_own"]
    assert (own["failed"], own["reason"]) == (True, "invalid_arguments")
    assert own["msg"] == "b: handover_check.url is 'x': begin it with http:// or https://."
    assert refused(play).startswith("The variables of b are wrong, as its task said, or it could not be reached.")


# -- check


def test_the_run_is_checked() -> None:
    play = Play(hosts("a", "c", b={"handover_rotation_id": OTHER.upper()}), **SHARED)
    run = play.act("check")
    assert run["rotations"] == [
        {"rotation_id": ID, "hosts": ["a", "c"], "listed": ["a", "c"]},
        {"rotation_id": OTHER, "hosts": ["b"], "listed": ["b"]},
    ]
    assert (run["total"], run["rotate"], run["serial"], len(run["run"])) == (3, True, [1, "10%", "100%"], 16)
    assert run["run"] != play.act("check")["run"]
    assert "warnings" not in run
    assert SECRET not in json.dumps(run)


def test_consumers_that_are_not_in_this_run_are_known() -> None:
    """By --limit. One whose rotation nobody knows may be one of each."""
    others = {"c": {"handover_rotation_id": OTHER}, "d": {"handover_rotation_id": f" {ID.upper()} "}}
    play = Play(hosts("a", "b", **others, e={"handover_rotation_id": None}), ["a", "b"], **SHARED)
    run = play.act("check")
    assert run["rotations"] == [{"rotation_id": ID, "hosts": ["a", "b"], "listed": ["a", "b", "d", "e"]}]
    assert run["total"] == 5


def test_the_complete_list_is_that_of_handover_hosts() -> None:
    play = Play(hosts("a", "b", "c"), ["a"], handover_hosts="all:!c", **SHARED)
    assert play.act("check")["rotations"][0]["listed"] == ["a", "b"]


def test_a_consumer_that_was_lost_before_is_one_of_them_still() -> None:
    said = refused(Play(hosts("a", "b"), lost=("b",), **SHARED))
    assert said.startswith("The variables of b are wrong, as its task said, or it could not be reached. ")


def test_settings_that_differ_are_refused_and_not_quoted() -> None:
    play = Play(hosts("a", b={"infisical_token": f"{SECRET}2", "handover_window": "2h"}), **SHARED)
    assert refused(play).startswith("infisical_token and handover_window of b and a differ: they are settings of")


def test_serial_hides_consumers_unless_nothing_is_rotated() -> None:
    variables = {"there": ["a", "b"], "batch": ["a"], **SHARED}
    assert refused(Play(hosts("a", "b"), **variables)).startswith("The play has serial, which hides the consumers")
    run = Play(hosts("a", "b"), handover_rotate=False, **variables).act("check")
    assert run["rotations"] == [{"rotation_id": ID, "hosts": ["a"], "listed": ["a", "b"]}]


@pytest.mark.parametrize("strategy", ["free", "host_pinned", "ansible.builtin.free", "mitogen_linear"])
def test_batches_wait_for_each_other_in_one_strategy_only(strategy: str) -> None:
    play = Play(hosts("a"), **SHARED)
    assert refused(play, strategy=strategy).startswith(f"The strategy of the play is {strategy}, where no batch waits")
    assert "failed" not in play.act("check", strategy="ansible.builtin.linear")


def test_a_host_that_is_no_listed_consumer_is_refused() -> None:
    said = refused(Play(hosts("a", "b", "c"), handover_hosts="a", **SHARED))
    assert said == (
        "b, c of the play is none of handover_hosts: it is the complete list of consumers. Give the pattern of the "
        "play in it."
    )


LEAKED: dict[str, Any] = {"handover_leaked_secret_id": "ocs1a2b3c4d5e6f7g8h9"}


def test_a_stranger_is_not_cut_off() -> None:
    said = refused(Play(hosts("a"), handover_cut_off=["a", "x"], **LEAKED, **SHARED))
    assert said == "handover_cut_off names x, which is no listed consumer."
    # One that is not in this run can be one.
    run = Play(hosts("a", "b"), ["a"], handover_cut_off=["b"], **LEAKED, **SHARED).act("check")
    assert (run["cut_off"], run["leaked_secret_id"]) == (["b"], LEAKED["handover_leaked_secret_id"])


def test_a_leaked_secret_is_of_one_rotation() -> None:
    play = Play(hosts("a", b={"handover_rotation_id": OTHER}), **LEAKED, **SHARED)
    assert refused(play) == (
        "handover_leaked_secret_id is of one rotation, and the consumers of this run name 2: give --limit or "
        "handover_hosts for those of that one."
    )


def test_what_would_fail_at_the_first_request_fails_before_it() -> None:
    for changes, told in (
        ({"handover_okta_url": "https://example.okta.com/oauth2/default"}, "okta_url"),
        ({"infisical_url": "no url"}, "is 'no url'"),
        ({"infisical_token": None, "infisical_auth_method": "token_auth"}, "token"),
        ({"handover_wait_timeout": -1}, "handover_wait_timeout is -1"),
    ):
        assert told in refused(Play(hosts("a"), **{**SHARED, **changes}))


def test_what_is_unsafe_is_warned_of_once() -> None:
    result = Play(hosts("a"), **{**SHARED, "infisical_url": "http://infisical.example.com"}).act("check")
    assert result["warnings"] == [
        "url is http://infisical.example.com: credentials and token travel unencrypted. Use https."
    ]


@pytest.mark.parametrize("said", ["", "YES"])
def test_a_controller_whose_workers_would_crash_is_told_before_anything_is_sent(
    monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setenv("OBJC_DISABLE_INITIALIZE_FORK_SAFETY", said)
    result = Play(hosts("a"), **SHARED).act("check")
    assert ("On macOS" in result.get("msg", "")) == (said == "")


# -- whatever a step does


def broken(*_arguments: Any, **_options: Any) -> None:
    raise ValueError(SECRET)


OWN: dict[str, Any] = {"take": {}, "check": {}, "restart": None}


def test_a_fault_of_ours_quotes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handover, "_now", broken)
    monkeypatch.setattr(handover, "Host", broken)
    result = act("note", {}, own=OWN, secret_id="x")
    assert (result["failed"], result["reason"]) == (True, "internal_error")
    assert result["msg"].startswith("Could not do the step note of the handover: ValueError")
    assert SECRET not in json.dumps(result)


def test_a_host_that_cannot_be_reached_is_told_by_ansible_core(monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(*_arguments: Any) -> None:
        raise AnsibleConnectionFailure("no route")

    monkeypatch.setattr(handover, "Host", lost)
    with pytest.raises(AnsibleConnectionFailure, match="no route"):
        act("read", {}, own=OWN)


def test_an_unknown_step_is_a_fault() -> None:
    assert act("dance", {})["reason"] == "internal_error"
