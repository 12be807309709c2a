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

from .._errors import NONE, UNKNOWN, InfisicalError
from .._timestamps import parse_timestamp
from .._transport.patience import Patience, Retries
from . import clocks, failures, readings
from .api import Reading
from .lock import Note
from .observer import HOPELESS, Observer

#: What is waited for, in words that follow "for".
_ANOTHER = "the end of another rotation"
_MOVEMENT = "lastRotatedAt to move, because the answer did not tell"


class RotationApi(Protocol):
    def read(self, rotation_id: str) -> Reading:
        """Without any effect."""

    def rotate(self, rotation_id: str) -> Reading:
        """Once."""


class Held(Protocol):
    """The lock of one rotation on this machine, with the note that its tasks leave for each other."""

    path: str
    note: Note | None

    def write(self, note: Note) -> None:
        """In the place of the one before."""

    def forget(self) -> None:
        """The request did nothing, and there was none before."""


def put_back(held: Held, note: Note | None, warn: Callable[[str], None]) -> None:
    """Leave this note, or none. After a request, what cannot be noted is no reason to fail."""
    try:
        if note is None:
            held.forget()
        else:
            held.write(note)
    except InfisicalError as failure:
        warn(f"What the next task of this machine should know could not be noted. {failure.message}")


class Outcome(NamedTuple):
    """How a task ended: ``outcome`` is one of rotated, rotated_by_another, not_due, would_rotate."""

    outcome: str
    message: str
    before: Reading
    after: Reading


