# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""make bench: measures, prints tables with the targets beside them, and writes them into the documentation.

It takes half an hour to an hour, by the machine, and each part writes its tables when it ends. With --quick it takes a
minute or two, measures less and writes nothing. With --fleet 1000, --inventory 10000, --slices 300, --handover 50 or
--report 5000 only that part is measured, with so many rotations or consumers.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import ansible.release
from simulator.client import Simulator

from . import imports
from .measuring import Cost
from .parts import PARTS
from .plan import FULL, QUICK, Plan, Report, sampled
from .plays import AS_MODULE, EMPTY_MODULE, FORKS, IN_PROCESS, NOTHING, URI, URI_ONE_LOGIN, Bench
from .tables import Table, plot, replaced

PAGE = Path(__file__).resolve().parents[2] / "docs" / "docsite" / "rst" / "measurements.rst"
LOOP = 20


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="less of everything, and the page is left alone")
    for name, (what, _measure, _usual) in PARTS.items():
        parser.add_argument(f"--{name}", type=int, metavar="SIZE", help=f"only {what}")
    arguments = parser.parse_args()
    quick, plan, report = arguments.quick, (QUICK if arguments.quick else FULL), Report()
    conditions = _conditions(plan)
    print(conditions, "\n")
    with tempfile.TemporaryDirectory(prefix="bench-") as place, Simulator() as simulator:
        folder = Path(place)
        chosen = next((name for name in PARTS if getattr(arguments, name)), "")
        for name in [chosen] if chosen else [*_BASIC, *PARTS]:
            if name in _BASIC:
                _BASIC[name](plan, report, folder, simulator)
                usual = True
            else:
                _what, measure, number = PARTS[name]
                size = getattr(arguments, name) or getattr(plan, number)
                measure(plan, report, folder / name, simulator, size)
                usual = size == getattr(plan, number)
            if usual and not quick:
                # Part by part: a fault late in the hour loses nothing.
                _write(report.texts())
    if report.targets.rows:
        print(report.targets.text())
    if not chosen and not quick:
        _write({"bench_targets": report.targets.rst(), "bench_conditions": conditions})
    return 0


def _conditions(plan: Plan) -> str:
    return (
        f"Medians of {plan.runs} runs, of {plan.slow_runs} of what takes long; "
        f"{os.cpu_count()} processors, Python {platform.python_version()}, "
        f"ansible-core {ansible.release.__version__}; the server is the simulator, on the same machine."
    )


def _side_by_side(table: Table, costs: dict[str, Cost]) -> None:
    recipe = costs[URI]
    for way, cost in costs.items():
        ratios = [f"1/{recipe.wall / cost.wall:.1f}", f"1/{recipe.cpu / cost.cpu:.1f}"] if way != URI else ["1", "1"]
        table.rows.append((way, f"{cost.wall:.2f}", ratios[0], f"{cost.cpu:.2f}", ratios[1], f"{cost.largest:.0f}"))
    print(table.text(), flush=True)


_COLUMNS = ("", "wall s", "of the recipe", "CPU s", "of the recipe", "largest process MiB")
_WAYS = (IN_PROCESS, AS_MODULE, URI)


def _one(plan: Plan, report: Report, folder: Path, simulator: Simulator) -> None:
    bench = Bench(folder / "one", simulator, 1)
    costs = sampled(plan, _WAYS, bench.one)
    _side_by_side(report.table("bench_one", "One rotation, the start of ansible-playbook included", *_COLUMNS), costs)
    ratio = costs[URI].wall / costs[IN_PROCESS].wall
    report.target("One rotation in process, times faster than the recipe", ratio, 2.5, "", least=True)


def _loop(plan: Plan, report: Report, folder: Path, simulator: Simulator) -> None:
    bench = Bench(folder / "loop", simulator, LOOP)
    costs = sampled(plan, (*_WAYS, EMPTY_MODULE, NOTHING), bench.loop, slow=(URI,))
    _side_by_side(report.table("bench_loop", f"{LOOP} rotations in a loop, each with its own login", *_COLUMNS), costs)
    what, cpu = f"{LOOP} rotations {{}}, times", {way: cost.cpu for way, cost in costs.items()}
    ours = f"{what.format(IN_PROCESS)} "
    report.target(f"{ours}less CPU than the recipe", cpu[URI] / cpu[IN_PROCESS], 18, "", least=True)
    report.target(f"{ours}the CPU of as many debug", cpu[IN_PROCESS] / cpu[NOTHING], 1.4, "")
    whose = f"{what.format(AS_MODULE)} the CPU of as many ansible.builtin.ping"
    report.target(whose, cpu[AS_MODULE] / cpu[EMPTY_MODULE], 1.5, "")


