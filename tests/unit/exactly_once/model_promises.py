# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is promised of each task, judged by what the model server and its network saw.

The first line of each promise stands in the guide.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from unit.exactly_once.model_fates import WHOLE, Exchange
from unit.exactly_once.model_server import LOCK_LOST
from unit.exactly_once.model_task import Machine, Verdict

Promise = Callable[[Verdict], "str | None"]

#: Less than any pause: what is left of the patience when a task rightly gives up, and the length of a request that
#: is made when there is no time left for it.
CRUMB = 0.3
#: How far before the reading a rotation may have been made that still counts as made after it.
MARGIN = 120.0
#: Clocks that differ by five seconds count as agreeing, and the header Date has whole seconds.
AGREEING = 7.0
#: A clock that is right, but for the fraction of a second that the header Date leaves out.
RIGHT = 1.5
#: For how long a task of a machine knows what the one before it knew.
BINDING = 600.0
#: Of an exchange, where the task tells none.
TIMEOUT = 90
ATTEMPTED = "lastRotationAttemptedAt"
#: What is said of a failure that the server recorded.
RECORDED = ("rotation_failed", "okta_secret_limit")


def _sent_once(verdict: Verdict) -> str | None:
    """At most one request of a task reaches the rotating code; after an answer that leaves a doubt none is sent."""
    if sum(post.reached for post in verdict.posts) > 1:
        return "two requests reached the rotating code"
    doubtful = [post for post in verdict.posts[:-1] if not post.refused]
    return f"sent again after {doubtful[0].kind}" if doubtful else None


def _changed_is_movement(verdict: Verdict) -> str | None:
    """``changed`` is true exactly when a rotation was seen that was made after the reading decided by, give or take
    two minutes, or after ``only_if_last_rotated_at``."""
    deciding, changed = verdict.deciding, verdict.result["changed"]
    only_if = verdict.options["only_if_last_rotated_at"]
    if verdict.killed or deciding is None or deciding.state is None:
        return "changed without a reading" if changed else None
    if verdict.request is None:
        since = only_if is not None and not verdict.failed and deciding.state.stamp > only_if
        return None if changed is since else f"changed is {changed}, and nothing was requested"
    newer = [item for item in verdict.later if _is_newer(item, deciding)]
    if changed and not (newer if only_if else any(_may_be_after(verdict, deciding, item) for item in newer)):
        return "changed is true, and no rotation was seen that was made after the reading"
    if not changed and any(_shows_movement(verdict, deciding, item) for item in newer):
        return "changed is false, and a rotation was seen that was made after the reading"
    return None


def _is_newer(item: Exchange, than: Exchange) -> bool:
    return bool(item.state and than.state and item.state.stamp > than.state.stamp and not item.aged)


def clock_errors(machine: Machine, reading: Exchange) -> list[float]:
    """By how much the host's clock and the header Date were ahead."""
    return [machine.ahead, *([] if reading.date_error is None else [reading.date_error])]


def one_clock_is_right(verdict: Verdict, deciding: Exchange) -> bool:
    return any(abs(error) <= RIGHT for error in clock_errors(verdict.machine, deciding))


def _is_near(verdict: Verdict, deciding: Exchange, moment: float) -> bool:
    """Whether a clock may place it after the reading; one that is behind may do so with what was long before."""
    behind = max(0.0, *(-error for error in clock_errors(verdict.machine, deciding)))
    return not verdict.world.server.steady or moment >= deciding.started - MARGIN - behind - RIGHT


def _may_be_after(verdict: Verdict, deciding: Exchange, item: Exchange) -> bool:
    # In an answer of success, a newer one is what the server says that it did.
    return item.role == "rotate" or bool(item.state and _is_near(verdict, deciding, item.state.rotated))


def _clocks_place(verdict: Verdict, deciding: Exchange) -> bool:
    """Whether a clock places what is made from now on after the reading."""
    return verdict.world.server.steady and min(clock_errors(verdict.machine, deciding)) < MARGIN - AGREEING


