# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run over a fleet decides before it sends anything, in which order it rotates, when it stops, what it says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import yaml
from ansible import constants
from ansible.errors import AnsibleFilterError
from ansible_collections.secretops.infisical.plugins.filter.rotate_fleet_hosts import FilterModule
from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError, invalid_arguments
from ansible_collections.secretops.infisical.plugins.module_utils._options import AUTHENTICATION, CONNECTION
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.api import Reading
from ansible_collections.secretops.infisical.plugins.modules import rotate_fleet as documented
from ansible_collections.secretops.infisical.plugins.plugin_utils import (
    _run_members,
    _run_plan,
    _run_settings,
    _run_summary,
)
from ansible_collections.secretops.infisical.plugins.plugin_utils._run_hosts import refuse_none

META = Path(__file__).resolve().parents[2] / "playbooks" / "rotate_fleet.meta.yml"
SPEC = yaml.safe_load(META.read_text(encoding="utf-8"))["argument_specs"]["rotate_fleet"]["options"]
FLEET = "okta_client_secret_rotations"
A, B = "https://a.example", "https://b.example"
IDENTITY = {"infisical_universal_auth_client_id": "id", "infisical_universal_auth_client_secret": "secret"}
IN_ENVIRONMENT = {"INFISICAL_UNIVERSAL_AUTH_CLIENT_ID": "env id", "INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET": "env"}


def uuid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012}"


# -- hosts


GROUPS = {"all": ["a", "b"], FLEET: ["a", "b"], "overdue": [], "prod": ["a"], "ungrouped": []}


def hosts(groups: Mapping[str, Any], *arguments: Any) -> list[str]:
    return FilterModule().filters()["rotate_fleet_hosts"](groups, *arguments)


@pytest.mark.parametrize("blank", [None, "", "  ", "None", [], [""]])
def test_a_blank_pattern_is_the_whole_fleet(blank: Any) -> None:
    assert hosts(GROUPS, blank, ["a", "b"]) == [FLEET]


@pytest.mark.parametrize("pattern", ["prod:!b", "all:&prod", "~^[ab]$", f"{FLEET}[0]", "a,b", ["a", "b"], "prod"])
def test_a_pattern_of_things_that_are_there(pattern: Any) -> None:
    assert hosts(GROUPS, pattern)[0] in ("prod", "all", "~^[ab]$", f"{FLEET}[0]", "a")


@pytest.mark.parametrize("mismatch", ["warning", "error"])
@pytest.mark.parametrize("pattern", ["prd", "prod:prd", "all:!prd", "all:&prd", "~^x", ["prod", "prd"]])
def test_a_term_that_means_nothing_is_refused(pattern: Any, mismatch: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HOST_PATTERN_MISMATCH", mismatch)
    with pytest.raises(AnsibleFilterError, match=r"rotate_hosts has '.*(prd|~\^x)', which is no group and no host"):
        hosts(GROUPS, pattern)


def test_an_empty_group_is_an_empty_run() -> None:
    assert hosts(GROUPS, "overdue") == ["localhost"]
    assert hosts({"all": [], FLEET: []}) == ["localhost"]


def test_a_check_of_the_syntax_needs_no_inventory() -> None:
    assert hosts({"all": []}) == ["localhost"]


def test_what_leaves_nothing_or_knows_nothing_is_refused() -> None:
    with pytest.raises(AnsibleFilterError, match="--limit leaves none of the 1 hosts of prod"):
        hosts(GROUPS, "prod", ["b"])
    nothing: dict[str, list[str]] = {"all": []}
    for groups in (nothing, {"all": ["x"]}):
        with pytest.raises(AnsibleFilterError, match="no inventory of rotations"):
            hosts(groups, "", [], "x")
        with pytest.raises(InfisicalError, match="no inventory of rotations"):
            refuse_none(groups, "")
    with pytest.raises(AnsibleFilterError, match="'x', which is no group and no host"):
        hosts({"all": []}, "x")
    unread = {"all": ["x"], "infisical_inventories_unread": []}
    for groups in (unread, {**unread, FLEET: []}):
        with pytest.raises(AnsibleFilterError, match="could not be read"):
            hosts(groups, "x")


# -- settings


def settings(**variables: Any) -> dict[str, Any]:
    typed = _run_settings.typed_each(SPEC, {"h": variables})
    return _run_settings.settings(_run_settings.common(typed), {"PWD": "/"})


def test_the_spec_has_every_option_of_connection_and_login() -> None:
    options = {**CONNECTION, **AUTHENTICATION}
    for name in ("login_data", "revoke_token"):
        del options[name]
    own = {name: details for name, details in SPEC.items() if name.startswith("infisical_")}
    assert {name.removeprefix("infisical_"): details["type"] for name, details in own.items()} == {
        name: details["type"] for name, details in options.items()
    }
    assert own["infisical_auth_method"]["choices"] == AUTHENTICATION["auth_method"]["choices"]


@pytest.mark.parametrize("blank", ["", " ", None, "None"])
def test_blank_variables_are_left_out(blank: Any) -> None:
    assert settings(**dict.fromkeys(SPEC, blank)) == {
        "min_age": 300,
        "serial": [1, "10%", "100%"],
        "max_fail_percentage": 0,
        "wait_timeout": 900,
        "report": None,
    }


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (4, [4]),
        ("4", [4]),
        ("[1, 2]", [1, 2]),
        ("1,5,10%", [1, 5, "10%"]),
        ("['1', \"50%\"]", [1, "50%"]),
        ([1, "100%"], [1, "100%"]),
        ("12.5%", ["12.5%"]),
    ],
)
def test_batches(value: Any, found: list[Any]) -> None:
    assert settings(rotate_serial=value)["serial"] == found


