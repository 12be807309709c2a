# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The network before the model server: every request meets the fate that the schedule has for it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from email.utils import format_datetime
from typing import NoReturn
from urllib.parse import urlsplit

from ansible_collections.secretops.infisical.plugins.module_utils._transport.exchange import Broken, Received
from requests.structures import CaseInsensitiveDict
from unit.exactly_once import model_fates as fates
from unit.exactly_once.model_answers import FOREIGN, HTML, SENT, UNSENT
from unit.exactly_once.model_backend import REPETITION, Backend, Said
from unit.exactly_once.model_fates import Cache, Exchange, Fate, Schedule
from unit.exactly_once.model_server import EPOCH, Infisical, State, Work, error_body

#: The server closes a connection on which it was silent for so long; the work goes on.
SERVER_TIMEOUT = 30.0
GATEWAY_TIMEOUT = 60.0
CONNECT_TIMEOUT = 15.0
#: No request is free, so that time passes for who asks again and again.
ROUND_TRIP = 0.001
_LIMIT_HEADERS = {
    "429_after": {"Retry-After": "7"},
    "429_reset": {"x-ratelimit-reset": "9"},
    "429_zero": {"Retry-After": "0", "x-ratelimit-reset": "0"},
    "429_text": {},
    "429_bare": {},
    "429_hour": {"Retry-After": "3600"},
}
#: How long each refusal of the limiter asks to wait.
_TOLD = {"429_after": 7.0, "429_reset": 9.0, "429_text": 11.0, "429_hour": 3600.0}


#: More than any task of a day sends.
ENDLESS = 20_000


class Killed(BaseException):
    """The task ends here, whatever it was about to do."""


class Endless(BaseException):
    """The task sends requests for ever."""


@dataclass
class Kept:
    until: float
    since: float
    body: bytes
    state: State
    date: str | None
    date_error: float | None


