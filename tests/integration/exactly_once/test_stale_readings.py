# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Caches and replicas that show an earlier state: nobody rotates on the strength of it, and nobody is misled by it."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from simulator.client import Simulator
from simulator.clock import iso
from support.machine import Machine, ended
from support.stale_front import Cache, Onward, Replica, Reply, Request, Shown, front

DAY = 86_400
BY_NAME, BY_ID = "/rotation-name/", r"/[0-9a-f]{8}-[0-9a-f-]{27}(\?|$)"
#: A proxy in the place of the server. Nothing was done unless ``work`` is added.
LOST: dict[str, Any] = {"status": 502, "body": "<html>", "contentType": "text/html"}
FOR_EVER = float("inf")


def by_name(rotation: dict[str, Any]) -> dict[str, Any]:
    place = {"name": rotation["name"], "project_id": rotation["projectId"], "secret_path": "/okta"}
    return {"rotation_id": None, "environment": "prod", **place}


def rotated(days_ago: float) -> dict[str, str]:
    """What a rotation shows that was last rotated then."""
    moment = iso(time.time() - days_ago * DAY)
    return {"lastRotatedAt": moment, "lastRotationAttemptedAt": moment}


# -- tasks one after the other


@pytest.mark.parametrize(
    ("cache", "others"),
    [
        ({"by_path": False}, "not_due"),
        ({"seconds": 1}, "not_due"),
        ({"seconds": 1, "tells_age": True}, "not_due"),
        ({"seconds": FOR_EVER}, "stale_reading"),
        ({"seconds": FOR_EVER, "tells_age": True}, "stale_reading"),
    ],
)
def test_ten_tasks_behind_a_cache_rotate_once(
    simulator: Simulator, machine: Machine, cache: dict[str, Any], others: str
) -> None:
    neighbour = Cache(machine.clock, **cache)
    with front(simulator.url, neighbour) as url:
        ends = [ended(machine.run(url=url)) for _unused in range(10)]
    assert ends == [("rotated", True)] + [(others, False)] * 9
    assert simulator.posts() == simulator.rotations_done() == 1
    assert (neighbour.hits > 0) is cache.get("by_path", True)


@pytest.mark.parametrize(
    ("behind", "min_age", "later", "rotations"),
    [
        (1, "5m", "not_due", 1),
        (4, "5m", "not_due", 1),
        (1000, "5m", "stale_reading", 1),
        # Whoever wants it whatever the age still waits for the rotation before it to show.
        (4, "0", "rotated", 3),
        (1000, "0", "stale_reading", 1),
    ],
)
def test_three_tasks_against_a_replica_that_lags(
    simulator: Simulator, machine: Machine, behind: int, min_age: str, later: str, rotations: int
) -> None:
    with front(simulator.url, Replica(behind)) as url:
        ends = [ended(machine.run(url=url, min_age=min_age)) for _unused in range(3)]
    assert ends == [("rotated", True)] + [(later, later == "rotated")] * 2
    assert simulator.posts() == simulator.rotations_done() == rotations
    assert machine.warnings == []


def test_what_stays_stale_is_told_and_waited_for_no_longer_than_asked(simulator: Simulator, machine: Machine) -> None:
    with front(simulator.url, Replica(1000)) as url:
        machine.run(url=url)
        result = machine.run(url=url, wait_timeout=30)
    assert ended(result) == ("stale_reading", False)
    assert (result["outcome"], result["http_status"], result["request_id"]) == ("failed", None, None)
    assert "Nothing was sent" in result["msg"]
    assert sum(machine.clock.pauses) == 30


@pytest.mark.parametrize("check_mode", [False, True])
def test_what_a_cache_says_to_be_old_decides_nothing(
    simulator: Simulator, machine: Machine, rotation: dict[str, Any], check_mode: bool
) -> None:
    cache = Cache(machine.clock, tells_age=True)
    with front(simulator.url, cache) as url:
        machine.run(url=url, check_mode=True)
        simulator.rival(rotation["id"])
        machine.clock.now += 3600
        result = machine.run(url=url, check_mode=check_mode)
    assert ended(result) == ("stale_reading", False)
    assert "Age" in result["msg"]
    assert simulator.posts() == 0


@pytest.mark.parametrize("age", ["0", "", "-5", "soon", "00", "1.5"])
def test_an_age_that_says_nothing_is_no_obstacle(simulator: Simulator, machine: Machine, age: str) -> None:
    with front(simulator.url, Shown(headers={"age": age})) as url:
        assert ended(machine.run(url=url)) == ("rotated", True)
    assert machine.clock.pauses == []


def test_an_aged_reading_is_made_again(simulator: Simulator, machine: Machine) -> None:
    with front(simulator.url, Shown(headers={"age": "3600"}, last=2)) as url:
        assert ended(machine.run(url=url)) == ("rotated", True)
    assert len(machine.clock.pauses) == 2
    assert simulator.posts() == simulator.rotations_done() == 1


# -- how readings keep clear of caches


@pytest.mark.parametrize("named", [False, True], ids=["by id", "by name"])
def test_a_reading_that_decides_cannot_come_from_a_cache(
    simulator: Simulator, machine: Machine, rotation: dict[str, Any], named: bool
) -> None:
    """Its address was never used before, and its header asks for the server's own answer."""
    headers: list[dict[str, str]] = []

    def looking(request: Request, onward: Onward) -> Reply:
        if request.reads:
            headers.append({name.lower(): value for name, value in request.headers.items()})
        return onward(request)

    simulator.fault_rotate("status", work="before", **LOST)
    with front(simulator.url, looking) as url:
        machine.run(url=url, check_mode=True)
        machine.run(url=url, **(by_name(rotation) if named else {}))
    readings = [entry["query"] for entry in simulator.log("/okta-client-secret/", "GET")]
    assert len(readings) == len(headers) == (4 if named else 3)
    keys = [query["fresh"] for query in readings]
    assert len(set(keys)) == len(keys)
    assert [key for key in keys if not re.fullmatch("[0-9a-f]{32}", key)] == []
    assert {(each["cache-control"], each["pragma"]) for each in headers} == {("no-cache, no-store", "no-cache")}