class Rotator:
    """The rule with its surroundings: the server, the host's clock, the waiting, and one lock per rotation.

    ``hold`` keeps other tasks of this machine from rotating between our reading and our request. With
    ``only_if_last_rotated_at``, a timestamp as the server writes it, nothing is done once the rotation was rotated
    since. ``outcome_timeout`` is how many seconds of the patience may go into an outcome that the answer did not tell.
    """

    def __init__(
        self,
        api: RotationApi,
        *,
        min_age: int,
        only_if_last_rotated_at: str | None = None,
        outcome_timeout: float,
        patience: Patience,
        now: Callable[[], datetime],
        hold: Callable[[str], AbstractContextManager[Held]],
        warn: Callable[[str], None],
    ) -> None:
        self._api = api
        self._min_age = min_age
        self._only_if = only_if_last_rotated_at
        self._outcome_timeout = outcome_timeout
        self._patience = patience
        self._now = now
        self._hold = hold
        self._warn = warn
        at_least = None if only_if_last_rotated_at is None else parse_timestamp(only_if_last_rotated_at)
        self._observer = Observer(patience, now, at_least)

    def predict(self, read: Callable[[], Reading]) -> Outcome:
        """What ``rotate`` would do, decided and said the same way."""
        with self._observer.showing_the_newest():
            reading = self._observer.fresh(read)
            end = self._considered(reading)
        if isinstance(end, Outcome):
            return end
        return Outcome("would_rotate", f"Would rotate: {end.why}.", reading, reading)

    def rotate(self, rotation_id: str) -> Outcome:
        """Rotate when it is due."""
        with self._observer.showing_the_newest(), self._hold(rotation_id) as held:
            self._observer.known.heed(held.note, self._now())
            return self._from(rotation_id, held)

    def _considered(self, reading: Reading) -> Outcome | clocks.Decision:
        """How the task ends without a request, or why it is due."""
        if self._only_if is not None and reading.last_rotated_at > parse_timestamp(self._only_if):
            seen = reading._replace(rotation={**reading.rotation, "lastRotatedAt": self._only_if})
            message = f"Rotated by another request since {self._only_if}, so that this task sent none."
            return Outcome("rotated_by_another", message, seen, reading)
        decision = clocks.decide(reading.last_rotated_at, reading.server_time, self._now(), self._min_age)
        clocks.check(decision, reading.rotation["name"], self._warn)
        return decision if decision.due else Outcome("not_due", f"Not due: {decision.why}.", reading, reading)

    def _from(self, rotation_id: str, held: Held) -> Outcome:
        """Read, decide and request. After a refusal that takes a pause it is read, and decided on, anew."""
        retries = Retries(self._patience)
        before = self._observer.fresh(lambda: self._api.read(rotation_id), held.path)
        doubt = self._observer.known.why_doubtful(before)
        if doubt:
            self._warn(f"Before this task {doubt}. That is too long ago to wait for it.")
        while True:
            end = self._considered(before)
            if isinstance(end, Outcome):
                return end
            retries.begin()
            note = held.note
            held.write(readings.note_of(before, self._now(), settled=False))
            try:
                after = self._requested(rotation_id)
            except InfisicalError as failure:
                if failure.effect != NONE:
                    return self._settle(before, failure, held)
                if failure.reason == "rotation_in_progress":
                    # The note stays: a proxy that sends the request twice has the second one refused like this.
                    return self._await_another(before, failure, held)
                # It certainly did nothing, so that the note of an earlier task holds as before.
                put_back(held, note, self._warn)
                if not retries.wait(failure, safe=False):
                    raise
                refusal = failure
            else:
                if after.last_rotated_at <= before.last_rotated_at:
                    return self._settle(before, failures.unmoved(before), held)
                return self._done("rotated", f"Rotated: {end.why}.", before, after, held)
            with self._patience.spending():
                again = self._observer.fresh(lambda: self._api.read(rotation_id), held.path)
            if readings.moved(before, again):
                message = "Rotated by another request, while this task waited to send its own again, which it did not."
                return self._done("rotated_by_another", message, before, again, held)
            before = again
            if self._patience.left < 0:
                # A lost answer could no longer be cleared up.
                raise refusal

    def _requested(self, rotation_id: str) -> Reading:
        return self._observer.request(lambda: self._api.rotate(rotation_id), f"rotate the secret of {rotation_id}")

    def _await_another(self, before: Reading, refusal: InfisicalError, held: Held) -> Outcome:
        before, after, obstacle = self._watch(before, _ANOTHER)
        if after is None:
            if obstacle is not None and obstacle.reason in (*HOPELESS, "rate_limited"):
                obstacle.problem = (
                    f"Another rotation of {before.id} is in progress, and its end could not be awaited. "
                    f"{obstacle.problem}"
                )
                raise obstacle
            seen = f" Reading it failed too: {obstacle.problem}" if obstacle else ""
            refusal.problem = (
                f"Could not rotate the secret of {before.id}: another rotation of it is in progress, and its "
                f"end did not show within wait_timeout. {refusal.problem}{seen}"
            )
            refusal.next_step = (
                "Nothing was rotated by this task. Run again in a minute, when the server's lock has expired."
            )
            raise refusal
        if not readings.moved(before, after):
            raise failures.failed(after, "the other rotation that this task waited for failed") from refusal
        message = "Rotated by another request, whose end this task waited for; a second rotation was not made."
        return self._done("rotated_by_another", message, before, after, held)

    def _settle(self, before: Reading, lost: InfisicalError, held: Held) -> Outcome:
        """After a request whose outcome is in doubt: read until it is not."""
        with self._patience.at_most(self._outcome_timeout):
            before, after, obstacle = self._watch(before, _MOVEMENT)
        if after is None:
            raise failures.unknown(before, lost, obstacle) from lost
        if not readings.moved(before, after):
            # Where the server itself did not answer, the failure may be somebody else's, and the request under way.
            answered = lost.request_id is not None
            if answered:
                put_back(held, readings.note_of(after, self._now(), settled=True), self._warn)
            ours = f" (request {lost.request_id})" if answered else ""
            effect = NONE if answered else UNKNOWN
            failure = failures.failed(after, f"the server recorded a failed attempt{ours}", effect=effect)
            failure.http_status, failure.request_id = lost.http_status, lost.request_id
            raise failure from lost
        message = f"Rotated, confirmed by reading lastRotatedAt, because the answer did not tell. {lost.problem}"
        return self._done("rotated", message, before, after, held)

    def _watch(self, before: Reading, why: str) -> tuple[Reading, Reading | None, InfisicalError | None]:
        rotation_id = before.id
        return self._observer.watch(lambda: self._api.read(rotation_id), before, why)

    def _done(self, outcome: str, message: str, before: Reading, after: Reading, held: Held) -> Outcome:
        put_back(held, readings.note_of(after, self._now(), settled=True), self._warn)
        if readings.rotated_more_than_once(before, after):
            self._warn(failures.twice(before))
        return Outcome(outcome, message, before, after)
