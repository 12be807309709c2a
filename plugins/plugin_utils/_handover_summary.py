# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a handover went: which consumer holds which secret, since when, proved how. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.secretops.infisical.plugins.plugin_utils._run_stats import some_of, stats

State = Mapping[str, Any]
_NONE: State = {"secret_id": "", "state": "not_reached", "since": None, "how": "", "problem": ""}


def summary(
    rotations: Sequence[Mapping[str, Any]],
    states: Mapping[str, State | None],
    told: Sequence[str],
    refused: str,
    *,
    check_mode: bool,
    moments: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The texts for people, the report for programs, the stats for the next job, and the hosts that fail.

    ``rotations`` have ``rotation_id``, ``listed`` (their complete list of consumers) and ``hosts`` (those of this run).
    ``moments`` are timestamps as the server wrote them.
    """
    consumers = [
        {"host": host, "rotation_id": each["rotation_id"], "in_this_run": host in each["hosts"], **_told(states, host)}
        for each in rotations
        for host in each["listed"]
    ]
    counts = {state: sum(each["state"] == state for each in consumers) for state in _order(consumers)}
    counted = ", ".join(f"{count} {state.replace('_', ' ')}" for state, count in counts.items())
    parts = [*told, f"{'Check mode: ' if check_mode else ''}Of {len(consumers)} consumers: {counted}."]
    elsewhere = [each["host"] for each in consumers if not each["in_this_run"] and each["state"] == "not_reached"]
    if elsewhere:
        parts.append(f"Not in this run, or in another batch of it: {some_of(elsewhere)}.")
    if refused:
        parts.append(f"Stopped: {refused}")
    report = {
        "check_mode": check_mode,
        "consumers": consumers,
        "counts": counts,
        "stopped": refused or None,
        "told": list(told),
    }
    marked = _marked(consumers, refused)
    sentence = " ".join(parts)
    return {
        "told": sentence,
        "consumers": {
            each["host"]: _line(each) for each in consumers if each["state"] not in ("failed", "not_reached")
        },
        "report": report,
        "marked": marked,
        "stats": stats(
            "handover", sentence, counts=counts, failures=marked, moments=moments or {}, check_mode=check_mode
        ),
    }


def problem_of(failed_task: Mapping[str, Any], ending: str) -> str:
    """Why a consumer did not take the secret: names and an exit code, for a result may hold the secret."""
    if not failed_task:
        return ""
    rc = f", rc {failed_task['rc']}" if str(failed_task["rc"]).strip() else ""
    said = f": {failed_task['said'].rstrip('.')}" if failed_task["said"] else ""
    return f"the task '{failed_task['name']}' (module {failed_task['action']}{rc}) failed{said}. {ending}"


def _told(states: Mapping[str, State | None], host: str) -> dict[str, Any]:
    found = states.get(host) or _NONE
    return {key: found[key] for key in _NONE}


def _order(consumers: Sequence[Mapping[str, Any]]) -> list[str]:
    known = ("proven", "checked", "delivered", "predicted", "failed", "not_reached")
    there = {each["state"] for each in consumers}
    return [state for state in known if state in there]


def _line(consumer: Mapping[str, Any]) -> str:
    since = f" since {consumer['since']}" if consumer["since"] else ""
    how = f" ({consumer['how']})" if consumer["how"] else ""
    return f"{consumer['state']} {consumer['secret_id'] or 'unknown'}{since}{how}"


def _marked(consumers: Sequence[Mapping[str, Any]], refused: str) -> dict[str, str]:
    """What is no consumer's fault falls to the first of this run: nothing else can fail.

    Who was not reached fails too, for a run over those that failed, as Tower's relaunch is one, would leave it out.
    """
    here = [each for each in consumers if each["in_this_run"]]
    failed = {each["host"]: str(each["problem"]) for each in here if each["state"] == "failed"}
    if not (failed or refused):
        return {}
    failed = failed or {next((each["host"] for each in here), ""): refused}
    left = [each["host"] for each in here if each["state"] == "not_reached" and each["host"] not in failed]
    return {**failed, **{host: f"Not attempted, or not reached: see {next(iter(failed))}." for host in left}}
