# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a handover says at its end, to people and to programs."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.secretops.infisical.plugins.plugin_utils import _handover_summary


def state(name: str, held: str = "ocs1", **more: Any) -> dict[str, Any]:
    # As a step records it, with more than the summary tells.
    usual: dict[str, Any] = {"run": "r", "since": None, "how": "", "problem": "", "diff": {}, "changed": False}
    return {**usual, "secret_id": held, "state": name, **more}


def summed(
    states: dict[str, Any], told: tuple[str, ...] = (), refused: str = "", hosts: Any = None, check_mode: bool = False
) -> dict[str, Any]:
    rotation = {"rotation_id": "i", "listed": list(states), "hosts": list(states) if hosts is None else hosts}
    return _handover_summary.summary([rotation], states, told, refused, check_mode=check_mode)


@pytest.mark.parametrize(
    ("found", "line"),
    [
        (state("proven"), "proven ocs1"),
        (
            state("proven", since="2026-03-12", how="restarted with it"),
            "proven ocs1 since 2026-03-12 (restarted with it)",
        ),
        (state("checked", how="http check"), "checked ocs1 (http check)"),
        (state("delivered", since="2026-03-12"), "delivered ocs1 since 2026-03-12"),
        (state("predicted", how="would be delivered"), "predicted ocs1 (would be delivered)"),
        (state("delivered", ""), "delivered unknown"),
        (state("failed", problem="it burns. It was left as it is."), None),
        (None, None),
    ],
)
def test_the_line_of_a_consumer(found: Any, line: str | None) -> None:
    """One that failed says why where it fails, once."""
    assert summed({"a": found})["consumers"].get("a") == line


def test_who_is_not_in_this_run_is_told_too() -> None:
    result = summed({"a": state("proven"), "b": None}, hosts=["a"])
    assert result["told"] == ("Of 2 consumers: 1 proven, 1 not reached. Not in this run, or in another batch of it: b.")
    assert result["marked"] == {}
    assert [each["in_this_run"] for each in result["report"]["consumers"]] == [True, False]


def test_everything_is_in_the_summary_and_in_the_report() -> None:
    rotations = [
        {"rotation_id": "i", "listed": ["a", "b", "c"], "hosts": ["a", "b", "c"]},
        {"rotation_id": "j", "listed": ["d", "e"], "hosts": ["e"]},
    ]
    states: dict[str, Any] = {
        "a": state("failed", problem="no"),
        "b": state("proven", since="2026", how="how"),
        "e": state("proven", "ocs2"),
        "stranger": state("proven"),
    }
    found = _handover_summary.summary(rotations, states, ["One.", "Two."], "It cannot go on.", check_mode=False)
    assert found["told"] == (
        "One. Two. Of 5 consumers: 2 proven, 1 failed, 2 not reached. Not in this run, or in another batch of it: d. "
        "Stopped: It cannot go on."
    )
    assert found["consumers"] == {"b": "proven ocs1 since 2026 (how)", "e": "proven ocs2"}
    assert found["marked"] == {"a": "no", "c": "Not attempted, or not reached: see a."}
    assert found["stats"]["failures"] == ["a: no", "c: Not attempted, or not reached: see a."]
    assert found["stats"]["counts"] == {"proven": "2", "failed": "1", "not_reached": "2"}
    report = found["report"]
    assert (report["check_mode"], report["stopped"], report["told"]) == (False, "It cannot go on.", ["One.", "Two."])
    assert report["counts"] == {"proven": 2, "failed": 1, "not_reached": 2}
    assert report["consumers"][1:3] == [
        {
            "host": "b",
            "rotation_id": "i",
            "in_this_run": True,
            "secret_id": "ocs1",
            "state": "proven",
            "since": "2026",
            "how": "how",
            "problem": "",
        },
        {
            "host": "c",
            "rotation_id": "i",
            "in_this_run": True,
            "secret_id": "",
            "state": "not_reached",
            "since": None,
            "how": "",
            "problem": "",
        },
    ]


def test_counts_are_in_the_order_of_how_far_the_secret_came() -> None:
    names = ("failed", "predicted", "delivered", "checked", "proven")
    states = {name: state(name) for name in names}
    assert summed({"x": None, **states})["told"] == (
        "Of 6 consumers: 1 proven, 1 checked, 1 delivered, 1 predicted, 1 failed, 1 not reached."
    )


def test_check_mode_says_so() -> None:
    found = summed({"a": state("predicted")}, check_mode=True)
    assert found["told"] == "Check mode: Of 1 consumers: 1 predicted."
    assert (found["report"]["check_mode"], found["report"]["stopped"], found["marked"]) == (True, None, {})


@pytest.mark.parametrize(
    ("states", "hosts", "refused", "marked"),
    [
        ({"a": state("proven"), "b": None}, ["a", "b"], "", {}),
        (
            {"a": state("failed", problem="no"), "b": state("failed", problem="n")},
            ["a", "b"],
            "",
            {"a": "no", "b": "n"},
        ),
        # Whose fault it is, is told already.
        ({"a": state("proven"), "b": state("failed", problem="no")}, ["a", "b"], "Refused.", {"b": "no"}),
        # Nobody's fault: it falls to the first one of this run.
        (
            {"a": None, "b": state("proven"), "c": None},
            ["b", "c"],
            "Refused.",
            {"b": "Refused.", "c": "Not attempted, or not reached: see b."},
        ),
        ({"a": None}, [], "Refused.", {"": "Refused."}),
    ],
)
def test_who_fails(states: dict[str, Any], hosts: list[str], refused: str, marked: dict[str, str]) -> None:
    assert summed(states, refused=refused, hosts=hosts)["marked"] == marked


FAILED = {"name": "Write the file", "action": "x.y.copy", "rc": "", "said": ""}


@pytest.mark.parametrize(
    ("task", "told"),
    [
        ({}, ""),
        (FAILED, "the task 'Write the file' (module x.y.copy) failed. It stayed."),
        ({**FAILED, "rc": 1}, "the task 'Write the file' (module x.y.copy, rc 1) failed. It stayed."),
        ({**FAILED, "rc": 0}, "the task 'Write the file' (module x.y.copy, rc 0) failed. It stayed."),
        ({**FAILED, "rc": " "}, "the task 'Write the file' (module x.y.copy) failed. It stayed."),
        ({**FAILED, "said": "No space."}, "the task 'Write the file' (module x.y.copy) failed: No space. It stayed."),
        ({**FAILED, "said": "No"}, "the task 'Write the file' (module x.y.copy) failed: No. It stayed."),
    ],
)
def test_why_a_consumer_failed(task: dict[str, Any], told: str) -> None:
    assert _handover_summary.problem_of(task, "It stayed.") == told
