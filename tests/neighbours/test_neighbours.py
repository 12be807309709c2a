# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module behind real proxies, caches and load balancers, and the guide's table of what came of it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from quality.neighbours.rows import Neighbour, Row
from quality.neighbours.table import NEIGHBOURS, ROWS, missing
from quality.neighbours.world import Seen, Servers, run
from support.ansible import Workspace
from support.tables import check_table

HEADINGS = ("Neighbour", "How it is configured", "Requests to rotate", "Rotations", "changed", "outcome or reason")
#: Most of the time is waiting for a neighbour's own timeout.
AT_ONCE = 4
Rows = dict[tuple[str, str], Future[Seen]]


def _name(neighbour: Neighbour, row: Row) -> str:
    return f"{neighbour.name}: {row.what}"


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Rows]:
    """Every row that is asked for runs in the background, a few at once."""
    wanted = {
        item.callspec.id
        for item in request.session.items
        if isinstance(item, pytest.Function) and hasattr(item, "callspec")
    }
    folders = itertools.count()
    absent = missing()

    def workspace() -> Workspace:
        return Workspace(tmp_path_factory.mktemp(f"w{next(folders)}"))

    with ExitStack() as stack:
        servers = Servers(stack)
        pool = stack.enter_context(ThreadPoolExecutor(AT_ONCE))
        yield {
            (neighbour.name, row.what): pool.submit(run, neighbour, row, servers, workspace)
            for neighbour, row in ROWS
            if neighbour not in absent and _name(neighbour, row) in wanted
        }
        pool.shutdown(cancel_futures=True)


def _problems(row: Row, seen: Seen) -> Iterator[str]:
    if seen.ends != row.ends:
        yield f"ended as {', '.join(seen.ends)}"
    if seen.posts != row.posts:
        yield f"{seen.posts} requests to rotate"
    if seen.rotations != row.rotations:
        yield f"{seen.rotations} rotations"
    if seen.changed != seen.moved:
        yield f"changed is {seen.changed}, but lastRotatedAt moved: {seen.moved}"
    for result in (result for result in seen.results if "reason" in result):
        reason, outcome = result["reason"], result["outcome"]
        # A failed attempt is surely this task's only where the server itself answered it.
        foreign = reason == "rotation_failed" and result["request_id"] is None
        if outcome != ("unknown" if reason == "outcome_unknown" or foreign else "failed"):
            yield f"outcome is {outcome}, though the reason is {reason}"
    for warning in seen.warnings:
        if not row.says or not re.search(row.says, warning):
            yield f"it warns: {warning}"
    if not re.search(row.says, seen.said):
        yield f"it does not say {row.says!r}"


@pytest.mark.parametrize(("neighbour", "row"), ROWS, ids=[_name(*each) for each in ROWS])
def test_the_task_tells_the_truth(neighbour: Neighbour, row: Row, seen: Rows) -> None:
    if neighbour in missing():
        pytest.skip(f"{neighbour.program} is not installed: package {neighbour.package}")
    found = seen[neighbour.name, row.what].result()
    problems = list(_problems(row, found))
    if problems:
        pytest.fail("\n".join([*problems, found.said]), pytrace=False)


def test_the_guide_has_the_table(seen: Rows) -> None:
    if missing():
        pytest.skip("not all neighbours are installed")
    if len(seen) < len(ROWS):
        pytest.skip("not all rows were run")
    lines = []
    for neighbour, row in ROWS:
        found = seen[neighbour.name, row.what].result()
        ends = ", ".join(f"``{end}``" for end in found.ends)
        changed = ", ".join(str(changed).lower() for changed in found.changed)
        lines.append((neighbour.name, row.what, str(found.posts), str(found.rotations), changed, ends))
    check_table("neighbours", "tests/neighbours/test_neighbours.py", HEADINGS, lines, (10, 42, 10, 10, 10, 18))


def test_there_are_many_configurations_of_each() -> None:
    assert len({_name(*each) for each in ROWS}) == len(ROWS) >= 40
    assert all(len(neighbour.rows) >= 5 for neighbour in NEIGHBOURS)


@pytest.mark.parametrize(("neighbour", "row"), ROWS, ids=[_name(*each) for each in ROWS])
def test_only_a_neighbour_that_repeats_rotates_twice(neighbour: Neighbour, row: Row) -> None:
    """So that no row writes down as right what must never happen."""
    assert row.rotations <= 1 or "POST repeated after a timeout" in row.what or "non_idempotent" in row.what
