# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a run over a fleet went: whether it goes on after a batch, and what is said of it at the end. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Result = Mapping[str, Any]

FAILURES = ("failed", "unknown")
_ROTATED = ("rotated", "rotated_by_another", "would_rotate")


def result_of(registered: Any) -> dict[str, Any]:
    """What a task left, with an outcome also where it failed before it began or its host could not be reached."""
    if not isinstance(registered, Mapping):
        return {"outcome": "not_attempted", "msg": "Not attempted."}
    if registered.get("unreachable"):
        return {**registered, "outcome": "failed", "msg": f"Could not be reached: {registered.get('msg', '')}"}
    return {"outcome": "failed", **registered}


def why_stop(results: Sequence[Result], max_fail_percentage: float, *, first: bool, due: int) -> str:
    """Why the batch after this one must not begin; empty where it may."""
    outcomes = [str(result["outcome"]) for result in results]
    failed = sum(outcome in FAILURES for outcome in outcomes)
    if failed * 100 > max_fail_percentage * len(outcomes):
        return f"{failed} of {len(outcomes)} failed in this batch."
    if first and due and not any(outcome in _ROTATED for outcome in outcomes):
        return "The first batch rotated nothing, though something is due: it proves nothing. Run again."
    return ""


def summary(
    results: Mapping[str, Result],
    *,
    same: Mapping[str, str],
    problems: Sequence[str],
    warnings: Sequence[str],
    stopped: str,
    check_mode: bool,
) -> dict[str, Any]:
    """The lines for people, the report for programs, and the hosts that failed.

    ``problems`` are failures of the run and of no host; ``warnings`` are none.
    """
    everything = dict(results)
    for host, other in same.items():
        everything[host] = {"outcome": "same_as_another", "msg": f"The same rotation as {other}, and left to it."}
    failed = {host: result for host, result in everything.items() if result["outcome"] in FAILURES}
    counts = {
        "rotated": _count(everything, _ROTATED),
        "not_due": _count(everything, ("not_due",)),
        "failed": len(failed),
        "not_attempted": _count(everything, ("not_attempted",)),
        "same_as_another": len(same),
    }
    lines = [_counted(counts, check_mode) if everything else "There is nothing to rotate: no rotation was selected."]
    lines += [f"{host}: {result.get('msg', '')}" for host, result in failed.items()]
    lines += [f"{host}: {everything[host]['msg']}" for host in same]
    lines += [*problems, *([f"Stopped: {stopped}"] if stopped else []), *(f"Warning: {text}" for text in warnings)]
    report = {
        "check_mode": check_mode,
        "counts": counts,
        "problems": list(problems),
        "stopped": stopped or None,
        "warnings": list(warnings),
        "rotations": [{"host": host, "result": result} for host, result in everything.items()],
    }
    return {"lines": lines, "report": report, "marked": _marked(everything, failed, [*problems, stopped])}


def _marked(results: Mapping[str, Result], failed: Mapping[str, Result], reasons: Sequence[str]) -> dict[str, str]:
    """The hosts that fail, with the reason. What is no host's fault falls to the first one: nothing else can fail."""
    if failed:
        return {host: str(result.get("msg", "")) for host, result in failed.items()}
    said = " ".join(filter(None, reasons))
    return {next(iter(results)): said} if said else {}


def _count(results: Mapping[str, Result], outcomes: Sequence[str]) -> int:
    return sum(result["outcome"] in outcomes for result in results.values())


def _counted(counts: Mapping[str, int], check_mode: bool) -> str:
    rotated = "would be rotated" if check_mode else "rotated"
    parts = [f"{counts['rotated']} {rotated}"]
    parts += [f"{counts[key]} {key.replace('_', ' ')}" for key in ("not_due", "failed", "not_attempted")]
    if counts["same_as_another"]:
        parts.append(f"{counts['same_as_another']} the same as another")
    return f"{'Check mode: ' if check_mode else ''}{', '.join(parts)}"
