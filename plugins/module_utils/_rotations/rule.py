# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rule: rotate exactly once, and tell the truth about it.

A rotation deletes the older of two live secrets, so a second one by mistake cuts off running
applications. Therefore the request is sent again only after the server certainly did nothing, and in every
other case the rotation is read until it tells what happened.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import NamedTuple, Protocol

from .._errors import InfisicalError
from .._transport.patience import Patience, Retries
from .api import LOCK_LOST, SECRET_LIMIT, Reading
from .durations import in_words

#: Pauses between readings while waiting; the last one repeats. Few, for each one may use up a token.
POLL_PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 10.0)

#: Failures of a reading after which further readings tell nothing new.
_HOPELESS = {"authentication_failed", "permission_denied", "not_found", "route_not_found", "wrong_type"}


class RotationApi(Protocol):
    def read(self, rotation_id: str) -> Reading:
        """Without any effect."""

    def rotate(self, rotation_id: str) -> Reading:
        """Once."""


class Decision(NamedTuple):
    """Whether a rotation is due, and why, in words."""

    due: bool
    why: str


class Outcome(NamedTuple):
    """How a task ended: ``outcome`` is one of rotated, rotated_by_another, not_due, would_rotate."""

    outcome: str
    message: str
    before: Reading
    after: Reading


def decide(reading: Reading, now: datetime, min_age: int) -> Decision:
    """Due when the last rotation is at least ``min_age`` seconds ago at ``now``, the server's time."""
    age = max(0.0, (now - reading.last_rotated_at).total_seconds())
    ago = f"last rotated {in_words(age)} ago"
    if not min_age:
        return Decision(True, f"{ago}, min_age is 0")
    if age < min_age:
        return Decision(False, f"{ago}, less than min_age {in_words(min_age)}")
    return Decision(True, f"{ago}, at least min_age {in_words(min_age)}")


