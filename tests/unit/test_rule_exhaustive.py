# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Never twice, and true about it, in every order of the steps of two tasks and one rival, with every fault at each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError
from ansible_collections.secretops.infisical.plugins.module_utils._rotations import readings
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.api import Reading
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.rule import Outcome, Rotator
from support.tables import check_table
from unit import exhaustive
from unit.exhaustive import Answer, Run, Search, World

ONE_MACHINE, TWO_MACHINES = (0, 0), (0, 1)
#: On which machines the two tasks run, and how many faults there are at most.
BOUNDS = tuple((machines, faults) for machines in (ONE_MACHINE, TWO_MACHINES) for faults in (0, 1, 2))
HEADINGS = ("The two tasks run on", "Faults, at most", "States", "Ends", "Rotations by them, at most")


def lies(world: World, runs: tuple[Run, ...], machines: tuple[int, int]) -> Iterator[str]:
    """What is not as promised where everybody has ended."""
    if machines == ONE_MACHINE and sum(world.own) > 1:
        yield "they rotated twice"
    for run, answers, own, requests in zip(runs, world.answers, world.own, world.requests, strict=True):
        before = _decided_by(answers)
        if own > 1:
            yield "one task rotated twice"
        if run.changed is not (run.outcome in ("rotated", "rotated_by_another")):
            yield f"{run.outcome}, and changed is {run.changed}"
        if run.changed and world.server.rotations <= before.server.rotations:
            yield "changed, and nobody rotated after its reading"
        if own and run.outcome not in ("rotated", "unknown"):
            yield f"{run.outcome}, and it rotated"
        if run.outcome in ("rotated", "unknown") and not requests:
            yield f"{run.outcome}, and it requested nothing"


def _decided_by(answers: tuple[Answer, ...]) -> Answer:
    """The first reading that it could go by."""
    return next((answer for answer in answers if answer.kind in ("ok", "stale")), Answer("none"))


def found(search: Search) -> list[str]:
    return [lie for world, runs in search.ends.items() for lie in lies(world, runs, search.machines)]


def test_every_order_and_every_fault() -> None:
    rows = []
    for machines, faults in BOUNDS:
        search = Search(machines, faults).run()
        assert found(search) == []
        where = "one machine" if machines == ONE_MACHINE else "two machines"
        most = max(sum(world.own) for world in search.ends)
        rows.append((where, str(faults), f"{len(search.seen):,}", f"{len(search.ends):,}", str(most)))
        print(*rows[-1], sep="  ")
    check_table("orders", "tests/unit/test_rule_exhaustive.py", HEADINGS, rows, (30, 16, 16, 16, 22))


@pytest.mark.before_release
@pytest.mark.parametrize(("machines", "faults"), [(ONE_MACHINE, 4), (TWO_MACHINES, 3)])
def test_more_faults(machines: tuple[int, int], faults: int) -> None:
    search = Search(machines, faults).run()
    assert found(search) == []
    assert len(search.seen) > 100_000


def test_how_everything_may_end_is_seen() -> None:
    """A search that never came to some of it would prove nothing of it."""
    ends = {run.outcome for runs in Search(TWO_MACHINES, 2).run().ends.values() for run in runs}
    assert ends == {"rotated", "rotated_by_another", "not_due", "failed", "unknown"}


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


@pytest.mark.parametrize(
    ("owner", "name", "broken", "lie"),
    [
        (readings.Known, "heed", _heeds_nothing, "they rotated twice"),
        (readings.Known, "why_stale", _never_stale, "they rotated twice"),
        (Rotator, "_settle", _sends_again, "one task rotated twice"),
        (Rotator, "_settle", _believes, "rotated, and changed is False"),
        (Rotator, "_settle", _passes_on, "failed, and it rotated"),
    ],
)
def test_a_rule_that_is_broken_is_caught(
    monkeypatch: pytest.MonkeyPatch, owner: type, name: str, broken: Any, lie: str
) -> None:
    monkeypatch.setattr(owner, name, broken)
    exhaustive._run.cache_clear()
    try:
        assert lie in found(Search(ONE_MACHINE, 2).run())
    finally:
        exhaustive._run.cache_clear()
