# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests that prove more the longer they run, or that run the same tests twice."""

from __future__ import annotations

from pathlib import Path

from support.both_ways import IN_PROCESS, RECORD, differences, recorded, with_tasks_of_ours

from . import LONG
from .coverage_report import coverage
from .rooms import Failed, Room, run_pytest

#: Of each difference, which holds a whole result.
SHOWN_WIDTH = 3000
#: So that a suite that recorded nothing does not pass for one without differences.
LEAST_RESULTS = 200
#: They run in a step of their own.
PROOFS = (
    "tests/unit/exactly_once/test_rule_exhaustive.py",
    "tests/unit/exactly_once/test_rule_properties.py",
    "tests/integration/exactly_once/test_many_at_once.py",
)
INTERRUPTS = "tests/integration/exactly_once/test_interrupts.py"
#: All of them run in steps of their own too, some of them on older ansible-cores.
ELSEWHERE = (
    INTERRUPTS,
    "tests/integration/handover/test_handover_killed.py::test_a_planned_handover_that_is_killed_after",
    "tests/integration/tower_jobs/test_tower_runs.py",
)
#: It takes long, and each of its lines is a promise of the module as well.
FAULTS = "tests/integration/exactly_once/test_faults.py"


def exactly_once(room: Room) -> None:
    """The longer profile of what proves that nothing rotates twice."""
    examples, plays = ("12000", "20") if LONG else ("2000", "6")
    options = ("-m", "" if LONG else "not weekly", "-n", "1")
    run_pytest(room, *options, *PROOFS, INTERRUPTS, EXACTLY_ONCE_EXAMPLES=examples, EXACTLY_ONCE_PLAYS=plays)
    room.remark = f"{int(examples):,} schedules"


def whole_suite(room: Room) -> None:
    """Tests in the controller's process, where coverage is counted; as modules, what of them has tasks, and all is the
    same; then whatever takes long, once.
    """
    folders = {switch: room.folder / f"recorded-{switch}" for switch in ("1", "0")}
    for folder in folders.values():
        folder.mkdir()
    others = [f"--ignore={path}" for path in PROOFS]
    everyday = "not run_once and (counted or not before_release)" + ("" if LONG else " and not uncounted")
    measured = ("-m", everyday, "-n", "2", *others, "tests/unit", "tests/integration")
    coverage(room, *measured, **_recorded_in(folders["1"], "1"))
    again = with_tasks_of_ours(folders["1"])
    also = [FAULTS] if LONG else []
    run_pytest(room, "-m", "", "-n", "2", *sorted(again), *also, **_recorded_in(folders["0"], "0"))
    elsewhere = [f"--deselect={test}" for test in ELSEWHERE]
    long = "before_release and not counted" + ("" if LONG else " and not weekly")
    run_pytest(room, "-m", long, "-n", "2", *others, *elsewhere, "tests/unit", "tests/contract", "tests/integration")
    seen = [
        {test: commands for test, commands in recorded(folder).items() if test in again} for folder in folders.values()
    ]
    found = differences(*seen)
    results = sum(len(texts) for commands in seen[0].values() for _code, texts in commands)
    room.remark += f", {results} results of {len(seen[0])} tests"
    with room.log.open("a", encoding="utf-8") as log:
        log.writelines(f"{difference[:SHOWN_WIDTH]}\n" for difference in found)
    if found:
        raise Failed(f"{room.remark}, {len(found)} differences")
    if results < LEAST_RESULTS:
        raise Failed(f"only {results} results were compared")


def _recorded_in(folder: Path, switch: str) -> dict[str, str]:
    return {RECORD: str(folder), IN_PROCESS: switch}
