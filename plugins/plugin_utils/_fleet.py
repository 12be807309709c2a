# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From rotations to hosts, and their names. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.secretops.infisical.plugins.module_utils._errors import invalid_arguments, not_infisical
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.selection import (
    environment_of,
    is_complete,
    path_of,
)

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
        return environment_of(self.rotation)

    @property
    def status(self) -> str:
        return str(self.rotation["rotationStatus"])

    def named(self, host: str) -> Member:
        return replace(self, host=host)


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
    if not is_complete(rotation):
        raise not_infisical(
            f"Could not list the secret rotations of project {project}: that of {rotation.get('id')} is incomplete."
        )
    return _name(project, rotation)


def _name(project: str, rotation: Mapping[str, Any]) -> str:
    folders = [folder for folder in path_of(rotation).split("/") if folder]
    parts = [str(rotation["name"]), *reversed(folders), environment_of(rotation)]
    return ".".join([*(_UNFIT.sub("_", part) for part in parts), project])
