# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""When the server plans a rotation, and what it makes at once. The moments are worked out by hand."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError
from ansible_collections.secretops.infisical.plugins.module_utils._rotations import schedule


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+00:00")


NOW = at("2026-03-10T12:00")


def rotation(**keys: Any) -> dict[str, Any]:
    return {
        "name": "okta",
        "isAutoRotationEnabled": True,
        "rotateAtUtc": {"hours": 3, "minutes": 30},
        "rotationInterval": 30,
        "rotationStatus": "success",
        "lastRotatedAt": "2026-03-01T02:00:00.000Z",
        "isLastRotationManual": True,
        **keys,
    }


@pytest.mark.parametrize(
    ("keys", "planned"),
    [
        ({}, "2026-03-31T03:30"),
        # A manual one at that time of day or later is followed a day later, a scheduled one is not.
        ({"lastRotatedAt": "2026-03-01T03:29:59.999Z"}, "2026-03-31T03:30"),
        ({"lastRotatedAt": "2026-03-01T03:30:00.000Z"}, "2026-04-01T03:30"),
        ({"lastRotatedAt": "2026-03-01T23:59:00.000Z"}, "2026-04-01T03:30"),
        ({"lastRotatedAt": "2026-03-01T04:00:00.000Z", "isLastRotationManual": False}, "2026-03-31T03:30"),
        ({"rotateAtUtc": {"hours": 0, "minutes": 0}}, "2026-04-01T00:00"),
        ({"rotateAtUtc": {"hours": 2, "minutes": 1}}, "2026-03-31T02:01"),
        # Elsewhere it is still the day before.
        ({"lastRotatedAt": "2026-03-01T01:00:00.000+02:00"}, "2026-03-31T03:30"),
        # JavaScript cuts off fractions where it sets a date.
        ({"rotationInterval": 1.9, "rotateAtUtc": {"hours": 3.9, "minutes": 30.5}}, "2026-03-02T03:30"),
        ({"rotationInterval": 365}, "2027-03-01T03:30"),
        ({"isAutoRotationEnabled": False}, None),
        ({"rotationStatus": "failed"}, "2026-03-11T03:30"),
        ({"rotationStatus": "failed", "isAutoRotationEnabled": False}, None),
        ({"rotationInterval": 10**9}, None),
    ],
)
def test_what_the_server_plans(keys: dict[str, Any], planned: str | None) -> None:
    assert schedule.planned(rotation(**keys), NOW) == (planned and at(planned))


def test_without_a_word_on_the_last_one_the_earlier_day_is_planned() -> None:
    without = {**rotation(lastRotatedAt="2026-03-01T23:00:00.000Z")}
    del without["isLastRotationManual"]
    assert schedule.planned(without, NOW) == at("2026-03-31T03:30")


@pytest.mark.parametrize(
    "keys",
    [
        {"rotateAtUtc": None},
        {"rotateAtUtc": {"hours": 3}},
        {"rotateAtUtc": {"hours": 24, "minutes": 0}},
        {"rotationInterval": "often"},
        {"rotationInterval": None},
    ],
)
def test_what_cannot_be_foretold_is_a_failure(keys: dict[str, Any]) -> None:
    with pytest.raises(InfisicalError, match="'okta' next") as caught:
        schedule.planned(rotation(**keys), NOW)
    assert caught.value.reason == "invalid_response"


@pytest.mark.parametrize(
    ("planned", "clock", "imminent"),
    [
        ("2026-01-01T00:00", "2026-03-10T12:00", True),
        ("2026-03-10T23:59", "2026-03-10T12:00", True),
        # Within five minutes of the border it may be on either side of it.
        ("2026-03-11T00:00", "2026-03-10T12:00", True),
        ("2026-03-11T00:04", "2026-03-10T12:00", True),
        ("2026-03-11T00:05", "2026-03-10T12:00", False),
        ("2026-03-11T03:30", "2026-03-10T12:00", False),
        # Before midnight the border itself may move on between two clocks.
        ("2026-03-11T03:30", "2026-03-10T23:54", False),
        ("2026-03-11T03:30", "2026-03-10T23:55", True),
        ("2026-03-11T23:59", "2026-03-10T23:59", True),
        ("2026-03-12T00:05", "2026-03-10T23:59", False),
        ("2026-03-11T03:30", "2026-03-11T00:00", True),
    ],
)
def test_what_is_made_at_once(planned: str, clock: str, imminent: bool) -> None:
    assert schedule.is_imminent(at(planned), at(clock)) is imminent
    elsewhere = timezone(timedelta(hours=9))
    assert schedule.is_imminent(at(planned), at(clock).astimezone(elsewhere)) is imminent


@pytest.mark.parametrize(
    ("planned", "clock", "imminent"),
    [
        ("2026-03-10T23:59", "2026-03-10T12:00", True),
        ("2026-03-11T00:00", "2026-03-10T12:00", False),
        ("2026-03-11T00:04", "2026-03-10T12:00", False),
        ("2026-03-11T23:59", "2026-03-10T23:55", True),
        ("2026-03-12T00:00", "2026-03-10T23:55", False),
    ],
)
def test_what_the_server_planned_itself_needs_no_margin(planned: str, clock: str, imminent: bool) -> None:
    assert schedule.is_imminent(at(planned), at(clock), told=True) is imminent


def test_what_is_not_planned_is_not_made() -> None:
    assert not schedule.is_imminent(None, NOW)
