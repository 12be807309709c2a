# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two tasks and one rival in every order of their steps, with every fault at every step.

A step is one of: a task takes the lock of its machine; a reading; a request arrives at the server; the server's work
ends, and who waits for it gets the answer. A request that is on its way and an answer that is are no steps of their own
where nothing went wrong: all that time the task does nothing, so that the same orders come of the task's step before.
All of it happens within seconds, so that no clock and no note runs out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from ansible_collections.secretops.infisical.plugins.module_utils._rotations.finding import Target
from unit.exactly_once import exhaustive_task
from unit.exactly_once.exhaustive_task import BY_ID, Answer, Run, State

#: What becomes of a reading, of a request on its way, and of the server's work. Of the first of each nothing is wrong.
READ_FATES = ("ok", "lost", "refused", "stale", "cached")
ROTATE_FATES = (
    "arrives", "not sent", "is lost", "is lost and arrives later", "answer lost", "sent twice", "second one answered",
    "loses the lock",
)  # fmt: skip
WORK_FATES = ("commits", "commits, answer lost", "fails", "fails, answer lost", "ends in silence")
RIVAL, COPY = "rival", "copy"


class World(NamedTuple):
    """Everything at one moment. A request is named by its task and how many that task had sent before."""

    state: State = State()
    #: Requests that the server works at, and the one that has its lock.
    working: tuple[str, ...] = ()
    locked: str = ""
    #: Requests that nobody waits for any more and that will arrive, and those that were committed.
    late: tuple[str, ...] = ()
    committed: tuple[str, ...] = ()
    answers: tuple[tuple[Answer, ...], ...] = ((), ())
    requests: tuple[int, ...] = (0, 0)
    waits: tuple[str, ...] = ("", "")
    killed: tuple[bool, ...] = (False, False)
    #: How often it had been rotated when each task read what it last read before its request.
    truth: tuple[int, ...] = (0, 0)
    #: Who has the lock of each machine, and its note; who had the lock in which order.
    holders: tuple[int | None, ...] = (None, None)
    notes: tuple[Any, ...] = (None, None)
    order: tuple[int, ...] = ()
    rival: str = "has not begun"
    faults: int = 2


class Bounds(NamedTuple):
    """``machines`` says on which one each of the tasks runs."""

    machines: tuple[int, int]
    faults: int
    min_age: int = 300
    target: Target = BY_ID


