# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a run stops, and what it says at its end."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible_collections.secretops.infisical.plugins.modules import rotate_fleet as documented
from ansible_collections.secretops.infisical.plugins.plugin_utils import _fleet_summary


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
    assert bool(_fleet_summary.why_stop(results(*outcomes), percentage, first=first, due=due)) is stops


def test_an_unreachable_host_failed_and_one_without_a_result_was_not_attempted() -> None:
    unreachable = _fleet_summary.result_of({"unreachable": True, "msg": "no route"})
    assert (unreachable["outcome"], unreachable["msg"]) == ("failed", "Could not be reached: no route")
    assert _fleet_summary.result_of(None)["outcome"] == "not_attempted"
    assert _fleet_summary.result_of({"failed": True, "msg": "x"})["outcome"] == "failed"


def summed(outcomes: dict[str, str], **more: Any) -> dict[str, Any]:
    told = {host: {"outcome": outcome, "msg": f"{outcome}!"} for host, outcome in outcomes.items()}
    usual = {"same": {}, "problems": [], "warnings": [], "stopped": "", "check_mode": False}
    return _fleet_summary.summary(told, **{**usual, **more})


def test_a_failure_is_told_by_its_host_and_the_rest_by_the_summary() -> None:
    found = summed(
        {"a": "rotated", "b": "unknown", "c": "not_attempted"},
        same={"d": "a"},
        problems=["The token lives."],
        warnings=["a and b"],
        stopped="1 of 2 failed in this batch.",
    )
    assert found["told"] == (
        "1 rotated, 0 not due, 1 failed, 1 not attempted, 1 the same as another. d is the same rotation as a. "
        "Stopped: 1 of 2 failed in this batch. Warning: a and b"
    )
    # Whoever runs again over those that failed takes what was not attempted too.
    assert found["marked"] == {"b": "The token lives. unknown!", "c": "Not attempted: see b."}
    assert found["report"]["problems"] == ["The token lives."]
    assert [entry["host"] for entry in found["report"]["rotations"]] == ["a", "b", "c", "d"]


def test_what_is_no_rotations_fault_still_fails() -> None:
    assert summed({"a": "rotated", "b": "rotated"}, problems=["The token lives."])["marked"] == {
        "a": "The token lives."
    }
    assert summed({"a": "not_due"}, stopped="It proves nothing.")["marked"] == {"a": "It proves nothing."}
    assert summed({"a": "rotated"})["marked"] == {}


def test_where_the_login_failed_everybody_fails_and_one_says_why() -> None:
    found = summed(dict.fromkeys("abc", "not_attempted"), problems=["No login."])
    assert found["marked"] == {"a": "No login.", "b": "Not attempted: see a.", "c": "Not attempted: see a."}


def test_what_is_handed_on_is_small_and_made_of_strings() -> None:
    told: dict[str, Any] = {
        "a": {"outcome": "rotated", "msg": "", "secretRotation": {"lastRotatedAt": "2026-11-25T10:00:02.000Z"}},
        "b": {"outcome": "rotated", "msg": "", "secretRotation": {"lastRotatedAt": "2026-11-25T10:00:01.000Z"}},
        **{f"c{number}": {"outcome": "failed", "msg": "no"} for number in range(22)},
    }
    found = _fleet_summary.summary(told, same={}, problems=[], warnings=[], stopped="", check_mode=False)["stats"]
    assert found == {
        "playbook": "rotate_fleet",
        "check_mode": "false",
        "summary": "2 rotated, 0 not due, 22 failed, 0 not attempted.",
        "counts": {"rotated": "2", "not_due": "0", "failed": "22", "not_attempted": "0", "same_as_another": "0"},
        "failures": [*(f"c{number}: no" for number in range(20)), "and 2 more"],
        "moments": {"first_rotated_at": "2026-11-25T10:00:01.000Z", "last_rotated_at": "2026-11-25T10:00:02.000Z"},
    }


def test_check_mode_and_an_empty_fleet_say_so() -> None:
    told = summed({"a": "would_rotate"}, check_mode=True)["told"]
    assert told == "Check mode: 1 would be rotated, 0 not due, 0 failed, 0 not attempted."
    assert summed({})["told"] == "There is nothing to rotate: no rotation was selected."


def test_the_steps_are_documented() -> None:
    options = yaml.safe_load(documented.DOCUMENTATION)["options"]
    assert set(options) == {"step", "run", "logins", "plan", "problems"}
    assert yaml.safe_load(documented.EXAMPLES)
    assert yaml.safe_load(documented.RETURN)
