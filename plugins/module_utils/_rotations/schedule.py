# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""When the server rotates by itself, and whether a change makes it rotate at once. Pure.

With every PATCH, of a description too, the server plans the next rotation anew, from the last one and what it then
knows of interval and time of day. What lies before the next midnight (UTC) its nightly job would miss, so it rotates.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta, timezone
from typing import Any

from .._errors import not_infisical
from .._timestamps import parse_timestamp

#: What is planned this near to the border, or done this near to it, may be on either side of it.
MARGIN = timedelta(minutes=5)


def planned(rotation: Mapping[str, Any], now: datetime) -> datetime | None:
    """What the server writes to ``nextRotationAt`` at that time; None where it plans none, or none in our calendar."""
    try:
        if not rotation["isAutoRotationEnabled"]:
            return None
        hours, minutes = rotation["rotateAtUtc"]["hours"], rotation["rotateAtUtc"]["minutes"]
        if rotation["rotationStatus"] == "failed":
            return _at(now + timedelta(days=1), hours, minutes)
        last = parse_timestamp(rotation["lastRotatedAt"]).astimezone(timezone.utc)
        days = int(rotation["rotationInterval"])
        # One that was asked for late in the day is followed a day later. An older server does not tell whether it was.
        if rotation.get("isLastRotationManual") and (last.hour, last.minute) >= (hours, minutes):
            days += 1
        return _at(last + timedelta(days=days), hours, minutes)
    except OverflowError:
        return None
    except (KeyError, TypeError, ValueError):
        fault = "isAutoRotationEnabled, rotateAtUtc or rotationInterval is missing or malformed"
    raise not_infisical(f"Could not tell when the server rotates {rotation.get('name')!r} next: {fault}.")


def is_imminent(next_at: datetime | None, clock: datetime, *, told: bool = False) -> bool:
    """Whether one that is planned for then is made at once. What the server ``told`` itself needs no margin."""
    return next_at is not None and next_at < _next_midnight(clock + MARGIN) + (timedelta(0) if told else MARGIN)


def _next_midnight(moment: datetime) -> datetime:
    return _at(moment.astimezone(timezone.utc) + timedelta(days=1), 0, 0)


def _at(day: datetime, hours: float, minutes: float) -> datetime:
    return datetime.combine(day.astimezone(timezone.utc).date(), time(int(hours), int(minutes)), timezone.utc)
