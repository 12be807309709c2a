# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two tasks and one rival in every order of their steps, with every fault at every step.

A task is the real rule. It depends on nothing but the answers that it gets, so it is run again from the start with one
answer more, up to the request after that: no threads, and two tasks that got the same answers are in the same state.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from functools import cache
from typing import Any, NamedTuple

from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.api import Reading
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.lock import Note
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.rule import Rotator
from ansible_collections.secretops.infisical.plugins.module_utils._transport.patience import Patience

NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)
DAY = timedelta(days=1)
MIN_AGE = 300
#: Enough for two readings after the request.
WAIT = 0.5
#: What may go wrong with a reading, and with a request to rotate. The first of each is that nothing does.
READ_FAULTS = ("ok", "lost", "stale", "cached")
ROTATE_FAULTS = ("ok", "not sent", "lost before the work", "answer lost, the work goes on")
WORK_FAULTS = ("commits", "commits, and the answer is lost", "fails", "is never heard of again")


class Server(NamedTuple):
    """``rotations`` are counted, ``attempts`` too, failed ones included. ``working`` is who is at it."""

    rotations: int = 0
    attempts: int = 0
    failed: bool = False
    working: str = ""


class Answer(NamedTuple):
    """What a task got: a state of the server, or what went wrong, or the machine's lock with its note."""

    kind: str
    server: Server = Server()
    note: Note | None = None


class Pending(BaseException):
    """The task asks for the next answer."""


class Run(NamedTuple):
    """How far a task comes with its answers: what it asks for next, or how it ended, and the note it left."""

    asks: str
    outcome: str
    changed: bool
    note: Note | None


def _reading(server: Server, *, cached: bool = False) -> Reading:
    rotated = NOW - DAY if not server.rotations else NOW + timedelta(milliseconds=server.rotations)
    attempted = rotated if server.attempts == server.rotations else NOW + timedelta(milliseconds=500 + server.attempts)
    rotation = {
        "id": "an-id",
        "name": "okta",
        "lastRotatedAt": rotated.isoformat(),
        "lastRotationAttemptedAt": attempted.isoformat(),
        "rotationStatus": "failed" if server.failed else "success",
        "lastRotationMessage": "Okta is down" if server.failed else None,
        "activeIndex": server.rotations % 2,
    }
    return Reading(rotation, NOW, cached)


class _Task:
    """The rule, with answers from a list. It stands for the server and for the lock of the machine."""

    path = "the note"

    def __init__(self, answers: tuple[Answer, ...], min_age: int) -> None:
        self._answers = iter(answers)
        self._min_age = min_age
        self._now = 0.0
        self.note: Note | None = None
        self.left: Note | None = None

    def run(self) -> Run:
        rotator = Rotator(
            self,
            min_age=self._min_age,
            patience=Patience(WAIT, lambda: self._now, self._sleep),
            now=lambda: NOW,
            hold=self._hold,
            warn=lambda text: None,
        )
        try:
            end = rotator.rotate("an-id")
        except Pending as pending:
            return Run(str(pending.args[0]), "", False, self.left)
        except InfisicalError as failure:
            return Run("", failure.result()["outcome"], False, self.left)
        moved = end.after.last_rotated_at != end.before.last_rotated_at
        return Run("", end.outcome, moved, self.left)

    def _sleep(self, seconds: float) -> None:
        self._now += seconds

    def _next(self, what: str) -> Answer:
        answer = next(self._answers, None)
        if answer is None:
            raise Pending(what)
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

    def rotate(self, _rotation_id: str) -> Reading:
        return _given(self._next("rotate"))


def _given(answer: Answer) -> Reading:
    failures: dict[str, Any] = {
        "lost": ("unreachable", "none"),
        "not sent": ("unreachable", "none"),
        "in progress": ("rotation_in_progress", "none"),
        "no answer": ("unreachable", "unknown"),
        "failed": ("server_error", "unknown"),
    }
    if answer.kind in failures:
        reason, effect = failures[answer.kind]
        # The server itself tells of a failure, under the request's id.
        request_id = "req-1" if answer.kind == "failed" else None
        raise InfisicalError(reason, answer.kind, effect=effect, request_id=request_id)
    return _reading(answer.server, cached=answer.kind == "cached")


@cache
def _run(answers: tuple[Answer, ...], min_age: int) -> Run:
    return _Task(answers, min_age).run()


