# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A clock that is wrong, the server's, a proxy's or this host's: nothing is decided by it in silence."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from simulator.client import Simulator
from simulator.clock import iso
from support.machine import Machine, ended
from support.stale_front import Shown, front, stamping, with_clock

MINUTE, DAY = 60, 86_400
LOST: dict[str, Any] = {"status": 502, "body": "<html>", "contentType": "text/html"}


def ago(seconds: float) -> dict[str, str]:
    return {"lastRotatedAt": iso(time.time() - seconds), "lastRotationAttemptedAt": iso(time.time() - seconds)}


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_date_ten_minutes_ahead_does_not_let_every_run_rotate(
    simulator: Simulator, machine: Machine, check_mode: bool
) -> None:
    with front(simulator.url, with_clock(10 * MINUTE)) as url:
        assert ended(machine.run(url=url)) == ("rotated", True)
        assert len(machine.warnings) == 1, "both clocks say that it is due, and they differ"
        for _unused in range(2):
            result = machine.run(url=url, check_mode=check_mode)
            assert ended(result) == ("clock_unreliable", False)
            assert re.search(r"(9|10) minutes.* ago by the server's clock", result["msg"])
            assert re.search(r"\b\d+ seconds? ago by the clock of this host", result["msg"])
            assert "Nothing was sent" in result["msg"]
            assert (result["outcome"], result["http_status"], result["request_id"]) == ("failed", None, None)
    assert simulator.posts() == simulator.rotations_done() == 1


@pytest.mark.parametrize("stamp", ["Thu, 01 Jan 1970 00:00:00 GMT", "Mon, 01 Jan 2001 00:00:00 GMT"])
@pytest.mark.parametrize("check_mode", [False, True])
def test_a_date_before_the_last_rotation_is_not_green_for_ever(
    simulator: Simulator, machine: Machine, stamp: str, check_mode: bool
) -> None:
    with front(simulator.url, stamping(date=stamp)) as url:
        result = machine.run(url=url, check_mode=check_mode)
    assert ended(result) == ("clock_unreliable", False)
    assert "in the future" in result["msg"]
    assert "40 days" in result["msg"]
    assert simulator.posts() == 0


@pytest.mark.parametrize("ahead", [10 * MINUTE, -10 * MINUTE, -41 * DAY, 400 * DAY])
def test_whoever_asks_no_clock_is_warned_of_it(simulator: Simulator, machine: Machine, ahead: float) -> None:
    with front(simulator.url, with_clock(ahead)) as url:
        assert ended(machine.run(url=url, min_age="0")) == ("rotated", True)
    assert len(machine.warnings) == 1
    assert "clock" in machine.warnings[0]
    assert "40 days ago" in machine.warnings[0]


@pytest.mark.parametrize("ahead", [-2, 0, 2])
def test_a_few_seconds_are_no_difference(simulator: Simulator, machine: Machine, ahead: float) -> None:
    with front(simulator.url, with_clock(ahead)) as url:
        assert ended(machine.run(url=url)) == ("rotated", True)
        assert machine.warnings == []
        assert ended(machine.run(url=url)) == ("not_due", False)
        assert machine.warnings == []


def test_clocks_that_differ_and_agree_that_it_is_not_due(simulator: Simulator, machine: Machine) -> None:
    with front(simulator.url, with_clock(10 * MINUTE)) as url:
        assert ended(machine.run(url=url, min_age="90d")) == ("not_due", False)
    assert len(machine.warnings) == 1
    assert "by the clock of this host" in machine.warnings[0]


