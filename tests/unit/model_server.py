# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A model of Infisical and of the network before it, on a virtual clock.

Written from the API's description and sharing nothing with the collection, so that the rule and its judge
cannot be wrong in the same way. It stands in for ``requests.Session``.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import requests
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import (
    ConnectTimeoutError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
)

ROTATION_ID = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
OTHER_ID = "11111111-2222-4333-8444-555555555555"
PREFIX = "Infisical encountered an issue while generating credentials with the configured inputs: "
LOCK_LOST = PREFIX + "Failed to acquire rotation lock."
LOCK_SECONDS = 60.0
EPOCH = datetime(2026, 3, 1, tzinfo=timezone.utc)

#: What can become of one request. The first is that nothing special does.
NEVER_CONNECTED = ("refused", "no_such_host", "connect_timeout")
LOST_BEFORE = ("reset_before", "silent_before")
TOKEN_REFUSED = ("expired", "revoked")
ANSWERED_BEFORE = ("proxy_before", "masked_500", "redirect", "html_before", "forbidden", "no_route", *TOKEN_REFUSED)
LIMITED = ("429_after", "429_reset", "429_zero", "429_text", "429_bare", "429_hour")
LOST_AFTER = ("reset_after", "reset_during", "silent_after", "half_body", "trickle")
GARBLED_AFTER = ("not_json", "html_after", "empty", "other_id", "other_type", "missing", "null", "proxy_after")
WHOLE = ("ok", "extra")
ROTATE_ONLY = ("lock_lost", "unmoved", "okta_fails", "okta_limit", "late_failure", "restart", "gateway_timeout")
KINDS = (
    *WHOLE, *NEVER_CONNECTED, *LOST_BEFORE, *ANSWERED_BEFORE, *LIMITED, *LOST_AFTER, *GARBLED_AFTER, *ROTATE_ONLY
)  # fmt: skip


@dataclass(frozen=True)
class Rival:
    """Somebody else's rotation: how long after the request it begins, how long it works, how it ends."""

    after: float
    seconds: float
    result: str = "ok"


@dataclass(frozen=True)
class Fate:
    """What becomes of one request. ``seconds`` is the time of the work, or the delay of the answer."""

    kind: str = "ok"
    seconds: float = 0.0
    rival: Rival | None = None
    skew: float | None = None


@dataclass(frozen=True)
class Schedule:
    """The fates of one task's requests, by role and in order; after them all goes well."""

    login: Sequence[Fate] = ()
    read: Sequence[Fate] = ()
    rotate: Sequence[Fate] = ()
    revoke: Sequence[Fate] = ()
    find: Sequence[Fate] = ()

    def of(self, role: str, number: int) -> Fate:
        fates: Sequence[Fate] = getattr(self, role)
        return fates[number] if number < len(fates) else Fate()


@dataclass
class Exchange:
    """One request as it really went. ``state`` is the rotation that the client got to see, if it did."""

    role: str
    kind: str
    started: float
    ended: float = 0.0
    status: int | None = None
    state: dict[str, Any] | None = None
    token: str | None = None
    reached: bool = False

    @property
    def harmless(self) -> bool:
        """Whether the client can know from this alone that the server did nothing."""
        refused = self.status in (400, 401, 403, 404, 429) or (self.status or 0) in range(301, 309)
        if self.kind in LOST_AFTER:
            return False
        return self.kind in NEVER_CONNECTED or refused or (self.kind == "lock_lost" and self.status == 500)


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


