# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be measured alone: the playbooks, each over many rotations or consumers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from simulator.client import Simulator

from . import handed, reported, sliced, whole
from .measuring import Cost
from .plan import Plan, Report, sampled
from .plays import FORKS, NOTHING, URI, URI_ONE_LOGIN, Bench

#: The recipe takes ten minutes for 1,000: it is measured on the first ones, and compared for each rotation.
_FIRST = 100


def _whole(plan: Plan, report: Report, folder: Path, simulator: Simulator, size: int) -> None:
    bench = Bench(folder, simulator, size)
    first = min(_FIRST, size)
    table = report.table(
        "bench_whole",
        f"The playbook rotate_fleet, {size} rotations, {FORKS} forks, all processes' memory together",
        *("Rotations", "Server s", "wall s", "CPU s", "MiB", "debug s", "debug MiB"),
        *(f"recipe, first {first}, s", "times faster each", "with one login s", "times faster each"),
    )
    for seconds in plan.seconds:
        bench.simulator.settings(rotationSeconds=seconds)
        ours, nothing = whole.rotated(bench), bench.fleet(NOTHING)
        held = [whole.rotated(bench, memory=True).together, bench.fleet(NOTHING, memory=True).together]
        recipes = [bench.fleet(way, first=first).wall for way in (URI, URI_ONE_LOGIN)]
        against = [text for wall in recipes for text in (f"{wall:.1f}", f"{wall / first * size / ours.wall:.1f}")]
        cells = [f"{ours.wall:.1f}", f"{ours.cpu:.1f}", f"{held[0]:.0f}", f"{nothing.wall:.1f}", f"{held[1]:.0f}"]
        table.rows.append((str(size), f"{seconds:g}", *cells, *against))
    bench.simulator.settings(rotationSeconds=0.0)
    print(table.text(), flush=True)


def _handover(plan: Plan, report: Report, folder: Path, simulator: Simulator, size: int) -> None:
    bench = handed.Handed(folder, simulator, size)
    table = report.table(
        "bench_handover",
        f"Handing over to {len(bench.handover.hosts)} consumers, {FORKS} forks",
        *("", "wall s", "times the copy", "CPU s", "times the copy"),
    )
    costs = sampled(plan, handed.WAYS, bench.cost, slow=handed.WAYS)
    copy = costs[handed.COPY]
    for way, cost in costs.items():
        ratios = (f"{cost.wall / copy.wall:.1f}", f"{cost.cpu / copy.cpu:.1f}")
        table.rows.append((way, f"{cost.wall:.1f}", ratios[0], f"{cost.cpu:.1f}", ratios[1]))
    print(table.text(), flush=True)


def _reported(plan: Plan, report: Report, folder: Path, simulator: Simulator, size: int) -> None:
    bench = reported.Reported(folder, simulator, size)
    table = report.table(
        "bench_report",
        f"A report of {bench.size:,} rotations in {reported.PROJECTS} projects",
        *("", "wall s", "times the report", "CPU s", "MiB", "times the report"),
    )
    costs = sampled(plan, reported.WAYS, bench.cost)
    held = {way: bench.cost(way, memory=True).together for way in reported.WAYS}
    ours = costs[reported.REPORT]
    for way, cost in costs.items():
        ratios = (f"{cost.wall / ours.wall:.1f}", f"{held[way] / held[reported.REPORT]:.1f}")
        table.rows.append((way, f"{cost.wall:.1f}", ratios[0], f"{cost.cpu:.1f}", f"{held[way]:.0f}", ratios[1]))
    print(table.text(), flush=True)


def _sliced(plan: Plan, report: Report, folder: Path, simulator: Simulator, size: int) -> None:
    bench = Bench(folder, simulator, size)
    table = report.table(
        "bench_slices",
        f"rotate_fleet over {size} rotations as one job and as slices, {FORKS} forks each",
        *("Server s", "", "wall s", "of one job", "CPU s", "of one job", "logins"),
    )
    logins: dict[str, int] = {}

    def cost(way: str) -> Cost:
        found, logins[way] = sliced.cost(bench, way)
        return found

    for seconds in plan.seconds:
        simulator.settings(rotationSeconds=seconds)
        costs = sampled(plan, sliced.WAYS, cost)
        one = costs[sliced.ONE_JOB]
        for way, each in costs.items():
            ratios = (f"{each.wall / one.wall:.2f}", f"{each.cpu / one.cpu:.2f}")
            cells = (way, f"{each.wall:.1f}", ratios[0], f"{each.cpu:.1f}", ratios[1], str(logins[way]))
            table.rows.append((f"{seconds:g}", *cells))
    simulator.settings(rotationSeconds=0.0)
    print(table.text(), flush=True)


#: By name: what it is, how, and which number of the plan is its usual size.
PARTS: dict[str, tuple[str, Callable[[Plan, Report, Path, Simulator, int], None], str]] = {
    "fleet": ("rotate_fleet, with that many rotations", _whole, "whole"),
    "slices": ("rotate_fleet as one job and in slices, over that many rotations", _sliced, "sliced"),
    "handover": ("handover, over that many consumers", _handover, "consumers"),
    "report": ("the report, of that many rotations", _reported, "reported"),
}
