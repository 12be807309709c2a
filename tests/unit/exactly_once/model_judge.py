# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is promised of readings, of clocks, and of several tasks of one machine."""

from __future__ import annotations

from itertools import pairwise

from unit.exactly_once.model_fates import Exchange
from unit.exactly_once.model_promises import (
    AGREEING,
    BINDING,
    CRUMB,
    MARGIN,
    OF_A_TASK,
    RIGHT,
    Promise,
    clock_errors,
    one_clock_is_right,
    waited,
)
from unit.exactly_once.model_task import Verdict

#: How a task tells of a rotation more than its own.
DOUBLE = "rotated more than once"


def _why_stale(verdict: Verdict, reading: Exchange, slack: float) -> str | None:
    """What the machine knew by which this reading was an older state.

    ``slack`` is by how many seconds more than promised it may know that. A task that was told that a rotation is in
    progress may count as one whose end does not show; where it was its own, twice sent by a proxy, it must.
    """
    state = reading.state
    if state is None:
        return None
    if reading.aged:
        return "a cache told that it had kept it"
    only_if = verdict.options["only_if_last_rotated_at"]
    before = verdict.exchanges[: verdict.exchanges.index(reading)]
    if any(item.state.stamp > state.stamp for item in before if item.state) or (only_if and only_if > state.stamp):
        return "a newer one was seen in the same run"
    earlier = [past for past in verdict.machine.past if past is not verdict]
    for number, past in enumerate(earlier):
        seen_since = [other.deciding for other in earlier[number + 1 :] if other.deciding]
        told = _why_before(past, reading, slack)
        if slack < 0 and not past.doubtful and past.failed and not any(post.reached for post in past.posts):
            continue
        # What one task could not know, the next one may have seen.
        resolved = any(_why_before(past, seen, slack) is None for seen in seen_since)
        if told and not resolved and _is_remembered(past, verdict, slack):
            return f"{told}\n{past.describe()}"
    return None


def _is_settled(past: Verdict) -> bool:
    """Whether a task that sent a request learned what became of it."""
    return not past.killed and (not past.failed or (past.doubtful and past.result["outcome"] != "unknown"))


def _is_remembered(past: Verdict, verdict: Verdict, slack: float) -> bool:
    """From the reading that it decided by, or from the one that told how it ended, until the lock was taken."""
    if past.deciding is None:
        return False
    ended = past.later and (_is_settled(past) or slack > 0)
    since = past.later[-1].ended if ended else past.deciding.ended
    found = [item.ended for item in verdict.exchanges if item.role == "find"]
    return (found[-1] if found else verdict.exchanges[0].started) - since < BINDING + slack


def _why_before(past: Verdict, reading: Exchange, slack: float) -> str | None:
    known, state = past.deciding, reading.state
    if known is None or known.state is None or state is None:
        return None
    newest = max(item.state.stamp for item in (known, *past.later) if item.state and not item.aged)
    if _is_settled(past):
        return "a task of this machine had seen a newer one" if state.stamp < newest else None
    # By a clock that is behind, what was long before looks like it; where all are ahead, nothing does.
    ahead = min(clock_errors(past.machine, known))
    since = (known.ended if slack > 0 else known.started) - MARGIN + (ahead if slack > 0 else min(ahead, 0.0)) + slack
    shows_end = state.stamp > (newest if slack > 0 else known.state.stamp) and state.rotated >= since
    return None if shows_end else "the end of a request of this machine does not show"


def _never_decides_by_a_stale_reading(verdict: Verdict) -> str | None:
    """No request follows a reading that the machine could know to be stale: from a cache that tells or that can be
    avoided, older than one it saw, or without the end of an earlier request."""
    if any(item.avoidable for item in verdict.exchanges):
        return "a cache answered that keys on the whole URL"
    for post in verdict.posts if verdict.world.server.steady else []:
        reading = verdict.reading_before(post)
        stale = _why_stale(verdict, reading, -RIGHT) if reading else None
        if stale:
            return stale
    return None