@pytest.mark.parametrize(
    "wrong",
    [
        {"rotate_serial": "ten"},
        {"rotate_serial": "1,"},
        {"rotate_serial": 0},
        {"rotate_serial": "0%"},
        {"rotate_serial": "101%"},
        {"rotate_serial": []},
        {"rotate_serial": [1, -1]},
        {"rotate_serial": {"a": 1}},
        {"rotate_min_age": "soon"},
        {"rotate_max_fail_percentage": 101},
        {"rotate_max_fail_percentage": -1},
        {"rotate_max_fail_percentage": "many"},
        {"rotate_wait_timeout": -1},
        {"rotate_wait_timeout": "long"},
        {"rotate_report": "/"},
        {"rotate_report": "/no/such/folder/r.json"},
        {"rotate_report": "/proc/r.json/x"},
        {"infisical_auth_method": "magic"},
        {"infisical_timeout": "x"},
        {"infisical_validate_certs": "perhaps"},
    ],
    ids=str,
)
def test_a_wrong_variable_is_refused_by_name(wrong: dict[str, Any]) -> None:
    with pytest.raises(InfisicalError) as caught:
        settings(**wrong)
    assert caught.value.reason == "invalid_arguments"
    assert next(iter(wrong)) in caught.value.message


def test_a_report_starts_at_home_or_where_the_shell_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert _run_settings.report_path("~/r.json", {"PWD": "/"}) == f"{tmp_path}/r.json"
    assert _run_settings.report_path("r.json", {"PWD": str(tmp_path)}) == f"{tmp_path}/r.json"
    monkeypatch.setattr("os.access", lambda path, _mode: path != str(tmp_path))
    with pytest.raises(InfisicalError, match="by this user"):
        _run_settings.report_path("r.json", {"PWD": str(tmp_path)})


def test_settings_are_of_the_whole_run() -> None:
    typed = _run_settings.typed_each(SPEC, {"a": {"rotate_min_age": "1h"}, "b": {}, "c": {}})
    with pytest.raises(InfisicalError, match="rotate_min_age of b and a differ"):
        _run_settings.common(typed)


# -- members


def host(name: str, number: int, url: str | None = A, client: str | None = None, **more: Any) -> _run_members.Host:
    file = more.pop("file", None)
    options = _run_settings.typed_each(SPEC, {name: {"infisical_url": url, **more}})[name]
    rotation = {"projectId": "p", "parameters": {"clientId": client}} if client else None
    return _run_members.Host(name, options, uuid(number), rotation, file)


def members(
    *found: _run_members.Host, extra: Sequence[str] = (), environ: Mapping[str, str] = MappingProxyType({})
) -> _run_members.Members:
    files = {"/a": {"url": A, "token": "file-a"}, "/b": {"url": B, "token": "file-b"}, "/none": {"url": A}}
    return _run_members.members_of(
        found, environ=environ, in_file=files.__getitem__, extra=extra, warn=lambda _text: None
    )


