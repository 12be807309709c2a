# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rule, case by case, with a scripted server and a virtual clock."""

from __future__ import annotations

from functools import partial

import pytest
from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.api import Reading
from unit.exactly_once.scripted import (
    BEFORE,
    BUSY,
    FAILED,
    ID,
    LOCK_LOST,
    LOST,
    MOVED,
    PREFIX,
    START,
    Server,
    reading,
    stamp,
)


def test_a_rotation_that_is_due_is_requested_once() -> None:
    server = Server([BEFORE])
    outcome = server.run()
    assert (outcome.outcome, outcome.before, outcome.after) == ("rotated", BEFORE, MOVED)
    assert outcome.message == "Rotated: last rotated 1 day ago, at least min_age 5 minutes."
    assert (server.reads, server.requests, server.now) == (1, 1, 0)


@pytest.mark.parametrize(("age", "due"), [(299, False), (300, True), (301, True), (-4, False)])
def test_min_age_is_held_to_the_second(age: float, due: bool) -> None:
    server = Server([reading(age=age)])
    assert server.run().outcome == ("rotated" if due else "not_due")
    assert server.requests == due


def test_the_prediction_is_the_decision() -> None:
    for age in (10, 86400):
        server = Server([reading(age=age)])
        foretold = server.rotator().predict(partial(server.read, ID))
        assert server.requests == 0
        real = server.run()
        assert foretold.message.partition(":")[2] == real.message.partition(":")[2]
        assert (foretold.outcome, real.outcome) in {("not_due", "not_due"), ("would_rotate", "rotated")}


def test_min_age_zero_always_rotates() -> None:
    server = Server([reading(age=0)], reading(age=-1))
    assert server.run(min_age=0).message == "Rotated: last rotated 0 seconds ago, min_age is 0."


def test_without_the_servers_clock_the_hosts_is_used_and_said() -> None:
    server = Server([Reading(BEFORE.rotation, None)])
    assert server.run().outcome == "rotated"
    assert len(server.warnings) == 1
    assert "clock of this host" in server.warnings[0]


def test_what_cannot_be_read_is_not_rotated() -> None:
    refusal = InfisicalError("permission_denied", "No.", http_status=403)
    server = Server([refusal])
    assert server.fail() is refusal
    assert server.requests == 0


def test_a_clear_refusal_is_passed_on_with_what_was_read() -> None:
    refusal = InfisicalError("permission_denied", "No.", http_status=403)
    server = Server([BEFORE], refusal)
    assert server.fail() is refusal
    assert (server.requests, server.reads) == (1, 1)
    assert refusal.secret_rotation == BEFORE.rotation


def test_a_lost_answer_is_settled_by_reading() -> None:
    server = Server([BEFORE, BEFORE, LOST, MOVED], LOST)
    outcome = server.run()
    assert (outcome.outcome, outcome.after) == ("rotated", MOVED)
    assert "confirmed by reading" in outcome.message
    assert server.requests == 1


def test_a_lost_answer_that_stays_unclear_is_said_to_be_unclear() -> None:
    server = Server([BEFORE], LOST)
    failure = server.fail(wait_timeout=30)
    assert failure.reason == "outcome_unknown"
    assert failure.secret_rotation == BEFORE.rotation
    assert "look at the rotation 'okta'" in failure.message
    assert (server.requests, server.now) == (1, 30)


def test_nothing_more_is_read_when_reading_is_hopeless() -> None:
    gone = InfisicalError("not_found", "It is gone.", http_status=404)
    server = Server([BEFORE, gone], LOST)
    failure = server.fail()
    assert (failure.reason, server.reads, server.now) == ("outcome_unknown", 2, 0)
    assert "It is gone." in failure.message


def test_a_server_that_asks_to_wait_longer_than_the_task_may_is_not_pestered() -> None:
    limited = InfisicalError("rate_limited", "Too many.", http_status=429, retry_after=60)
    server = Server([BEFORE, limited], LOST)
    assert server.fail(wait_timeout=30).reason == "outcome_unknown"
    assert server.reads == 2


