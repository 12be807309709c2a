# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The network before the model server: every request meets the fate that the schedule has for it."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import requests
from unit import model_server as model
from unit.model_server import (
    Exchange,
    Fate,
    Infisical,
    Response,
    Schedule,
)

HTML = b"<!DOCTYPE html><html><body>It works</body></html>"
#: The server closes a connection on which it was silent for so long; the work goes on.
SERVER_TIMEOUT = 30.0
GATEWAY_TIMEOUT = 60.0
#: No request is free, so that time passes for who asks again and again.
ROUND_TRIP = 0.001
_PROXY_STATUSES = (502, 503, 504)
_REDIRECTS = (301, 302, 307, 308)
_LIMIT_HEADERS = {
    "429_after": {"retry-after": "7"},
    "429_reset": {"x-ratelimit-reset": "9"},
    "429_zero": {"retry-after": "0", "x-ratelimit-reset": "0"},
    "429_text": {},
    "429_bare": {},
    "429_hour": {"retry-after": "3600"},
}


class Network:
    """Stands in for ``requests.Session``."""

    def __init__(self, server: Infisical, schedule: Schedule, *, strict: bool) -> None:
        self.server = server
        self.schedule = schedule
        self.strict = strict
        self.exchanges: list[Exchange] = []

    def close(self) -> None:
        pass

    def request(
        self,
        method: str,
        url: str,
        *,
        auth: Callable[[Any], Any],
        data: bytes | None,
        timeout: tuple[float, float],
        **_: Any,
    ) -> Response:
        path = urlsplit(url).path
        prepared = auth(SimpleNamespace(headers={}))
        token = prepared.headers.get("Authorization", "").removeprefix("Bearer ") or None
        role = _role(path)
        fate = self.schedule.of(role, sum(exchange.role == role for exchange in self.exchanges))
        kind = fate.kind if role == "rotate" or fate.kind not in model.ROTATE_ONLY else "ok"
        exchange = Exchange(role, kind, self.server.clock.now, token=token)
        self.exchanges.append(exchange)
        if role == "revoke":
            token = json.loads(data or b"{}").get("accessToken")
        try:
            response = self._fated(exchange, fate, kind, token, timeout)
            exchange.status = response.status_code
            return response
        finally:
            exchange.ended = self.server.clock.now

    def _fated(
        self, exchange: Exchange, fate: Fate, kind: str, token: str | None, timeout: tuple[float, float]
    ) -> Response:
        server, clock = self.server, self.server.clock
        if fate.skew is not None:
            server.skew = fate.skew
        if fate.rival is not None:
            server.rival(fate.rival)
        clock.pass_until(clock.now + ROUND_TRIP)
        if kind == "connect_timeout":
            clock.pass_until(clock.now + timeout[0])
        if kind in model.NEVER_CONNECTED:
            raise model.no_connection(kind)
        if kind == "reset_before":
            raise model.broken("Connection reset by peer")
        if kind == "silent_before":
            self._silence(timeout[1])
        if kind in model.LIMITED or kind in ("proxy_before", "masked_500", "redirect", "html_before"):
            return self._answered_before(exchange, kind, fate, timeout[1])
        if kind in ("expired", "revoked"):
            server.spoil_tokens(403 if kind == "expired" else 401)
        status, body, ready = self._work(exchange, fate, kind, token)
        return self._deliver(exchange, fate, kind, status, body, ready, timeout[1])

    def _silence(self, seconds: float) -> None:
        self.server.clock.pass_until(self.server.clock.now + seconds)
        raise requests.ReadTimeout("silent")

    def _answered_before(self, exchange: Exchange, kind: str, fate: Fate, timeout: float) -> Response:
        """By the limiter, a proxy or a wrong address, without the work."""
        pick = int(fate.seconds)
        if kind in model.LIMITED:
            text = "Rate limit exceeded." + (" Please try again in 11 seconds" if kind == "429_text" else "")
            body = model.error_body(429, "RateLimitExceeded", text)
            return self._response(exchange, 429, body, fate.seconds, timeout, _LIMIT_HEADERS[kind])
        if kind == "redirect":
            headers = {"location": "https://elsewhere.example/"}
            return self._response(exchange, _REDIRECTS[pick % 4], b"", fate.seconds, timeout, headers)
        if kind == "masked_500":
            body = model.error_body(500, "InternalServerError", "Something went wrong")
            return self._response(exchange, 500, body, fate.seconds, timeout)
        status = 200 if kind == "html_before" else _PROXY_STATUSES[pick % 3]
        return self._response(exchange, status, HTML, fate.seconds, timeout)

    def _work(
        self, exchange: Exchange, fate: Fate, kind: str, token: str | None
    ) -> tuple[int, bytes, Callable[[], tuple[int, bytes]] | None]:
        """The server's own part. For a rotation that began, the answer is known only at its end."""
        server = self.server
        if exchange.role == "login":
            if kind in ("expired", "revoked", "forbidden"):
                return 401, model.error_body(401, "UnauthorizedError", "Invalid credentials"), None
            body = {"accessToken": server.log_in(), "expiresIn": 600, "accessTokenMaxTTL": 600, "tokenType": "Bearer"}
            return 200, json.dumps(body).encode(), None
        known = server.tokens.get(token or "", 403)
        if known == 401:
            return 401, model.error_body(401, "UnauthorizedError", "Failed to authorize: token has been revoked"), None
        if known == 403:
            text = "Your token has expired. Please re-authenticate."
            return 403, model.error_body(403, "TokenError", text), None
        if kind == "forbidden":
            text = "You are not allowed to rotate-secrets on secret-rotation"
            return 403, model.error_body(403, "PermissionDenied", text), None
        if kind == "no_route":
            body = {"message": "Route POST:/x not found", "error": "Not Found", "statusCode": 404}
            return 404, json.dumps(body).encode(), None
        if exchange.role == "revoke":
            server.tokens[token or ""] = 401
            return 200, b'{"message": "Successfully revoked access token"}', None
        if exchange.role in ("find", "read") or kind == "unmoved":
            return 200, self._object(kind), None
        return self._rotate(exchange, fate, kind)

    def _rotate(
        self, exchange: Exchange, fate: Fate, kind: str
    ) -> tuple[int, bytes, Callable[[], tuple[int, bytes]] | None]:
        server = self.server
        if server.locked:
            text = "A rotation is already in progress. Please try again shortly."
            return 400, model.error_body(400, "BadRequest", text), None
        if kind == "lock_lost":
            server.begin(fate.seconds, "okta_fails" if fate.rival else "ok")
            server.fail("lock_lost")
            return 500, model.error_body(500, "InternalServerError", model.LOCK_LOST), None
        exchange.reached = True
        answer: list[tuple[int, bytes]] = []
        failing = kind in ("okta_fails", "okta_limit", "late_failure")

        def ended() -> None:
            message = server.rotation["lastRotationMessage"]
            error = model.error_body(500, "InternalServerError", message)
            answer.append((500, error) if failing else (200, self._object(kind)))

        server.begin(fate.seconds, kind if failing or kind == "restart" else "ok", ended)
        return 0, b"", lambda: answer[0]

    def _object(self, kind: str) -> bytes:
        rotation = copy.copy(self.server.rotation)
        if kind == "other_id":
            rotation["id"] = model.OTHER_ID
        elif kind == "other_type":
            rotation["type"] = "aws-iam-user-secret"
        elif kind == "missing":
            del rotation["lastRotatedAt"]
        elif kind == "null":
            rotation["lastRotatedAt"] = None
        elif kind == "extra":
            rotation["somethingNew"] = {"lastRotatedAt": 1}
        return json.dumps({"secretRotation": rotation}).encode()

    def _deliver(
        self,
        exchange: Exchange,
        fate: Fate,
        kind: str,
        status: int,
        body: bytes,
        ready: Callable[[], tuple[int, bytes]] | None,
        timeout: float,
    ) -> Response:
        clock = self.server.clock
        if kind == "reset_during":
            raise model.broken("Connection reset by peer")
        if kind == "silent_after":
            self._silence(min(timeout, SERVER_TIMEOUT) if self.strict else timeout)
        if kind == "gateway_timeout" and ready and fate.seconds > GATEWAY_TIMEOUT:
            return self._response(exchange, 504, HTML, GATEWAY_TIMEOUT, timeout)
        if self.strict and ready and fate.seconds > SERVER_TIMEOUT and timeout > SERVER_TIMEOUT:
            clock.pass_until(clock.now + SERVER_TIMEOUT)
            raise model.broken("Remote end closed connection without response")
        if fate.seconds > timeout:
            self._silence(timeout)
        clock.pass_until(clock.now + fate.seconds)
        if kind in ("reset_after", "restart"):
            raise model.broken("Connection reset by peer")
        if ready:
            status, body = ready()
        if status == 200:
            body = {"not_json": b'{"secretRotation": {"id"', "html_after": HTML, "empty": b""}.get(kind, body)
            if kind == "proxy_after":
                status, body = _PROXY_STATUSES[int(fate.seconds) % 3], HTML
        headers = {"content-length": str(len(body))}
        pieces, pause = [body], 0.0
        if kind == "half_body":
            pieces = [body[: len(body) // 2]]
        elif kind == "trickle":
            pieces, pause = [body[:1]] + [b" "] * 5 + [body[1:]], timeout / 4
        whole = kind not in (*model.LOST_AFTER, *model.GARBLED_AFTER)
        if whole and status == 200 and exchange.role in ("find", "read", "rotate"):
            exchange.state = json.loads(body)["secretRotation"]
        return self._response(exchange, status, pieces, 0.0, timeout, headers, pause)

    def _response(
        self,
        exchange: Exchange,
        status: int,
        body: bytes | list[bytes],
        delay: float,
        timeout: float,
        headers: dict[str, str] | None = None,
        pause: float = 0.0,
    ) -> Response:
        if delay > timeout:
            self._silence(timeout)
        self.server.clock.pass_until(self.server.clock.now + delay)
        date = self.server.wall().strftime("%a, %d %b %Y %H:%M:%S GMT")
        pieces = [body] if isinstance(body, bytes) else body
        return Response(exchange, self.server.clock, status, {"date": date, **(headers or {})}, list(pieces), pause)


def _role(path: str) -> str:
    if path.endswith("/revoke"):
        return "revoke"
    if path.endswith("/login"):
        return "login"
    if "/rotation-name/" in path:
        return "find"
    return "rotate" if path.endswith("/rotate-secrets") else "read"