class Network:
    """Stands in for the channel of the client. What caches keep outlives it in ``kept``."""

    def __init__(self, server: Infisical, schedule: Schedule, kept: dict[str, Kept], *, strict: bool) -> None:
        self.server = server
        self.schedule = schedule
        self.strict = strict
        self.exchanges: list[Exchange] = []
        self._backend = Backend(server)
        self._kept = kept
        self._killed = False
        self._deadline = 0.0

    def close(self) -> None:
        pass

    def exchange(
        self, method: str, url: str, *, headers: Mapping[str, str], content: bytes | None, timeout: float
    ) -> Received:
        if self._killed:
            raise Killed
        if len(self.exchanges) > ENDLESS:
            raise Endless
        clock = self.server.clock
        self._deadline = clock.now + timeout
        role = _role(urlsplit(url).path)
        number = sum(exchange.role == role for exchange in self.exchanges)
        fate = self.schedule.of(role, number)
        kind = fate.kind if role == "rotate" or fate.kind not in fates.ROTATE_ONLY else "ok"
        token = headers.get("Authorization", "").removeprefix("Bearer ") or None
        exchange = Exchange(role, kind, clock.now, token=token)
        self.exchanges.append(exchange)
        if role == "revoke":
            token = str(json.loads(content or b"{}").get("accessToken"))
        try:
            received = self._fated(exchange, fate, token, timeout, url, self.schedule.way.lag(role, number))
            exchange.status = received.status
            return received
        finally:
            exchange.ended = clock.now

    def _fated(
        self, exchange: Exchange, fate: Fate, token: str | None, timeout: float, url: str, lag: float
    ) -> Received:
        server, clock, kind = self.server, self.server.clock, exchange.kind
        if fate.skew is not None:
            server.skew = fate.skew
        if fate.rival is not None:
            server.rival(fate.rival)
        clock.pass_until(clock.now + ROUND_TRIP)
        if kind in fates.NEVER_SENT:
            if kind == "connect_timeout":
                clock.pass_until(clock.now + min(CONNECT_TIMEOUT, timeout))
            exchange.refused = True
            raise Broken(UNSENT[kind](), sent=False)
        if kind == "reset_before":
            self._break(fate)
        if kind == "silent_before":
            self._silence()
        if kind in (*fates.LIMITED, *fates.ANSWERED_BEFORE):
            return self._answered_before(exchange, fate)
        cache = self.schedule.way.cache if exchange.role in ("find", "read") else None
        if cache and kind in fates.WHOLE:
            return self._through(cache, exchange, fate, token, url, lag)
        return self._asked(exchange, fate, token, lag)

    def _asked(self, exchange: Exchange, fate: Fate, token: str | None, lag: float) -> Received:
        if exchange.kind in fates.TOKEN_REFUSED:
            self.server.spoil_tokens(403 if exchange.kind == "expired" else 401)
        if exchange.kind == "late":
            self._arrive_late(exchange, fate, token)
        return self._deliver(exchange, fate, self._backend.say(exchange, fate, token, lag))

    def _break(self, fate: Fate) -> NoReturn:
        raise Broken(SENT[fate.pick % len(SENT)](), sent=True)

    def _silence(self) -> NoReturn:
        self.server.clock.pass_until(self._deadline)
        raise Broken(TimeoutError(), sent=True)

    def _through(
        self, cache: Cache, exchange: Exchange, fate: Fate, token: str | None, url: str, lag: float
    ) -> Received:
        clock = self.server.clock
        key = url if cache.whole_url else urlsplit(url).path
        kept = self._kept.get(key)
        if kept and clock.now < kept.until:
            old = int(clock.now - kept.since)
            exchange.state, exchange.avoidable = kept.state, cache.whole_url
            exchange.aged = cache.tells_age and old > 0
            headers = {"Age": str(old)} if cache.tells_age else {}
            if not cache.keeps_date:
                return self._received(exchange, 200, headers, kept.body)
            exchange.date_error = None if kept.date_error is None else kept.date_error - (clock.now - kept.since)
            return Received(200, CaseInsensitiveDict(headers | ({"Date": kept.date} if kept.date else {})), kept.body)
        received = self._asked(exchange, fate, token, lag)
        if exchange.state:
            date = received.headers.get("Date")
            until = clock.now + cache.seconds
            self._kept[key] = Kept(until, clock.now, received.body, exchange.state, date, exchange.date_error)
        return received

    def _answered_before(self, exchange: Exchange, fate: Fate) -> Received:
        """By the limiter, or by somebody else in a shape of his own, without the work."""
        kind = exchange.kind
        if kind in fates.LIMITED:
            text = "Rate limit exceeded." + (" Please try again in 11 seconds" if kind == "429_text" else "")
            self._pass(fate.seconds)
            exchange.refused, exchange.told_to_wait = True, _TOLD.get(kind)
            body = error_body(429, "RateLimitExceeded", text)
            return self._received(exchange, 429, _LIMIT_HEADERS[kind], body)
        self._pass(fate.seconds)
        if kind == "masked_500":
            exchange.answered = True
            return self._received(exchange, 500, {}, error_body(500, "InternalServerError", "Something went wrong"))
        return self._foreign(exchange, fate)

    def _foreign(self, exchange: Exchange, fate: Fate) -> Received:
        status, headers, body = FOREIGN[fate.pick % len(FOREIGN)]
        if status == 429:
            exchange.told_to_wait = float(headers["Retry-After"]) if headers else None
        return self._received(exchange, status, headers, body)

    def _arrive_late(self, exchange: Exchange, fate: Fate, token: str | None) -> NoReturn:
        """The task has heard of a broken connection by then, and a token that it revoked is not taken."""
        server = self.server

        def arrive() -> None:
            if server.tokens.get(token or "") == 200 and not server.locked:
                exchange.work = exchange.work or Work()
                server.begin(0.5, "ok", exchange.work)

        server.clock.plan(fate.seconds, arrive)
        self._break(fate)

    def _deliver(self, exchange: Exchange, fate: Fate, said: Said) -> Received:
        clock, kind = self.server.clock, exchange.kind
        if kind == "killed":
            self._killed = True
            raise Killed
        if kind == "reset_during":
            self._break(fate)
        if kind == "silent_after":
            self._wait(SERVER_TIMEOUT if self.strict else self._deadline - clock.now)
            self._break(fate)
        takes = fate.seconds * said.times + (REPETITION + ROUND_TRIP if said.times > 1 else 0.0)
        if kind == "gateway_timeout" and said.after and takes > GATEWAY_TIMEOUT:
            self._pass(GATEWAY_TIMEOUT)
            return self._received(exchange, 504, {}, HTML)
        if self.strict and said.after and takes > SERVER_TIMEOUT:
            self._wait(SERVER_TIMEOUT)
            self._break(fate)
        self._pass(takes)
        if kind in ("reset_after", "restart", "half_body"):
            self._break(fate)
        if kind == "trickle":
            self._silence()
        if said.after:
            said = said.after()
        if kind == "foreign_after":
            return self._foreign(exchange, fate)
        body = {"not_json": b'{"secretRotation": {"id"', "empty": b""}.get(kind) if said.status == 200 else None
        if body is None:
            exchange.state, exchange.refused, exchange.busy, body = said.state, said.refused, said.busy, said.body
            exchange.answered = said.status == 500
        return self._received(exchange, said.status, {}, body)

    def _pass(self, seconds: float) -> None:
        """Until the answer comes; the client waits no longer than it was told."""
        if self.server.clock.now + seconds > self._deadline:
            self._silence()
        self.server.clock.pass_until(self.server.clock.now + seconds)

    def _wait(self, seconds: float) -> None:
        self.server.clock.pass_until(min(self.server.clock.now + seconds, self._deadline))

    def _received(self, exchange: Exchange, status: int, headers: Mapping[str, str], body: bytes) -> Received:
        server, ahead = self.server, self.schedule.way.date
        more: dict[str, str] = {}
        if ahead is not None:
            told = server.wall(ahead).replace(microsecond=0)
            more["Date"] = format_datetime(told, usegmt=True)
            exchange.date_error = (told - EPOCH - timedelta(seconds=server.clock.now)).total_seconds()
        return Received(status, CaseInsensitiveDict({**more, **headers}), body)


def _role(path: str) -> str:
    if path.endswith("/revoke"):
        return "revoke"
    if path.endswith("/login"):
        return "login"
    if "/rotation-name/" in path:
        return "find"
    return "rotate" if path.endswith("/rotate-secrets") else "read"
