# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which rotation is meant, and what to say where it is not found."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from .._errors import InfisicalError, not_infisical
from .._transport.patience import Patience
from .._transport.redaction import printable
from .api import CACHED, Api, Reading, place_of
from .observer import until
from .projects import Projects
from .selection import is_complete

#: More would bury the message.
_TOLD = 5


class Target(NamedTuple):
    """A rotation by ``rotation_id``, or by its name and place; the project by its id or its slug."""

    rotation_id: str | None = None
    name: str = ""
    project_id: str = ""
    environment: str = ""
    secret_path: str = "/"
    project_slug: str = ""
    path_given: bool = True

    def __str__(self) -> str:
        if self.rotation_id:
            return f"the secret rotation {self.rotation_id}"
        return f"the secret rotation {self.name!r} in {self.environment}:{self.secret_path}"


def with_project(projects: Projects, target: Target) -> Target:
    """The same with the project's id."""
    if not target.project_slug or target.project_id:
        return target
    return target._replace(project_id=projects.id_of(target.project_slug))


def look(api: Api, target: Target) -> Reading:
    """``target`` has its project's id."""
    if target.rotation_id:
        return api.read(target.rotation_id)
    return api.read_by_name(target.name, target.project_id, target.environment, target.secret_path)


def read(api: Api, target: Target) -> Reading:
    """As ``look``. A failure says where else the project has a rotation of that name."""
    try:
        return look(api, target)
    except InfisicalError as failure:
        if failure.reason == "not_found" and not target.rotation_id:
            failure.next_step = " ".join([elsewhere(api, target), failure.next_step]).strip()
        raise


def listed(api: Api, project_id: str, patience: Patience) -> list[Reading]:
    """Those of the project that the identity may see, not out of a cache."""
    found, why = until(
        patience, lambda: api.listed(project_id, fresh=True), lambda each: CACHED if each.from_cache else ""
    )
    if why:
        raise InfisicalError(
            "stale_reading",
            f"Could not get a fresh list of the secret rotations of project {project_id} within wait_timeout: {why}.",
            "Nothing was sent. Let no cache answer for Infisical, and run again.",
        )
    return found.readings


def complete(rotation: dict[str, Any]) -> dict[str, Any]:
    """The same, which has all that is selected by and told of it."""
    if not is_complete(rotation) or not isinstance(rotation.get("projectId"), str):
        raise not_infisical(
            f"Could not read the secret rotation {rotation['id']}: HTTP 200, but its project, environment, folder or "
            "schedule is missing."
        )
    return rotation


def ahead(readings: list[Reading], host_now: datetime) -> float | None:
    """How many seconds the server's clock is ahead of this host's, if it told."""
    server_time = readings[0].server_time if readings else None
    return None if server_time is None else (server_time - host_now).total_seconds()


def elsewhere(api: Api, target: Target) -> str:
    """Where the project has rotations of that name, in a sentence or two; empty where it has none to be seen."""
    try:
        return places(api, target)
    except InfisicalError:
        # It only adds to what is said already.
        return ""


def places(api: Api, target: Target) -> str:
    """The same, where a project that cannot be listed is a failure."""
    left_out = "" if target.path_given else "secret_path was left out, so that it is looked for in the root."
    named = [each.rotation for each in api.read_all(target.project_id) if each.rotation["name"] == target.name]
    there = [":".join(map(str, place_of(each))) for each in named if None not in place_of(each)]
    if not there:
        return left_out
    more = f" and {len(there) - _TOLD} more" if len(there) > _TOLD else ""
    told = printable(", ".join(sorted(there)[:_TOLD]) + more, 600)
    return f"The project has one of that name in {told}. {left_out}".strip()
