# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rate limits of the Cloud edition; a self-hosted server has none."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from .errors import ApiError

DEFAULTS: dict[str, float] = {
    "window": 60,
    "read": 60,
    "write": 200,
    "secrets": 60,
    "auth": 60,
    "public": 30,
}


@dataclass
class Counter:
    started: float
    count: int


class RateLimiter:
    """Fixed windows, counted for each route and client address; refused requests count on."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.limits: dict[str, float] | None = None
        self.counters: dict[tuple[str, str], Counter] = {}

    def switch(self, limits: dict[str, float] | bool | None) -> None:
        self.counters.clear()
        if limits is None or limits is False:
            self.limits = None
        else:
            self.limits = {**DEFAULTS, **(limits if isinstance(limits, dict) else {})}

    def check(self, route: str, category: str | None, address: str) -> dict[str, str]:
        """The headers of the answer; raises the 429 with them when the limit is passed."""
        if self.limits is None or category is None:
            return {}
        limit = int(self.limits.get(category, self.limits["read"]))
        window = self.limits["window"]
        now = self._now()
        counter = self.counters.get((route, address))
        if counter is None or now >= counter.started + window:
            counter = self.counters[(route, address)] = Counter(now, 0)
        counter.count += 1
        seconds = max(1, math.ceil(counter.started + window - now))
        headers = {
            "x-ratelimit-limit": str(limit),
            "x-ratelimit-remaining": str(max(0, limit - counter.count)),
            "x-ratelimit-reset": str(seconds),
        }
        if counter.count > limit:
            raise ApiError(
                429,
                "RateLimitExceeded",
                f"Rate limit exceeded. Please try again in {seconds} seconds",
                headers={**headers, "retry-after": str(seconds)},
            )
        return headers
