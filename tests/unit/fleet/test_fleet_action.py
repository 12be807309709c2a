# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a fleet run that hold tokens in their hands go on, whatever happens, so that these are revoked."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible_collections.secretops.infisical.plugins.action import rotate_fleet
from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError
from ansible_collections.secretops.infisical.plugins.modules import logout
from ansible_collections.secretops.infisical.plugins.plugin_utils import _fleet_summary
from ansible_collections.secretops.infisical.plugins.plugin_utils._foreign import tried

SECRET = "a-token-of-twenty-characters"
RUN: dict[str, Any] = {
    "settings": {"min_age": 0, "wait_timeout": 1, "max_fail_percentage": 0, "report": None},
    "members": [{"host": "a", "login": 0, "rotation_id": "i", "project_id": None, "client_id": None}],
    "logins": [{"url": "https://a.example", "host": "a", "connection": {}}],
    "same": {},
    "flagged": [],
}
LOGINS = [{"login_data": {"url": "https://a.example", "access_token": SECRET}, "made": True}]


def act(args: dict[str, Any], **variables: Any) -> dict[str, Any]:
    action = rotate_fleet.ActionModule(
        task=Mock(args=args, async_val=0, check_mode=False, diff=False, _play=Mock(get_vars=dict)),
        connection=Mock(),
        play_context=Mock(),
        loader=DataLoader(),
        templar=Mock(),
        shared_loader_obj=Mock(),
    )
    result: dict[str, Any] = action.run(task_vars=variables)
    return result


def broken(*_arguments: Any, **_options: Any) -> None:
    raise ValueError(SECRET)


def test_a_fault_of_ours_quotes_nothing_and_ends_no_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotate_fleet, "_look", broken)
    monkeypatch.setattr(logout, "execute", broken)
    plan = act({"step": "plan", "run": RUN, "logins": LOGINS})
    ended = act({"step": "logout", "run": RUN, "logins": LOGINS})
    assert "failed" not in {*plan, *ended}
    assert plan["order"] == []
    assert plan["problems"][0].startswith("https://a.example: Could not plan: ValueError")
    assert ended["failures"][0].startswith("The token for https://a.example may still be good. Could not revoke")
    assert SECRET not in json.dumps([plan, ended])


def test_a_fault_in_what_needs_no_token_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_fleet_summary, "why_stop", broken)
    variables = {"ansible_play_batch": ["a"], "hostvars": {"a": {}}}
    plan = {"order": [{"host": "a"}], "due": 1}
    result = act({"step": "batch", "run": RUN, "plan": plan}, **variables)
    assert result["failed"]
    assert result["reason"] == "internal_error"
    assert SECRET not in json.dumps(result)


def test_a_login_that_made_no_token_is_not_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logout, "execute", broken)
    for made in (None, {**LOGINS[0], "made": False}):
        assert act({"step": "logout", "run": RUN, "logins": [made]})["failures"] == []


class Untemplated(dict[str, Any]):
    """The variables of a host, of which one refers to what is not there."""

    def __getitem__(self, name: str) -> Any:
        raise AnsibleError(f"{name} is {SECRET}")


def test_a_variable_that_cannot_be_templated_is_named_and_not_quoted() -> None:
    hostvars = {"a": Untemplated(infisical_timeout="{{ nowhere }}")}
    result = act({"step": "check"}, ansible_play_hosts_all=["a"], groups={"all": ["a"]}, hostvars=hostvars)
    assert (result["reason"], result["msg"]) == (
        "invalid_arguments",
        "The variable infisical_timeout of a cannot be templated: AnsibleError.",
    )


def test_an_inventory_that_could_not_be_read_is_named() -> None:
    unread = [{"source": "/inv/b.okta_rotations.yml", "problem": "Could not log in."}]
    variables = {
        "ansible_play_hosts_all": [],
        "groups": {"okta_client_secret_rotations": ["a"]},
        "hostvars": {"a": {"infisical_inventories_unread": unread}},
    }
    result = act({"step": "check"}, **variables)
    assert result["reason"] == "invalid_arguments"
    assert result["msg"].endswith("/inv/b.okta_rotations.yml: Could not log in.")


@pytest.mark.parametrize("said", ["", "YES"])
def test_a_controller_whose_workers_would_crash_is_told_before_anything_is_sent(
    monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setenv("OBJC_DISABLE_INITIALIZE_FORK_SAFETY", said)
    result = act({"step": "check"}, ansible_play_hosts_all=[], groups={"all": []}, hostvars={})
    assert result["failed"]
    assert ("On macOS" in result["msg"]) == (said == "")


def test_a_report_that_cannot_be_written_any_more_is_a_problem(tmp_path: Path) -> None:
    run = {**RUN, "settings": {**RUN["settings"], "report": str(tmp_path / "gone" / "r.json")}}
    variables = {"ansible_play_hosts_all": ["a"], "hostvars": {"a": {"fleet_rotation": {"outcome": "rotated"}}}}
    result = act({"step": "summary", "run": run, "plan": {"unread": {}}, "problems": []}, **variables)
    assert result["marked"]["a"].endswith("r.json could not be written: No such file or directory.")


def test_what_the_plan_could_not_read_has_failed() -> None:
    variables = {"ansible_play_hosts_all": ["a"], "hostvars": {"a": {}}}
    result = act({"step": "summary", "run": RUN, "plan": {"unread": {"a": "not there"}}, "problems": []}, **variables)
    assert result["marked"] == {"a": "not there"}


def test_a_failure_of_ours_is_told_as_it_is() -> None:
    failure = InfisicalError("unreachable", "Nobody there.")

    def work() -> None:
        raise failure

    assert tried(work, "look") == (None, "Nobody there.")


def test_one_application_in_two_rotations_is_told_and_a_file_that_is_elsewhere_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever rotates both deletes the secret that the first one made."""
    monkeypatch.setattr(rotate_fleet, "load_extra_vars", Mock(return_value={}))
    # Not of the hosts: only then is the file asked.
    monkeypatch.setenv("INFISICAL_TOKEN", SECRET)
    hostvars = {
        name: {
            "rotation_id": f"3c90c3cc-0d44-4b50-8888-00000000000{number}",
            "infisical_rotation": {"projectId": "p", "parameters": {"clientId": "0oa1"}},
            "infisical_url": "http://infisical.example.com",
            "infisical_timeout": 30 + number,
            "infisical_inventory": "/nowhere/fleet.okta_rotations.yml",
        }
        for number, name in enumerate(("a", "b"))
    }
    groups = {"all": ["a", "b"], "okta_client_secret_rotations": ["a", "b"]}
    result = act({"step": "check"}, ansible_play_hosts_all=["a", "b"], groups=groups, hostvars=hostvars)
    assert [member["host"] for member in result["members"]] == ["a", "b"]
    (flagged,) = result["flagged"]
    assert "0oa1" in flagged
    assert flagged in result["warnings"]
    assert ["travel unencrypted" in warning for warning in result["warnings"]].count(True) == 1
    assert SECRET not in json.dumps(result)
