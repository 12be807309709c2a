# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the steps side by side and tells how they ended."""

from __future__ import annotations

import re
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from .environments import CACHE, Environment, interpreters
from .installer import NoIndex
from .rooms import Failed, Room, Skipped

WORKERS = 2
#: Of a failed step's log. The whole log is kept.
SHOWN_LINES = 40
SHOWN_WIDTH = 400
_ERROR = re.compile(r"ERROR|FATAL|FAILED|E   ")


@dataclass(frozen=True)
class Step:
    """A row of the table. The ``kind`` says which steps stand in for each other on a machine that can't run all."""

    kind: str
    tool: str
    environment: Environment
    check: Callable[[Room], None]
    #: What the check runs beside it.
    others: tuple[Environment, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.tool} ({self.environment.name})"

    @property
    def log(self) -> Path:
        return CACHE / "logs" / f"{re.sub(r'[^a-z0-9.]+', '-', self.name.lower()).strip('-')}.log"


@dataclass(frozen=True)
class Outcome:
    step: Step
    result: str
    seconds: float
    version: str = "-"
    remark: str = ""
    report: str = ""


def run(steps: Sequence[Step]) -> list[Outcome]:
    """In the order of the steps, whatever the order in which they ended."""
    (CACHE / "logs").mkdir(parents=True, exist_ok=True)
    lock = threading.Lock()

    with tempfile.TemporaryDirectory(prefix="q") as temporary, ThreadPoolExecutor(WORKERS) as pool:

        def one(number: int, step: Step) -> Outcome:
            start = time.monotonic()
            outcome = _outcome(step, Path(temporary) / str(number), start)
            with lock:
                _tell(outcome)
            return outcome

        return list(pool.map(one, range(len(steps)), steps))


def _outcome(step: Step, folder: Path, start: float) -> Outcome:
    def ended(result: str, remark: str, version: str = "-", report: str = "") -> Outcome:
        return Outcome(step, result, time.monotonic() - start, version, remark, report)

    step.log.write_text("", encoding="utf-8")
    environment = step.environment
    if environment.python not in interpreters():
        return ended("skipped", f"no Python {environment.python} on this machine")
    try:
        for each in (environment, *step.others):
            each.make(step.log)
    except NoIndex as reason:
        return ended("skipped", str(reason))
    except subprocess.CalledProcessError:
        return ended("FAILED", "its environment could not be made")
    version = environment.version(environment.distribution or step.tool.split()[0])
    room = Room(folder, environment, step.log)
    try:
        step.check(room)
    except Skipped as reason:
        return ended("skipped", str(reason), version)
    except Failed as problem:
        return ended("FAILED", str(problem), version, room.report)
    return ended("passed", room.remark, version, room.report)


def _tell(outcome: Outcome) -> None:
    print(f"{outcome.result:8}{outcome.step.name:50}{outcome.seconds:6.0f} s  {outcome.remark}", flush=True)
    if outcome.result == "FAILED":
        lines = outcome.step.log.read_text(encoding="utf-8", errors="replace").splitlines()
        if len(lines) > SHOWN_LINES:
            print(f"    ... {len(lines) - SHOWN_LINES} lines more in {outcome.step.log}; errors among them:")
            errors = [line for line in lines[:-SHOWN_LINES] if _ERROR.match(line)]
            print("".join(f"    {line[:SHOWN_WIDTH]}\n" for line in errors[:SHOWN_LINES]))
        print("".join(f"    {line[:SHOWN_WIDTH]}\n" for line in lines[-SHOWN_LINES:]), flush=True)


def table(outcomes: Sequence[Outcome]) -> str:
    rows = [("tool", "version", "Python", "result", "seconds", "")]
    for outcome in outcomes:
        python = outcome.step.environment.python
        seconds = f"{outcome.seconds:.0f}"
        rows.append((outcome.step.tool, outcome.version, python, outcome.result, seconds, outcome.remark))
    widths = [max(len(row[column]) for row in rows) for column in range(6)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def below_floor(outcomes: Sequence[Outcome], floor: dict[str, int]) -> list[str]:
    """What ran too seldom to prove anything, so that a run in which everything was skipped does not pass."""
    ran = Counter(outcome.step.kind for outcome in outcomes if outcome.result != "skipped")
    return [f"{kind}: {ran[kind]} of at least {least} ran" for kind, least in floor.items() if ran[kind] < least]
