# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one source of time: every piece of state asks it, so tests move time instead of waiting."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from email.utils import formatdate


class Clock:
    def __init__(self, offset: float = 0.0) -> None:
        self.offset = offset
        self._frozen_at: float | None = None

    def now(self) -> float:
        base = time.time() if self._frozen_at is None else self._frozen_at
        return base + self.offset

    @property
    def frozen(self) -> bool:
        return self._frozen_at is not None

    def freeze(self, at: float | None = None) -> None:
        self._frozen_at = (time.time() if self._frozen_at is None else self._frozen_at) if at is None else at

    def unfreeze(self) -> None:
        self._frozen_at = None

    def advance(self, seconds: float) -> None:
        self.offset += seconds


def iso(moment: float) -> str:
    """A JavaScript date as JSON: UTC, three decimals, Z."""
    milliseconds = round(moment * 1000)
    text = datetime.fromtimestamp(milliseconds // 1000, tz=timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{milliseconds % 1000:03d}Z"


def iso_or_none(moment: float | None) -> str | None:
    return None if moment is None else iso(moment)


def http_date(moment: float) -> str:
    return formatdate(moment, usegmt=True)
