# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of a round: it rotates and begins another one, or says why not."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from ansible_collections.secretops.infisical.plugins.module_utils._options import AUTHENTICATION, CONNECTION
from ansible_collections.secretops.infisical.plugins.modules import okta_client_secret_rotation
from ansible_collections.secretops.infisical.plugins.plugin_utils import _handover_cycle, _handover_look
from ansible_collections.secretops.infisical.plugins.plugin_utils._handover_cycle import Cycle
from ansible_collections.secretops.infisical.plugins.plugin_utils._handover_rule import Held
from simulator.client import Simulator
from support.server import tokens_left
from unit.handover.handover_cycle import Handed, now

SECRET = "kW3-very_secret_kW3"
ON = {"number": 1, "hosts": [], "stop": ""}


@pytest.fixture
def handed(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> Handed:
    return Handed(simulator, monkeypatch)


def broken(*_arguments: Any, **_options: Any) -> None:
    raise ValueError(SECRET)


def decide(handed: Handed, cycle: Cycle, look: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """At the end of a round in which everybody was proved."""
    seen = cycle.look({}, {}) if look is None else look
    usual: dict[str, Any] = {"held": handed.held(), "batch": ON, "told": {}, "check_mode": False}
    found = cycle.decide(seen, **{**usual, **more})
    assert (found["run"], found["rotation_id"]) == ("r1", handed.id)
    assert not any(each["clientSecret"] in json.dumps(found) for each in handed.slots)
    return found


def test_a_planned_rotation_begins_another_round_and_that_is_the_last(handed: Handed) -> None:
    cycle = handed.cycle()
    first = cycle.look({}, {})
    before = handed.ids
    rotated = decide(handed, cycle, first)
    assert (rotated["again"], rotated["changed"], rotated["refused"], rotated["outcome"]) == (True, True, "", "rotated")
    assert rotated["secretRotation"]["lastRotatedAt"] == handed.simulator.rotation(handed.id)["lastRotatedAt"]
    assert rotated["diff"]["before"]["lastRotatedAt"] == first["last_rotated_at"]
    assert rotated["told"][:2] == [*first["lines"], "handed was rotated 40 days ago."]
    assert len(rotated["told"]) == 3
    assert handed.ids[1] == before[0]
    second = cycle.look(first, rotated)
    ended = decide(handed, cycle, second, told=rotated)
    assert (ended["again"], ended["refused"], "changed" in ended) == (False, "", False)
    assert ended["told"] == [*rotated["told"], *second["lines"], "handed was rotated by this run."]
    assert (handed.rotations(), handed.simulator.posts(), tokens_left(handed.simulator)) == (1, 1, [])


@pytest.mark.parametrize("told", [{"run": "r0", "told": ["x"]}, {"told": ["x"]}, {"run": "r1"}])
def test_what_another_run_said_is_not_said_again(handed: Handed, told: dict[str, Any]) -> None:
    assert decide(handed, handed.cycle(min_age=10**9), told=told)["told"][0].startswith("handed: the active secret")


def test_what_stopped_a_batch_stops_the_rotation(handed: Handed) -> None:
    found = decide(handed, handed.cycle(), batch={**ON, "stop": "b (no) did not take x."})
    assert (found["refused"], found["again"], handed.simulator.posts()) == ("b (no) did not take x.", False, 0)
    assert len(found["told"]) == 1


def test_a_round_without_a_look_is_refused(handed: Handed) -> None:
    handed.simulator.fault("status", path=f"/{handed.id}$", times=0, status=403)
    look = handed.cycle().look({}, {})
    found = decide(handed, handed.cycle(), look, batch={**ON, "stop": look["problem"]})
    assert (found["refused"], found["told"], handed.simulator.posts()) == (look["problem"], [], 0)


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (None, "b (not attempted, or not reached)"),
        (Held("ocsOld", "proven"), "b (holds ocsOld)"),
        (Held("", "failed", "it burns"), "b (holds an unknown one)"),
    ],
)
def test_the_gate(handed: Handed, other: Held | None, why: str) -> None:
    found = decide(handed, handed.cycle(), held=handed.held(b=other))
    assert found["refused"].startswith(
        f"Not rotated. Not every consumer is proven with the active secret {handed.ids[0]}: {why}. A rotation would"
    )
    assert (found["again"], handed.simulator.posts(), len(found["told"])) == (False, 0, 1)


def test_check_mode_predicts_without_a_proof(handed: Handed) -> None:
    found = decide(handed, handed.cycle(), held={"a": None, "b": None}, check_mode=True)
    assert (found["outcome"], found["again"], found["changed"]) == ("would_rotate", False, True)
    assert (found["refused"], handed.simulator.posts(), handed.rotations()) == ("", 0, 0)


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_planned_rotation_that_came_near_meanwhile(
    handed: Handed, monkeypatch: pytest.MonkeyPatch, check_mode: bool
) -> None:
    """Deliveries take their time."""
    cycle = handed.cycle()
    look = cycle.look({}, {})
    assert look["problem"] == ""
    monkeypatch.setattr(_handover_cycle, "_now", lambda: now() + timedelta(days=9, minutes=-30))
    found = decide(handed, cycle, look, check_mode=check_mode)
    assert found["refused"].startswith("Not rotated. Infisical itself is to rotate handed at ")
    assert handed.simulator.posts() == 0