class Infisical:
    """One rotation, its lock and its tokens."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.skew = 0.0
        self.tokens: dict[str, int] = {}
        self.made = 0
        self.lock_until = float("-inf")
        self.attempts_failed: list[float] = []
        self.commits = 0
        stamp = self.stamp(-86400)
        self.rotation: dict[str, Any] = {
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
        }

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

    def begin(self, seconds: float, result: str, ended: Callable[[], None] = lambda: None) -> None:
        """Start to work, with the lock. It ends by itself, whoever is still there to hear of it."""
        self.lock_until = lock = self.clock.now + min(seconds, LOCK_SECONDS)
        if result == "restart":
            self.lock_until = self.clock.now + LOCK_SECONDS
            return

        def end() -> None:
            if self.lock_until == lock:
                self.lock_until = float("-inf")
            if result in ("ok", "late_failure"):
                self._commit()
            if result != "ok":
                self.fail(result)
            ended()

        self.clock.plan(seconds, end)

    def _commit(self) -> None:
        self.commits += 1
        before, ahead = self.rotation["lastRotatedAt"], 0.0
        while self.stamp(ahead) == before:
            ahead += 0.001
        stamp = self.stamp(ahead)
        self.rotation.update(
            lastRotatedAt=stamp,
            lastRotationAttemptedAt=stamp,
            rotationStatus="success",
            lastRotationMessage=None,
            activeIndex=1 - self.rotation["activeIndex"],
        )

    def fail(self, result: str) -> None:
        texts = {
            "okta_fails": PREFIX + "Failed to list client secrets for Okta app x: Service unavailable",
            "okta_limit": PREFIX + "Failed to add client secret to Okta app x: You must have only a single secret for "
            "the Okta app prior to creating this secret rotation.",
            "late_failure": PREFIX + "Something went wrong",
            "lock_lost": LOCK_LOST,
        }
        before, ahead = self.rotation["lastRotationAttemptedAt"], 0.0
        while self.stamp(ahead) == before:
            ahead += 0.001
        self.rotation.update(
            rotationStatus="failed", lastRotationAttemptedAt=self.stamp(ahead), lastRotationMessage=texts[result]
        )
        if result != "lock_lost":
            self.attempts_failed.append(self.clock.now)

    def rival(self, rival: Rival) -> None:
        def begin() -> None:
            if rival.result == "lock_lost":
                self.fail("lock_lost")
            elif not self.locked:
                self.begin(rival.seconds, rival.result)

        self.clock.plan(rival.after, begin)


class Response:
    """What ``requests`` would hand over; the body comes in pieces, each of which takes ``pause`` seconds."""

    def __init__(
        self, exchange: Exchange, clock: Clock, status: int, headers: dict[str, str], pieces: list[bytes], pause: float
    ) -> None:
        self._exchange = exchange
        self.status_code = status
        self.headers: CaseInsensitiveDict[str] = CaseInsensitiveDict(headers)
        self.request = SimpleNamespace(method="POST")
        connection = SimpleNamespace(sock=SimpleNamespace(settimeout=self._set_timeout))
        self.raw = SimpleNamespace(read1=self._read1, release_conn=lambda: None, _connection=connection)
        self._clock, self._pieces, self._pause = clock, pieces, pause
        self._timeout = float("inf")

    def _set_timeout(self, seconds: float) -> None:
        self._timeout = seconds

    def _read1(self, size: int) -> bytes:
        if not self._pieces:
            return b""
        self._clock.pass_until(self._clock.now + min(self._pause, self._timeout))
        self._exchange.ended = self._clock.now
        if self._pause > self._timeout:
            raise TimeoutError
        return self._pieces.pop(0)


def no_connection(kind: str) -> requests.ConnectionError:
    pool: Any = SimpleNamespace(host="x", port=1)
    reason: Exception = {
        "refused": NewConnectionError(pool, "refused"),
        "no_such_host": NameResolutionError("x", pool, OSError("no such host")),  # type: ignore[arg-type]
        "connect_timeout": ConnectTimeoutError(pool, "timed out"),
    }[kind]
    return requests.ConnectionError(MaxRetryError(pool, "/", reason))


def broken(text: str) -> requests.ConnectionError:
    return requests.ConnectionError(ProtocolError(text, ConnectionResetError(104, text)))


def error_body(status: int, error: str, message: Any) -> bytes:
    body = {"reqId": "req-4Bx9dKq1LmTz0A", "statusCode": status, "error": error, "message": message}
    return json.dumps(body).encode()
