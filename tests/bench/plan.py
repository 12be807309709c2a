# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much is measured, and what was."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .measuring import Cost, median
from .tables import Table


@dataclass(frozen=True)
class Plan:
    """``runs`` of everything but what takes long, which is run ``slow_runs`` times.

    The recipe is run on fleets of ``sizes``, and on the largest of them for each of ``seconds`` on the server.
    """

    runs: int
    slow_runs: int
    sizes: Sequence[int]
    between: Sequence[int]
    seconds: Sequence[float]
    whole: int
    inventory: int
    consumers: int
    reported: int
    sliced: int


#: Half an hour on two idle processors, a quarter of it for ansible-core to read ten thousand hosts as YAML. The recipe
#: takes two thirds of a second for each host.
FULL = Plan(
    runs=3,
    slow_runs=1,
    sizes=(60, 100),
    between=(10, 200, 500),
    seconds=(0.0, 2.0),
    whole=1000,
    inventory=10000,
    consumers=50,
    reported=5000,
    sliced=300,
)
QUICK = Plan(
    runs=1,
    slow_runs=1,
    sizes=(5, 20),
    between=(10,),
    seconds=(0.0,),
    whole=20,
    inventory=50,
    consumers=10,
    reported=200,
    sliced=12,
)


class Report:
    """Everything that was measured."""

    def __init__(self) -> None:
        self.tables: list[Table] = []
        self.plots: dict[str, str] = {}
        self.targets = Table("bench_targets", "Targets", ("What", "Target", "Measured", ""))

    def table(self, name: str, title: str, *columns: str) -> Table:
        self.tables.append(Table(name, title, columns))
        return self.tables[-1]

    def texts(self) -> dict[str, str]:
        """The text of each table and plot for the page, by its name there."""
        return {**{table.name: table.rst() for table in self.tables}, **self.plots}

    def target(self, what: str, measured: float, limit: float, unit: str, *, least: bool = False) -> None:
        met = measured >= limit if least else measured <= limit
        words = f"at {'least' if least else 'most'} {limit:g}{unit}"
        self.targets.rows.append((what, words, f"{measured:.3g}{unit}", "met" if met else "missed"))


def sampled(plan: Plan, ways: Sequence[str], cost: Callable[[str], Cost], slow: Sequence[str] = ()) -> dict[str, Cost]:
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
