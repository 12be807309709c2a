# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""When the server plans the next rotation."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone


def _at_utc(day: datetime, hours: float, minutes: float) -> datetime:
    midnight = day.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + timedelta(hours=int(hours), minutes=int(minutes))


def next_after_success(
    last_rotated_at: float,
    *,
    interval_days: float,
    hours: float,
    minutes: float,
    manual: bool,
    auto: bool,
) -> float | None:
    if not auto:
        return None
    last = datetime.fromtimestamp(last_rotated_at, tz=timezone.utc)
    # JavaScript cuts off fractions where it sets a date, and does not where it compares.
    planned = _at_utc(last + timedelta(days=int(interval_days)), hours, minutes)
    # A manual rotation late in the day would otherwise be followed by a scheduled one too early.
    if manual and (last.hour, last.minute) >= (hours, minutes):
        planned += timedelta(days=1)
    return planned.timestamp()


def next_after_failure(now: float, *, hours: float, minutes: float) -> float:
    """Tomorrow, and on purpose also when automatic rotation is off: the server does the same."""
    tomorrow = datetime.fromtimestamp(now, tz=timezone.utc) + timedelta(days=1)
    return _at_utc(tomorrow, hours, minutes).timestamp()
