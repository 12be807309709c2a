# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counter-examples that the random search once found, shrunk and by name."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError
from ansible_collections.secretops.infisical.plugins.module_utils._timestamps import parse_http_date
from ansible_collections.secretops.infisical.plugins.module_utils._transport import failures
from unit.exactly_once.model_answers import FOREIGN
from unit.exactly_once.model_fates import Cache, Fate, Schedule, Way
from unit.exactly_once.model_judge import judge
from unit.exactly_once.model_server import Rival
from unit.exactly_once.model_task import Verdict, World, run_task

BAD_GATEWAY = next(number for number, answer in enumerate(FOREIGN) if answer[0] == 502)
NO_SUCH_TENANT = next(number for number, answer in enumerate(FOREIGN) if b"no such tenant" in answer[2])


def run(schedule: Schedule, world: World | None = None, **options: Any) -> Verdict:
    verdict = run_task(world or World(), schedule, **options)
    judge(verdict)
    return verdict


def test_a_rival_during_the_pause_for_a_rate_limit_is_noticed() -> None:
    """The request was sent after the pause on a decision from before it: a second rotation within seconds."""
    limited = Fate("429_text", rival=Rival(after=2.0, seconds=3.0))
    verdict = run(Schedule(rotate=[limited]))
    assert verdict.result["outcome"] == "rotated_by_another"
    assert (verdict.world.server.commits, len(verdict.posts)) == (1, 1)


def test_a_rival_while_nothing_could_connect_is_noticed() -> None:
    verdict = run(Schedule(rotate=[Fate("connect_timeout", rival=Rival(after=1.0, seconds=3.0))]))
    assert (verdict.result["outcome"], verdict.world.server.commits) == ("rotated_by_another", 1)


def test_after_a_pause_the_rotation_goes_on_where_nobody_else_did_it() -> None:
    verdict = run(Schedule(rotate=[Fate("429_zero"), Fate("refused"), Fate("429_bare")]))
    assert (verdict.result["outcome"], verdict.world.server.commits, len(verdict.posts)) == ("rotated", 1, 4)


def test_slow_refusals_count_as_waiting() -> None:
    """Only the pauses were charged, so that refusals that took a minute each could go on for hours."""
    slow = [Fate("429_zero", 63.0)] * 20
    verdict = run(Schedule(rotate=slow), wait_timeout=30)
    assert verdict.result["reason"] == "rate_limited"
    assert len(verdict.posts) == 1


def test_a_reading_that_needs_a_new_token_gets_no_three_timeouts() -> None:
    """Refused token, login and reading each took a whole timeout after the patience was at its end."""
    schedule = Schedule(
        login=[Fate(), Fate("ok", 63.0)],
        read=[Fate(), Fate("expired", 63.0), Fate("ok", 63.0)],
        rotate=[Fate("reset_before")],
    )
    verdict = run(schedule, wait_timeout=0)
    assert verdict.result["reason"] == "outcome_unknown"


def test_a_login_that_breaks_after_a_refused_token_leaves_no_doubt() -> None:
    """The request to rotate was refused with 401, the login after it failed, and that passed for a lost answer."""
    verdict = run(Schedule(login=[Fate(), *[Fate("foreign_before", pick=BAD_GATEWAY)] * 9], rotate=[Fate("revoked")]))
    assert verdict.result["reason"] == "server_error"
    assert verdict.world.server.commits == 0


def test_a_body_that_stalls_takes_one_timeout() -> None:
    """Each piece had a whole timeout of its own."""
    verdict = run(Schedule(read=[Fate(), Fate("trickle", 58.0)], rotate=[Fate("reset_before")]), wait_timeout=0)
    assert verdict.result["reason"] == "outcome_unknown"


def test_a_body_that_begins_late_takes_one_timeout() -> None:
    """Its first piece had a whole timeout of its own, after the one in which the head came."""
    schedule = Schedule(read=[Fate(), Fate("trickle", 31.0)], rotate=[Fate("reset_before")])
    verdict = run(schedule, wait_timeout=0, timeout=40)
    assert verdict.result["reason"] == "outcome_unknown"


def test_a_failure_recorded_during_a_pause_is_somebody_elses() -> None:
    """It is newer than the first reading and older than the request."""
    refused = Fate("connect_timeout", rival=Rival(after=0.0, seconds=5.0, result="okta_fails"))
    verdict = run(Schedule(rotate=[refused, Fate("ok", 100.0)]), wait_timeout=300)
    assert verdict.result["outcome"] == "rotated"


def test_a_lock_lost_to_a_rival_that_has_ended_is_no_failure() -> None:
    verdict = run(Schedule(rotate=[Fate("lock_lost", 3.0)]))
    assert (verdict.result["outcome"], verdict.result["changed"]) == ("rotated_by_another", True)


def test_a_server_whose_clock_goes_back_leaves_a_doubt() -> None:
    """What it stamps is older than what was read, and an older reading is never movement."""
    verdict = run(Schedule(rotate=[Fate("late_failure", skew=-200_000.0)]))
    assert (verdict.result["outcome"], verdict.result["reason"]) == ("unknown", "outcome_unknown")
    assert verdict.later[-1].state == verdict.world.server.present
    assert verdict.world.server.commits == 1


