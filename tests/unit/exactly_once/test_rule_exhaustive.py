# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Never twice, and true about it, in every order of the steps of two tasks and one rival, with every fault at each."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError
from ansible_collections.secretops.infisical.plugins.module_utils._rotations import readings
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.api import Reading
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.rule import Outcome, Rotator, put_back
from support.repeated import REPEATED
from support.tables import check_table
from unit.exactly_once import exhaustive_task
from unit.exactly_once.exhaustive_task import BY_NAME, Answer, Run
from unit.exactly_once.exhaustive_world import Bounds, Search, World

ONE_MACHINE, TWO_MACHINES = (0, 0), (0, 1)
WORDS = {ONE_MACHINE: "one machine", TWO_MACHINES: "two machines"}
SEARCHED = (
    *(Bounds(ONE_MACHINE, faults) for faults in (0, 1, 2)),
    Bounds(ONE_MACHINE, 2, min_age=0),
    Bounds(ONE_MACHINE, 2, target=BY_NAME),
    *(Bounds(TWO_MACHINES, faults) for faults in (0, 1, 2)),
)
BEFORE_RELEASE = Bounds(ONE_MACHINE, 3)
WEEKLY = (
    Bounds(ONE_MACHINE, 3, min_age=0),
    Bounds(ONE_MACHINE, 3, target=BY_NAME),
    Bounds(TWO_MACHINES, 2, min_age=0),
    Bounds(TWO_MACHINES, 2, target=BY_NAME),
)
HEADINGS = ("The two tasks", "Faults, at most", "States", "Paths", "Rotations by them, at most")


class Told:
    """One task at the end: how it ended, and what it had been told until then."""

    def __init__(self, world: World, number: int, run: Run) -> None:
        self.run = run
        self.killed = world.killed[number]
        self.requested = world.requests[number]
        self.committed = [label for label in world.committed if label.startswith(f"{number}.")]
        self.truth = world.truth[number]
        answers = world.answers[number]
        posts = [place for place, answer in enumerate(answers) if answer.to == "rotate"]
        waiting = self.requested > len(posts)
        until = len(answers) if waiting or not posts else posts[-1]
        self.post = None if waiting or not posts else answers[posts[-1]]
        read = [answer for answer in answers[:until] if answer.kind in ("ok", "stale", "cached")]
        self.before = [answer for answer in read if answer.to in ("read", "find")]
        self.decided = self.before[-1] if self.before else Answer("read", "none")
        self.after = [answer for answer in answers[until:] if answer.kind in ("ok", "stale")]
        self.newest = max([answer.state.rotations for answer in self.after], default=0)
        self.doubtful = waiting or (self.post is not None and self.post.kind in ("no answer", "failed"))

    @property
    def saw_failure(self) -> bool:
        return any(
            answer.state.failed == "okta" and answer.state.attempts > self.decided.state.attempts
            for answer in self.after
        )


def lies(world: World, runs: tuple[Run, Run], bounds: Bounds) -> Iterator[str]:
    """What is not as promised where nothing more is done."""
    tasks = [Told(world, number, runs[number]) for number in range(2)]
    for task in tasks:
        yield from _sent(task, bounds.min_age)
        if not task.killed:
            yield from _said(task, world)
    if bounds.machines == ONE_MACHINE:
        yield from _remembered([tasks[number] for number in world.order], bounds.min_age)


def _sent(task: Told, min_age: int) -> Iterator[str]:
    if len(task.committed) > 1:
        yield "one task rotated twice"
    if not task.requested:
        return
    if task.decided.kind == "cached" or any(
        answer.state.rotations > task.decided.state.rotations for answer in task.before
    ):
        yield "it decided by a reading that it could know to be stale"
    if min_age and task.decided.state.rotations:
        yield "it requested what had been rotated just before"


def _said(task: Told, world: World) -> Iterator[str]:
    outcome, changed = task.run.outcome, task.run.changed
    moved = bool(task.requested) and task.newest > task.decided.state.rotations
    if changed is not (outcome in ("rotated", "rotated_by_another")):
        yield f"{outcome}, and changed is {changed}"
    if changed is not moved:
        yield f"changed is {changed}, and that it moved was seen: {moved}"
    if changed and task.decided.kind == "ok" and world.state.rotations <= task.truth:
        yield "changed, and nobody rotated after its reading"
    in_progress = task.post is not None and task.post.kind == "in progress"
    if task.committed and outcome not in ("rotated", "unknown") and not in_progress:
        yield f"{outcome}, and it rotated"
    told = task.post is not None and task.post.kind == "failed" and task.saw_failure
    if outcome in ("failed", "unknown") and (outcome == "unknown") is not (task.doubtful and not told):
        yield f"{outcome}, and it could know: {told}, and had a doubt: {task.doubtful}"
    if task.run.warned is not (moved and (task.newest - task.decided.state.rotations) % 2 == 0):
        yield f"warned of a double rotation: {task.run.warned}"


