# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who the consumers of a handover are, and patterns that mean nobody."""

from __future__ import annotations

from typing import Any

import pytest
from ansible import constants
from ansible.errors import AnsibleFilterError
from ansible_collections.secretops.infisical.plugins.filter.handover_hosts import FilterModule

CONSUMERS = "handover_consumers"
GROUPS = {"all": ["a", "b", "c"], CONSUMERS: ["a", "b"], "web": ["b", "c"], "idle": [], "ungrouped": []}


def hosts(groups: dict[str, list[str]], *arguments: Any) -> list[str]:
    return FilterModule().filters()["handover_hosts"](groups, *arguments)


@pytest.mark.parametrize("blank", [None, "", "  ", "None", [], [""]])
def test_a_blank_pattern_is_the_group(blank: Any) -> None:
    assert hosts(GROUPS, blank, ["a", "b", "c"]) == [CONSUMERS]
    assert hosts(GROUPS, blank) == [CONSUMERS]


@pytest.mark.parametrize(
    ("pattern", "terms"),
    [
        ("web:!b", ["web", "!b"]),
        (f"{CONSUMERS}:&web", [CONSUMERS, "&web"]),
        ("~^[ab]$", ["~^[ab]$"]),
        ("a,c", ["a", "c"]),
        (["a", "web"], ["a", "web"]),
        (f"{CONSUMERS}[1]", [f"{CONSUMERS}[1]"]),
    ],
)
def test_a_pattern_of_things_that_are_there(pattern: Any, terms: list[str]) -> None:
    assert hosts(GROUPS, pattern) == terms
    assert hosts(GROUPS, pattern, ["a", "b", "c"]) == terms


@pytest.mark.parametrize("mismatch", ["warning", "error"])
@pytest.mark.parametrize("pattern", ["wbe", "web:wbe", "all:!wbe", "web:&wbe", "~^x", ["web", "wbe"]])
def test_a_term_that_means_nothing_is_refused(pattern: Any, mismatch: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HOST_PATTERN_MISMATCH", mismatch)
    with pytest.raises(AnsibleFilterError, match=r"handover_hosts has '.*(wbe|~\^x)', which is no group and no host"):
        hosts(GROUPS, pattern)


@pytest.mark.parametrize(("pattern", "told"), [("idle", "idle"), ("a:!a", "a,!a"), (f"{CONSUMERS}:&idle", ",&idle")])
def test_nobody_is_a_failure(pattern: str, told: str) -> None:
    with pytest.raises(AnsibleFilterError) as caught:
        hosts(GROUPS, pattern)
    assert f"{told}, and no host is in it: nothing was delivered or rotated. Put the consumers into the group " in str(
        caught.value
    )


def test_without_a_group_of_consumers_a_pattern_is_needed() -> None:
    groups = {"all": ["a"], "web": ["a"]}
    with pytest.raises(AnsibleFilterError, match=f"handover_hosts has '{CONSUMERS}', which is no group and no host"):
        hosts(groups, "")
    assert hosts(groups, "web") == ["web"]
    with pytest.raises(AnsibleFilterError, match=f"handover_hosts is {CONSUMERS}, and no host is in it"):
        hosts({**groups, CONSUMERS: []})


def test_a_limit_that_leaves_nobody_is_a_failure() -> None:
    with pytest.raises(AnsibleFilterError, match="--limit leaves none of the 2 hosts of web. Nothing was rotated"):
        hosts(GROUPS, "web", ["a"])
    with pytest.raises(AnsibleFilterError, match=r"correct --limit, or handover_hosts\."):
        hosts(GROUPS, "", [])
    assert hosts(GROUPS, "", ["b"]) == [CONSUMERS]


def test_a_check_of_the_syntax_needs_no_inventory() -> None:
    nothing: dict[str, list[str]] = {"all": []}
    assert (hosts(nothing), hosts(nothing, "web:!b", [])) == ([CONSUMERS], ["web", "!b"])