def test_a_newer_reading_out_of_a_cache_is_remembered() -> None:
    """It was not taken for its header Age, and then an older one of a replica was, and a rotation followed."""
    cache = Cache(10.0, tells_age=True)
    world = World()
    world.server.rival(Rival(after=0.0, seconds=0.0))
    assert run(Schedule(way=Way(cache=cache)), world).result["outcome"] == "not_due"
    world.clock.pass_until(8.0)
    verdict = run(Schedule(way=Way(read=(60.0,), cache=cache)), world, wait_timeout=30)
    assert (verdict.result["reason"], verdict.posts) == ("stale_reading", [])


def test_somebody_elses_404_does_not_end_the_wait_for_a_doubt() -> None:
    """It has the keys of Infisical's errors, but for the request's id."""
    gateway = Fate("foreign_before", pick=NO_SUCH_TENANT)
    verdict = run(Schedule(read=[Fate(), gateway], rotate=[Fate("reset_after")]))
    assert verdict.result["outcome"] == "rotated"


def test_a_failure_in_an_older_reading_is_an_old_one() -> None:
    """The server's clock was set back twice, so that an attempt looked newer in an older state."""
    world = World()
    world.server.skew = 7200.0
    world.server.fail("okta_fails")
    world.clock.pass_until(60.0)
    world.server.skew = 3600.0
    world.server.begin(0.0, "ok")
    world.clock.pass_until(61.0)
    lagging = Way(read=(0.0, 10.0))
    verdict = run(Schedule(rotate=[Fate("reset_before")], way=lagging), world, min_age="0", wait_timeout=0)
    assert verdict.result["reason"] == "outcome_unknown"


def test_an_older_rotation_that_shows_late_is_not_the_end_of_a_request() -> None:
    """The reading before the request lagged, and so did the next task's, by less: what it showed was somebody else's
    rotation from before the request, which was still under way."""
    world = World()
    lagging = Way(read=(240.0,))
    world.server.rival(Rival(after=100.0, seconds=0.0))
    world.clock.pass_until(230.0)
    first = run(Schedule(rotate=[Fate("reset_during", 180.0)], way=lagging), world, wait_timeout=0)
    assert first.result["reason"] == "outcome_unknown"
    world.clock.pass_until(420.0)
    assert run(Schedule(way=lagging), world, wait_timeout=0).posts == []


def test_the_end_of_a_request_that_shows_late_lets_the_next_task_decide() -> None:
    """A rival's failure had shown before it, and the note was then written anew: what the request did lay before it."""
    world, lagging = World(), Way(read=(240.0,))
    late = Fate("late", 28.0, rival=Rival(after=0.0, seconds=5.0, result="okta_fails"))
    first = run(Schedule(rotate=[late], way=lagging), world, wait_timeout=300, outcome_timeout=300)
    assert (first.result["reason"], first.result["outcome"]) == ("rotation_failed", "unknown")
    assert run(Schedule(), world, wait_timeout=0).result["outcome"] == "not_due"


def test_a_rotation_in_progress_may_be_the_own_one_that_a_proxy_sent_twice() -> None:
    """The note was taken back with the refusal of the second copy, and the next task did not know of the first."""
    world = World()
    first = run(Schedule(read=[Fate(), Fate("429_hour")], rotate=[Fate("repeated_busy", 28.0)]), world)
    assert first.result["reason"] == "rate_limited"
    world.clock.pass_until(60.0)
    second = run(Schedule(way=Way(read=(120.0,))), world, wait_timeout=0)
    assert (second.result["reason"], second.posts, world.server.commits) == ("stale_reading", [], 1)


@pytest.mark.parametrize("value", ["²", "9" * 5000, "-1", "1e3", "", "٣"])
def test_a_header_that_is_no_number_does_not_end_the_task(value: str) -> None:
    """``isdigit`` took it for one, and ``int`` then raised after the rotation was made."""
    assert failures.whole_number(value) is None


@pytest.mark.parametrize("value", ["Mon, 01 Jan 2026 00:00:00 +99999999999999999999", "soon", "", None])
def test_a_date_that_is_none_does_not_end_the_task(value: str | None) -> None:
    assert parse_http_date(value) is None


def test_a_date_without_a_zone_can_be_compared() -> None:
    moment = parse_http_date("Mon, 01 Jan 2026 00:00:00 -0000")
    assert moment is not None
    assert moment.tzinfo is not None


def _reset_after_a_timeout() -> ConnectionResetError:
    """As raised: with the earlier failure in its context."""
    try:
        try:
            raise TimeoutError
        except TimeoutError as cause:
            raise InfisicalError("unreachable", "Timed out.") from cause
    except InfisicalError:
        try:
            raise ConnectionResetError(104, "Connection reset by peer")
        except ConnectionResetError as later:
            return later


def test_an_earlier_failure_does_not_explain_a_later_one() -> None:
    """What was raised while the lost answer was settled had the lost answer in its context."""
    failure = failures.from_exception(_reset_after_a_timeout(), True, "read", "https://x.example", 90)
    assert "Connection reset by peer" in failure.problem