def test_a_rival_between_the_look_and_the_rotation_begins_another_round(handed: Handed) -> None:
    cycle = handed.cycle(min_age=0)
    look = cycle.look({}, {})
    handed.simulator.rival(handed.id)
    found = decide(handed, cycle, look, held=handed.held(look["active_id"]))
    assert (found["again"], found["outcome"], found["refused"]) == (True, "rotated_by_another", "")
    assert (handed.rotations(), handed.simulator.posts()) == (1, 0)


def test_a_run_that_delivers_only(handed: Handed) -> None:
    run = {"leaked_secret_id": handed.ids[0]}
    found = decide(handed, handed.cycle(deliver_only="It is so.", **run), held={})
    assert found["told"][-1] == "Delivered only, not rotated: It is so."
    assert (found["refused"], found["again"], handed.simulator.posts()) == ("", False, 0)
    assert len(handed.simulator.log("introspect$")) == 1


@pytest.mark.parametrize(("number", "refused"), [(5, False), (6, True)])
def test_a_rival_who_goes_on_ends_the_run(handed: Handed, number: int, refused: bool) -> None:
    cycle = handed.cycle(leaked_secret_id=handed.ids[1])
    look = {**cycle.look({}, {}), "round": number}
    found = decide(handed, cycle, look)
    assert (found["refused"] == "handed was rotated 5 times during this run.") is refused
    assert handed.simulator.posts() == (0 if refused else 1)


def test_a_rotation_that_fails_is_told(handed: Handed) -> None:
    handed.simulator.fault_rotate("status", status=403, times=0)
    found = decide(handed, handed.cycle())
    assert (found["reason"], found["again"], "changed" in found) == ("permission_denied", False, False)
    assert found["refused"].startswith(f"Could not rotate the secret of {handed.id}")
    assert found["told"][-1] == "handed was rotated 40 days ago."


def test_an_unclear_outcome_is_looked_after_for_two_minutes_however_long_the_handover_may_wait(handed: Handed) -> None:
    """The role's options have no outcome_timeout: the module's own holds."""
    known = {name: value for name, value in handed.task.params.items() if name in (*CONNECTION, *AUTHENTICATION)}
    handed.task = replace(handed.task, params={**known, "wait_timeout": 900})
    cycle = handed.cycle()
    look = cycle.look({}, {})
    handed.simulator.fault_rotate("reset_before")
    found = decide(handed, cycle, look)
    assert (found["reason"], handed.clock.now) == ("outcome_unknown", 120)


def test_a_fault_of_ours_in_the_rotation_quotes_nothing(handed: Handed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(okta_client_secret_rotation, "execute", broken)
    found = decide(handed, handed.cycle())
    assert found["refused"].startswith("Could not rotate: ValueError")
    assert SECRET not in json.dumps(found)


# -- a leaked secret


@pytest.mark.parametrize(("number", "needed"), [(0, 2), (1, 1)])
def test_a_leaked_secret_is_rotated_out_whatever_its_age(handed: Handed, number: int, needed: int) -> None:
    handed.simulator.change_rotation(handed.id, lastRotatedAt=1)
    leaked = handed.slots[number]
    cycle = handed.cycle(leaked_secret_id=leaked["secretId"])
    look = cycle.look({}, {})
    found: dict[str, Any] = {"again": True}
    rounds = 0
    while found["again"]:
        rounds += 1
        found = decide(handed, cycle, look, told=found)
        look = cycle.look(look, found)
    assert (rounds, handed.rotations()) == (needed + 1, needed)
    assert leaked["secretId"] not in handed.ids
    assert found["refused"] == ""
    assert found["told"][-1] == (
        f"Okta accepts the newest secret {handed.ids[0]} and refuses the leaked one, {leaked['secretId']}."
    )
    assert leaked["clientSecret"] not in json.dumps(found)


def test_a_value_that_is_still_good_is_a_refusal(handed: Handed) -> None:
    still = handed.slots[1]["clientSecret"]
    found = decide(handed, handed.cycle(leaked_secret_id="ocsGone", leaked=still))
    assert found["refused"].startswith("Okta still accepts the value that leaked, though ocsGone is in no slot")
    assert found["told"][-1] == "The leaked secret ocsGone is in no slot of handed."


def test_a_fault_of_ours_in_the_proof_quotes_nothing(handed: Handed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_handover_look, "proof", broken)
    found = decide(handed, handed.cycle(leaked_secret_id="ocsGone", leaked=SECRET))
    assert found["refused"].startswith("Could not prove that the leaked secret is refused: ValueError")
    assert SECRET not in json.dumps(found)
