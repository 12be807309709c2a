# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task leaves for the next one of its machine, and what a caller knows from before."""

from __future__ import annotations

import time
from typing import Any

import pytest
from simulator.client import Simulator
from simulator.clock import iso
from support.machine import Machine, ended

DAY = 86_400
LOST: dict[str, Any] = {"status": 504, "body": "<html>", "contentType": "text/html"}


@pytest.fixture
def uncertain(simulator: Simulator, machine: Machine) -> Machine:
    """Its last task does not know how it ended. Nothing was done."""
    simulator.fault_rotate("status", **LOST)
    assert ended(machine.run()) == ("outcome_unknown", False)
    simulator.clear_faults()
    return machine


# -- after a task whose end is not known


@pytest.mark.parametrize("min_age", ["5m", "0"])
def test_the_next_task_is_not_let_in_by_a_reading_that_shows_nothing(
    simulator: Simulator, uncertain: Machine, rotation: dict[str, Any], min_age: str
) -> None:
    """The first one's request may still be under way."""
    uncertain.age_notes(9)
    result = uncertain.run(min_age=min_age)
    assert ended(result) == ("stale_reading", False)
    (note,) = uncertain.notes
    assert str(note) in result["msg"]
    assert result["secretRotation"]["lastRotatedAt"] == rotation["lastRotatedAt"]
    assert simulator.posts() == 1


def test_it_sees_the_late_rotation(simulator: Simulator, uncertain: Machine, rotation: dict[str, Any]) -> None:
    uncertain.clock.meanwhile = [lambda: simulator.rival(rotation["id"])]
    assert ended(uncertain.run()) == ("not_due", False)
    assert simulator.posts() == 1
    assert simulator.rotations_done() == 1


def test_an_attempt_that_failed_since_is_not_its_end(
    simulator: Simulator, uncertain: Machine, rotation: dict[str, Any]
) -> None:
    """It may be of a rival who failed just before the first one's request began."""
    uncertain.clock.meanwhile = [lambda: simulator.rival(rotation["id"], failure=True)]
    assert ended(uncertain.run()) == ("stale_reading", False)
    assert (simulator.posts(), simulator.rotations_done()) == (1, 0)


def test_ten_minutes_later_it_is_let_in_and_warned(simulator: Simulator, uncertain: Machine) -> None:
    uncertain.age_notes(11)
    assert ended(uncertain.run()) == ("rotated", True)
    assert ["task of this machine" in warning for warning in uncertain.warnings] == [True]
    assert simulator.rotations_done() == 1


def test_a_note_that_was_removed_holds_nobody_up(simulator: Simulator, uncertain: Machine) -> None:
    """As the message says that a person may do it."""
    for note in uncertain.notes:
        note.unlink()
    assert ended(uncertain.run()) == ("rotated", True)
    assert uncertain.warnings == []


def test_tasks_of_another_rotation_and_another_server_are_not_held_up(simulator: Simulator, uncertain: Machine) -> None:
    other = simulator.add_rotation(name="other")
    assert ended(uncertain.run(rotation_id=other["id"])) == ("rotated", True)
    assert uncertain.warnings == []


# -- after a task that has ended


@pytest.mark.parametrize("min_age", ["5m", "0"])
def test_a_restored_backup_is_stale_for_ten_minutes_and_then_warns(
    simulator: Simulator, machine: Machine, rotation: dict[str, Any], min_age: str
) -> None:
    assert ended(machine.run()) == ("rotated", True)
    simulator.change_rotation(rotation["id"], lastRotatedAt=40 * DAY, lastRotationAttemptedAt=40 * DAY)
    machine.age_notes(9)
    assert ended(machine.run(min_age=min_age)) == ("stale_reading", False)
    machine.age_notes(2)
    assert ended(machine.run(min_age=min_age)) == ("rotated", True)
    assert ["task of this machine" in warning for warning in machine.warnings] == [True]
    assert simulator.posts() == 2


def test_a_refusal_in_which_nothing_was_done_holds_nobody_up(simulator: Simulator, machine: Machine) -> None:
    simulator.settings(planAllowsRotation=False)
    assert machine.run()["reason"] == "plan_restricted"
    simulator.settings(planAllowsRotation=True)
    assert ended(machine.run()) == ("rotated", True)
    assert machine.clock.pauses == []