def test_only_readings_have_the_key(simulator: Simulator, machine: Machine) -> None:
    machine.run()
    assert ["fresh" in entry["query"] for entry in simulator.log()] == [True, False]


@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_gateway_that_refuses_the_key_is_told_of_it(simulator: Simulator, machine: Machine, status: int) -> None:
    page = {"status": status, "body": "<title>Unexpected query</title>", "contentType": "text/html"}
    simulator.fault("status", path="/okta-client-secret/", method="GET", **page)
    result = machine.run()
    assert ended(result) == ("invalid_response", False)
    assert "query key fresh" in result["msg"]


# -- before the request


def test_a_later_reading_that_is_newer_only_replaces_the_first(
    simulator: Simulator, machine: Machine, rotation: dict[str, Any]
) -> None:
    """By name from one replica, by id from another one; it is overdue by both."""
    with front(simulator.url, Shown(rotated(430), where=BY_NAME)) as url:
        result = machine.run(url=url, **by_name(rotation))
    assert ended(result) == ("rotated", True)
    assert result["diff"]["before"]["lastRotatedAt"] == rotation["lastRotatedAt"]
    assert simulator.posts() == simulator.rotations_done() == 1


@pytest.mark.parametrize(("min_age", "ends", "posts"), [("5m", ("not_due", False), 0), ("0", ("rotated", True), 1)])
def test_a_rival_between_finding_and_reading(
    simulator: Simulator, machine: Machine, rotation: dict[str, Any], min_age: str, ends: tuple[str, bool], posts: int
) -> None:
    simulator.rival(rotation["id"])
    with front(simulator.url, Shown(rotated(40), where=BY_NAME)) as url:
        assert ended(machine.run(url=url, min_age=min_age, **by_name(rotation))) == ends
    assert simulator.posts() == posts


def test_a_later_reading_that_is_older_is_made_again(
    simulator: Simulator, machine: Machine, rotation: dict[str, Any]
) -> None:
    with front(simulator.url, Shown(rotated(430), where=BY_ID, last=3)) as url:
        result = machine.run(url=url, **by_name(rotation))
    assert ended(result) == ("rotated", True)
    assert result["diff"]["before"]["lastRotatedAt"] == rotation["lastRotatedAt"]
    assert len(machine.clock.pauses) == 3


def test_a_later_reading_that_stays_older_sends_nothing(
    simulator: Simulator, machine: Machine, rotation: dict[str, Any]
) -> None:
    with front(simulator.url, Shown(rotated(430), where=BY_ID)) as url:
        result = machine.run(url=url, **by_name(rotation))
    assert ended(result) == ("stale_reading", False)
    assert result["secretRotation"]["lastRotatedAt"] == rotation["lastRotatedAt"]
    assert simulator.posts() == 0


def test_after_a_pause_for_the_rate_limit_an_older_reading_is_no_movement(
    simulator: Simulator, machine: Machine
) -> None:
    simulator.fault_rotate("rate_limit", seconds=7)
    with front(simulator.url, Shown(rotated(43), first=2, last=2)) as url:
        assert ended(machine.run(url=url)) == ("rotated", True)
    assert (simulator.posts(), simulator.rotations_done()) == (2, 1)


# -- after the request


def test_an_older_reading_after_a_lost_answer_is_no_rotation(
    simulator: Simulator, machine: Machine, rotation: dict[str, Any]
) -> None:
    simulator.fault_rotate("status", **LOST)
    with front(simulator.url, Shown(rotated(43), first=2)) as url:
        result = machine.run(url=url)
    assert ended(result) == ("outcome_unknown", False)
    assert (result["outcome"], result["http_status"]) == ("unknown", 502)
    assert result["secretRotation"]["lastRotatedAt"] == rotation["lastRotatedAt"]
    assert (simulator.posts(), simulator.rotations_done()) == (1, 0)


def test_a_replica_that_catches_up_after_a_lost_answer_is_no_rotation(simulator: Simulator, machine: Machine) -> None:
    """What is newer than the reading before the request had happened before that reading."""
    simulator.fault_rotate("status", **LOST)
    with front(simulator.url, Shown(rotated(70), last=1)) as url:
        result = machine.run(url=url)
    assert ended(result) == ("outcome_unknown", False)
    assert (simulator.posts(), simulator.rotations_done()) == (1, 0)


@pytest.mark.parametrize(
    "shown",
    [
        Shown(rotated(43), first=2, last=4),
        Shown(rotated(70), last=2),
        Shown(headers={"age": "1"}, first=2, last=3),
        Shown({**rotated(43), "rotationStatus": "failed"}, first=2, last=4),
    ],
    ids=["older for a while", "behind for a while", "from a cache for a while", "an older failure"],
)
def test_the_rotation_shows_behind_stale_readings(simulator: Simulator, machine: Machine, shown: Shown) -> None:
    simulator.fault_rotate("status", work="before", **LOST)
    with front(simulator.url, shown) as url:
        result = machine.run(url=url)
    assert ended(result) == ("rotated", True)
    assert "confirmed by reading" in result["msg"]
    assert result["secretRotation"]["lastRotatedAt"] == simulator.rotation()["lastRotatedAt"]
    assert simulator.posts() == simulator.rotations_done() == 1
