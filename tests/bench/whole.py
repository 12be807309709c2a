# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook rotate_fleet itself, over a large fleet: what it costs, and that it did what it says."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from .measuring import Cost
from .plays import FORKS, Bench

PLAYBOOK = "secretops.infisical.rotate_fleet"


class Wrong(Exception):
    """The playbook ended with 0, and yet the server or the report tells something else."""


def rotated(bench: Bench, *, memory: bool = False) -> Cost:
    """All of the fleet by the playbook, each exactly once, with one login besides that of the inventory."""
    report = bench.workspace.folder / "report.json"
    report.unlink(missing_ok=True)
    before = bench.completed()
    bench.simulator.clear_log()
    variables = {"rotate_report": str(report), "rotate_min_age": "0"}
    arguments = ("-i", str(bench.inventory), "--forks", str(FORKS), "-e", json.dumps(variables))
    cost = bench.command("1", PLAYBOOK, *arguments, memory=memory)
    _check(bench, before, report)
    return cost


def _check(bench: Bench, before: dict[str, int], report: Path) -> None:
    simulator, after = bench.simulator, bench.completed()
    moved = Counter(after[rotation] - before[rotation] for rotation in bench.ids)
    requests = Counter(entry["path"].rpartition("/")[2] for entry in simulator.log(method="POST"))
    alive = [token for token in simulator.state()["tokens"] if token["method"] != "token-auth" and not token["revoked"]]
    told = report.read_text(encoding="utf-8").count('"outcome": "rotated"')
    found = (moved, requests, len(alive), told)
    size = len(bench.ids)
    if found != ({1: size}, {"login": 2, "rotate-secrets": size, "revoke": 2}, 0, size):
        raise Wrong(f"rotations by times, requests, tokens left, outcomes in the report: {found}")
