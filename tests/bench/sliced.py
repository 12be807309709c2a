# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook rotate_fleet as one job of Tower, and as slices of one that run at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from support.ansible import Workspace

from .measuring import Cost
from .plays import FORKS, Bench
from .whole import PLAYBOOK

SLICES = 3
ONE_JOB, AT_ONCE = "one job", f"{SLICES} slices at once"
WAYS = (ONE_JOB, AT_ONCE)


class Wrong(Exception):
    """It ended with 0, and yet not each was rotated once."""


def cost(bench: Bench, way: str) -> tuple[Cost, int]:
    """What it costs, and how many logins it took."""
    before = bench.completed()
    bench.simulator.clear_log()
    size = len(bench.ids)
    numbers = range(SLICES) if way == AT_ONCE else range(1)
    share = -(-size // len(numbers))
    limits = [f"okta_client_secret_rotations[{n * share}:{min(size, (n + 1) * share) - 1}]" for n in numbers]
    with ThreadPoolExecutor(len(limits)) as pool:
        costs = list(pool.map(lambda number: _slice(bench, number, limits[number]), numbers))
    after = bench.completed()
    if any(after[each] - before[each] != 1 for each in bench.ids):
        raise Wrong(f"{way}: not every rotation was rotated exactly once")
    logins = sum(entry["path"].endswith("/login") for entry in bench.simulator.log(method="POST"))
    return Cost(max(each.wall for each in costs), sum(each.cpu for each in costs), 0.0), logins


def _slice(bench: Bench, number: int, limit: str) -> Cost:
    """In a folder of its own, as Tower runs it in a container of its own."""
    workspace = Workspace(bench.workspace.folder / f"slice-{number}")
    arguments = ("-i", str(bench.inventory), "--limit", limit, "--forks", str(FORKS), "-e", "rotate_min_age=0")
    return bench.command("1", PLAYBOOK, *arguments, workspace=workspace)
