# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Branch coverage of plugins/ over all tests that are given, in the controller's process.

Controllers, their forked workers and the modules' own processes are counted: `patch` in pyproject.toml starts
the measurement in each of them, and `paths` brings the files of a module's zip archive home.
"""

from __future__ import annotations

import json

from .rooms import Failed, Room, run_pytest

#: They hold documentation only, which ansible-doc reads without a test that could count it.
UNCOUNTED = "plugins/doc_fragments/"


def coverage(room: Room, *tests: str, **variables: str) -> None:
    """Of these tests, given as to pytest."""
    data = room.folder / "coverage" / "data"
    data.parent.mkdir()

    # The worker of a play's last task is ended at once otherwise, and what it measured is lost.
    patient = {"ANSIBLE_WORKER_SHUTDOWN_POLL_COUNT": "100"}

    def run(*arguments: str) -> str:
        return room.run("python", "-m", "coverage", *arguments, cwd=None, COVERAGE_FILE=str(data))

    problem = None
    try:
        run_pytest(room, *tests, under=("-m", "coverage", "run"), COVERAGE_FILE=str(data), **patient, **variables)
    except Failed:
        problem = "tests failed"
    run("combine", "--quiet")
    # A process that a test kills leaves a file that it had just begun, which each report would complain of.
    for unreadable in data.parent.glob("data.*"):
        unreadable.unlink()
    room.report = run("report", "--fail-under=0")
    listed = room.folder / "coverage.json"
    run("json", "--quiet", "--fail-under=0", "-o", str(listed))
    found = json.loads(listed.read_text(encoding="utf-8"))
    files = {path.relative_to(room.collection).as_posix() for path in (room.collection / "plugins").rglob("*.py")}
    # Empty, for Ansible to find the packages.
    counted = {file for file in files if not file.startswith(UNCOUNTED) and not file.endswith("/__init__.py")}
    never = counted - set(found["files"])
    if never and not problem:
        raise Failed(f"no test runs {', '.join(sorted(never))}")
    room.remark = f"{found['totals']['percent_covered']:.1f} %"
    if problem:
        raise Failed(f"{problem}, {room.remark} covered")
    run("report", "--format=total")
