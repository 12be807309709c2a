# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""make bench: measures, prints tables with the targets beside them, and writes them into the guides.

With --quick it takes a minute or two, measures less and writes nothing. With --fleet 1000 only the playbook
rotate_fleet is measured, over a fleet of that size, and with --handover 100 only the playbook handover, over so many
consumers, and with --report 5000 only the report, of so many rotations.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import ansible.release
from simulator.client import Simulator

from . import handed, imports, reported, whole
from .measuring import Cost, median
from .plays import AS_MODULE, EMPTY_MODULE, FORKS, IN_PROCESS, NOTHING, URI, URI_ONE_LOGIN, Bench
from .tables import Table, plot, replaced

GUIDES = Path(__file__).resolve().parents[2] / "docs" / "docsite" / "rst"
LOOP = 20


@dataclass(frozen=True)
class Plan:
    """``runs`` of everything but what takes minutes, which is run ``slow_runs`` times."""

    runs: int
    slow_runs: int
    sizes: Sequence[int]
    between: Sequence[int]
    seconds: Sequence[float]
    whole: int
    consumers: int
    reported: int


FULL = Plan(
    runs=5,
    slow_runs=1,
    sizes=(10, 100, 500),
    between=(50, 200),
    seconds=(0.0, 2.0),
    whole=1000,
    consumers=100,
    reported=5000,
)
QUICK = Plan(runs=1, slow_runs=1, sizes=(5, 20), between=(10,), seconds=(0.0,), whole=20, consumers=10, reported=200)


class Report:
    """Everything that was measured."""

    def __init__(self) -> None:
        self.tables: list[Table] = []
        self.targets = Table("bench_targets", "Targets", ("What", "Target", "Measured", ""))

    def table(self, name: str, title: str, *columns: str) -> Table:
        self.tables.append(Table(name, title, columns))
        return self.tables[-1]

    def target(self, what: str, measured: float, limit: float, unit: str, *, least: bool = False) -> None:
        met = measured >= limit if least else measured <= limit
        words = f"at {'least' if least else 'most'} {limit:g}{unit}"
        self.targets.rows.append((what, words, f"{measured:.3g}{unit}", "met" if met else "missed"))


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="less of everything, and the guide is left alone")
    parser.add_argument("--fleet", type=int, metavar="SIZE", help="only rotate_fleet, with that many rotations")
    parser.add_argument("--handover", type=int, metavar="SIZE", help="only handover, over that many consumers")
    parser.add_argument("--report", type=int, metavar="SIZE", help="only the report, of that many rotations")
    arguments = parser.parse_args()
    quick, plan, report = arguments.quick, (QUICK if arguments.quick else FULL), Report()
    conditions = _conditions(plan)
    print(conditions, "\n")
    with tempfile.TemporaryDirectory(prefix="bench-") as place, Simulator() as simulator:
        folder = Path(place)
        if arguments.handover:
            _handover(plan, report, handed.Handed(folder / "handed", simulator, arguments.handover))
            if not quick and arguments.handover == plan.consumers:
                _write({table.name: table.rst() for table in report.tables})
            return 0
        if arguments.report:
            _reported(plan, report, reported.Reported(folder / "reported", simulator, arguments.report))
            if not quick and arguments.report == plan.reported:
                _write({table.name: table.rst() for table in report.tables})
            return 0
        if arguments.fleet:
            _whole(plan, report, Bench(folder / "whole", simulator, arguments.fleet))
            if not quick and arguments.fleet == plan.whole:
                _write({table.name: table.rst() for table in report.tables})
            return 0
        _one(plan, report, Bench(folder / "one", simulator, 1))
        _loop(plan, report, Bench(folder / "loop", simulator, LOOP))
        drawing = _fleets(plan, report, folder, simulator)
        _whole(plan, report, Bench(folder / "whole", simulator, plan.whole))
        _handover(plan, report, handed.Handed(folder / "handed", simulator, plan.consumers))
        _reported(plan, report, reported.Reported(folder / "reported", simulator, plan.reported))
    _imports(plan, report)
    report.tables.append(report.targets)
    print(report.targets.text())
    if not quick:
        texts = {table.name: table.rst() for table in report.tables}
        _write({**texts, "bench_conditions": conditions, "bench_plot": drawing})
    return 0


