# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests that prove more the longer they run, or that run the same tests twice."""

from __future__ import annotations

from pathlib import Path

from support.both_ways import IN_PROCESS, RECORD, differences, recorded, with_tasks_of_ours

from .coverage_report import coverage
from .rooms import Failed, Room, run_pytest

#: Of each difference, which holds a whole result.
SHOWN_WIDTH = 3000
#: So that a suite that recorded nothing does not pass for one without differences.
LEAST_RESULTS = 300
#: They run in a step of their own, and measured they would take minutes.
PROOFS = (
    "tests/unit/exactly_once/test_rule_exhaustive.py",
    "tests/unit/exactly_once/test_rule_properties.py",
    "tests/integration/exactly_once/test_many_at_once.py",
)


def exactly_once(room: Room) -> None:
    """The longer profile of what proves that nothing rotates twice."""
    paths = (*PROOFS, "tests/integration/exactly_once/test_interrupts.py")
    run_pytest(room, "-m", "", "-n", "1", *paths, EXACTLY_ONCE_EXAMPLES="30000", EXACTLY_ONCE_PLAYS="50")


def whole_suite(room: Room) -> None:
    """In the controller's process, where coverage is counted, and what has tasks again as modules: all is the same.

    Long tests that say themselves how their tasks run are not measured: those of every day are ``make test``'s, and the
    others run here.
    """
    folders = {switch: room.folder / f"recorded-{switch}" for switch in ("1", "0")}
    for folder in folders.values():
        folder.mkdir()
    others = [f"--ignore={path}" for path in PROOFS]
    measured = ("-m", "not run_once", "-n", "2", *others, "tests/unit", "tests/integration")
    coverage(room, *measured, **_recorded_in(folders["1"], "1"))
    again = sorted(with_tasks_of_ours(folders["1"]))
    run_pytest(room, "-m", "", "-n", "2", *again, **_recorded_in(folders["0"], "0"))
    # What an older ansible-core is killed at has a step of its own; on this one a handover is killed at each change.
    once = ("-m", "run_once and before_release", "-k", "not test_a_planned_handover_that_is_killed")
    # Nor Tower's jobs, every one of which runs on two of them.
    elsewhere = ("--ignore", "tests/integration/tower_jobs/test_tower_runs.py")
    run_pytest(room, *once, *elsewhere, "-n", "2", "tests/integration")
    seen = [recorded(folder) for folder in folders.values()]
    seen[0] = {test: commands for test, commands in seen[0].items() if test in again}
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