@pytest.mark.parametrize("ahead", [10 * MINUTE, -10 * MINUTE])
def test_a_host_whose_clock_is_wrong(simulator: Simulator, machine: Machine, ahead: float) -> None:
    """Seen from the host, the server and all its times are as far off."""
    simulator.settings(clockOffset=-ahead)
    rotation = simulator.add_rotation(name="young", lastRotatedAt=4 * MINUTE)["id"]
    result = machine.run(rotation_id=rotation)
    if ahead > 0:
        assert ended(result) == ("clock_unreliable", False), "4 minutes ago, or 14: is it due after 5?"
    else:
        assert ended(result) == ("not_due", False)
        assert len(machine.warnings) == 1
    assert ended(machine.run(rotation_id=rotation, min_age="1h")) == ("not_due", False)
    assert ended(machine.run()) == ("rotated", True)
    assert simulator.posts() == 1


def test_a_rotation_in_the_future_by_both_clocks(simulator: Simulator, machine: Machine) -> None:
    rotation = simulator.add_rotation(name="ahead", lastRotatedAt=-3600)["id"]
    result = machine.run(rotation_id=rotation)
    assert ended(result) == ("clock_unreliable", False)
    assert simulator.posts() == 0


def test_seconds_in_the_future_are_not_due(simulator: Simulator, machine: Machine) -> None:
    """A header Date has whole seconds, and the database another clock."""
    with front(simulator.url, Shown(ago(-2))) as url:
        assert ended(machine.run(url=url)) == ("not_due", False)
    assert machine.warnings == []


@pytest.mark.parametrize("stamp", [None, "", "yesterday", "99999999999999", "Wed, 99 Nov 2026 99:00:00 GMT"])
def test_without_a_date_the_hosts_clock_decides_and_it_warns(
    simulator: Simulator, machine: Machine, stamp: str | None
) -> None:
    simulator.settings(sendDate=False)
    with front(simulator.url, stamping(**({} if stamp is None else {"date": stamp}))) as url:
        assert ended(machine.run(url=url)) == ("rotated", True)
        assert ["no Date header" in warning for warning in machine.warnings] == [True]
        assert ended(machine.run(url=url)) == ("not_due", False)
    assert simulator.posts() == 1


def test_without_a_date_a_future_rotation_decides_nothing(simulator: Simulator, machine: Machine) -> None:
    simulator.settings(sendDate=False)
    rotation = simulator.add_rotation(name="ahead", lastRotatedAt=-3600)["id"]
    assert ended(machine.run(rotation_id=rotation)) == ("clock_unreliable", False)
    assert simulator.posts() == 0


def test_by_name_the_clocks_are_asked_too(simulator: Simulator, machine: Machine) -> None:
    place = {"name": "okta-payments", "project_id": simulator.rotation()["projectId"], "environment": "prod"}
    with front(simulator.url, stamping(date="Thu, 01 Jan 1970 00:00:00 GMT")) as url:
        result = machine.run(url=url, rotation_id=None, secret_path="/okta", **place)
    assert ended(result) == ("clock_unreliable", False)
    assert simulator.posts() == 0


@pytest.mark.parametrize("ahead", [10 * MINUTE, -10 * MINUTE, -41 * DAY])
@pytest.mark.parametrize(("work", "ends"), [("before", ("rotated", True)), ("none", ("outcome_unknown", False))])
def test_what_a_lost_answer_came_to_is_seen_by_either_clock(
    simulator: Simulator, machine: Machine, ahead: float, work: str, ends: tuple[str, bool]
) -> None:
    """A rotation is placed after the first reading by this host's clock, whatever the proxy's says."""
    simulator.fault_rotate("status", work=work, **LOST)
    with front(simulator.url, with_clock(ahead)) as url:
        assert ended(machine.run(url=url, min_age="0")) == ends
    assert simulator.posts() == 1


@pytest.mark.parametrize("ahead", [10 * MINUTE, -10 * MINUTE])
def test_it_is_seen_by_the_servers_clock_when_the_hosts_is_wrong(
    simulator: Simulator, machine: Machine, ahead: float
) -> None:
    simulator.settings(clockOffset=-ahead)
    simulator.fault_rotate("status", work="before", **LOST)
    assert ended(machine.run()) == ("rotated", True)
    assert simulator.posts() == simulator.rotations_done() == 1