class Rotator:
    """The rule with its surroundings: the server, the host's clock, the waiting, and one lock per rotation.

    ``hold`` keeps other tasks of this machine from rotating between our reading and our request.
    """

    def __init__(
        self,
        api: RotationApi,
        *,
        min_age: int,
        patience: Patience,
        now: Callable[[], datetime],
        hold: Callable[[str], AbstractContextManager[None]],
        warn: Callable[[str], None],
    ) -> None:
        self._api = api
        self._min_age = min_age
        self._patience = patience
        self._now = now
        self._hold = hold
        self._warn = warn
        self._newest: Reading | None = None

    def predict(self, reading: Reading) -> Outcome:
        """What ``rotate`` would do, decided and said the same way."""
        decision = self._decide(reading)
        if not decision.due:
            return Outcome("not_due", f"Not due: {decision.why}.", reading, reading)
        return Outcome("would_rotate", f"Would rotate: {decision.why}.", reading, reading)

    def rotate(self, rotation_id: str, found: Reading | None = None) -> Outcome:
        """Rotate when it is due. ``found`` is the reading by which the id was learned, if there was one."""
        self._newest = found
        try:
            with self._hold(rotation_id):
                before = self._read(rotation_id)
                if found is not None and before.last_rotated_at != found.last_rotated_at:
                    return _overtaken(found, before)
                return self._from(before)
        except InfisicalError as failure:
            failure.secret_rotation = None if self._newest is None else self._newest.rotation
            raise

    def _read(self, rotation_id: str) -> Reading:
        self._newest = self._api.read(rotation_id)
        return self._newest

    def _from(self, before: Reading) -> Outcome:
        """Decide and request. After a refusal that takes a pause the rotation is read, and decided on, anew."""
        retries = Retries(self._patience)
        while True:
            decision = self._decide(before)
            if not decision.due:
                return Outcome("not_due", f"Not due: {decision.why}.", before, before)
            retries.begin()
            try:
                after = self._api.rotate(before.id)
            except InfisicalError as failure:
                if failure.reason == "rotation_in_progress":
                    return self._await_another(before, failure)
                if not failure.nothing_done:
                    return self._settle(before, failure)
                if not retries.wait(failure, safe=False):
                    raise
                refusal = failure
            else:
                if after.last_rotated_at == before.last_rotated_at:
                    return self._settle(before, _unmoved(before))
                return Outcome("rotated", f"Rotated: {decision.why}.", before, after)
            with self._patience.spending():
                again = self._read(before.id)
            if again.last_rotated_at != before.last_rotated_at:
                return _overtaken(before, again)
            if self._patience.left < 0:
                # A lost answer could no longer be cleared up.
                raise refusal
            before = again

    def _decide(self, reading: Reading) -> Decision:
        now = reading.server_time
        if now is None:
            self._warn("The server's answer has no Date header: the age is taken from the clock of this host.")
            now = self._now()
        return decide(reading, now, self._min_age)

    def _await_another(self, before: Reading, refusal: InfisicalError) -> Outcome:
        after, _unused = self._watch(before)
        if after is None:
            refusal.problem = (
                f"Could not rotate the secret of {before.id}: another rotation of it is in progress, and its "
                f"end did not show within wait_timeout. {refusal.problem}"
            )
            refusal.next_step = (
                "Nothing was rotated by this task. Run again in a minute, when the server's lock has expired."
            )
            raise refusal
        if after.last_rotated_at == before.last_rotated_at:
            raise _failed(after, "the other rotation that this task waited for failed") from refusal
        message = "Rotated by another request, whose end this task waited for; a second rotation was not made."
        return Outcome("rotated_by_another", message, before, after)

    def _settle(self, before: Reading, lost: InfisicalError) -> Outcome:
        after, obstacle = self._watch(before)
        if after is None:
            seen = f" Reading it failed too: {obstacle.problem}" if obstacle else ""
            raise InfisicalError(
                "outcome_unknown",
                f"{lost.problem} Whether the secret was rotated could not be learned: lastRotatedAt was "
                f"{before.rotation['lastRotatedAt']} before the request and was not seen to move.{seen}",
                f"Before you run it again, look at the rotation {before.rotation['name']!r} in Infisical: if "
                "lastRotatedAt has moved, it is done. A second rotation would delete the secret before it.",
                status=lost.status,
                request_id=lost.request_id,
            ) from lost
        if after.last_rotated_at == before.last_rotated_at:
            ours = f" (request {lost.request_id})" if lost.request_id else ""
            failure = _failed(after, f"the server recorded a failed attempt{ours}")
            failure.status, failure.request_id = lost.status, lost.request_id
            raise failure from lost
        message = f"Rotated, confirmed by reading lastRotatedAt, because the answer did not tell. {lost.problem}"
        return Outcome("rotated", message, before, after)

    def _watch(self, before: Reading) -> tuple[Reading | None, InfisicalError | None]:
        """Read until the rotation moved or failed, or patience is at its end (None, with the last obstacle)."""
        pauses = iter(POLL_PAUSES)
        obstacle: InfisicalError | None = None
        while True:
            pause = next(pauses, POLL_PAUSES[-1])
            try:
                with self._patience.spending():
                    after = self._read(before.id)
                obstacle = None
            except InfisicalError as failure:
                obstacle = failure
                if failure.reason in _HOPELESS:
                    return None, failure
                if (failure.retry_after or 0.0) > self._patience.left:
                    return None, failure
                pause = max(pause, failure.retry_after or 0.0)
            else:
                if after.last_rotated_at != before.last_rotated_at or _failed_since(before, after):
                    return after, None
            left = self._patience.left
            if left <= 0:
                return None, obstacle
            self._patience.pause(min(pause, left))


def _failed(after: Reading, what: str) -> InfisicalError:
    """The error for a failed attempt that a reading shows."""
    failure = InfisicalError(
        "rotation_failed",
        f"Could not rotate the secret of {after.id}: {what}: {after.last_message}",
        "The active secret is unchanged; the older one may be deleted already. Mend the cause and run again.",
    )
    if SECRET_LIMIT in after.last_message:
        failure.reason = "okta_secret_limit"
        failure.next_step = (
            "An orphan secret sits at Okta that Infisical does not know. In the Okta admin console open the "
            "application, Client Credentials, find the secret that is not the one Infisical serves, deactivate "
            "and delete it, and run again."
        )
    return failure


def _overtaken(before: Reading, after: Reading) -> Outcome:
    message = "Rotated by another request, while this task waited to send its own, which it did not."
    return Outcome("rotated_by_another", message, before, after)


def _failed_since(before: Reading, after: Reading) -> bool:
    """Whether a newer attempt failed. Losing the lock is recorded as a failure too, while the winner still runs."""
    newer = after.last_attempted_at != before.last_attempted_at
    return after.failed and newer and not after.last_message.endswith(LOCK_LOST)


def _unmoved(before: Reading) -> InfisicalError:
    return InfisicalError(
        "invalid_response",
        f"Could not confirm the rotation of {before.id}: HTTP 200, but lastRotatedAt did not move.",
        status=200,
    )
