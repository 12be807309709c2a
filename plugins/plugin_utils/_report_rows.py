# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a report tells of each rotation, and of all of them. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from ansible_collections.secretops.infisical.plugins.module_utils._rotations.durations import in_words
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.selection import environment_of, path_of
from ansible_collections.secretops.infisical.plugins.module_utils._timestamps import parse_timestamp

DAY = 86_400
#: Controls, and what changes the order in which characters are read or is not seen at all.
_UNSEEN = re.compile(
    r"[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)


def visible(text: str) -> str:
    """What cannot be seen is told by its number: a name must not look like another one."""
    return _UNSEEN.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", text)


@dataclass(frozen=True)
class Row:
    """One rotation. ``interval`` is in days, None where it is rotated by hand only; ``age`` is in seconds."""

    project: str
    environment: str
    folder: str
    name: str
    id: str
    application: str
    last_rotated: datetime
    age: int
    interval: int | None
    next: datetime | None
    overdue: bool
    failed: bool
    message: str

    @property
    def rank(self) -> int:
        """How much it needs attention."""
        return 2 * self.overdue + self.failed

    @property
    def age_in_words(self) -> str:
        return in_words(self.age - self.age % DAY if self.age >= DAY else self.age)

    @property
    def told(self) -> str:
        """Its name with its place, for names are not unique."""
        return visible(f"{self.name} ({self.project} {self.environment}:{self.folder})")


@dataclass(frozen=True)
class Report:
    """Rotations of some projects. ``made`` is when, and ``rows`` begin with what needs attention most."""

    title: str
    server: str
    made: datetime
    projects: Sequence[str]
    rows: Sequence[Row]

    @property
    def counts(self) -> dict[str, int]:
        return {
            "rotations": len(self.rows),
            "projects": len(self.projects),
            "overdue": sum(row.overdue for row in self.rows),
            "failed": sum(row.failed for row in self.rows),
            "by_hand": sum(row.interval is None for row in self.rows),
        }

    @property
    def oldest(self) -> Row | None:
        return max(self.rows, key=lambda row: row.age, default=None)

    @property
    def sentence(self) -> str:
        counts = self.counts
        told = f"{_counted(counts['rotations'], 'rotation')} in {_counted(counts['projects'], 'project')}"
        oldest = self.oldest
        if oldest is None:
            return f"{told}."
        age = f"the oldest {visible(oldest.name)} with {oldest.age_in_words}"
        return f"{told}: {counts['overdue']} overdue, {counts['failed']} failed, {age}."


def row_of(
    rotation: Mapping[str, Any], summary: Mapping[str, Any], project: str, clean: Callable[[Any], Any] = str
) -> Row:
    """From a rotation as the server sent it and what ``selection.summary`` tells of it.

    ``clean`` takes secrets out of texts. Moments are read before, for a secret may be a part of one.
    """
    planned = rotation.get("nextRotationAt")
    interval = rotation.get("rotationInterval")
    by_hand = rotation.get("isAutoRotationEnabled") is False or not isinstance(interval, int)
    parameters = rotation.get("parameters")
    return Row(
        project=project,
        environment=clean(environment_of(rotation)),
        folder=clean(path_of(rotation)),
        name=clean(str(rotation["name"])),
        id=clean(str(rotation["id"])),
        application=clean(_text(parameters.get("clientId") if isinstance(parameters, dict) else None)),
        last_rotated=_moment(rotation["lastRotatedAt"]),
        age=summary["age_seconds"],
        interval=None if by_hand else interval,
        next=_moment(planned) if planned else None,
        overdue=summary["overdue"],
        failed=rotation["rotationStatus"] == "failed",
        message=clean(_text(rotation.get("lastRotationMessage"))),
    )


def in_order(rows: Sequence[Row]) -> list[Row]:
    """What needs attention first, and of that the oldest."""
    return sorted(rows, key=lambda row: (-row.rank, -row.age, row.name, row.id))


def iso(moment: datetime) -> str:
    """UTC, in whole seconds."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def exact(moment: datetime) -> str:
    """As the server writes it."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _moment(text: str) -> datetime:
    return parse_timestamp(text).astimezone(timezone.utc)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