def _shows_movement(verdict: Verdict, deciding: Exchange, item: Exchange) -> bool:
    if item.role == "rotate":
        return True
    after = bool(item.state and item.state.rotated >= deciding.ended)
    return after and _clocks_place(verdict, deciding)


def _shows_failure(verdict: Verdict, deciding: Exchange, item: Exchange) -> bool:
    state = item.state
    if item.aged or state is None or not _clocks_place(verdict, deciding):
        return False
    named = state.rotation["rotationStatus"] == "failed" and state.rotation["lastRotationMessage"] != LOCK_LOST
    return bool(named and state.failed >= deciding.ended)


def _says_what_happened(verdict: Verdict) -> str | None:
    """Success is what was seen; a failure that names no doubt means that the task rotated nothing."""
    result = verdict.result
    if verdict.killed:
        return None
    if not verdict.failed:
        by_itself = {True: "rotated", False: "rotated_by_another"}[verdict.doubtful]
        expected = by_itself if result["changed"] else "not_due"
        if result["outcome"] != expected:
            return f"outcome {result['outcome']}, and not {expected}"
        if not result["changed"] and any(post.reached for post in verdict.posts):
            return "not due, and yet rotated"
        return None
    reached = [post for post in verdict.posts if post.reached and not post.refused]
    if reached and result["outcome"] != "unknown" and result["reason"] not in RECORDED:
        return f"it reached the rotating code and failed with {result['reason']}"
    return None


def _unknown_is_said_of_a_doubt(verdict: Verdict) -> str | None:
    """The outcome of a failure is ``unknown`` exactly when the last request may have done something, and neither a
    reading nor the server's own answer told what."""
    if not verdict.failed:
        return None
    request, result = verdict.request, verdict.result
    recorded = result["reason"] in RECORDED
    told = recorded and request is not None and request.answered
    kinds = [post.kind for post in verdict.posts]
    if (result["outcome"] == "unknown") is not (verdict.doubtful and not told):
        return f"outcome {result['outcome']} with {result['reason']} after {kinds}"
    if not recorded and (result["reason"] == "outcome_unknown") is not verdict.doubtful:
        return f"{result['reason']} after {kinds}"
    return None


def _failure_was_recorded(verdict: Verdict) -> str | None:
    """``rotation_failed`` is said only when the server recorded a failed attempt that is newer than the reading."""
    deciding = verdict.deciding
    if not verdict.failed or verdict.result["reason"] not in RECORDED:
        return None
    if deciding is None or deciding.state is None:
        return "nothing was read"
    for item in verdict.later:
        newer = item.state and item.state.failures > deciding.state.failures
        if not verdict.world.server.steady and item.state and item.state.failures:
            # Of two attempts at times that were both wrong nobody can tell the later one.
            newer = item.state.rotation[ATTEMPTED] > deciding.state.rotation[ATTEMPTED]
        if newer and item.state and _is_near(verdict, deciding, item.state.failed):
            return None
    return "no newer failed attempt on the server"


def _unknown_only_without_a_way_to_know(verdict: Verdict) -> str | None:
    """``outcome_unknown`` is said only when nothing could be known within ``outcome_timeout`` and ``wait_timeout``."""
    deciding = verdict.deciding
    if not verdict.failed or verdict.result["reason"] != "outcome_unknown" or deciding is None:
        return None
    if verdict.request is None:
        return "nothing was requested"
    for item in verdict.later:
        if _is_newer(item, deciding) and _shows_movement(verdict, deciding, item):
            return "it saw that the rotation moved"
        if _shows_failure(verdict, deciding, item):
            return "it saw that the rotation failed"
    asked = _asked_after(verdict, verdict.request)
    if not asked:
        return "it did not look"
    left = min(
        verdict.options["wait_timeout"] - waited(verdict),
        verdict.options["outcome_timeout"] - _sought(verdict, verdict.request),
    )
    last = asked[-1]
    final = last.refused and last.status in (401, 403, 404)
    final = final or (last.status == 429 and (last.told_to_wait or 0) > left)
    return None if final or left <= CRUMB else "it gave up early"


