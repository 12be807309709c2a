# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A model of Infisical on a virtual clock.

Written from the API's description and sharing nothing with the collection, so that the rule and its judge
cannot be wrong in the same way. It keeps every state that the rotation ever had, for replicas that lag and for
the judge.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

ROTATION_ID = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
OTHER_ID = "11111111-2222-4333-8444-555555555555"
PREFIX = "Infisical encountered an issue while generating credentials with the configured inputs: "
LOCK_LOST = PREFIX + "Failed to acquire rotation lock."
LOCK_SECONDS = 60.0
EPOCH = datetime(2026, 3, 1, tzinfo=timezone.utc)
TEXTS = {
    "okta_fails": PREFIX + "Failed to list client secrets for Okta app x: Service unavailable",
    "okta_limit": PREFIX + "Failed to add client secret to Okta app x: You must have only a single secret for "
    "the Okta app prior to creating this secret rotation.",
    "late_failure": PREFIX + "Something went wrong",
    "lock_lost": LOCK_LOST,
}


class Clock:
    """Time passes only in ``sleep``; what was planned for the time between happens then."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept = 0.0
        self._planned: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0

    def __call__(self) -> float:
        return self.now

    def plan(self, delay: float, action: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._planned, (self.now + delay, self._count, action))

    def pass_until(self, moment: float) -> None:
        while self._planned and self._planned[0][0] <= moment:
            when, _number, action = heapq.heappop(self._planned)
            self.now = max(self.now, when)
            action()
        self.now = max(self.now, moment)

    def sleep(self, seconds: float) -> None:
        self.slept += seconds
        self.pass_until(self.now + seconds)


@dataclass(frozen=True)
class Rival:
    """Somebody else's rotation: how long after the request it begins, how long it works, how it ends."""

    after: float
    seconds: float
    result: str = "ok"


@dataclass(frozen=True)
class State:
    """The rotation from the moment ``since`` on, with how often it was rotated, and how often in vain, until then.

    ``rotated`` and ``failed`` are when that was last so, on the true clock.
    """

    since: float
    rotation: dict[str, Any]
    rotations: int = 0
    failures: int = 0
    rotated: float = -86400.0
    failed: float = float("-inf")

    @property
    def stamp(self) -> str:
        return str(self.rotation["lastRotatedAt"])


@dataclass
class Work:
    """What the server makes of a request: when it was committed, and when it was recorded as failed."""

    committed: list[float] = field(default_factory=list)
    failed: list[float] = field(default_factory=list)


class Infisical:
    """One rotation, its lock and its tokens."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.skew = 0.0
        #: Whether its clock was right whenever it wrote a time.
        self.steady = True
        self.tokens: dict[str, int] = {}
        self.made = 0
        self.lock_until = float("-inf")
        stamp = self.stamp(-86400)
        first = {
            "id": ROTATION_ID,
            "name": "okta",
            "type": "okta-client-secret",
            "activeIndex": 0,
            "isAutoRotationEnabled": False,
            "rotationStatus": "success",
            "lastRotationAttemptedAt": stamp,
            "lastRotatedAt": stamp,
            "lastRotationMessage": None,
            "nextRotationAt": None,
            "secretsMapping": {"clientId": "ID", "clientSecret": "SECRET"},
            "projectId": "a-project",
            "environment": {"slug": "prod"},
            "folder": {"path": "/"},
        }
        self.states = [State(float("-inf"), first)]

    @property
    def present(self) -> State:
        return self.states[-1]

    @property
    def commits(self) -> int:
        return self.present.rotations

    def as_of(self, moment: float) -> State:
        """What a replica that got so far shows."""
        return next(state for state in reversed(self.states) if state.since <= moment)

    def wall(self, ahead: float = 0.0) -> datetime:
        return EPOCH + timedelta(seconds=self.clock.now + self.skew + ahead)

    def stamp(self, ahead: float = 0.0) -> str:
        return self.wall(ahead).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    @property
    def locked(self) -> bool:
        return self.clock.now < self.lock_until

    def log_in(self) -> str:
        self.made += 1
        token = f"token-number-{self.made}"
        self.tokens[token] = 200
        return token

    def spoil_tokens(self, status: int) -> None:
        self.tokens = dict.fromkeys(self.tokens, status)

    def begin(
        self, seconds: float, result: str, work: Work | None = None, ended: Callable[[], None] = lambda: None
    ) -> None:
        """Start to work, with the lock. It ends by itself, whoever is still there to hear of it."""
        self.lock_until = lock = self.clock.now + min(seconds, LOCK_SECONDS)
        if result == "restart":
            self.lock_until = self.clock.now + LOCK_SECONDS
            return

        def end() -> None:
            if self.lock_until == lock:
                self.lock_until = float("-inf")
            if result in ("ok", "late_failure"):
                self._commit(work or Work())
            if result != "ok":
                self.fail(result, work)
            ended()

        self.clock.plan(seconds, end)

    def _commit(self, work: Work) -> None:
        before, now = self.present, self.clock.now
        work.committed.append(now)
        stamp = self._later_than(before.stamp)
        rotation = before.rotation | {
            "lastRotatedAt": stamp,
            "lastRotationAttemptedAt": stamp,
            "rotationStatus": "success",
            "lastRotationMessage": None,
            "activeIndex": 1 - before.rotation["activeIndex"],
        }
        self.states.append(State(now, rotation, before.rotations + 1, before.failures, now, before.failed))

    def fail(self, result: str, work: Work | None = None) -> None:
        before, now = self.present, self.clock.now
        rotation = before.rotation | {
            "rotationStatus": "failed",
            "lastRotationAttemptedAt": self._later_than(before.rotation["lastRotationAttemptedAt"]),
            "lastRotationMessage": TEXTS[result],
        }
        counts = result != "lock_lost"
        failures, failed = (before.failures + 1, now) if counts else (before.failures, before.failed)
        self.states.append(State(now, rotation, before.rotations, failures, before.rotated, failed))
        if work and counts:
            work.failed.append(now)

    def _later_than(self, before: str) -> str:
        """The time now; no two things happen in the same millisecond."""
        self.steady = self.steady and self.skew == 0
        ahead = 0.0
        while before >= self.stamp(ahead) and ahead < 0.01:
            ahead += 0.001
        return self.stamp(ahead)

    def rival(self, rival: Rival) -> None:
        def begin() -> None:
            if rival.result == "lock_lost":
                self.fail("lock_lost")
            elif not self.locked:
                self.begin(rival.seconds, rival.result)

        self.clock.plan(rival.after, begin)


def error_body(status: int, error: str, message: Any) -> bytes:
    body = {"reqId": "req-4Bx9dKq1LmTz0A", "statusCode": status, "error": error, "message": message}
    return json.dumps(body).encode()