def _stale_and_unreliable_are_true(verdict: Verdict) -> str | None:
    """``stale_reading`` is said only of such a reading, after ``wait_timeout``, and ``clock_unreliable`` only when a
    clock is wrong."""
    reading = verdict.deciding
    if not verdict.failed or reading is None or not verdict.world.server.steady:
        return None
    if verdict.result["reason"] == "clock_unreliable":
        errors = clock_errors(verdict.machine, reading)
        return None if any(abs(error) > AGREEING / 2 for error in errors) else "both clocks are right"
    if verdict.result["reason"] != "stale_reading":
        return None
    if _why_stale(verdict, reading, RIGHT) is None:
        return "nothing says that the reading is stale"
    return "it gave up early" if verdict.options["wait_timeout"] - waited(verdict) > CRUMB else None


def _a_wrong_clock_decides_nothing(verdict: Verdict) -> str | None:
    """While the server's clock or the host's is right, the other one neither makes a rotation too early nor passes
    off a due one as ``not_due``."""
    if not verdict.min_age or not verdict.world.server.steady:
        return None
    readings = [verdict.reading_before(post) for post in verdict.posts]
    for reading in (*readings, verdict.deciding):
        if reading is None or reading.state is None or not one_clock_is_right(verdict, reading):
            continue
        age = reading.ended - reading.state.rotated
        if reading in readings and age < verdict.min_age - AGREEING:
            return f"sent {age} seconds after the last rotation"
        if reading not in readings and verdict.result.get("outcome") == "not_due" and age > verdict.min_age + AGREEING:
            return f"not due {age} seconds after the last rotation"
    return None


def _a_double_rotation_is_warned_of(verdict: Verdict) -> str | None:
    """A rotation in which somebody else's, or a repetition by a proxy, took part is warned of, and no other."""
    base, warned = verdict.deciding, any(DOUBLE in text for text in verdict.warnings)
    seen = [item for item in verdict.later if not item.aged]
    if verdict.killed or verdict.failed or verdict.request is None or not verdict.result["changed"]:
        return "warned of a double rotation for nothing" if warned else None
    if verdict.options["only_if_last_rotated_at"] and verdict.request.refused and not verdict.request.busy:
        # Nothing was requested, and how often it was rotated since is not asked.
        return None
    # A newer one that was made before the reading takes its place.
    for item in seen[:-1]:
        if base and base.state and item.state and item.state.stamp > base.state.stamp:
            base = item
    if base is None or base.state is None or seen[-1].state is None:
        return "nothing was read"
    more = seen[-1].state.rotations - base.state.rotations
    return None if warned is (more % 2 == 0) else f"warned: {warned}, of {more} rotations"


def _never_twice(verdict: Verdict) -> str | None:
    """Between two rotations that tasks of one machine request lies the ``min_age`` of the second task, however long,
    within ten minutes, replicas lag and caches keep."""
    if not verdict.world.server.steady:
        return None
    works = [(post.work, past) for past in verdict.machine.past for post in past.posts]
    made = [(min(work.committed), past) for work, past in works if work and work.committed]
    for (one, first), (other, second) in pairwise(sorted(made, key=lambda item: item[1].ended)):
        if abs(other - one) < second.min_age - AGREEING and not _excused(one, first, second):
            return f"two rotations of this machine at {one} and {other}\n{first.describe()}\n{second.describe()}"
    return None


def _excused(committed: float, first: Verdict, second: Verdict) -> bool:
    """What nobody could have known."""
    deciding = second.deciding
    if deciding is None or deciding.state is None:
        return False
    if not one_clock_is_right(second, deciding):
        return True
    if deciding.state.rotated >= committed:
        return False
    # Somebody else's rotation or failure looked like the end of it, to the one task or to the other.
    seen = first.later[-1].state if first.later else None
    mistaken = _is_settled(first) and seen is not None and seen.rotated < committed
    return mistaken or _why_before(first, deciding, RIGHT) is None or not _is_remembered(first, second, -RIGHT)


PROMISES: tuple[Promise, ...] = (
    *OF_A_TASK,
    _never_decides_by_a_stale_reading,
    _stale_and_unreliable_are_true,
    _a_wrong_clock_decides_nothing,
    _a_double_rotation_is_warned_of,
    _never_twice,
)


def judge(verdict: Verdict, promises: tuple[Promise, ...] = PROMISES) -> None:
    """Every promise of the guide on safety. Raises AssertionError with the whole story."""
    for promise in promises:
        fault = promise(verdict)
        assert fault is None, f"{promise.__name__}: {fault}\n{verdict.describe()}"
