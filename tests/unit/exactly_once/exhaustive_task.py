# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real rule as a function of the answers that it gets, for the exhaustive search.

A task depends on nothing else, so it is run again from the start with one answer more, up to what it asks for next: no
threads, and two tasks that got the same answers are in the same state.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from functools import cache
from typing import Any, NamedTuple

from ansible_collections.secretops.infisical.plugins.module_utils import _states
from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.api import LOCK_LOST, Reading
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.finding import Target
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.lock import Note
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.rule import Rotator
from ansible_collections.secretops.infisical.plugins.module_utils._transport.patience import Patience

NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)
DAY = timedelta(days=1)
#: Enough for two readings after the request.
WAIT = 0.5
BY_ID = Target("an-id")
BY_NAME = Target(None, "okta", "a-project", "prod")


class State(NamedTuple):
    """The rotation: ``rotations`` are counted, ``attempts`` too, failed ones included. ``failed`` is how the last one
    did: not at all, at Okta, or for the lock.
    """

    rotations: int = 0
    attempts: int = 0
    failed: str = ""


class Answer(NamedTuple):
    """What a task got when it asked for the lock, a reading or a rotation: a state, or what went wrong."""

    to: str
    kind: str
    state: State = State()
    note: Note | None = None


class Run(NamedTuple):
    """How far a task comes with its answers: what it asks for next, or how it ended, and the note it left."""

    asks: str
    outcome: str = ""
    changed: bool = False
    warned: bool = False
    note: Note | None = None


class _Pending(BaseException):
    """The task asks for the next answer."""


#: Reason, effect, and whether the server itself answered.
FAILURES: dict[str, tuple[str, str, bool]] = {
    "lost": ("unreachable", "none", False),
    "refused": ("permission_denied", "none", True),
    "not sent": ("unreachable", "none", False),
    "in progress": ("rotation_in_progress", "none", True),
    "no answer": ("unreachable", "unknown", False),
    "failed": ("server_error", "unknown", True),
}


def _reading(state: State, *, cached: bool) -> Reading:
    rotated = NOW - DAY if not state.rotations else NOW + timedelta(milliseconds=state.rotations)
    attempted = rotated if state.attempts == state.rotations else NOW + timedelta(milliseconds=500 + state.attempts)
    rotation = {
        "id": "an-id",
        "name": "okta",
        "type": "okta-client-secret",
        "lastRotatedAt": rotated.isoformat(),
        "lastRotationAttemptedAt": attempted.isoformat(),
        "rotationStatus": "failed" if state.failed else "success",
        "lastRotationMessage": {"okta": "Okta is down", "lock": LOCK_LOST}.get(state.failed),
        "activeIndex": state.rotations % 2,
    }
    return Reading(rotation, NOW, cached)


class _Task:
    """Stands for the server and for the lock of the machine, with answers from a list."""

    path = "the note"

    def __init__(self, answers: tuple[Answer, ...], min_age: int, target: Target) -> None:
        self._answers = iter(answers)
        self._min_age = min_age
        self._target = target
        self._now = 0.0
        self._warnings: list[str] = []
        self.note: Note | None = None
        self.left: Note | None = None

    def run(self) -> Run:
        rotator = Rotator(
            self,
            min_age=self._min_age,
            outcome_timeout=WAIT,
            patience=Patience(WAIT, lambda: self._now, self._sleep),
            now=lambda: NOW,
            hold=self._hold,
            warn=self._warnings.append,
        )
        api: Any = self
        try:
            end = _states.outcome_of(rotator, api, self._target, False)
        except _Pending as pending:
            return Run(str(pending.args[0]), note=self.left)
        except InfisicalError as failure:
            return Run("", failure.result()["outcome"], note=self.left)
        moved = end.after.last_rotated_at != end.before.last_rotated_at
        return Run("", end.outcome, moved, any("more than once" in text for text in self._warnings), self.left)

    def _sleep(self, seconds: float) -> None:
        self._now += seconds

    def _next(self, what: str) -> Answer:
        answer = next(self._answers, None)
        if answer is None:
            raise _Pending(what)
        return answer

    @contextmanager
    def _hold(self, _rotation_id: str) -> Iterator[_Task]:
        self.note = self.left = self._next("lock").note
        yield self

    def write(self, note: Note) -> None:
        self.left = note

    def forget(self) -> None:
        self.left = None

    def read(self, _rotation_id: str) -> Reading:
        return _given(self._next("read"))

    def read_by_name(self, *_given_names: str) -> Reading:
        return _given(self._next("find"))

    def rotate(self, _rotation_id: str) -> Reading:
        return _given(self._next("rotate"))


def _given(answer: Answer) -> Reading:
    if answer.kind in FAILURES:
        reason, effect, answered = FAILURES[answer.kind]
        raise InfisicalError(reason, answer.kind, effect=effect, request_id="req-1" if answered else None)
    return _reading(answer.state, cached=answer.kind == "cached")


@cache
def run(answers: tuple[Answer, ...], min_age: int, target: Target) -> Run:
    return _Task(answers, min_age, target).run()
