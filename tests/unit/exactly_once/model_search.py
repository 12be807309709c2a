# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A random search for a schedule that breaks a promise. As a program it searches with new seeds, for people."""

from __future__ import annotations

import argparse
import random
import time
from typing import Any, ClassVar

from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from unit.exactly_once.model_judge import PROMISES, judge
from unit.exactly_once.model_plan import RIVALS, SIZE, plan
from unit.exactly_once.model_promises import Promise
from unit.exactly_once.model_server import Rival
from unit.exactly_once.model_task import World, run_task

A_FEW = 3
MANY = 20
STEPS = 10


class ExactlyOnce(RuleBasedStateMachine):
    """Task after task on one rotation, on one machine or another. What one leaves behind, the next one finds."""

    options: ClassVar[dict[str, Any]] = {}
    promises: ClassVar[tuple[Promise, ...]] = PROMISES
    #: Schedules that no other task had before.
    tried: ClassVar[set[int]] = set()

    @initialize(
        strict=st.booleans(),
        steady=st.sampled_from((True, True, False)),
        ahead=st.sampled_from((0.0, 0.0, 0.0, 600.0, -600.0, -4e7)),
        number=st.integers(0, 2**64),
    )
    def start(self, strict: bool, steady: bool, ahead: float, number: int) -> None:
        self.world = World(strict=strict, ahead=ahead)
        self.steady = steady
        self.chance = random.Random(number)  # noqa: S311

    @rule(blob=st.binary(min_size=SIZE * A_FEW, max_size=SIZE * A_FEW))
    def a_few_tasks(self, blob: bytes) -> None:
        self._run(blob)

    @rule(number=st.integers(0, 2**64))
    def many_tasks(self, number: int) -> None:
        """Hypothesis tries variations of what it drew, most of which are the same again; this makes them differ."""
        self.chance = random.Random(f"{self.chance.random()} {number}")  # noqa: S311
        self._run(self.chance.randbytes(SIZE * MANY))

    def _run(self, blob: bytes) -> None:
        for start in range(0, len(blob), SIZE):
            planned = plan(blob[start : start + SIZE], steady=self.steady)
            self.tried.add(hash(planned.schedule) ^ hash(tuple(planned.options.items())))
            judge(run_task(self.world, planned.schedule, **self.options, **planned.options), self.promises)

    @rule(seconds=st.sampled_from((1.0, 61.0, 400.0, 100_000.0)))
    def time_passes(self, seconds: float) -> None:
        self.world.clock.pass_until(self.world.clock.now + seconds)

    @rule(rival=st.sampled_from(RIVALS))
    def a_rival_rotates(self, rival: Rival) -> None:
        self.world.server.rival(rival)

    @rule(skew=st.sampled_from((0.0, 7200.0, -7200.0)))
    def the_servers_clock_is_set(self, skew: float) -> None:
        if not self.steady:
            self.world.server.skew = skew


def explore(machine: type[ExactlyOnce], examples: int, number: int = 0, **more: Any) -> None:
    """As many runs as that, the same ones for the same number."""
    seed(number)(machine)
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            **more,
        ),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seed", type=int, help="repeat the round of this number, and no other")
    given = parser.parse_args()
    until = time.monotonic() + given.minutes * 60
    numbers = random.SystemRandom()
    rounds = 0
    while rounds == 0 or (given.seed is None and time.monotonic() < until):
        number = numbers.randrange(2**32) if given.seed is None else given.seed
        try:
            explore(type("Searched", (ExactlyOnce,), {}), 50, number)
        except AssertionError as find:
            print(f"{find}\n\nA find, after {rounds} rounds and {len(ExactlyOnce.tried)} schedules.")
            print(
                f"Again: make search SEED={number}. Give it a name in tests/unit/exactly_once/test_rule_regressions.py."
            )
            raise SystemExit(1) from None
        rounds += 1
        print(f"{rounds} rounds, {len(ExactlyOnce.tried)} schedules, and no promise broken", flush=True)


if __name__ == "__main__":
    main()
