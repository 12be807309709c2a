# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m quality [WORD ...]`: every step, or only those whose name holds one of the words."""

from __future__ import annotations

import sys
import time

from . import engine
from .steps import FLOOR, STEPS


def main(words: list[str]) -> int:
    start = time.monotonic()
    chosen = [step for step in STEPS if not words or any(word in step.name for word in words)]
    outcomes = engine.run(chosen)
    problems = [f"{outcome.step.name}: {outcome.remark}" for outcome in outcomes if outcome.result == "FAILED"]
    if not words:
        problems += engine.below_floor(outcomes, FLOOR)
    elif not chosen:
        problems.append(f"no step is called {' or '.join(words)}")
    print(f"\n{engine.table(outcomes)}\n\n{time.monotonic() - start:.0f} seconds in all")
    for outcome in outcomes:
        if outcome.report:
            print(f"\n{outcome.step.tool}:\n{outcome.report}")
    for problem in problems:
        print(f"FAILED {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