def test_an_answer_of_success_without_movement_is_not_believed() -> None:
    server = Server([BEFORE], BEFORE)
    failure = server.fail()
    assert failure.reason == "outcome_unknown"
    assert "did not move" in failure.message
    assert Server([BEFORE, MOVED], BEFORE).run().outcome == "rotated"


def test_a_recorded_failure_is_a_failure() -> None:
    server = Server(
        [BEFORE, FAILED],
        InfisicalError("server_error", "HTTP 500.", http_status=500, effect="unknown", request_id="req-1"),
    )
    failure = server.fail()
    assert failure.reason == "rotation_failed"
    assert (failure.http_status, failure.request_id) == (500, "req-1")
    assert "Okta is down" in failure.message
    assert failure.secret_rotation == FAILED.rotation
    assert server.now == 0


def test_a_failure_recorded_before_this_task_is_not_this_tasks() -> None:
    server = Server([FAILED], LOST)
    assert server.fail().reason == "outcome_unknown"


def test_an_orphan_at_okta_is_recognised() -> None:
    said = PREFIX + "Failed to add client secret to Okta app x: You must have only a single secret for the Okta app."
    orphaned = reading(rotationStatus="failed", lastRotationAttemptedAt=stamp(START), lastRotationMessage=said)
    failure = Server(
        [BEFORE, orphaned], InfisicalError("server_error", "HTTP 500.", http_status=500, effect="unknown")
    ).fail()
    assert failure.reason == "okta_secret_limit"
    assert "orphan" in failure.message
    assert "deactivate" in failure.message


def test_another_rotation_is_waited_for_and_not_repeated() -> None:
    server = Server([BEFORE, BEFORE, LOCK_LOST, MOVED], BUSY)
    outcome = server.run()
    assert (outcome.outcome, outcome.after) == ("rotated_by_another", MOVED)
    assert server.requests == 1


def test_another_rotation_that_never_ends_is_a_failure() -> None:
    server = Server([BEFORE, LOCK_LOST], BUSY)
    failure = server.fail(wait_timeout=20)
    assert (failure.reason, failure.http_status) == ("rotation_in_progress", 400)
    assert (server.requests, server.now) == (1, 20)
    assert "Nothing was rotated by this task" in failure.message


def test_another_rotation_that_fails_is_a_failure() -> None:
    """It was not this task's request that failed, so that its status and id say nothing about it."""
    failure = Server([BEFORE, FAILED], BUSY).fail()
    assert (failure.reason, failure.http_status, failure.request_id) == ("rotation_failed", None, None)
    assert "the other rotation that this task waited for failed" in failure.message
    assert failure.secret_rotation == FAILED.rotation


def test_a_rotation_before_the_turn_of_this_task_is_a_new_state_and_no_movement() -> None:
    server = Server([BEFORE, MOVED])
    rotator = server.rotator()
    assert rotator.predict(lambda: server.read(ID)).outcome == "would_rotate"
    outcome = rotator.rotate(ID)
    assert (outcome.outcome, outcome.before, outcome.after) == ("not_due", MOVED, MOVED)
    assert server.requests == 0


def test_what_was_found_is_returned_when_nothing_more_can_be_read() -> None:
    server = Server([BEFORE, InfisicalError("not_found", "It is gone.", http_status=404)])
    rotator = server.rotator()
    rotator.predict(lambda: server.read(ID))
    with pytest.raises(InfisicalError, match="gone") as caught:
        rotator.rotate(ID)
    assert caught.value.secret_rotation == BEFORE.rotation


def test_a_failure_comes_with_the_newest_reading() -> None:
    assert Server([BEFORE, LOCK_LOST], LOST).fail().secret_rotation == LOCK_LOST.rotation


def test_without_waiting_there_is_one_reading() -> None:
    server = Server([BEFORE], LOST)
    assert server.fail(wait_timeout=0).reason == "outcome_unknown"
    assert (server.reads, server.now) == (2, 0)


def test_a_reading_that_uses_up_the_patience_ends_with_the_refusal() -> None:
    """A request after it could be lost without time to find out what became of it."""
    limited = InfisicalError("rate_limited", "Too many.", http_status=429, retry_after=1)
    server = Server([BEFORE], limited)
    server.seconds_per_reading = 31
    assert server.fail(wait_timeout=30) is limited
    assert (server.requests, server.reads) == (1, 2)
