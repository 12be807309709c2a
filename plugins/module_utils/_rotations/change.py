# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changing what differs of a rotation that is there, without a rotation that nobody asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from .._errors import NONE, InfisicalError
from .._timestamps import moment_of
from .._transport.patience import Retries
from . import clocks, failures, readings, schedule, wanted
from .api import Reading
from .lifecycle import SHOWN, Ended, Surroundings, told
from .lock import Held, Note
from .rule import put_back
from .wanted import Wanted

#: What is waited for, in words that follow "for".
_ROTATION = "the rotation that the change causes"


class _Plan(NamedTuple):
    """What is sent, and whether the server would rotate because of it, with the time that it would plan."""

    changes: dict[str, Any]
    rotates: bool
    planned: datetime | None


class Change:
    """With ``allow_rotation`` a change may rotate, where the last rotation is at least ``min_age`` seconds ago."""

    def __init__(self, around: Surroundings, desired: Wanted, *, allow_rotation: bool, min_age: int) -> None:
        self._around = around
        self._desired = desired
        self._allow_rotation = allow_rotation
        self._min_age = min_age

    def predict(self, reading: Reading) -> Ended:
        """What ``make`` would do, decided the same way."""
        plan = self._plan(reading)
        if not plan.changes:
            return self._unchanged(reading)
        rotates = " The server would rotate because of it." if plan.rotates else ""
        message = f"Would change {', '.join(plan.changes)} of {reading.rotation['name']!r}.{rotates}"
        before = wanted.view(reading.rotation)
        return Ended("would_update", message, before, {**before, **plan.changes}, reading.rotation, plan.rotates)

    def make(self, reading: Reading) -> Ended:
        self._check_kept(reading.rotation)
        if not self._desired.changes(reading.rotation):
            return self._unchanged(reading)
        rotation_id = reading.id
        around, retries = self._around, Retries(self._around.patience)
        with around.hold(rotation_id) as held:
            around.observer.known.heed(held.note, around.now())
            while True:
                before = around.observer.fresh(lambda: around.api.read(rotation_id), held.path)
                plan = self._plan(before)
                if not plan.changes:
                    return self._unchanged(before)
                retries.begin()
                note = held.note
                if plan.rotates:
                    held.write(readings.note_of(before, around.now(), settled=False))
                try:
                    after, lost = self._sent(before, plan), None
                except InfisicalError as failure:
                    if failure.effect == NONE:
                        put_back(held, note, around.warn)
                        if retries.wait(failure, safe=False):
                            continue
                        raise
                    after, lost = None, failure
                after, rotated = self._rotation(before, self._shown(before, after, lost), held, note)
                return self._ended(before, after, plan, rotated)

    def _plan(self, reading: Reading) -> _Plan:
        """Fails where something forbids the change."""
        rotation = reading.rotation
        self._check_kept(rotation)
        changes = self._desired.changes(rotation)
        if not changes:
            return _Plan(changes, False, None)
        self._check_names(rotation, changes)
        plans = [(schedule.planned({**rotation, **changes}, clock), clock) for clock in self._clocks(reading)]
        imminent = [planned for planned, clock in plans if schedule.is_imminent(planned, clock)]
        plan = _Plan(changes, bool(imminent), imminent[0] if imminent else plans[0][0])
        if plan.rotates:
            self._check_allowed(reading, plan)
        return plan

    def _clocks(self, reading: Reading) -> Iterable[datetime]:
        """The server's, and this host's as well: what tells the time may be a proxy."""
        return [each for each in (reading.server_time, self._around.now()) if each is not None]

    def _check_kept(self, rotation: Mapping[str, Any]) -> None:
        """That nothing is wanted which the server cannot change, or must not."""
        desired, name = self._desired, rotation["name"]
        connection = rotation.get("connection") or {}
        asked = desired.connection_id or desired.connection_name
        if asked and asked not in (str(rotation.get("connectionId")).lower(), connection.get("name")):
            raise InfisicalError(
                "not_changeable",
                f"Could not change the app connection of {name!r} from {connection.get('name')!r} "
                f"({rotation.get('connectionId')!r}) to {asked!r}: Infisical keeps a rotation's connection.",
                "Leave connection_id and connection_name out, or give the connection new credentials in Infisical, or "
                "remove this rotation (state: absent) and create it anew with the other connection.",
            )
        parameters, kind = rotation.get("parameters") or {}, desired.kind
        if desired.application not in (None, parameters.get(kind.application)):
            raise InfisicalError(
                "not_changeable",
                f"Could not change the application of {name!r} from {parameters.get(kind.application)!r} to "
                f"{desired.application!r}: the credentials that Infisical keeps are those of the old one. The next "
                f"rotation could delete a secret of the new application at {kind.provider} that is in use, and those "
                "of the old one would stay valid for ever.",
                "Create a rotation of another name for the other application, with names of secrets of its own, and "
                "remove this one (state: absent) when nobody uses it any more.",
            )

    def _check_names(self, rotation: Mapping[str, Any], changes: Mapping[str, Any]) -> None:
        """That nothing else has the names already."""
        place = (
            str(rotation.get("projectId")),
            str(wanted.view(rotation)["environment"]),
            str(wanted.view(rotation)["secretPath"]),
        )
        if "name" in changes:
            try:
                other = self._around.api.read_by_name(changes["name"], *place)
            except InfisicalError as failure:
                if failure.reason != "not_found":
                    raise
            else:
                raise InfisicalError(
                    "conflict",
                    f"Could not rename {rotation['name']!r}: there is a rotation {told(other.rotation)} already.",
                    "Choose another new_name, or remove that one.",
                )
        mapping = changes.get("secretsMapping", {})
        wanted.check_mapping(mapping)
        self._check_renaming(rotation, mapping)
        self._around.projects.check_free([name for name in mapping.values() if name not in _names(rotation)], *place)
        present = rotation["secretsMapping"]
        renamed = [f"{present.get(key)} to {name}" for key, name in mapping.items() if name != present.get(key)]
        if renamed:
            self._around.warn(
                f"The secrets of {rotation['name']!r} are renamed in place ({', '.join(renamed)}): who reads them by "
                "an old name finds nothing there."
            )

    def _check_renaming(self, rotation: Mapping[str, Any], mapping: Mapping[str, str]) -> None:
        """The server renames one secret after the other, by the old names: one that took another's is renamed twice."""
        present = rotation["secretsMapping"]
        for key, name in mapping.items():
            owner = next((other for other in present if other != key and present[other] == name), None)
            if owner:
                raise InfisicalError(
                    "not_changeable",
                    f"Could not map {key} of {rotation['name']!r} to {name}, the secret of {owner} until then: "
                    "the server would rename both.",
                    f"Map {owner} to another name first, in a task of its own.",
                )

    def _check_allowed(self, reading: Reading, plan: _Plan) -> None:
        name, around = reading.rotation["name"], self._around
        when = plan.planned.isoformat(timespec="minutes") if plan.planned else "now"
        problem = (
            f"Could not change {', '.join(plan.changes)} of {name!r} without a rotation: with every change the server "
            f"plans the next one anew, here for {when}, and makes at once what lies before the next midnight (UTC), or "
            "within five minutes of it."
        )
        if not self._allow_rotation:
            raise InfisicalError(
                "rotation_not_allowed",
                problem,
                "Set allow_rotation: true to let it rotate, or choose a longer rotation_interval, or change it after "
                "the next rotation.",
            )
        decision = clocks.decide(reading.last_rotated_at, reading.server_time, around.now(), self._min_age)
        clocks.check(decision, name, around.warn)
        if not decision.due:
            raise InfisicalError(
                "rotation_not_allowed",
                f"{problem} And it is not due: {decision.why}.",
                "Run again when it is older, or with a lower min_age.",
            )

    def _sent(self, before: Reading, plan: _Plan) -> Reading:
        what = f"change {', '.join(plan.changes)} of {before.rotation['name']!r}"
        return self._around.observer.request(lambda: self._around.api.update(before.id, plan.changes), what)

    def _shown(self, before: Reading, after: Reading | None, lost: InfisicalError | None) -> Reading:
        """A reading that shows what is wanted: the answer, or one after it."""
        if after is not None and not self._desired.changes(after.rotation):
            return after
        around = self._around
        with around.patience.at_most(around.outcome_timeout):
            shown, obstacle = around.observer.wait_for(
                lambda: around.api.read(before.id), lambda reading: not self._desired.changes(reading.rotation), SHOWN
            )
        if shown is None:
            raise failures.lost(before.rotation["name"], "changed", lost, obstacle) from lost
        return shown

    def _rotation(self, before: Reading, after: Reading, held: Held, note: Note | None) -> tuple[Reading, bool]:
        """The newest reading, and whether the server rotated because of the change. It begins after its answer."""
        around = self._around
        if not readings.moved(before, after):
            next_at = _next_rotation_at(after)
            if not any(schedule.is_imminent(next_at, clock, told=True) for clock in self._clocks(after)):
                put_back(held, note, around.warn)
                return after, False
            before, seen, obstacle = around.observer.watch(lambda: around.api.read(before.id), before, _ROTATION)
            if seen is None and next_at and all(next_at > clock for clock in self._clocks(after)):
                put_back(held, note, around.warn)
                around.warn(f"The server rotates {before.rotation['name']!r} at {next_at.isoformat()}.")
                return after, False
            if seen is None:
                name = before.rotation["name"]
                raise failures.lost(
                    name, "rotated, because of the change that was made,", None, obstacle, within="wait_timeout"
                )
            after = seen
        settled = readings.note_of(after, around.now(), settled=True)
        put_back(held, settled, around.warn)
        if not readings.moved(before, after):
            raise failures.failed(after, "the change was made, and the rotation because of it failed")
        if readings.rotated_more_than_once(before, after):
            around.warn(failures.twice(before))
        return after, True

    def _unchanged(self, reading: Reading) -> Ended:
        shown = wanted.view(reading.rotation)
        return Ended("unchanged", f"{told(reading.rotation)} is as wanted.", shown, shown, reading.rotation)

    def _ended(self, before: Reading, after: Reading, plan: _Plan, rotated: bool) -> Ended:
        because = " The server rotated because of it." if rotated else ""
        message = f"Changed {', '.join(plan.changes)} of {before.rotation['name']!r}.{because}"
        return Ended(
            "updated", message, wanted.view(before.rotation), wanted.view(after.rotation), after.rotation, rotated
        )


def _names(rotation: Mapping[str, Any]) -> list[str]:
    return list(rotation["secretsMapping"].values())


def _next_rotation_at(reading: Reading) -> datetime | None:
    value = reading.rotation.get("nextRotationAt")
    return (moment_of(value) or reading.last_rotated_at) if value else None
