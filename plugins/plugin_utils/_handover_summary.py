# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a handover went: which consumer holds which secret, since when, proved how. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

State = Mapping[str, Any]
_NONE: State = {"secret_id": "", "state": "not_reached", "since": None, "how": "", "problem": ""}


def summary(
    rotations: Sequence[Mapping[str, Any]],
    states: Mapping[str, State | None],
    told: Sequence[str],
    refused: str,
    *,
    check_mode: bool,
) -> dict[str, Any]:
    """The lines for people, the report for programs, and the hosts that fail, with the reason.

    ``rotations`` have ``rotation_id``, ``listed`` (their complete list of consumers) and ``hosts`` (those of this run).
    """
    consumers = [
        {"host": host, "rotation_id": each["rotation_id"], "in_this_run": host in each["hosts"], **_told(states, host)}
        for each in rotations
        for host in each["listed"]
    ]
    lines = [*told]
    lines += [_line(consumer) for consumer in consumers]
    counts = {state: sum(each["state"] == state for each in consumers) for state in _order(consumers)}
    counted = ", ".join(f"{count} {state.replace('_', ' ')}" for state, count in counts.items())
    lines.append(f"{'Check mode: ' if check_mode else ''}Of {len(consumers)} consumers: {counted}.")
    if refused:
        lines.append(f"Stopped: {refused}")
    report = {
        "check_mode": check_mode,
        "consumers": consumers,
        "counts": counts,
        "stopped": refused or None,
        "told": list(told),
    }
    return {"lines": lines, "report": report, "marked": _marked(consumers, refused)}


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
    if consumer["state"] == "not_reached":
        there = consumer["in_this_run"]
        why = "not attempted, or not reached" if there else "not in this run, or in another batch of it"
        return f"{consumer['host']}: {why}"
    since = f" since {consumer['since']}" if consumer["since"] else ""
    how = f" ({consumer['how']})" if consumer["how"] else ""
    problem = f": {consumer['problem']}" if consumer["problem"] else ""
    return f"{consumer['host']}: {consumer['state']} {consumer['secret_id'] or 'unknown'}{since}{how}{problem}"


def _marked(consumers: Sequence[Mapping[str, Any]], refused: str) -> dict[str, str]:
    """What is no consumer's fault falls to the first of this run: nothing else can fail."""
    failed = {each["host"]: str(each["problem"]) for each in consumers if each["state"] == "failed"}
    if failed or not refused:
        return failed
    return {next((each["host"] for each in consumers if each["in_this_run"]), ""): refused}
