# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the model server says to a request that reached it, and what it begins to do."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from unit.exactly_once import model_fates as fates
from unit.exactly_once.model_fates import Exchange, Fate
from unit.exactly_once.model_server import LOCK_LOST, OTHER_ID, Infisical, State, Work, error_body

#: Between the first request and its repetition by the proxy.
REPETITION = 0.2


@dataclass
class Said:
    """What the server says: at once, or with ``after`` once its work has ended."""

    status: int
    body: bytes
    state: State | None = None
    refused: bool = False
    busy: bool = False
    after: Callable[[], Said] | None = None
    #: How many times the work is done before the answer comes.
    times: int = 1


class Backend:
    """The routes before the model server."""

    def __init__(self, server: Infisical) -> None:
        self.server = server

    def say(self, exchange: Exchange, fate: Fate, token: str | None, lag: float) -> Said:
        """The server's own part, up to where its answer waits for the work."""
        server, kind = self.server, exchange.kind
        if exchange.role == "login":
            if kind in ("expired", "revoked", "forbidden"):
                return _refusal(401, "UnauthorizedError", "Invalid credentials")
            body = {"accessToken": server.log_in(), "expiresIn": 600, "accessTokenMaxTTL": 600, "tokenType": "Bearer"}
            return Said(200, json.dumps(body).encode())
        known = server.tokens.get(token or "", 403)
        if known == 401:
            return _refusal(401, "UnauthorizedError", "Failed to authorize: token has been revoked")
        if known == 403:
            return _refusal(403, "TokenError", "Your token has expired. Please re-authenticate.")
        if kind == "forbidden":
            return _refusal(403, "PermissionDenied", "You are not allowed to rotate-secrets on secret-rotation")
        if kind == "no_route":
            body = {"message": "Route POST:/x not found", "error": "Not Found", "statusCode": 404}
            return Said(404, json.dumps(body).encode(), refused=True)
        if exchange.role == "revoke":
            server.tokens[token or ""] = 401
            return Said(200, b'{"message": "Successfully revoked access token"}')
        if exchange.role in ("find", "read"):
            said = _object(server.as_of(server.clock.now - lag), kind)
            # Who asks by name cannot know which id it has.
            return (
                replace(said, state=server.as_of(server.clock.now - lag))
                if exchange.role == "find" and kind == "other_id"
                else said
            )
        return _object(server.present, kind) if kind == "unmoved" else self._rotate(exchange, fate)

    def _rotate(self, exchange: Exchange, fate: Fate) -> Said:
        server, kind = self.server, exchange.kind
        busy = _refusal(400, "BadRequest", "A rotation is already in progress. Please try again shortly.", busy=True)
        if server.locked:
            return busy
        if kind == "lock_lost":
            server.begin(fate.seconds, "okta_fails" if fate.rival else "ok")
            server.fail("lock_lost")
            return _refusal(500, "InternalServerError", LOCK_LOST, busy=True)
        exchange.work = work = Work()
        said: list[Said] = []
        failing = kind in ("okta_fails", "okta_limit", "late_failure")

        def ended() -> None:
            error = error_body(500, "InternalServerError", server.present.rotation["lastRotationMessage"])
            said.append(Said(500, error) if failing else _object(server.present, kind))

        def again() -> None:
            if server.locked:
                said.append(busy)
            else:
                server.begin(fate.seconds, "ok", work, ended)

        def repeat() -> None:
            server.clock.plan(REPETITION, again)

        first = repeat if kind == "repeated" else ended
        server.begin(fate.seconds, kind if failing or kind == "restart" else "ok", work, first)
        if kind == "repeated_busy":
            return busy if server.locked else Said(0, b"", after=lambda: said[0])
        return Said(0, b"", after=lambda: said[0], times=2 if kind == "repeated" else 1)


def _refusal(status: int, error: str, message: str, *, busy: bool = False) -> Said:
    """In the server's own shape, before anything was done."""
    return Said(status, error_body(status, error, message), refused=True, busy=busy)


def _object(state: State, kind: str) -> Said:
    changes: dict[str, dict[str, Any]] = {
        "other_id": {"id": OTHER_ID},
        "other_type": {"type": "aws-iam-user-secret"},
        "null": {"lastRotatedAt": None},
        "extra": {"somethingNew": {"lastRotatedAt": 1}},
    }
    rotation = state.rotation | changes.get(kind, {})
    if kind == "missing":
        del rotation["lastRotatedAt"]
    seen = None if kind in fates.GARBLED_AFTER else state
    return Said(200, json.dumps({"secretRotation": rotation}).encode(), seen)