class Search:
    """``seen`` has the number of ways from each state to an end; ``ends`` are the states where nothing more is done."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self.seen: dict[World, int] = {}
        self.ends: dict[World, tuple[Run, Run]] = {}

    def run(self) -> Search:
        self.paths = self._explore(World(faults=self.bounds.faults))
        return self

    def _explore(self, world: World) -> int:
        if world not in self.seen:
            steps = list(self._steps(world))
            if not steps:
                self.ends[world] = (self._task(world, 0), self._task(world, 1))
            self.seen[world] = sum(map(self._explore, steps)) or 1
        return self.seen[world]

    def _task(self, world: World, number: int) -> Run:
        return exhaustive_task.run(world.answers[number], self.bounds.min_age, self.bounds.target)

    def _steps(self, world: World) -> Iterator[World]:
        """Every state that one step leads to."""
        for label in dict.fromkeys(world.working):
            yield from self._work(world, label)
        for label in dict.fromkeys(world.late):
            arrived = world._replace(late=_without(world.late, label))
            yield arrived if world.locked else _begun(arrived, label)
        if world.rival == "has not begun":
            begun = world._replace(rival="has begun")
            yield begun if world.locked else _begun(begun, RIVAL)
        if world.locked and (world.faults or world.locked not in world.working):
            # It runs out after a minute, whether somebody still works or was started again meanwhile.
            yield world._replace(locked="", faults=world.faults - (world.locked in world.working))
        for number in range(2):
            asks = "" if world.killed[number] else self._task(world, number).asks
            if asks and not world.waits[number]:
                step = {"lock": self._lock, "read": self._read, "find": self._read, "rotate": self._rotate}[asks]
                yield from step(world, number)
            if asks and world.faults:
                yield self._killed(world, number)

    def _lock(self, world: World, number: int) -> Iterator[World]:
        machine = self.bounds.machines[number]
        if world.holders[machine] is None:
            held = world._replace(holders=_with(world.holders, machine, number), order=(*world.order, number))
            yield self._answered(held, number, Answer("lock", "ok", note=world.notes[machine]))

    def _read(self, world: World, number: int) -> Iterator[World]:
        to, state = self._task(world, number).asks, world.state
        if not world.requests[number]:
            world = world._replace(truth=_with(world.truth, number, state.rotations))
        for kind in READ_FATES[: None if world.faults else 1]:
            left = world._replace(faults=world.faults - (kind != "ok"))
            # A replica shows any state from before.
            older = [State(count, count) for count in range(state.rotations + bool(state.failed))]
            for shown in older if kind == "stale" else [state]:
                yield self._answered(left, number, Answer(to, kind, shown))

    def _rotate(self, world: World, number: int) -> Iterator[World]:
        label = f"{number}.{world.requests[number]}"
        world = world._replace(requests=_with(world.requests, number, world.requests[number] + 1))
        for fate in ROTATE_FATES[: None if world.faults else 1]:
            left = world._replace(faults=world.faults - (fate != "arrives"))
            if fate == "not sent":
                yield self._answered(left, number, Answer("rotate", "not sent"))
            elif fate.startswith("is lost"):
                late = left._replace(late=_sorted(left.late, label)) if fate.endswith("later") else left
                yield self._answered(late, number, Answer("rotate", "no answer"))
            elif fate == "loses the lock":
                state = left.state._replace(attempts=left.state.attempts + 1, failed="lock")
                yield self._answered(left._replace(state=state), number, Answer("rotate", "in progress"))
            else:
                yield from self._arrives(left, number, label, fate)

    def _arrives(self, world: World, number: int, label: str, fate: str) -> Iterator[World]:
        if fate == "sent twice":
            world = world._replace(late=_sorted(world.late, label))
        refused = Answer("rotate", "no answer" if fate == "answer lost" else "in progress")
        if world.locked or fate in ("answer lost", "second one answered"):
            yield self._answered(world if world.locked else _begun(world, label), number, refused)
        else:
            yield _begun(world, label)._replace(waits=_with(world.waits, number, label))

    def _work(self, world: World, label: str) -> Iterator[World]:
        """The end of what the server works at, and the answer for who waits for it."""
        for fate in WORK_FATES[: None if world.faults else 1]:
            state = world.state
            if fate.startswith("commits"):
                state = State(state.rotations + 1, state.attempts + 1)
            elif fate.startswith("fails"):
                state = State(state.rotations, state.attempts + 1, "okta")
            done = world._replace(
                state=state,
                working=_without(world.working, label),
                locked="" if world.locked == label and fate != "ends in silence" else world.locked,
                faults=world.faults - (fate != "commits"),
            )
            if fate.startswith("commits") and label not in done.committed:
                done = done._replace(committed=_sorted(done.committed, label))
            waiting = [number for number in range(2) if done.waits[number] == label]
            if not waiting:
                yield done
                continue
            told = {"commits": Answer("rotate", "ok", state), "fails": Answer("rotate", "failed")}
            answer = told.get(fate, Answer("rotate", "no answer"))
            if fate == "fails":
                # A second copy of what the server said to have failed is the proxy's own request.
                done = done._replace(late=_renamed(done.late, label), working=_renamed(done.working, label))
            yield self._answered(done._replace(waits=_with(done.waits, waiting[0], "")), waiting[0], answer)

    def _killed(self, world: World, number: int) -> World:
        """The kernel takes back the lock; the note stays, and the server works on."""
        machine = self.bounds.machines[number]
        holders = world.holders
        return world._replace(
            killed=_with(world.killed, number, True),
            waits=_with(world.waits, number, ""),
            holders=_with(holders, machine, None) if holders[machine] == number else holders,
            faults=world.faults - 1,
        )

    def _answered(self, world: World, number: int, answer: Answer) -> World:
        world = world._replace(answers=_with(world.answers, number, (*world.answers[number], answer)))
        run, machine = self._task(world, number), self.bounds.machines[number]
        if world.holders[machine] == number:
            world = world._replace(notes=_with(world.notes, machine, run.note))
            if not run.asks:
                world = world._replace(holders=_with(world.holders, machine, None))
        return world


def _begun(world: World, label: str) -> World:
    return world._replace(working=_sorted(world.working, label), locked=label)


def _with(values: tuple[Any, ...], number: int, value: Any) -> tuple[Any, ...]:
    return (*values[:number], value, *values[number + 1 :])


def _sorted(labels: tuple[str, ...], label: str) -> tuple[str, ...]:
    return tuple(sorted((*labels, label)))


def _renamed(labels: tuple[str, ...], label: str) -> tuple[str, ...]:
    return tuple(sorted(COPY if each == label else each for each in labels))


def _without(labels: tuple[str, ...], label: str) -> tuple[str, ...]:
    index = labels.index(label)
    return labels[:index] + labels[index + 1 :]
