# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rotated twice while a task looked: it cannot be undone, and whoever uses the secret must hear of it."""

from __future__ import annotations

from typing import Any

import pytest
from simulator.client import Simulator
from support.machine import Machine, ended
from support.stale_front import Onward, Reply, Request, front, repeating


def assert_warned(machine: Machine) -> None:
    """Of what happened, what is lost, and what to do now."""
    (warning,) = machine.warnings
    for said in ("okta-payments", "more than once", "activeIndex", "deleted", "every consumer"):
        assert said in warning


@pytest.mark.parametrize("min_age", ["5m", "0"])
def test_a_proxy_that_repeats_the_request(simulator: Simulator, machine: Machine, min_age: str) -> None:
    before = {secret["client_secret"] for secret in simulator.okta_secrets()}
    with front(simulator.url, repeating) as url:
        result = machine.run(url=url, min_age=min_age)
    assert ended(result) == ("rotated", True)
    assert result["secretRotation"]["lastRotatedAt"] == simulator.rotation()["lastRotatedAt"]
    assert_warned(machine)
    assert simulator.rotations_done() == 2
    held = {secret["client_secret"] for secret in simulator.okta_secrets()}
    assert not held & before, "the secret that was in use is gone, as the warning says"


def test_a_proxy_that_repeats_it_and_loses_the_answers(simulator: Simulator, machine: Machine) -> None:
    def losing(request: Request, onward: Onward) -> Reply:
        reply = onward(request)
        return Reply(504, {"content-type": "text/html"}, b"<html>") if request.rotates else reply

    with front(simulator.url, losing, repeating) as url:
        result = machine.run(url=url)
    assert ended(result) == ("rotated", True)
    assert "confirmed by reading" in result["msg"]
    assert_warned(machine)
    assert simulator.rotations_done() == 2


def test_another_machine_rotates_just_before(simulator: Simulator, machine: Machine) -> None:
    """Between this task's reading and its request. No lock of this machine keeps it out."""

    def overtaking(request: Request, onward: Onward) -> Reply:
        if request.rotates:
            simulator.rival(machine.options["rotation_id"])
        return onward(request)

    with front(simulator.url, overtaking) as url:
        result = machine.run(url=url)
    assert ended(result) == ("rotated", True)
    assert_warned(machine)
    assert simulator.rotations_done() == 2


def test_the_next_task_is_not_told_again(simulator: Simulator, machine: Machine) -> None:
    with front(simulator.url, repeating) as url:
        machine.run(url=url)
        assert ended(machine.run(url=url)) == ("not_due", False)
    assert machine.warnings == []


def test_two_rotations_of_another_one_are_told_too(simulator: Simulator, machine: Machine) -> None:
    """While this task waited, and with no request of its own."""
    rotation_id = machine.options["rotation_id"]
    body: dict[str, Any] = {"reqId": "req-busy0000000000", "statusCode": 400, "error": "BadRequest"}
    body["message"] = "A rotation is already in progress. Please try again shortly."
    simulator.fault_rotate("status", status=400, body=body)

    def twice() -> None:
        for _unused in range(2):
            simulator.rival(rotation_id)

    machine.clock.meanwhile = [twice]
    result = machine.run()
    assert ended(result) == ("rotated_by_another", True)
    assert_warned(machine)
    assert simulator.rotations_done() == 2


@pytest.mark.parametrize("index", [0, 1])
def test_one_rotation_is_no_cause_for_a_warning(simulator: Simulator, machine: Machine, index: int) -> None:
    for _unused in range(index):
        simulator.rival(machine.options["rotation_id"])
    assert simulator.rotation()["activeIndex"] == index
    assert ended(machine.run(min_age="0")) == ("rotated", True)
    assert machine.warnings == []


def test_what_another_one_rotated_in_a_pause_is_no_cause_either(simulator: Simulator, machine: Machine) -> None:
    simulator.fault_rotate("rate_limit", seconds=7)
    machine.clock.meanwhile = [lambda: simulator.rival(machine.options["rotation_id"])]
    assert ended(machine.run(min_age="0")) == ("rotated_by_another", True)
    assert simulator.posts() == simulator.rotations_done() == 1
    assert machine.warnings == []