def test_one_login_for_each_server() -> None:
    found = members(
        host("a", 1, file="/a"),
        host("b", 1, url=B, file="/b"),
        host("c", 2, url=f"{A}/", file="/a"),
        host("d", 3, B, **IDENTITY),
    )
    assert [(each.url, each.hosts) for each in found.logins] == [(A, ["a", "c"]), (B, ["b"]), (B, ["d"])]
    assert [member.login for member in found.members] == [0, 1, 0, 2]
    assert found.logins[0].params["token"] == "file-a"
    assert found.logins[2].params["universal_auth_client_secret"] == "secret"


def test_equal_logins_of_two_files_are_one() -> None:
    found = members(host("a", 1, file="/none"), host("b", 2), environ=IN_ENVIRONMENT)
    assert [each.hosts for each in found.logins] == [["a", "b"]]


def test_members_are_unique_by_server_and_id() -> None:
    """A staging that was restored from a backup has the same ids."""
    found = members(host("a", 1, **IDENTITY), host("again", 1, **IDENTITY), host("b", 1, url=B, **IDENTITY))
    assert [member.host for member in found.members] == ["a", "b"]
    assert found.same == {"again": "a"}


def test_the_environment_is_for_the_server_that_it_names() -> None:
    with pytest.raises(InfisicalError, match=rf"no credentials for {B}, the server of b"):
        members(host("a", 1), host("b", 2, url=B), environ={"INFISICAL_URL": A, **IN_ENVIRONMENT})
    assert (
        len(members(host("a", 1), host("b", 2, B, **IDENTITY), environ={"INFISICAL_URL": A, **IN_ENVIRONMENT}).logins)
        == 2
    )
    with pytest.raises(InfisicalError, match="no credentials for"):
        members(host("b", 2, url=B), environ={"INFISICAL_URL": A, **IN_ENVIRONMENT})


def test_the_environment_that_names_none_is_for_the_only_server() -> None:
    assert len(members(host("a", 1), environ=IN_ENVIRONMENT).logins) == 1
    with pytest.raises(InfisicalError, match="no credentials for"):
        members(host("a", 1), host("b", 2, url=B), environ=IN_ENVIRONMENT)


def test_no_credentials_at_all() -> None:
    with pytest.raises(InfisicalError, match="No credentials were given"):
        members(host("a", 1))


def test_extra_variables_go_to_no_two_servers() -> None:
    with pytest.raises(InfisicalError, match="infisical_token given as extra variable would go to each"):
        members(
            host("a", 1, infisical_token="t"), host("b", 2, B, infisical_token="t"), extra=("infisical_token", "other")
        )


@pytest.mark.parametrize("wrong", [None, "", 7, "no id"])
def test_a_host_without_an_id_is_refused_by_name(wrong: Any) -> None:
    without = _run_members.Host("web1", host("a", 1, **IDENTITY).options, wrong)
    with pytest.raises(InfisicalError, match="web1"):
        members(without)


def test_two_rotations_of_one_application_are_flagged() -> None:
    found = members(host("a", 1, client="0oa1", **IDENTITY), host("b", 2, client="0oa1", **IDENTITY))
    assert found.members[0].project_id == "p"
    assert [text.partition(", 0oa1")[0] for text in found.warnings] == ["a and b are rotations of one Okta application"]


# -- the plan

NOW = datetime(2026, 3, 12, tzinfo=timezone.utc)


def reading(number: int, days: int) -> Reading:
    rotated = (NOW - timedelta(days=days)).isoformat().replace("+00:00", "Z")
    return Reading({"id": uuid(number), "lastRotatedAt": rotated}, NOW)


class Api:
    def __init__(self, listed: list[Reading], single: dict[str, Reading]) -> None:
        self.listed = listed
        self.single = single
        self.asked: list[str] = []

    def read(self, rotation_id: str) -> Reading:
        self.asked.append(rotation_id)
        if rotation_id not in self.single:
            raise invalid_arguments("not there")
        return self.single[rotation_id]

    def read_all(self, project_id: str) -> list[Reading]:
        self.asked.append(project_id)
        if project_id == "barred":
            raise invalid_arguments("may not")
        return self.listed


def member(number: int, project: str | None = "p") -> _run_members.Member:
    return _run_members.Member(f"h{number}", 0, uuid(number), project, None)


