# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rule of a handover: whether to rotate now, and who has to hold the active secret before. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ansible_collections.secretops.infisical.plugins.module_utils._rotations.durations import in_words

#: How far the active secret has come to a consumer; each state includes those before it.
STATES = ("failed", "delivered", "checked", "proven")
ROTATE, DONE, REFUSE = "rotate", "done", "refuse"


@dataclass(frozen=True)
class Settings:
    """Of the whole run. ``window`` and ``min_age`` are seconds."""

    min_age: int
    window: int
    require: str
    leaked_secret_id: str = ""
    cut_off: Sequence[str] = ()


@dataclass(frozen=True)
class Standing:
    """What is known of a rotation. ``rotated`` says whether this run has rotated it already."""

    name: str
    active_id: str
    previous_id: str
    last_rotated_at: datetime
    next_rotation_at: datetime | None
    failed: bool
    last_message: str
    now: datetime
    rotated: bool = False


@dataclass(frozen=True)
class Held:
    """The secret that a consumer holds, by id, and how far it came."""

    secret_id: str
    state: str
    problem: str = ""


@dataclass(frozen=True)
class Decision:
    """``what`` is one of ROTATE, DONE and REFUSE; ``why`` is for people."""

    what: str
    why: str


def wanted(standing: Standing, settings: Settings) -> Decision:
    """Whether a rotation is due, whoever holds what."""
    leaked = settings.leaked_secret_id
    if leaked:
        if leaked not in (standing.active_id, standing.previous_id):
            return Decision(DONE, f"The leaked secret {leaked} is in no slot of {standing.name}.")
        slot = "active" if leaked == standing.active_id else "previous"
        return Decision(ROTATE, f"The leaked secret {leaked} is the {slot} one of {standing.name}.")
    if standing.rotated:
        return Decision(DONE, f"{standing.name} was rotated by this run.")
    age = (standing.now - standing.last_rotated_at).total_seconds()
    if age < settings.min_age:
        return Decision(
            DONE,
            f"{standing.name} was rotated {in_words(age)} ago, less than handover_min_age: that rotation is taken for "
            "the one of this handover.",
        )
    return Decision(ROTATE, f"{standing.name} was rotated {in_words(age)} ago.")


def hindrance(standing: Standing, settings: Settings) -> str:
    """Why this is no moment to rotate; empty where it is."""
    if standing.failed:
        return (
            f"The last rotation of {standing.name} failed: {standing.last_message or 'no message'}. Find out why in "
            "Infisical first: a rotation that fails again may leave one secret only."
        )
    soon = standing.now + timedelta(seconds=settings.window)
    if standing.next_rotation_at is not None and standing.next_rotation_at < soon:
        return (
            f"Infisical itself is to rotate {standing.name} at {standing.next_rotation_at:%Y-%m-%d %H:%M} UTC, within "
            f"handover_window ({in_words(settings.window)}), which would delete a secret during the handover. Run "
            "again after that, or set a shorter handover_window."
        )
    return ""


def gate(listed: Sequence[str], held: Mapping[str, Held | None], active_id: str, settings: Settings) -> str:
    """Why a rotation would cut somebody off; empty where it does not. ``held`` is what this run knows, by consumer."""
    required = "proven" if settings.leaked_secret_id else settings.require
    behind = {host: _behind(held.get(host), active_id, required) for host in listed if host not in settings.cut_off}
    told = [f"{host} ({why})" for host, why in behind.items() if why]
    if not told:
        return ""
    more = ", or name those that may be cut off in handover_cut_off" if settings.leaked_secret_id else ""
    return (
        f"Not every consumer is {required} with the active secret {active_id}: {', '.join(told)}. A rotation would cut "
        f"off whoever holds the one before. Mend them and run again{more}."
    )


def _behind(held: Held | None, active_id: str, required: str) -> str:
    if held is None:
        return "not attempted, or not reached"
    if held.secret_id != active_id:
        return f"holds {held.secret_id or 'an unknown one'}"
    if STATES.index(held.state) < STATES.index(required):
        return held.problem or f"only {held.state}"
    return ""


def in_batches(hosts: Sequence[str], serial: Sequence[int | str]) -> list[list[str]]:
    """As ``serial`` of a play divides them: the last size is used again until all are in one."""
    left, found = list(hosts), []
    sizes = list(serial)
    while left:
        size = sizes.pop(0) if len(sizes) > 1 else sizes[0]
        count = size if isinstance(size, int) else len(hosts) * int(size.rstrip("% ")) // 100 or 1
        found.append(left[:count])
        del left[:count]
    return found


def why_stop(states: Mapping[str, Held | None], secret_id: str) -> str:
    """Why the batch after this one must not begin; empty where it may."""
    behind = [
        f"{host} ({held.problem or held.state})" if held else f"{host} (not reached)"
        for host, held in states.items()
        if held is None or held.state == "failed" or held.secret_id != secret_id
    ]
    return f"{', '.join(behind)} did not take {secret_id}." if behind else ""
