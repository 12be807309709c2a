# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counter-examples that the search of test_rule_properties once found, shrunk and by name."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pytest
from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError
from ansible_collections.secretops.infisical.plugins.module_utils._rotations import lock
from ansible_collections.secretops.infisical.plugins.module_utils._timestamps import parse_http_date
from ansible_collections.secretops.infisical.plugins.module_utils._transport import failures
from unit.model_server import Clock, Fate, Infisical, Rival, Schedule
from unit.model_task import Verdict, judge, run_task


@pytest.fixture(autouse=True)
def _no_lock_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "hold", lambda url, rotation_id, patience: nullcontext())


def run(schedule: Schedule, **options: Any) -> Verdict:
    verdict = run_task(Infisical(Clock()), schedule, **options)
    judge(verdict)
    return verdict


def test_a_rival_during_the_pause_for_a_rate_limit_is_noticed() -> None:
    """The request was sent after the pause on a decision from before it: a second rotation within seconds."""
    limited = Fate("429_text", rival=Rival(after=2.0, seconds=3.0))
    verdict = run(Schedule(rotate=[limited]))
    assert verdict.result["outcome"] == "rotated_by_another"
    assert (verdict.server.commits, len(verdict.posts)) == (1, 1)


def test_a_rival_while_nothing_could_connect_is_noticed() -> None:
    verdict = run(Schedule(rotate=[Fate("connect_timeout", rival=Rival(after=1.0, seconds=3.0))]))
    assert (verdict.result["outcome"], verdict.server.commits) == ("rotated_by_another", 1)


def test_after_a_pause_the_rotation_goes_on_where_nobody_else_did_it() -> None:
    verdict = run(Schedule(rotate=[Fate("429_zero"), Fate("refused"), Fate("429_bare")]))
    assert (verdict.result["outcome"], verdict.server.commits, len(verdict.posts)) == ("rotated", 1, 4)


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
    verdict = run(Schedule(login=[Fate(), *[Fate("proxy_before")] * 9], rotate=[Fate("revoked")]))
    assert verdict.result["reason"] == "server_error"
    assert verdict.server.commits == 0


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


def test_a_server_whose_clock_goes_back_still_moves() -> None:
    verdict = run(Schedule(rotate=[Fate("late_failure", skew=-200_000.0)]))
    assert (verdict.result["outcome"], verdict.result["changed"]) == ("rotated", True)
    assert verdict.seen[-1]["lastRotatedAt"] < verdict.seen[0]["lastRotatedAt"]


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
    failure = failures.from_exception(_reset_after_a_timeout(), "read", "https://x.example", 90)
    assert "Connection reset by peer" in failure.problem
    assert failure.may_resend
