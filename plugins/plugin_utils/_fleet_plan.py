# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which order a run rotates: what is due comes first, so that the canary proves something."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError
from ansible_collections.secretops.infisical.plugins.module_utils._rotations import clocks
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.api import Api, Reading
from ansible_collections.secretops.infisical.plugins.plugin_utils._fleet_members import Member


@dataclass
class Found:
    """What was learned of the members of one login. ``problems`` are what nothing may be rotated after."""

    due: dict[str, bool] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def look(api: Api, members: Sequence[Member], min_age: int, now: Callable[[], datetime]) -> Found:
    """One request for each project, and one for each rotation that no project has."""
    found = Found()
    known: dict[str, Reading] = {}
    for project in dict.fromkeys(member.project_id for member in members if member.project_id):
        try:
            known.update({reading.id.lower(): reading for reading in api.read_all(project)})
        except InfisicalError as failure:
            found.problems.append(failure.message)
    if found.problems:
        return found
    for member in members:
        try:
            reading = known.get(member.rotation_id) or api.read(member.rotation_id)
        except InfisicalError as failure:
            found.unread[member.host] = failure.message
        else:
            decision = clocks.decide(reading.last_rotated_at, reading.server_time, now(), min_age)
            found.due[member.host] = decision.due
    return found


def in_order(members: Sequence[Member], due: dict[str, bool]) -> list[str]:
    """The hosts of those that could be read."""
    hosts = [member.host for member in members if member.host in due]
    return sorted(hosts, key=lambda host: not due[host])
