# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a run over a fleet went: whether it goes on after a batch, and what is said of it at the end. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.secretops.infisical.plugins.plugin_utils._run_stats import MOST, stats

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
    """The text for people, the report for programs, the stats for the next job, and the hosts that fail.

    ``problems`` are failures of the run and of no host; ``warnings`` are none. A failure is told where its host fails,
    and not in the text.
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
    counted = _counted(counts, check_mode) if everything else "There is nothing to rotate: no rotation was selected."
    twins = [f"{host} is the same rotation as {other}." for host, other in list(same.items())[:MOST]]
    halt = [f"Stopped: {stopped}"] if stopped else []
    told = " ".join([counted, *twins, *halt, *(f"Warning: {text}" for text in warnings)])
    marked = _marked(results, [*problems, *([] if failed else [stopped])])
    report = {
        "check_mode": check_mode,
        "counts": counts,
        "problems": list(problems),
        "stopped": stopped or None,
        "warnings": list(warnings),
        "rotations": [{"host": host, "result": result} for host, result in everything.items()],
    }
    handed_on = stats(
        "rotate_fleet", told, counts=counts, failures=marked, moments=_moments(results), check_mode=check_mode
    )
    return {"told": told, "report": report, "marked": marked, "stats": handed_on}


def _marked(results: Mapping[str, Result], reasons: Sequence[str]) -> dict[str, str]:
    """The hosts that fail, with the reason.

    One that was not attempted fails too: whoever runs again over those that failed, as Tower's relaunch and a retry
    file do, would leave it out for good. What is no host's fault is told by the first one that fails.
    """
    said = " ".join(filter(None, reasons))
    wrong = {host: str(result.get("msg", "")) for host, result in results.items() if result["outcome"] in FAILURES}
    if not (wrong or said):
        return {}
    left = [host for host, result in results.items() if result["outcome"] == "not_attempted"]
    if not wrong:
        wrong = {(left or list(results))[0]: ""} if results else {}
    first = next(iter(wrong), "")
    marked = {host: f"{said} {text}".strip() if host == first else text for host, text in wrong.items()}
    return {**marked, **{host: f"Not attempted: see {first}." for host in left if host != first}}


def _moments(results: Mapping[str, Result]) -> dict[str, str]:
    """When the first and the last of those that were rotated were."""
    rotated = [result for result in results.values() if result["outcome"] in ("rotated", "rotated_by_another")]
    moments = sorted(str(result["secretRotation"]["lastRotatedAt"]) for result in rotated if "secretRotation" in result)
    return {"first_rotated_at": moments[0], "last_rotated_at": moments[-1]} if moments else {}


def _count(results: Mapping[str, Result], outcomes: Sequence[str]) -> int:
    return sum(result["outcome"] in outcomes for result in results.values())


def _counted(counts: Mapping[str, int], check_mode: bool) -> str:
    rotated = "would be rotated" if check_mode else "rotated"
    parts = [f"{counts['rotated']} {rotated}"]
    parts += [f"{counts[key]} {key.replace('_', ' ')}" for key in ("not_due", "failed", "not_attempted")]
    if counts["same_as_another"]:
        parts.append(f"{counts['same_as_another']} the same as another")
    return f"{'Check mode: ' if check_mode else ''}{', '.join(parts)}."
