# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rule where readings are stale, clocks are wrong, somebody else rotates as well, or everything breaks."""

from __future__ import annotations

from datetime import timedelta

import pytest
from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.api import Reading
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.lock import Note
from unit.exactly_once.scripted import BEFORE, BUSY, FAILED, ID, LOST, MOVED, START, Server, reading, stamp

OLDER = reading(age=2 * 86400)
CACHED = BEFORE._replace(from_cache=True)


def note(reading: Reading, *, settled: bool, minutes_ago: float = 1) -> Note:
    rotation = reading.rotation
    written = START - timedelta(minutes=minutes_ago)
    return Note(rotation["lastRotatedAt"], written - timedelta(minutes=2), written, settled)


def test_a_cached_reading_is_read_again() -> None:
    server = Server([CACHED, CACHED, BEFORE])
    assert server.run().outcome == "rotated"
    assert (server.reads, server.requests) == (3, 1)


def test_only_cached_readings_are_a_failure_and_nothing_is_sent() -> None:
    server = Server([CACHED])
    failure = server.fail(wait_timeout=30)
    assert (failure.reason, failure.effect, server.requests, server.now) == ("stale_reading", "none", 0, 30)
    assert "Age" in failure.message
    assert failure.secret_rotation == BEFORE.rotation


def test_a_reading_older_than_the_one_before_it_is_not_taken() -> None:
    server = Server([BEFORE, OLDER, OLDER, BEFORE])
    rotator = server.rotator()
    assert rotator.predict(lambda: server.read(ID)).outcome == "would_rotate"
    assert rotator.rotate(ID).before == BEFORE
    assert server.reads == 4


def test_an_older_reading_is_no_movement() -> None:
    server = Server([BEFORE, OLDER], LOST)
    failure = server.fail()
    assert (failure.reason, failure.effect) == ("outcome_unknown", "unknown")
    assert failure.secret_rotation == BEFORE.rotation


def test_a_cached_movement_is_none() -> None:
    server = Server([BEFORE, MOVED._replace(from_cache=True), MOVED], LOST)
    assert server.run().outcome == "rotated"
    assert server.reads == 3


def test_what_was_rotated_before_the_first_reading_is_no_movement_but_a_new_start() -> None:
    """The first reading came from a replica that lagged an hour."""
    earlier = reading(age=600, activeIndex=1)
    server = Server([BEFORE, earlier], LOST)
    failure = server.fail()
    assert failure.reason == "outcome_unknown"
    assert "was not seen to move" in failure.message
    later = Server([BEFORE, earlier, reading(age=-1)], LOST)
    outcome = later.run()
    assert (outcome.outcome, outcome.before.rotation) == ("rotated", earlier.rotation)
    assert later.warnings == []


def test_either_clock_may_place_a_rotation_after_the_reading() -> None:
    hour = timedelta(hours=1)
    wrong = BEFORE._replace(server_time=START + hour)
    server = Server([wrong, MOVED], LOST)
    assert server.run(min_age=0).outcome == "rotated"
    ahead = Server([BEFORE, MOVED], LOST)
    ahead.host_now = START + hour
    assert ahead.run(min_age=0).outcome == "rotated"


def test_a_failed_attempt_before_the_first_reading_is_not_this_tasks() -> None:
    attempted = stamp(START - timedelta(minutes=10))
    failed = reading(rotationStatus="failed", lastRotationAttemptedAt=attempted, lastRotationMessage="Okta is down")
    assert Server([BEFORE, failed], LOST).fail().reason == "outcome_unknown"


def test_the_next_task_of_this_machine_is_not_let_in_by_a_stale_reading() -> None:
    server = Server([BEFORE, BEFORE, MOVED])
    server.note = note(MOVED, settled=True)
    assert server.run().outcome == "not_due"
    assert (server.reads, server.requests) == (3, 0)


def test_a_request_whose_end_is_not_known_binds_the_next_task() -> None:
    server = Server([BEFORE])
    server.note = note(BEFORE, settled=False)
    failure = server.fail(min_age=0)
    assert (failure.reason, server.requests) == ("stale_reading", 0)
    assert "remove the note" in failure.message


def test_its_end_lets_the_next_task_decide() -> None:
    server = Server([BEFORE, MOVED], reading(age=-5))
    server.note = note(BEFORE, settled=False)
    assert server.run(min_age=0).outcome == "rotated"
    assert (server.reads, server.requests) == (2, 1)


def test_what_was_rotated_before_that_request_is_not_its_end() -> None:
    """The reading before it came from a replica that lagged."""
    server = Server([reading(age=600)])
    server.note = note(BEFORE, settled=False)
    assert server.fail(min_age=0).reason == "stale_reading"
    assert server.requests == 0


def test_a_failed_attempt_since_then_is_not_its_end() -> None:
    """A rival may have failed just before that request, which is still under way."""
    server = Server([FAILED])
    server.note = note(BEFORE, settled=False)
    assert server.fail(min_age=0).reason == "stale_reading"
    assert server.requests == 0


@pytest.mark.parametrize("minutes_ago", [10, 600, -10])
@pytest.mark.parametrize("settled", [True, False])
def test_a_note_binds_for_ten_minutes_and_then_only_warns(settled: bool, minutes_ago: float) -> None:
    server = Server([BEFORE])
    server.note = note(MOVED, settled=settled, minutes_ago=minutes_ago)
    assert server.run().outcome == "rotated"
    assert len(server.warnings) == 1
    assert ("backup" if settled or minutes_ago else "end") in server.warnings[0]


