# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wall time, CPU time and memory of a command with everything that it starts."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

MIB = 1024.0
#: Seconds between two looks at the memory; a look costs time itself, so that it has a run of its own.
_LOOK = 0.25
_TIMEOUT = 3600.0


class CommandFailed(Exception):
    """What is measured must have worked."""


@dataclass(frozen=True)
class Cost:
    """``largest`` is the memory of the largest process and ``together`` that of all at once, in MiB."""

    wall: float
    cpu: float
    largest: float
    together: float = 0.0


def measured(command: Sequence[str], env: Mapping[str, str], folder: Path, *, memory: bool = False) -> Cost:
    """The command's cost. With ``memory`` only the memory is worth reading, for looking at it takes time."""
    output = folder / "output.txt"
    with output.open("wb") as file:
        begun = time.monotonic()
        process = subprocess.Popen(
            command, cwd=folder, env=dict(env), stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT
        )
        together = _watched(process.pid, begun) if memory else 0.0
        _pid, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise CommandFailed(f"{' '.join(command)}: {output.read_text(encoding='utf-8', errors='replace')[-4000:]}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / MIB, together)


def _watched(pid: int, begun: float) -> float:
    """The largest sum of what the process and its descendants hold, shared pages shared out among them."""
    largest = 0.0
    while os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        if time.monotonic() - begun > _TIMEOUT:
            raise CommandFailed("no end in sight")
        largest = max(largest, sum(_proportional(each) for each in _family(pid)))
        time.sleep(_LOOK)
    return largest


def _family(pid: int) -> list[int]:
    found = [pid]
    for member in found:
        for task in Path(f"/proc/{member}/task").glob("*/children"):
            try:
                found += [int(child) for child in task.read_text(encoding="ascii").split()]
            except OSError:
                continue
    return found


def _proportional(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / MIB


def median(costs: Sequence[Cost]) -> Cost:
    return Cost(
        *(statistics.median(getattr(cost, name) for cost in costs) for name in ("wall", "cpu", "largest", "together"))
    )
