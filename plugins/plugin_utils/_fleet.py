# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From rotations to hosts: their names, what is overdue, and which ones are wanted. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError, invalid_arguments
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.durations import in_words, parse_duration
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.readings import CLOCK_MARGIN
from ansible_collections.secretops.infisical.plugins.module_utils._timestamps import parse_timestamp

#: The group of all rotations.
FLEET = "okta_client_secret_rotations"
#: Its variable that tells which inventories could not be read, and the group that is there when one could not.
UNREAD = "infisical_inventories_unread"

_PROJECT = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
#: What --limit, file names and globs give a meaning to is no part of a name.
_UNFIT = re.compile(r"[^A-Za-z0-9_-]", re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9_-]([A-Za-z0-9._-]{0,248}[A-Za-z0-9_-])?", re.ASCII)


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

    def named(self, host: str) -> Member:
        return replace(self, host=host)


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
        environment: Sequence[str] | None = None,
        secret_path: Sequence[str] | None = None,
        status: Sequence[str] | None = None,
        older_than: str | None = None,
        due: str | None = None,
    ) -> Wanted:
        """From the options of the same names."""
        return cls(
            environments=environment or (),
            folders=[_folder(path) for path in secret_path or ()],
            statuses=status or (),
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
    # Folders whose names differ only in what a host's name cannot hold; and ids may begin with the same digits.
    taken = Counter(name for name, _project, _item in named)
    short = Counter((name, str(item["id"])[:8]) for name, _project, item in named)
    found = []
    for name, project, item in named:
        beginning = str(item["id"])[:8]
        told = beginning if short[name, beginning] == 1 else str(item["id"])
        found.append(Member(name if taken[name] == 1 else f"{name}.{told}", project, item))
    return sorted(found, key=lambda member: (member.host, str(member.rotation["id"])))


def of_both_clocks(
    found: Sequence[Member], wanted: Wanted, clock: float | None, host_now: datetime
) -> tuple[list[Member], set[str]]:
    """The members that are wanted, and the ids of those that are overdue, on which both clocks must agree.

    ``clock`` is how many seconds the server's is ahead of this host's; None where it told none.
    """
    if clock is None or abs(clock) <= CLOCK_MARGIN.total_seconds():
        now = host_now + timedelta(seconds=clock or 0.0)
        selected = wanted.of(found, now)
        return selected, {member.rotation["id"] for member in selected if member.overdue(now)}
    try:
        server_now = host_now + timedelta(seconds=clock)
    except OverflowError:
        server_now = None
    if server_now is not None:
        selected = wanted.of(found, server_now)
        overdue = {member.rotation["id"] for member in selected if member.overdue(server_now)}
        by_host = wanted.of(found, host_now)
        if selected == by_host and overdue == {each.rotation["id"] for each in by_host if each.overdue(host_now)}:
            return selected, overdue
    raise InfisicalError(
        "clock_unreliable",
        f"The server's clock (the header Date of its answer) is {in_words(abs(clock))} "
        f"{'ahead of' if clock > 0 else 'behind'} that of this host, and they disagree on what is wanted or overdue.",
        "Set the clock that is wrong.",
    )


def check_host_names(found: Sequence[Member]) -> None:
    """Names that no pattern takes for something else, each for one rotation; and groups that hold what they say."""
    hosts: dict[str, Member] = {}
    groups: dict[str, str] = {}
    for member in found:
        if not _HOST.fullmatch(member.host) or member.host in ("all", "ungrouped", "localhost"):
            raise invalid_arguments(
                f"host_name gives the rotation {_told(member.rotation)} the name {member.host!r}: letters, digits, "
                "., _ and - may be in it, and it names no group."
            )
        if member.host in hosts:
            raise invalid_arguments(
                f"{_told(hosts[member.host].rotation)} and {_told(member.rotation)} both have the name {member.host}: "
                "give host_name more of what tells them apart, or leave it out."
            )
        hosts[member.host] = member
        for label in (f"project_{member.project}", f"environment_{member.environment}"):
            known = groups.setdefault(label.replace("-", "_"), label)
            if known != label:
                raise invalid_arguments(
                    f"{known} and {label} would be one group, because a group's name has _ for -: give the project "
                    "another name, or select one of the environments with the option environment."
                )


def check_known(found: Sequence[Member], there: Mapping[str, Mapping[str, Any]], url: str) -> None:
    """That no host of the inventory is somebody else's; the same rotation of the same server may come twice."""
    for member in found:
        known = there.get(member.host)
        if known is None:
            continue
        if (known.get("infisical_url"), known.get("rotation_id")) != (url, member.rotation["id"]):
            other = known.get("infisical_inventory", "another source")
            raise invalid_arguments(
                f"The host {member.host} of {_told(member.rotation)} at {url} is in the inventory already, from "
                f"{other}: give the project another name there or here, or set host_name."
            )


def _told(rotation: Mapping[str, Any]) -> str:
    return f"{rotation['name']} ({rotation['id']})"


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
