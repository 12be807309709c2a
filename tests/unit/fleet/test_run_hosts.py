# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which hosts a run over a fleet is about, and patterns that mean nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from ansible import constants
from ansible.errors import AnsibleFilterError
from ansible_collections.secretops.infisical.plugins.filter.rotate_fleet_hosts import FilterModule
from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError
from ansible_collections.secretops.infisical.plugins.plugin_utils._run_hosts import refuse_none

FLEET = "okta_client_secret_rotations"
GROUPS = {"all": ["a", "b"], FLEET: ["a", "b"], "overdue": [], "prod": ["a"], "ungrouped": []}


def hosts(groups: Mapping[str, Any], *arguments: Any) -> list[str]:
    return FilterModule().filters()["rotate_fleet_hosts"](groups, *arguments)


@pytest.mark.parametrize("blank", [None, "", "  ", "None", [], [""]])
def test_a_blank_pattern_is_the_whole_fleet(blank: Any) -> None:
    assert hosts(GROUPS, blank, ["a", "b"]) == [FLEET]


@pytest.mark.parametrize(
    ("pattern", "terms"),
    [
        ("prod:!b", ["prod", "!b"]),
        ("all:&prod", ["all", "&prod"]),
        ("~^[ab]$", ["~^[ab]$"]),
        (f"{FLEET}[0]", [f"{FLEET}[0]"]),
        ("a,b", ["a", "b"]),
        (["a", "b"], ["a", "b"]),
        ("prod", ["prod"]),
    ],
)
def test_a_pattern_of_things_that_are_there(pattern: Any, terms: list[str]) -> None:
    assert hosts(GROUPS, pattern) == terms


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
