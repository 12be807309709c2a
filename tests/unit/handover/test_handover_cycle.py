# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A round of a handover: what is there, and whether it may be handed on."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.secretops.infisical.plugins.plugin_utils import _handover_look
from simulator.client import Simulator
from unit.handover.handover_cycle import Handed

SECRET = "kW3-very_secret_kW3"


@pytest.fixture
def handed(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> Handed:
    return Handed(simulator, monkeypatch)


def broken(*_arguments: Any, **_options: Any) -> None:
    raise ValueError(SECRET)


def test_what_there_is(handed: Handed) -> None:
    found = handed.cycle().look({}, {})
    active, previous = handed.slots
    standing = found.pop("standing")
    (line,) = found.pop("lines")
    assert found == {
        "run": "r1",
        "rotation_id": handed.id,
        "problem": "",
        "round": 1,
        "ids": sorted(handed.ids),
        "active_id": active["secretId"],
        "previous_id": previous["secretId"],
        "credentials": {"active": active, "previous": previous},
        "last_rotated_at": handed.simulator.rotation(handed.id)["lastRotatedAt"],
        "leaked": None,
        "batches": [["a"], ["b"]],
    }
    assert standing["name"] == "handed"
    assert line.startswith(f"handed: the active secret of {active['clientId']} is {active['secretId']}, ")
    # A result of a task is JSON.
    assert json.loads(json.dumps(standing)) == standing


def test_who_delivers_only_needs_no_standing(handed: Handed) -> None:
    handed.simulator.change_rotation(handed.id, nextRotationAt=60, rotationStatus="failed")
    found = handed.cycle(deliver_only="It is so.").look({}, {})
    assert (found["problem"], found["standing"], found["last_rotated_at"]) == ("", None, "")
    assert found["credentials"]["active"] == handed.slots[0]


def test_one_secret_is_warned_of_where_it_is_rotated(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    handed = Handed(simulator, monkeypatch, slots=1, activeIndex=0)
    found = handed.cycle().look({}, {})
    assert (found["previous_id"], found["credentials"]["previous"], found["ids"]) == ("", None, handed.ids)
    assert found["lines"][1].startswith("Warning: Infisical holds one secret only. The other one at Okta")
    assert len(found["lines"]) == 2
    assert len(handed.cycle(deliver_only="It is so.").look({}, {})["lines"]) == 1


PLANNED = {"nextRotationAt": 60}
FAILED = {"rotationStatus": "failed", "lastRotationMessage": "Okta is down"}


@pytest.mark.parametrize(
    ("rotation", "run", "told"),
    [
        (PLANNED, {}, "Infisical itself is to rotate handed at "),
        (FAILED, {}, "The last rotation of handed failed: Okta is down. "),
        (PLANNED, {"window": 0}, ""),
        # What is not to be rotated is hindered by nothing.
        ({**PLANNED, **FAILED, "lastRotatedAt": 60}, {}, ""),
        ({**PLANNED, **FAILED}, {"leaked_secret_id": "ocsGone"}, ""),
        ({**PLANNED, "lastRotatedAt": 60}, {"min_age": 0}, "Infisical itself is to rotate handed at "),
    ],
)
def test_what_hinders_the_rotation_hinders_the_delivery_before_it(
    handed: Handed, rotation: dict[str, Any], run: dict[str, Any], told: str
) -> None:
    handed.simulator.change_rotation(handed.id, **rotation)
    handed.simulator.clear_log()
    problem = handed.cycle(**run).look({}, {})["problem"]
    assert problem.startswith(told)
    assert bool(problem) == bool(told)
    assert problem.endswith("Nothing was delivered or rotated." if told else "")
    # Okta need not be asked then.
    assert len(handed.simulator.log("introspect$")) == (0 if told else 1)


def test_a_secret_that_okta_refuses_is_a_problem(handed: Handed) -> None:
    handed.remove_at_okta(handed.ids[0])
    for deliver_only in ("", "It is so."):
        found = handed.cycle(deliver_only=deliver_only).look({}, {})
        assert found["problem"].startswith(f"Okta does not accept the active secret {handed.ids[0]}")


def test_a_look_that_fails_is_a_problem_and_no_failure(handed: Handed) -> None:
    handed.simulator.fault("status", path=f"/{handed.id}$", times=0, status=403)
    found = handed.cycle().look({}, {})
    assert found.pop("problem").startswith(f"Could not read the secret rotation {handed.id}")
    assert found == {"run": "r1", "rotation_id": handed.id, "lines": [], "batches": []}


@pytest.mark.parametrize("name", ["look", "refusal"])
def test_a_fault_of_ours_is_a_problem_and_quotes_nothing(
    handed: Handed, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(_handover_look, name, broken)
    found = handed.cycle().look({}, {})
    assert found["problem"].startswith("Could not look at the rotation: ValueError")
    assert (found["lines"], found["batches"]) == ([], [])
    assert SECRET not in json.dumps(found)


# -- the round after a rotation


def test_the_round_after_a_rotation_knows_which_secrets_were_there(handed: Handed) -> None:
    cycle = handed.cycle()
    first = cycle.look({}, {})
    before = handed.ids
    handed.lagging(credentials=1)
    handed.simulator.rival(handed.id)
    rotated = {"run": "r1", "rotation_id": handed.id, "secretRotation": handed.simulator.rotation(handed.id)}
    second = cycle.look(first, rotated)
    assert (second["round"], second["active_id"], second["previous_id"]) == (2, handed.ids[0], before[0])
    assert second["ids"] == sorted({*before, *handed.ids})
    assert second["standing"]["rotated"] is True
    assert handed.clock.pauses == [0.5]


@pytest.mark.parametrize("other", [{"run": "r0"}, {"rotation_id": "another"}, {"run": None}])
def test_the_results_of_another_run_or_rotation_count_for_nothing(handed: Handed, other: dict[str, Any]) -> None:
    """Variables stay in a play after another one, and those of an inventory are from anybody."""
    mine = {"run": "r1", "rotation_id": handed.id}
    old = {"round": 5, "ids": handed.ids, "leaked": SECRET, **mine, **other}
    moved = {"secretRotation": {**handed.simulator.rotation(handed.id), "activeIndex": 0}, **mine, **other}
    found = handed.cycle().look(old, moved)
    assert (found["problem"], found["round"], found["leaked"]) == ("", 1, None)
    assert found["standing"]["rotated"] is False
    assert handed.clock.pauses == []


@pytest.mark.parametrize("number", [0, 1])
def test_the_value_of_the_leaked_secret_is_kept_while_it_can_be_told(handed: Handed, number: int) -> None:
    leaked = handed.slots[number]
    cycle = handed.cycle(leaked_secret_id=leaked["secretId"])
    found = cycle.look({}, {})
    assert found["leaked"] == leaked["clientSecret"]
    for _twice in range(2):
        handed.simulator.rival(handed.id)
        moved = {"run": "r1", "rotation_id": handed.id, "secretRotation": handed.simulator.rotation(handed.id)}
        found = cycle.look(found, moved)
    assert leaked["secretId"] not in handed.ids
    assert found["leaked"] == leaked["clientSecret"]


def test_the_value_of_a_leaked_secret_that_is_gone_is_the_one_that_was_given(handed: Handed) -> None:
    assert handed.cycle(leaked_secret_id="ocsGone", leaked=SECRET).look({}, {})["leaked"] == SECRET
    assert handed.cycle(leaked_secret_id="ocsGone").look({}, {})["leaked"] is None
    # What Infisical tells is the value of that id, whatever was given.
    told = handed.cycle(leaked_secret_id=handed.ids[1], leaked=SECRET).look({}, {})["leaked"]
    assert told == handed.slots[1]["clientSecret"]