def _conditions(plan: Plan) -> str:
    return (
        f"Medians of {plan.runs} runs, of {plan.slow_runs} for the uri recipe on fleets and for handover; "
        f"{os.cpu_count()} processors, Python {platform.python_version()}, "
        f"ansible-core {ansible.release.__version__}; the server is the simulator, on the same machine."
    )


def _sampled(plan: Plan, ways: Sequence[str], cost: Callable[[str], Cost], slow: Sequence[str] = ()) -> dict[str, Cost]:
    """Medians, the ways taking turns so that a busy moment of the machine meets all of them."""
    samples: dict[str, list[Cost]] = {way: [] for way in ways}
    for way in ways:
        if way not in slow:
            cost(way)  # compiles what is compiled once
    for number in range(max(plan.runs, plan.slow_runs)):
        for way in ways:
            if number < (plan.slow_runs if way in slow else plan.runs):
                samples[way].append(cost(way))
    return {way: median(found) for way, found in samples.items()}


def _side_by_side(table: Table, costs: dict[str, Cost]) -> None:
    recipe = costs[URI]
    for way, cost in costs.items():
        ratios = [f"1/{recipe.wall / cost.wall:.1f}", f"1/{recipe.cpu / cost.cpu:.1f}"] if way != URI else ["1", "1"]
        table.rows.append((way, f"{cost.wall:.2f}", ratios[0], f"{cost.cpu:.2f}", ratios[1], f"{cost.largest:.0f}"))
    print(table.text(), flush=True)


_COLUMNS = ("", "wall s", "of the recipe", "CPU s", "of the recipe", "largest process MiB")
_WAYS = (IN_PROCESS, AS_MODULE, URI)


def _one(plan: Plan, report: Report, bench: Bench) -> None:
    costs = _sampled(plan, _WAYS, bench.one)
    _side_by_side(report.table("bench_one", "One rotation, the start of ansible-playbook included", *_COLUMNS), costs)
    ratio = costs[URI].wall / costs[IN_PROCESS].wall
    report.target("One rotation in process, times faster than the recipe", ratio, 2.5, "", least=True)


def _loop(plan: Plan, report: Report, bench: Bench) -> None:
    costs = _sampled(plan, (*_WAYS, EMPTY_MODULE), bench.loop)
    _side_by_side(report.table("bench_loop", f"{LOOP} rotations in a loop, each with its own login", *_COLUMNS), costs)
    for way, limit in ((IN_PROCESS, 14), (AS_MODULE, 3)):
        what = f"{LOOP} rotations {way}, times less CPU than the recipe"
        report.target(what, costs[URI].cpu / costs[way].cpu, limit, "", least=True)


def _fleets(plan: Plan, report: Report, folder: Path, simulator: Simulator) -> str:
    """The fleets, and how the cost grows with their size, as a drawing."""
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
    for size in sorted({*plan.sizes, *plan.between}):
        bench = Bench(folder / f"fleet-{size}", simulator, size)
        for seconds in plan.seconds if size in plan.sizes else plan.seconds[:1]:
            simulator.settings(rotationSeconds=seconds)
            slow = (URI, URI_ONE_LOGIN) if size in plan.sizes else ()
            costs = _sampled(plan, (IN_PROCESS, NOTHING, *slow), bench.fleet, slow=slow)
            if URI in costs:
                _fleet_row(report, table, size, seconds, costs)
            if not seconds:
                for way, line in lines.items():
                    line.append((size, costs[way].wall))
                walls = [costs[way].wall for way in lines]
                growth.rows.append((str(size), *(f"{wall:.2f}" for wall in walls), f"{walls[0] / size * 1000:.0f}"))
        if size == max(plan.sizes):
            simulator.settings(rotationSeconds=0.0)
            _memory(report, bench, size)
    print(table.text())
    print(growth.text(), flush=True)
    return plot("Wall time of a fleet", "rotations", "seconds", lines)


