# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From rotations to hosts: their names, what is overdue, and which ones are wanted. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError, invalid_arguments
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.durations import parse_duration
from ansible_collections.secretops.infisical.plugins.module_utils._timestamps import parse_timestamp

_PROJECT = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
#: What --limit, file names and globs give a meaning to is no part of a name.
_UNFIT = re.compile(r"[^A-Za-z0-9_-]", re.ASCII)


@dataclass(frozen=True)
class Member:
    """A rotation of the fleet. ``project`` is the name that the inventory file gives its project."""

    host: str
    project: str
    rotation: Mapping[str, Any]

    @property
    def environment(self) -> str:
        return _environment(self.rotation)

    @property
    def secret_path(self) -> str:
        return _secret_path(self.rotation)

    @property
    def status(self) -> str:
        return str(self.rotation["rotationStatus"])

    def age(self, now: datetime) -> float:
        """How many seconds the last rotation is ago."""
        return (now - parse_timestamp(str(self.rotation["lastRotatedAt"]))).total_seconds()

    def next_within(self, now: datetime, seconds: float) -> bool:
        """Whether the next scheduled rotation is at most that far ahead, or past."""
        planned = self.rotation.get("nextRotationAt")
        return bool(planned) and (parse_timestamp(str(planned)) - now).total_seconds() <= seconds

    def overdue(self, now: datetime) -> bool:
        return self.next_within(now, 0)


@dataclass(frozen=True)
class Wanted:
    """Which members are wanted. What is empty wants all; times are in seconds."""

    environments: Sequence[str] = ()
    folders: Sequence[str] = ()
    statuses: Sequence[str] = ()
    older_than: int | None = None
    due: int | None = None

    @classmethod
    def parse(
        cls,
        *,
        environment: Sequence[str] = (),
        secret_path: Sequence[str] = (),
        status: Sequence[str] = (),
        older_than: str | None = None,
        due: str | None = None,
    ) -> Wanted:
        """From the options of the same names."""
        return cls(
            environments=environment,
            folders=[_folder(path) for path in secret_path],
            statuses=status,
            older_than=None if older_than is None else parse_duration("older_than", older_than),
            due=None if due is None else parse_duration("due", due),
        )

    def of(self, members: Sequence[Member], now: datetime) -> list[Member]:
        return [
            member
            for member in members
            if (not self.environments or member.environment in self.environments)
            and (not self.statuses or member.status in self.statuses)
            and (not self.folders or any(_below(member.secret_path, folder) for folder in self.folders))
            and (self.older_than is None or member.age(now) >= self.older_than)
            and (self.due is None or member.next_within(now, self.due))
        ]


def members(rotations: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[Member]:
    """All rotations by project, in a fixed order, with names that depend on no filter.

    A name is read like one of the DNS, from the special to the general: rotation, folders from the inmost on,
    environment, project.
    """
    for project in rotations:
        if not _PROJECT.fullmatch(project):
            raise invalid_arguments(f"projects has the name {project!r}: use letters, digits, _ and - only.")
    named = [(_checked_name(project, item), project, item) for project, items in rotations.items() for item in items]
    taken = Counter(name for name, _project, _item in named)
    found = [
        # Folders whose names differ only in what a host's name cannot hold.
        Member(name if taken[name] == 1 else f"{name}.{str(item['id'])[:8]}", project, item)
        for name, project, item in named
    ]
    return sorted(found, key=lambda member: (member.host, str(member.rotation["id"])))


def _checked_name(project: str, rotation: Mapping[str, Any]) -> str:
    name = _name_of_complete(project, rotation)
    if name is None:
        raise InfisicalError(
            "invalid_response",
            f"Could not list the secret rotations of project {project}: that of {rotation.get('id')} is incomplete.",
            "Check that url is an Infisical server of a supported version and that nothing rewrites its answers.",
        )
    return name


def _name_of_complete(project: str, rotation: Mapping[str, Any]) -> str | None:
    try:
        planned = rotation.get("nextRotationAt")
        if planned is not None:
            parse_timestamp(planned)
        if not isinstance(rotation["environment"]["slug"], str) or not isinstance(rotation["folder"]["path"], str):
            return None
        return _name(project, rotation)
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def _name(project: str, rotation: Mapping[str, Any]) -> str:
    folders = [folder for folder in _secret_path(rotation).split("/") if folder]
    parts = [str(rotation["name"]), *reversed(folders), _environment(rotation)]
    return ".".join([*(_UNFIT.sub("_", part) for part in parts), project])


def _environment(rotation: Mapping[str, Any]) -> str:
    return str(rotation["environment"]["slug"])


def _secret_path(rotation: Mapping[str, Any]) -> str:
    return str(rotation["folder"]["path"])


def _folder(path: str) -> str:
    if not path.startswith("/") or ".." in path.split("/"):
        raise invalid_arguments(f"secret_path is {path!r}: give it from the root, as /okta.")
    return path.rstrip("/")


def _below(path: str, folder: str) -> bool:
    return path.rstrip("/") == folder or path.startswith(f"{folder}/")