def test_a_failed_attempt_holds_nobody_up(simulator: Simulator, machine: Machine) -> None:
    simulator.settings(okta={"createError": 1})
    assert machine.run()["reason"] == "rotation_failed"
    assert ended(machine.run()) == ("rotated", True)
    assert machine.clock.pauses == []


def test_a_day_later_there_is_no_warning(simulator: Simulator, machine: Machine) -> None:
    """The usual case: a task each night."""
    simulator.settings(clockOffset=-DAY)
    assert ended(machine.run()) == ("rotated", True)
    simulator.settings(clockOffset=0)
    machine.age_notes(24 * 60)
    assert ended(machine.run()) == ("rotated", True)
    assert machine.warnings == []
    assert simulator.posts() == simulator.rotations_done() == 2


# -- only_if_last_rotated_at


def test_as_the_caller_saw_it_is_rotated(simulator: Simulator, machine: Machine, rotation: dict[str, Any]) -> None:
    result = machine.run(only_if_last_rotated_at=rotation["lastRotatedAt"])
    assert ended(result) == ("rotated", True)
    assert simulator.posts() == simulator.rotations_done() == 1


@pytest.mark.parametrize("min_age", ["5m", "0"])
@pytest.mark.parametrize("check_mode", [False, True])
def test_rotated_since_the_caller_saw_it_sends_nothing(
    simulator: Simulator, machine: Machine, rotation: dict[str, Any], min_age: str, check_mode: bool
) -> None:
    simulator.rival(rotation["id"])
    given = {"only_if_last_rotated_at": rotation["lastRotatedAt"], "min_age": min_age}
    result = machine.run(check_mode=check_mode, **given)
    assert ended(result) == ("rotated_by_another", True)
    assert result["diff"]["before"]["lastRotatedAt"] == rotation["lastRotatedAt"]
    assert result["diff"]["after"]["lastRotatedAt"] == simulator.rotation()["lastRotatedAt"]
    assert simulator.posts() == 0


def test_by_name_it_holds_too(simulator: Simulator, machine: Machine, rotation: dict[str, Any]) -> None:
    simulator.rival(rotation["id"])
    place = {"name": rotation["name"], "project_id": rotation["projectId"], "environment": "prod"}
    given = {**place, "secret_path": "/okta", "rotation_id": None}
    result = machine.run(only_if_last_rotated_at=rotation["lastRotatedAt"], **given)
    assert ended(result) == ("rotated_by_another", True)
    assert simulator.posts() == 0


def test_what_is_older_than_the_caller_saw_is_stale(simulator: Simulator, machine: Machine) -> None:
    result = machine.run(only_if_last_rotated_at=iso(time.time() - 39 * DAY))
    assert ended(result) == ("stale_reading", False)
    assert simulator.posts() == 0


def test_it_can_catch_up_with_the_caller(simulator: Simulator, machine: Machine, rotation: dict[str, Any]) -> None:
    machine.clock.meanwhile = [lambda: None, lambda: simulator.change_rotation(rotation["id"], lastRotatedAt=39 * DAY)]
    result = machine.run(only_if_last_rotated_at=iso(time.time() - 39.5 * DAY))
    assert ended(result) == ("rotated_by_another", True)
    assert simulator.posts() == 0


def test_the_same_moment_in_another_spelling_is_the_same(
    simulator: Simulator, machine: Machine, rotation: dict[str, Any]
) -> None:
    spelled = rotation["lastRotatedAt"].replace("Z", "+00:00")
    assert ended(machine.run(only_if_last_rotated_at=spelled)) == ("rotated", True)


@pytest.mark.parametrize("value", ["yesterday", "2026-13-40T00:00:00Z", "1768471200"])
def test_what_is_no_timestamp_sends_nothing(simulator: Simulator, machine: Machine, value: str) -> None:
    result = machine.run(only_if_last_rotated_at=value)
    assert ended(result) == ("invalid_arguments", False)
    assert "only_if_last_rotated_at" in result["msg"]
    assert simulator.log() == []


@pytest.mark.parametrize("value", ["", "  "])
def test_a_blank_one_is_none(simulator: Simulator, machine: Machine, value: str) -> None:
    assert ended(machine.run(only_if_last_rotated_at=value)) == ("rotated", True)