def test_due_ones_come_first_and_keep_their_order() -> None:
    api = Api([reading(1, 0), reading(2, 9), reading(4, 0)], {uuid(3): reading(3, 9)})
    fleet = [member(1), member(2), member(3, None), member(4), member(5)]
    found = _run_plan.look(api, fleet, 86400, lambda: NOW)
    assert api.asked == ["p", uuid(3), uuid(5)], "one list for the project, and what it has not is read singly"
    assert _run_plan.in_order(fleet, found.due) == ["h2", "h3", "h1", "h4"]
    assert found.unread == {"h5": "not there"}
    assert found.problems == []


def test_a_project_that_cannot_be_listed_ends_it() -> None:
    api = Api([], {})
    found = _run_plan.look(api, [member(1, "barred"), member(2)], 0, lambda: NOW)
    assert found.problems == ["may not"]
    assert api.asked == ["barred", "p"]
    assert found.due == {}


# -- batches and summary


def results(*outcomes: str) -> list[dict[str, Any]]:
    return [{"outcome": outcome} for outcome in outcomes]


@pytest.mark.parametrize(
    ("outcomes", "percentage", "first", "due", "stops"),
    [
        (["rotated"], 0, True, 1, False),
        (["would_rotate"], 0, True, 1, False),
        (["failed"], 0, False, 1, True),
        (["unknown", "rotated"], 50, False, 1, False),
        (["unknown", "failed", "rotated"], 50, False, 1, True),
        (["not_due"], 0, True, 3, True),
        (["not_due"], 0, False, 3, False),
        (["not_due"], 0, True, 0, False),
        (["failed"], 100, True, 1, True),
    ],
)
def test_when_a_run_stops(outcomes: list[str], percentage: float, first: bool, due: int, stops: bool) -> None:
    assert bool(_run_summary.why_stop(results(*outcomes), percentage, first=first, due=due)) is stops


def test_an_unreachable_host_failed_and_one_without_a_result_was_not_attempted() -> None:
    unreachable = _run_summary.result_of({"unreachable": True, "msg": "no route"})
    assert (unreachable["outcome"], unreachable["msg"]) == ("failed", "Could not be reached: no route")
    assert _run_summary.result_of(None)["outcome"] == "not_attempted"
    assert _run_summary.result_of({"failed": True, "msg": "x"})["outcome"] == "failed"


def summed(outcomes: dict[str, str], **more: Any) -> dict[str, Any]:
    told = {host: {"outcome": outcome, "msg": f"{outcome}!"} for host, outcome in outcomes.items()}
    usual = {"same": {}, "problems": [], "warnings": [], "stopped": "", "check_mode": False}
    return _run_summary.summary(told, **{**usual, **more})


def test_everything_is_in_the_summary_and_in_the_report() -> None:
    found = summed(
        {"a": "rotated", "b": "unknown", "c": "not_attempted"},
        same={"d": "a"},
        problems=["The token lives."],
        warnings=["a and b"],
        stopped="1 of 2 failed in this batch.",
    )
    assert found["lines"] == [
        "1 rotated, 0 not due, 1 failed, 1 not attempted, 1 the same as another",
        "b: unknown!",
        "d: The same rotation as a, and left to it.",
        "The token lives.",
        "Stopped: 1 of 2 failed in this batch.",
        "Warning: a and b",
    ]
    assert found["marked"] == {"b": "unknown!"}
    assert found["report"]["problems"] == ["The token lives."]
    assert [entry["host"] for entry in found["report"]["rotations"]] == ["a", "b", "c", "d"]


def test_what_is_no_rotations_fault_still_fails() -> None:
    assert summed({"a": "rotated", "b": "rotated"}, problems=["The token lives."])["marked"] == {
        "a": "The token lives."
    }
    assert summed({"a": "not_due"}, stopped="It proves nothing.")["marked"] == {"a": "It proves nothing."}
    assert summed({"a": "rotated"})["marked"] == {}


def test_check_mode_and_an_empty_fleet_say_so() -> None:
    lines = summed({"a": "would_rotate"}, check_mode=True)["lines"]
    assert lines == ["Check mode: 1 would be rotated, 0 not due, 0 failed, 0 not attempted"]
    assert summed({})["lines"] == ["There is nothing to rotate: no rotation was selected."]


def test_the_steps_are_documented() -> None:
    options = yaml.safe_load(documented.DOCUMENTATION)["options"]
    assert set(options) == {"step", "run", "logins", "plan", "problems"}
    assert yaml.safe_load(documented.EXAMPLES)
    assert yaml.safe_load(documented.RETURN)