def _fleets(plan: Plan, report: Report, folder: Path, simulator: Simulator) -> None:
    """The fleets, and how the cost grows with their size, as a drawing too."""
    table = report.table(
        "bench_fleets",
        f"Fleets, {FORKS} forks",
        *("Rotations", "Server s", "in process s", "debug s", "of debug"),
        *("uri recipe s", "times faster", "with one login s", "times faster"),
    )
    growth = report.table(
        "bench_growth",
        "Growth with the number of rotations, server 0 s",
        "Rotations",
        "in process s",
        "debug s",
        "ms each",
    )
    lines: dict[str, list[tuple[float, float]]] = {IN_PROCESS: [], NOTHING: []}
    sizes = sorted({*plan.sizes, *plan.between})
    for size in sizes:
        bench = Bench(folder / f"fleet-{size}", simulator, size)
        for seconds in plan.seconds if size == max(plan.sizes) else plan.seconds[:1]:
            simulator.settings(rotationSeconds=seconds)
            slow = (URI, URI_ONE_LOGIN) if size in plan.sizes else ()
            costs = sampled(plan, (IN_PROCESS, NOTHING, *slow), bench.fleet, slow=slow)
            if URI in costs:
                _fleet_row(report, table, size, seconds, costs)
            if not seconds:
                for way, line in lines.items():
                    line.append((size, costs[way].wall))
                walls = [costs[way].wall for way in lines]
                growth.rows.append((str(size), *(f"{wall:.2f}" for wall in walls), f"{walls[0] / size * 1000:.0f}"))
        simulator.settings(rotationSeconds=0.0)
    _memory(report, bench, sizes[-1])
    print(table.text())
    print(growth.text(), flush=True)
    report.plots["bench_plot"] = plot("Wall time of a fleet", "rotations", "seconds", lines)


def _fleet_row(report: Report, table: Table, size: int, seconds: float, costs: dict[str, Cost]) -> None:
    ours, nothing, recipe, one_login = (costs[way].wall for way in (IN_PROCESS, NOTHING, URI, URI_ONE_LOGIN))
    recipes = [text for wall in (recipe, one_login) for text in (f"{wall:.1f}", f"{wall / ours:.1f}")]
    table.rows.append((str(size), f"{seconds:g}", f"{ours:.2f}", f"{nothing:.2f}", f"{ours / nothing:.2f}", *recipes))
    print(*table.rows[-1], sep="\t", flush=True)
    if not seconds:
        report.target(f"{size} hosts, server 0 s, times faster than the recipe", recipe / ours, 20, "", least=True)
        report.target(f"{size} hosts, server 0 s, times a play of {size} debug", ours / nothing, 1.3, "")


def _memory(report: Report, bench: Bench, size: int) -> None:
    table = report.table("bench_memory", f"Memory of {size} hosts, all processes together", "", "MiB")
    held = {way: bench.fleet(way, memory=True).together for way in (IN_PROCESS, NOTHING)}
    table.rows += [(way, f"{amount:.0f}") for way, amount in held.items()]
    print(table.text(), flush=True)
    more = held[IN_PROCESS] - held[NOTHING]
    report.target(f"{size} hosts in process, more memory than with debug", more, 300, " MiB")


def _imports(plan: Plan, report: Report, _folder: Path, _simulator: Simulator) -> None:
    table = report.table("bench_imports", "Start of the module: imports, by python -X importtime", "", "ms")
    found = imports.milliseconds(plan.runs)
    table.rows += [(imports.PARTS[name], f"{found[name]:.0f}") for name in imports.PARTS if name in found]
    print(table.text(), flush=True)


#: By name: what is always measured in full.
_BASIC = {"one": _one, "loop": _loop, "fleets": _fleets, "imports": _imports}


def _write(texts: Mapping[str, str]) -> None:
    page = PAGE.read_text(encoding="utf-8")
    for name, text in texts.items():
        page = replaced(page, name, text)
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