def _fleet_row(report: Report, table: Table, size: int, seconds: float, costs: dict[str, Cost]) -> None:
    ours, nothing, recipe, one_login = (costs[way].wall for way in (IN_PROCESS, NOTHING, URI, URI_ONE_LOGIN))
    recipes = [text for wall in (recipe, one_login) for text in (f"{wall:.1f}", f"{wall / ours:.1f}")]
    table.rows.append((str(size), f"{seconds:g}", f"{ours:.2f}", f"{nothing:.2f}", f"{ours / nothing:.2f}", *recipes))
    print(*table.rows[-1], sep="\t", flush=True)
    if size == 100 and not seconds:
        report.target("100 rotations at 0 s, times faster than the recipe", recipe / ours, 20, "", least=True)
        report.target("100 rotations at 0 s, times a play of 100 debug", ours / nothing, 1.5, "")


def _memory(report: Report, bench: Bench, size: int) -> None:
    table = report.table("bench_memory", f"Memory of {size} hosts, all processes together", "", "MiB")
    held = {way: bench.fleet(way, memory=True).together for way in (IN_PROCESS, NOTHING)}
    table.rows += [(way, f"{amount:.0f}") for way, amount in held.items()]
    print(table.text(), flush=True)
    more = held[IN_PROCESS] - held[NOTHING]
    report.target(f"{size} hosts in process, more memory than with debug", more, 300, " MiB")


#: The recipe takes ten minutes for 1,000: it is measured on the first ones, and compared for each rotation.
_FIRST = 100


def _whole(plan: Plan, report: Report, bench: Bench) -> None:
    size, first = len(bench.ids), min(_FIRST, len(bench.ids))
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


_OF_CONSUMERS = "bench_handover"
_OF_REPORT = "bench_report"
#: In which guides the tables stand that are not in the one on fleets.
_ELSEWHERE = {_OF_CONSUMERS: "guide_handover.rst", _OF_REPORT: "guide_report.rst"}


def _handover(plan: Plan, report: Report, bench: handed.Handed) -> None:
    table = report.table(
        _OF_CONSUMERS,
        f"Handing over to {len(bench.handover.hosts)} consumers, {FORKS} forks",
        *("", "wall s", "times the copy", "CPU s", "times the copy"),
    )
    costs = _sampled(plan, handed.WAYS, bench.cost, slow=handed.WAYS)
    copy = costs[handed.COPY]
    for way, cost in costs.items():
        ratios = (f"{cost.wall / copy.wall:.1f}", f"{cost.cpu / copy.cpu:.1f}")
        table.rows.append((way, f"{cost.wall:.1f}", ratios[0], f"{cost.cpu:.1f}", ratios[1]))
    print(table.text(), flush=True)


def _reported(plan: Plan, report: Report, bench: reported.Reported) -> None:
    table = report.table(
        _OF_REPORT,
        f"A report of {bench.size:,} rotations in {reported.PROJECTS} projects",
        *("", "wall s", "times the report", "CPU s", "MiB", "times the report"),
    )
    costs = _sampled(plan, reported.WAYS, bench.cost)
    held = {way: bench.cost(way, memory=True).together for way in reported.WAYS}
    ours = costs[reported.REPORT]
    for way, cost in costs.items():
        ratios = (f"{cost.wall / ours.wall:.1f}", f"{held[way] / held[reported.REPORT]:.1f}")
        table.rows.append((way, f"{cost.wall:.1f}", ratios[0], f"{cost.cpu:.1f}", f"{held[way]:.0f}", ratios[1]))
    print(table.text(), flush=True)


def _imports(plan: Plan, report: Report) -> None:
    table = report.table("bench_imports", "Start of the module: imports, by python -X importtime", "", "ms")
    found = imports.milliseconds(plan.runs)
    table.rows += [(imports.PARTS[name], f"{found[name]:.0f}") for name in imports.PARTS if name in found]
    print(table.text(), flush=True)


def _write(texts: Mapping[str, str]) -> None:
    for name, text in texts.items():
        path = GUIDES / _ELSEWHERE.get(name, "guide_fleets.rst")
        path.write_text(replaced(path.read_text(encoding="utf-8"), name, text), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
