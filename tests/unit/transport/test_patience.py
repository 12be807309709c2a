# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task may wait for one reason of several, and what is said of its waiting, on a clock that only pauses move."""

from __future__ import annotations

import pytest
from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError
from ansible_collections.secretops.infisical.plugins.module_utils._transport.patience import (
    RATE_LIMIT,
    Patience,
    Retries,
    Waits,
)
from unit.exactly_once.scripted import BEFORE, BUSY, ID, LOST, MOVED, Server

ANOTHER = "the end of another rotation"


class World:
    """One task with ``seconds`` to wait, and all that it says."""

    def __init__(self, seconds: float) -> None:
        self.now = 0.0
        self.lines: list[str] = []
        self.waits = Waits(self.lines.append)
        self.patience = Patience(seconds, lambda: self.now, self._sleep, self.waits)

    def _sleep(self, seconds: float) -> None:
        self.now += seconds


def test_a_part_of_the_patience_is_kept_for_what_comes_after() -> None:
    patience = World(100).patience
    with patience.at_most(30):
        assert patience.left == 30
        assert patience.pause(20, ANOTHER)
        assert not patience.pause(11, ANOTHER)
    assert patience.left == 80


@pytest.mark.parametrize("seconds", [100, 5000])
def test_a_part_is_never_more_than_the_whole(seconds: float) -> None:
    patience = World(100).patience
    with patience.at_most(seconds):
        assert patience.left == 100
    assert patience.left == 100


def test_what_is_overdrawn_is_not_made_up_for() -> None:
    patience = World(1).patience
    patience.charge(5)
    with patience.at_most(30):
        assert patience.left == -4


def test_a_rate_limit_takes_from_the_whole_and_not_from_the_part() -> None:
    world = World(100)
    with world.patience.at_most(30):
        assert world.patience.pause(60, RATE_LIMIT)
        assert world.patience.left == 30
        assert world.patience.pause(25, RATE_LIMIT), "10 of the whole, 15 of the part"
        assert world.patience.left == 15
        assert not world.patience.pause(16, RATE_LIMIT)
        assert world.patience.pause(15, ANOTHER)
    assert (world.patience.left, world.now) == (0, 100)


def test_a_long_pause_is_told_when_it_begins() -> None:
    world = World(120)
    world.patience.pause(30, RATE_LIMIT)
    assert world.lines == ["waiting up to 120 s more for the server's rate limit; the next attempt is in 30 s"]


def test_short_pauses_are_told_once_they_are_long_together() -> None:
    world = World(120)
    for pause in (0.5, 1.0, 2.0):
        world.patience.pause(pause, ANOTHER)
    assert world.lines == []
    world.patience.pause(4.0, ANOTHER)
    assert world.lines == ["waiting up to 116 s more for the end of another rotation"]


def test_a_reason_is_told_again_after_a_minute_and_another_one_at_once() -> None:
    world = World(1000)
    for _number in range(13):
        world.patience.pause(10, ANOTHER)
    assert [line.partition(" s more")[0] for line in world.lines] == [
        "waiting up to 1000",
        "waiting up to 940",
        "waiting up to 880",
    ]
    world.patience.pause(1, RATE_LIMIT)
    assert world.lines[3:] == ["waiting up to 870 s more for the server's rate limit"]


def test_what_is_told_within_a_part_is_how_long_that_may_take() -> None:
    world = World(900)
    with world.patience.at_most(120):
        world.patience.pause(10, ANOTHER)
        world.patience.pause(10, RATE_LIMIT)
    assert world.lines == [
        "waiting up to 120 s more for the end of another rotation; the next attempt is in 10 s",
        "waiting up to 890 s more for the server's rate limit; the next attempt is in 10 s",
    ]


def test_who_cannot_be_told_does_not_stop_the_work() -> None:
    def broken(_line: str) -> None:
        raise BrokenPipeError

    now: list[float] = []
    patience = Patience(120, lambda: sum(now), now.append, Waits(broken))
    assert patience.pause(30, RATE_LIMIT)
    assert now == [30]


def test_the_sentence_holds_the_seconds_and_each_reason_once() -> None:
    world = World(120)
    for pause, why in ((4.0, ANOTHER), (0.4, RATE_LIMIT)):
        world.patience.pause(pause, why)
    assert world.waits.sentence == ""
    world.patience.pause(27.8, ANOTHER)
    reasons = "for the end of another rotation and for the server's rate limit"
    assert world.waits.sentence == f" It waited 32 seconds {reasons}."


def test_attempts_in_vain_are_waiting_too() -> None:
    world = World(120)
    retries = Retries(world.patience)
    world.now += 15
    assert retries.wait(InfisicalError("unreachable", "No connection."), safe=True)
    assert world.lines == ["waiting up to 105 s more for a server that could not be reached"]
    assert world.waits.sentence == " It waited 16 seconds for a server that could not be reached."


def test_what_needed_no_pause_was_no_waiting() -> None:
    waits = Waits()
    waits.seconds = 90
    assert waits.sentence == ""


# -- the rule


@pytest.mark.parametrize(
    ("wait_timeout", "outcome_timeout", "seconds"), [(900, 120, 120), (900, 0, 0), (30, 120, 30), (900, 600, 600)]
)
def test_an_unclear_outcome_has_a_limit_of_its_own(wait_timeout: float, outcome_timeout: float, seconds: float) -> None:
    server = Server([BEFORE], LOST)
    failure = server.fail(wait_timeout=wait_timeout, outcome_timeout=outcome_timeout)
    assert (failure.reason, server.now, server.requests) == ("outcome_unknown", seconds, 1)


def test_another_rotation_is_waited_for_as_long_as_ever() -> None:
    server = Server([BEFORE], BUSY)
    assert server.fail(wait_timeout=900, outcome_timeout=20).reason == "rotation_in_progress"
    assert server.now == 900


def test_the_rule_says_what_it_waits_for() -> None:
    lines: list[str] = []
    server = Server([BEFORE, BEFORE, BEFORE, BEFORE, BEFORE, BEFORE, MOVED], LOST)
    waits = Waits(lines.append)
    assert server.rotator(wait_timeout=900, waits=waits).rotate(ID).outcome == "rotated"
    assert lines == ["waiting up to 116 s more for lastRotatedAt to move, because the answer did not tell"]
    server = Server([BEFORE] * 6 + [MOVED], BUSY)
    lines.clear()
    assert server.rotator(wait_timeout=900, waits=Waits(lines.append)).rotate(ID).outcome == "rotated_by_another"
    assert lines == ["waiting up to 896 s more for the end of another rotation"]
