# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be measured alone: the playbooks, each over many rotations or consumers."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

from simulator.client import Simulator

from . import handed, listed, reported, sliced, whole
from .measuring import Cost
from .plan import Plan, Report, sampled
from .plays import FORKS, NOTHING, Bench


def _whole(plan: Plan, report: Report, folder: Path, simulator: Simulator, size: int) -> None:
    bench = Bench(folder, simulator, size)
    table = report.table(
        "bench_whole",
        f"The playbook rotate_fleet, {size} rotations, {FORKS} forks, all processes' memory together",
        *("", "wall s", "of the server's time", "CPU s", "MiB"),
    )
    for seconds in plan.seconds:
        simulator.settings(rotationSeconds=seconds)
        ours, least = whole.rotated(bench), math.ceil(size / FORKS) * seconds
        of_server = ours.wall / least if least else 0.0
        cells = (f"{ours.wall:.1f}", f"{of_server:.2f}" if least else "", f"{ours.cpu:.1f}")
        # All forks hold the most at once while they wait for the server.
        longest = seconds == max(plan.seconds)
        held = f"{whole.rotated(bench, memory=True).together:.0f}" if longest else ""
        table.rows.append((f"rotate_fleet, server {seconds:g} s", *cells, held))
        if least:
            what = f"rotate_fleet, {size} rotations, {seconds:g} s each on the server, times the server's own time"
            report.target(what, of_server, 1.1, "")
    simulator.settings(rotationSeconds=0.0)
    nothing, held = bench.fleet(NOTHING), f"{bench.fleet(NOTHING, memory=True).together:.0f}"
    table.rows.append((f"a play of {size} debug", f"{nothing.wall:.1f}", "", f"{nothing.cpu:.1f}", held))
    print(table.text(), flush=True)


def _inventory(plan: Plan, report: Report, folder: Path, simulator: Simulator, size: int) -> None:
    bench = listed.Listed(folder, simulator, size)
    table = report.table(
        "bench_inventory",
        f"Reading an inventory of {size:,} rotations",
        *("", "wall s", "CPU s", "of ansible-core's", "MiB"),
    )
    costs = sampled(plan, listed.WAYS, bench.cost, slow=listed.WAYS)
    ours, static = (costs[way] for way in listed.WAYS)
    for way, cost in costs.items():
        ratio = f"{cost.cpu / static.cpu:.2f}"
        table.rows.append((way, f"{cost.wall:.1f}", f"{cost.cpu:.1f}", ratio, f"{cost.largest:.0f}"))
    print(table.text(), flush=True)
    whose = f"An inventory of {size:,} rotations, "
    report.target(f"{whose}times the CPU of reading it as YAML", ours.cpu / static.cpu, 1.3, "")
    more = (ours.largest - static.largest) * 1024 / size
    report.target(f"{whose}more memory a host than read as YAML", more, 1, " KiB")


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
    costs = sampled(plan, reported.WAYS, bench.cost, slow=reported.WAYS)
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
        costs = sampled(plan, sliced.WAYS, cost, slow=sliced.WAYS)
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
    "inventory": ("reading an inventory, of that many rotations", _inventory, "inventory"),
    "slices": ("rotate_fleet as one job and in slices, over that many rotations", _sliced, "sliced"),
    "handover": ("handover, over that many consumers", _handover, "consumers"),
    "report": ("the report, of that many rotations", _reported, "reported"),
}
