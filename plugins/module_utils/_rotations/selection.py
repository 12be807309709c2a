# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which rotations of many are wanted, and which are overdue, as both clocks have it. Pure."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from .._errors import InfisicalError, invalid_arguments
from .._timestamps import moment_of, parse_timestamp
from .api import place_of
from .durations import in_words, parse_duration
from .readings import CLOCK_MARGIN

Rotation = Mapping[str, Any]


@dataclass(frozen=True)
class Selection:
    """Which rotations are wanted. What is empty wants all; times are in seconds."""

    environments: Sequence[str] = ()
    folders: Sequence[str] = ()
    statuses: Sequence[str] = ()
    older_than: int | None = None
    due: int | None = None

    @classmethod
    def parse(
        cls,
        *,
        environment: Sequence[str] | None = None,
        secret_path: Sequence[str] | None = None,
        status: Sequence[str] | None = None,
        older_than: str | None = None,
        due: str | None = None,
    ) -> Selection:
        """From the options of the same names."""
        return cls(
            environments=environment or (),
            folders=[_folder(path) for path in secret_path or ()],
            statuses=status or (),
            older_than=None if older_than is None else parse_duration("older_than", older_than),
            due=None if due is None else parse_duration("due", due),
        )

    def of(self, rotations: Sequence[Rotation], now: datetime) -> list[Rotation]:
        return [
            rotation
            for rotation in rotations
            if (not self.environments or environment_of(rotation) in self.environments)
            and (not self.statuses or rotation["rotationStatus"] in self.statuses)
            and (not self.folders or any(_below(path_of(rotation), folder) for folder in self.folders))
            and (self.older_than is None or age(rotation, now) >= self.older_than)
            and (self.due is None or _next_within(rotation, now, self.due))
        ]


def of_both_clocks(
    rotations: Sequence[Rotation], wanted: Selection, clock: float | None, host_now: datetime
) -> tuple[list[Rotation], set[str], datetime]:
    """Those that are wanted, and the ids of those that are overdue, on which both clocks must agree; and the time.

    ``clock`` is how many seconds the server's is ahead of this host's; None where it told none.
    """
    if clock is None or abs(clock) <= CLOCK_MARGIN.total_seconds():
        now = host_now + timedelta(seconds=clock or 0.0)
        return *_at(rotations, wanted, now), now
    try:
        server_now = host_now + timedelta(seconds=clock)
    except OverflowError:
        server_now = None
    if server_now is not None:
        selected = _at(rotations, wanted, server_now)
        if selected == _at(rotations, wanted, host_now):
            return *selected, server_now
    raise InfisicalError(
        "clock_unreliable",
        f"The server's clock (the header Date of its answer) is {in_words(abs(clock))} "
        f"{'ahead of' if clock > 0 else 'behind'} that of this host, and they disagree on what is wanted or overdue.",
        "Set the clock that is wrong.",
    )


def _at(rotations: Sequence[Rotation], wanted: Selection, now: datetime) -> tuple[list[Rotation], set[str]]:
    selected = wanted.of(rotations, now)
    return selected, {str(each["id"]) for each in selected if _next_within(each, now, 0)}


def summary(rotation: Rotation, now: datetime, overdue: Container[str]) -> dict[str, Any]:
    """What the server does not tell."""
    return {
        "id": rotation["id"],
        "name": rotation["name"],
        "age_seconds": int(age(rotation, now)),
        "overdue": rotation["id"] in overdue,
    }


def age(rotation: Rotation, now: datetime) -> float:
    """How many seconds the last rotation is ago."""
    return (now - parse_timestamp(str(rotation["lastRotatedAt"]))).total_seconds()


def _next_within(rotation: Rotation, now: datetime, seconds: float) -> bool:
    """Whether the next scheduled rotation is at most that far ahead, or past."""
    planned = rotation.get("nextRotationAt")
    return bool(planned) and (parse_timestamp(str(planned)) - now).total_seconds() <= seconds


def environment_of(rotation: Rotation) -> str:
    return str(rotation["environment"]["slug"])


def path_of(rotation: Rotation) -> str:
    return str(rotation["folder"]["path"])


def is_complete(rotation: Rotation) -> bool:
    """Whether it has what is selected by."""
    planned = rotation.get("nextRotationAt")
    in_time = planned is None or moment_of(planned) is not None
    return in_time and all(isinstance(each, str) for each in place_of(rotation))


def _folder(path: str) -> str:
    if not path.startswith("/") or ".." in path.split("/"):
        raise invalid_arguments(f"secret_path is {path!r}: give it from the root, as /okta.")
    return path.rstrip("/")


def _below(path: str, folder: str) -> bool:
    return path.rstrip("/") == folder or path.startswith(f"{folder}/")
