# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which order a run rotates."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from ansible_collections.secretops.infisical.plugins.module_utils._errors import invalid_arguments
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.api import Reading
from ansible_collections.secretops.infisical.plugins.plugin_utils import _fleet_members, _fleet_plan
from unit.fleet.fleet_variables import uuid

NOW = datetime(2026, 3, 12, tzinfo=timezone.utc)


def reading(number: int, days: int) -> Reading:
    rotated = (NOW - timedelta(days=days)).isoformat().replace("+00:00", "Z")
    return Reading({"id": uuid(number), "lastRotatedAt": rotated}, NOW)


class Api:
    def __init__(self, listed: list[Reading], single: dict[str, Reading]) -> None:
        self.listed = listed
        self.single = single
        self.asked: list[str] = []

    def read(self, rotation_id: str) -> Reading:
        self.asked.append(rotation_id)
        if rotation_id not in self.single:
            raise invalid_arguments("not there")
        return self.single[rotation_id]

    def read_all(self, project_id: str) -> list[Reading]:
        self.asked.append(project_id)
        if project_id == "barred":
            raise invalid_arguments("may not")
        return self.listed


def member(number: int, project: str | None = "p") -> _fleet_members.Member:
    return _fleet_members.Member(f"h{number}", 0, uuid(number), project, None)


def test_due_ones_come_first_and_keep_their_order() -> None:
    api: Any = Api([reading(1, 0), reading(2, 9), reading(4, 0)], {uuid(3): reading(3, 9)})
    fleet = [member(1), member(2), member(3, None), member(4), member(5)]
    found = _fleet_plan.look(api, fleet, 86400, lambda: NOW)
    assert api.asked == ["p", uuid(3), uuid(5)], "one list for the project, and what it has not is read singly"
    assert _fleet_plan.in_order(fleet, found.due) == ["h2", "h3", "h1", "h4"]
    assert found.unread == {"h5": "not there"}
    assert found.problems == []


def test_a_project_that_cannot_be_listed_ends_it() -> None:
    api: Any = Api([], {})
    found = _fleet_plan.look(api, [member(1, "barred"), member(2)], 0, lambda: NOW)
    assert found.problems == ["may not"]
    assert api.asked == ["barred", "p"]
    assert found.due == {}