def _remembered(tasks: list[Told], min_age: int) -> Iterator[str]:
    """In the order in which they had the lock of their machine."""
    for first, second in pairwise(tasks):
        if not first.requested or not second.requested:
            continue
        if min_age and first.committed and second.committed:
            yield "they rotated twice"
        known = max(first.newest, first.decided.state.rotations if first.doubtful else 0)
        if second.decided.state.rotations < known:
            yield "it decided by a reading that its machine could know to be stale"
        unsettled = first.doubtful and (first.killed or first.run.outcome == "unknown")
        if unsettled and second.decided.state.rotations <= first.decided.state.rotations:
            yield "it requested while the end of another request of its machine did not show"


def found(search: Search) -> list[str]:
    return [lie for world, runs in search.ends.items() for lie in lies(world, runs, search.bounds)]


def rotations(world: World) -> int:
    """By how many of the two tasks it was rotated."""
    return len({label[0] for label in world.committed} & {"0", "1"})


@pytest.mark.before_release
def test_every_order_and_every_fault() -> None:
    rows = []
    for bounds in [each for each in SEARCHED if each.faults < 2] if REPEATED else SEARCHED:
        search = Search(bounds).run()
        assert found(search) == []
        where = f"on {WORDS[bounds.machines]}"
        where += "" if bounds.min_age else ", with ``min_age: 0``"
        where += ", by name" if bounds.target == BY_NAME else ""
        most = max(rotations(world) for world in search.ends)
        rows.append((where, str(bounds.faults), f"{len(search.seen):,}", f"{search.paths:,}", str(most)))
        print(*rows[-1], sep="  ")
    if not REPEATED:
        check_table("orders", "tests/unit/exactly_once/test_rule_exhaustive.py", HEADINGS, rows, (32, 14, 14, 18, 22))


@pytest.mark.before_release
@pytest.mark.parametrize(
    "bounds", [BEFORE_RELEASE, *(pytest.param(bounds, marks=pytest.mark.weekly) for bounds in WEEKLY)], ids=str
)
def test_more_faults(bounds: Bounds) -> None:
    search = Search(bounds).run()
    assert found(search) == []
    assert len(search.seen) > 50_000
    print(f"{len(search.seen):,} states, {search.paths:,} paths")


def test_how_everything_may_end_is_seen() -> None:
    """A search that never came to some of it would prove nothing of it."""
    ends = {run.outcome for runs in Search(Bounds(TWO_MACHINES, 1)).run().ends.values() for run in runs}
    assert ends == {"rotated", "rotated_by_another", "not_due", "failed", "unknown", ""}


def _heeds_nothing(self: readings.Known, *_given: Any) -> None:
    """As if no earlier task had left a note."""


def _never_stale(self: readings.Known, _reading: Reading) -> str:
    return ""


def _sends_again(self: Rotator, before: Reading, lost: InfisicalError, _held: Any) -> Any:
    return Outcome("rotated", "Rotated.", before, self._api.rotate(before.id))


def _believes(self: Rotator, before: Reading, lost: InfisicalError, _held: Any) -> Any:
    return Outcome("rotated", "Rotated.", before, before)


def _passes_on(self: Rotator, before: Reading, lost: InfisicalError, _held: Any) -> Any:
    raise InfisicalError("unreachable", "The answer was lost.")


def _never(*_given: Any) -> bool:
    return False


def _takes_the_note_back(self: Rotator, before: Reading, refusal: InfisicalError, held: Any) -> Any:
    put_back(held, None, self._warn)
    return _AWAIT(self, before, refusal, held)


_AWAIT = Rotator._await_another


@pytest.mark.parametrize(
    ("owner", "name", "broken", "lie"),
    [
        (readings.Known, "heed", _heeds_nothing, "they rotated twice"),
        (readings.Known, "why_stale", _never_stale, "they rotated twice"),
        (readings.Known, "why_stale", _never_stale, "it decided by a reading that it could know to be stale"),
        (Rotator, "_await_another", _takes_the_note_back, "they rotated twice"),
        (Rotator, "_settle", _sends_again, "one task rotated twice"),
        (Rotator, "_settle", _believes, "rotated, and changed is False"),
        (Rotator, "_settle", _passes_on, "failed, and it rotated"),
        (readings, "rotated_more_than_once", _never, "warned of a double rotation: False"),
    ],
)
def test_a_rule_that_is_broken_is_caught(
    monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, broken: Any, lie: str
) -> None:
    monkeypatch.setattr(owner, name, broken)
    exhaustive_task.run.cache_clear()
    try:
        assert lie in found(Search(Bounds(ONE_MACHINE, 2)).run())
    finally:
        exhaustive_task.run.cache_clear()