@dataclass(frozen=True)
class World:
    """Everything at one moment. ``own`` counts what the server made of each task's requests."""

    server: Server = field(default_factory=Server)
    answers: tuple[tuple[Answer, ...], ...] = ((), ())
    waits: tuple[bool, ...] = (False, False)
    own: tuple[int, ...] = (0, 0)
    requests: tuple[int, ...] = (0, 0)
    #: Who has the lock of each machine, and its note.
    holders: tuple[int | None, ...] = (None, None)
    notes: tuple[Note | None, ...] = (None, None)
    rival: str = "has not begun"
    faults: int = 2


@dataclass
class Search:
    """``machines`` says on which one each of the tasks runs."""

    machines: tuple[int, int]
    faults: int = 2
    min_age: int = MIN_AGE
    seen: set[World] = field(default_factory=set)
    ends: dict[World, tuple[Run, ...]] = field(default_factory=dict)

    def run(self) -> Search:
        waiting = [World(faults=self.faults)]
        while waiting:
            world = waiting.pop()
            if world in self.seen:
                continue
            self.seen.add(world)
            steps = list(self._steps(world))
            waiting += steps
            if not steps:
                self.ends[world] = tuple(self._task(world, number) for number in range(2))
        return self

    def _task(self, world: World, number: int) -> Run:
        return _run(world.answers[number], self.min_age)

    def _steps(self, world: World) -> Iterator[World]:
        """Every state that one step leads to."""
        if world.server.working:
            yield from self._work(world)
        if world.rival == "has not begun" and not world.server.working:
            yield replace(world, rival="works", server=world.server._replace(working="rival"))
        for number in range(2):
            asks = self._task(world, number).asks
            if asks and not world.waits[number]:
                yield from {"lock": self._lock, "read": self._read, "rotate": self._rotate}[asks](world, number)

    def _lock(self, world: World, number: int) -> Iterator[World]:
        machine = self.machines[number]
        if world.holders[machine] is None:
            held = replace(world, holders=_with(world.holders, machine, number))
            yield self._answered(held, number, Answer("lock", note=world.notes[machine]))

    def _read(self, world: World, number: int) -> Iterator[World]:
        for kind in READ_FAULTS[: None if world.faults else 1]:
            left = replace(world, faults=world.faults - (kind != "ok"))
            # A replica that has heard of nothing yet.
            state = Server() if kind == "stale" else world.server._replace(working="")
            yield self._answered(left, number, Answer(kind, state))

    def _rotate(self, world: World, number: int) -> Iterator[World]:
        world = replace(world, requests=_with(world.requests, number, world.requests[number] + 1))
        for kind in ROTATE_FAULTS[: None if world.faults else 1]:
            left = replace(world, faults=world.faults - (kind != "ok"))
            if kind == "not sent":
                yield self._answered(left, number, Answer("not sent"))
            elif kind == "lost before the work":
                yield self._answered(left, number, Answer("no answer"))
            elif world.server.working:
                yield self._answered(left, number, Answer("in progress" if kind == "ok" else "no answer"))
            else:
                begun = replace(left, server=world.server._replace(working=str(number)))
                waiting = replace(begun, waits=_with(world.waits, number, True))
                yield waiting if kind == "ok" else self._answered(begun, number, Answer("no answer"))

    def _work(self, world: World) -> Iterator[World]:
        """The end of what the server works at."""
        who, server = world.server.working, world.server
        for kind in WORK_FAULTS[: None if world.faults else 1]:
            after = replace(world, faults=world.faults - (kind != "commits"))
            if kind.startswith("commits"):
                done = Server(server.rotations + 1, server.attempts + 1)
            elif kind == "fails":
                done = Server(server.rotations, server.attempts + 1, failed=True)
            else:
                done = server._replace(working="")
            after = replace(after, server=done)
            if who == "rival":
                yield replace(after, rival="has ended")
                continue
            number = int(who)
            made = done.rotations - server.rotations
            after = replace(after, own=_with(world.own, number, world.own[number] + made))
            if not world.waits[number]:
                yield after
                continue
            answer = {"commits": Answer("ok", done), "fails": Answer("failed")}.get(kind, Answer("no answer"))
            yield self._answered(replace(after, waits=_with(world.waits, number, False)), number, answer)

    def _answered(self, world: World, number: int, answer: Answer) -> World:
        answers = _with(world.answers, number, (*world.answers[number], answer))
        world = replace(world, answers=answers)
        run, machine = self._task(world, number), self.machines[number]
        world = replace(world, notes=_with(world.notes, machine, run.note))
        return world if run.asks else replace(world, holders=_with(world.holders, machine, None))


def _with(values: tuple[Any, ...], number: int, value: Any) -> tuple[Any, ...]:
    return (*values[:number], value, *values[number + 1 :])