def _asked_after(verdict: Verdict, request: Exchange) -> list[Exchange]:
    after = verdict.exchanges[verdict.exchanges.index(request) + 1 :]
    return [exchange for exchange in after if exchange.role in ("read", "login")]


def _sought(verdict: Verdict, request: Exchange) -> float:
    """How long it looked for the outcome of the request, pauses for a rate limit aside."""
    asked = _asked_after(verdict, request)
    limited = sum(after.started - item.ended for item, after in pairwise(asked) if item.status == 429)
    return asked[-1].ended - request.ended - limited if asked else 0.0


def _waits_no_longer_than_told(verdict: Verdict) -> str | None:
    """All waiting together takes no longer than ``wait_timeout`` and one ``timeout``, and looking for an outcome that
    the answer did not tell no longer than ``outcome_timeout`` and one ``timeout``."""
    timeout = verdict.options["timeout"] or TIMEOUT
    seconds = waited(verdict)
    if seconds > verdict.options["wait_timeout"] + timeout + CRUMB:
        return f"waited {seconds}"
    sought = _sought(verdict, verdict.request) if verdict.request and verdict.doubtful else 0.0
    return f"looked for {sought} seconds" if sought > verdict.options["outcome_timeout"] + timeout + CRUMB else None


def waited(verdict: Verdict) -> float:
    """All pauses, and all requests that were made because the task waited.

    Those are the readings after the last request to rotate, all between two such requests when the second one
    followed a new reading, what was in vain and sent again, and what followed a stale reading.
    """
    roles = [exchange.role for exchange in verdict.exchanges]
    posts = [index for index, role in enumerate(roles) if role == "rotate"]
    first = posts[0] if posts else len(roles)
    # Where a reading lies between two requests, the first one was in vain; else a new token lies between them.
    starts = [
        post for last, post in zip([0, *posts], posts, strict=False) if post == posts[0] or "read" in roles[last:post]
    ]
    spans = list(pairwise(starts))
    if posts:
        spans.append((starts[-1] if verdict.decides_anew(verdict.posts[-1]) else posts[-1] + 1, len(roles)))
    for role in ("find", "read"):
        valid = [index for index in range(first) if roles[index] == role and verdict.exchanges[index].state]
        if valid:
            spans.append((valid[0] + 1, max(index for index in range(first) if roles[index] == role) + 1))
    seconds = verdict.slept
    for index, exchange in enumerate(verdict.exchanges):
        in_vain = exchange.state is None and roles[index : index + 2] == [exchange.role] * 2
        within = any(start <= index < end for start, end in spans)
        if exchange.role != "revoke" and (in_vain or within):
            seconds += exchange.ended - exchange.started
    return seconds


def _request_follows_the_reading(verdict: Verdict) -> str | None:
    """The request follows its reading at once: there is never a pause in which somebody could rotate unseen."""
    for index, exchange in enumerate(verdict.exchanges):
        if exchange.role != "rotate":
            continue
        before = verdict.exchanges[index - 1]
        if exchange.started - before.ended > CRUMB:
            return f"a pause of {exchange.started - before.ended} seconds before the request"
        if before.state is None and not (before.role == "login" and before.status == 200):
            return f"the request follows {before}"
    return None


def _token_is_revoked(verdict: Verdict) -> str | None:
    """The server is asked to revoke a token that the task made and that is still good, however the task ends."""
    if verdict.options["token"] or verdict.killed:
        return None
    tokens = verdict.world.server.tokens
    known = {exchange.token for exchange in verdict.exchanges if exchange.token}
    alive = [token for token in known if tokens[token] == 200]
    asked = [exchange for exchange in verdict.exchanges if exchange.role == "revoke"]
    if alive and not asked:
        return "the token was not revoked"
    if alive and all(exchange.kind in WHOLE for exchange in asked):
        return "another token was revoked"
    return None


OF_A_TASK: tuple[Promise, ...] = (
    _sent_once,
    _changed_is_movement,
    _says_what_happened,
    _unknown_is_said_of_a_doubt,
    _failure_was_recorded,
    _unknown_only_without_a_way_to_know,
    _waits_no_longer_than_told,
    _request_follows_the_reading,
    _token_is_revoked,
)