def test_the_note_is_written_before_the_request_and_completed_after_it() -> None:
    server = Server([BEFORE])
    server.run()
    assert [(each.last_rotated_at, each.settled) for each in server.notes] == [
        (BEFORE.rotation["lastRotatedAt"], False),
        (MOVED.rotation["lastRotatedAt"], True),
    ]


@pytest.mark.parametrize("found", [None, note(OLDER, settled=True)])
def test_a_request_that_did_nothing_leaves_the_note_as_it_was(found: Note | None) -> None:
    server = Server([BEFORE], InfisicalError("permission_denied", "No.", http_status=403))
    server.note = found
    server.fail()
    assert server.note == found


def test_a_doubt_leaves_a_note_that_binds() -> None:
    server = Server([BEFORE], LOST)
    server.fail()
    assert server.note is not None
    assert not server.note.settled


@pytest.mark.parametrize("request_id", [None, "req-1"])
def test_a_failed_attempt_is_surely_this_tasks_only_where_the_server_answered(request_id: str | None) -> None:
    """A rival may have failed between the reading and the request, which is still under way."""
    answer = InfisicalError("server_error", "HTTP 500.", effect="unknown", request_id=request_id)
    server = Server([BEFORE, FAILED], answer)
    failure = server.fail()
    assert failure.reason == "rotation_failed"
    assert failure.result()["outcome"] == ("unknown" if request_id is None else "failed")
    assert ("is unchanged" in failure.message) is (request_id is not None)
    assert ("somebody else's" in failure.message) is (request_id is None)
    assert server.note is not None
    assert server.note.settled is (request_id is not None)


def test_a_note_that_cannot_be_completed_is_a_warning() -> None:
    server = Server([BEFORE])
    server.unwritable = True
    assert server.run().outcome == "rotated"
    assert "The disk is full." in server.warnings[0]


def test_clocks_that_disagree_on_the_decision_send_nothing() -> None:
    server = Server([reading(age=120)._replace(server_time=START + timedelta(minutes=10))])
    failure = server.fail()
    assert (failure.reason, server.requests) == ("clock_unreliable", 0)
    assert "12 minutes ago by the server's clock" in failure.message
    assert "2 minutes ago by the clock of this host" in failure.message
    assert server.run(min_age=0).outcome == "rotated"
    assert len(server.warnings) == 1


def test_clocks_that_differ_and_agree_on_the_decision_are_warned_of() -> None:
    server = Server([BEFORE._replace(server_time=START + timedelta(minutes=10))])
    assert server.run().outcome == "rotated"
    assert "by the clock of this host" in server.warnings[0]


@pytest.mark.parametrize(("index", "warned"), [(0, True), (1, False), (None, False)])
@pytest.mark.parametrize("answer", ["clear", "lost", "busy"])
def test_a_double_rotation_is_noticed(answer: str, index: int | None, warned: bool) -> None:
    moved = reading(age=-1, activeIndex=index)
    answers: dict[str, Reading | Exception] = {"clear": moved, "lost": LOST, "busy": BUSY}
    server = Server([BEFORE, moved], answers[answer])
    assert server.run().outcome == ("rotated_by_another" if answer == "busy" else "rotated")
    assert len(server.warnings) == warned
    assert all("give the present one to every consumer now" in warning for warning in server.warnings)


@pytest.mark.parametrize("fault", [RuntimeError("secret"), KeyError("secret"), UnicodeError("secret")])
def test_whatever_is_raised_after_sending_is_a_doubt_and_settled_by_reading(fault: Exception) -> None:
    server = Server([BEFORE, BEFORE, MOVED], fault)
    outcome = server.run()
    assert outcome.outcome == "rotated"
    assert type(fault).__name__ in outcome.message
    assert "secret" not in outcome.message.replace("the secret", "")
    unmoved = Server([BEFORE], fault).fail()
    assert (unmoved.reason, unmoved.effect, unmoved.result()["outcome"]) == ("outcome_unknown", "unknown", "unknown")


@pytest.mark.parametrize("reason", ["authentication_failed", "permission_denied", "not_found", "rate_limited"])
def test_a_wait_that_ended_for_another_reason_says_that_one(reason: str) -> None:
    obstacle = InfisicalError(
        reason, "It is so.", http_status=418, retry_after=3600 if reason == "rate_limited" else None
    )
    server = Server([BEFORE, obstacle], BUSY)
    failure = server.fail()
    assert (failure.reason, failure.http_status, failure.effect) == (reason, 418, "none")
    assert "Another rotation" in failure.message
    assert server.now == 0


def test_a_wait_whose_readings_break_says_so_too() -> None:
    server = Server([BEFORE, InfisicalError("unreachable", "The line is cut.")], BUSY)
    failure = server.fail()
    assert failure.reason == "rotation_in_progress"
    assert "The line is cut." in failure.message


def test_nothing_is_done_where_it_was_rotated_since() -> None:
    server = Server([MOVED])
    given = BEFORE.rotation["lastRotatedAt"]
    for outcome in (
        server.run(min_age=0, only_if=given),
        server.rotator(only_if=given).predict(lambda: server.read(ID)),
    ):
        assert outcome.outcome == "rotated_by_another"
        assert (outcome.before.rotation["lastRotatedAt"], outcome.after) == (given, MOVED)
    assert server.requests == 0


def test_what_was_given_is_still_so() -> None:
    assert Server([BEFORE]).run(only_if=BEFORE.rotation["lastRotatedAt"]).outcome == "rotated"


def test_a_reading_older_than_what_was_given_is_stale() -> None:
    server = Server([OLDER])
    assert server.fail(only_if=BEFORE.rotation["lastRotatedAt"]).reason == "stale_reading"
    assert server.requests == 0
