# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Moments as servers write them."""

from __future__ import annotations

from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any


def parse_timestamp(value: str) -> datetime:
    """A timestamp of Infisical (ISO 8601, UTC). Raises ValueError."""
    moment = datetime.fromisoformat(value.replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def moment_of(value: Any) -> datetime | None:
    """The same, or None where it is none."""
    try:
        return parse_timestamp(value)
    except (AttributeError, TypeError, ValueError):
        return None


def parse_http_date(value: str | None) -> datetime | None:
    """The moment of a header Date, or None where that holds none."""
    try:
        moment = parsedate_to_datetime(value) if value else None
    except (TypeError, ValueError, OverflowError):
        return None
    # Without a zone it could not be compared with the server's other times.
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=timezone.utc)
