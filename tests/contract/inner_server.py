# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulator without a wire, in the test's process and on its clock: a task meets it in place of a connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

from ansible_collections.secretops.infisical.plugins.module_utils import _states
from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError
from ansible_collections.secretops.infisical.plugins.module_utils._login.session import Session
from ansible_collections.secretops.infisical.plugins.module_utils._transport.exchange import Broken, Received
from ansible_collections.secretops.infisical.plugins.module_utils._transport.patience import Patience
from ansible_collections.secretops.infisical.plugins.modules import okta_client_secret_rotation as module
from simulator import pipeline
from simulator.app import App
from simulator.clock import Clock, http_date
from support.tasks import Runner, TestTask

ROTATIONS = "/api/v2/secret-rotations/okta-client-secret"


@dataclass
class Sent:
    """A request that may change something: whether it was worked on, and how it was answered."""

    method: str
    fate: str
    status: int


@dataclass
class InnerServer:
    """``fates`` are those of the requests that may change something, one after the other; '' is a right answer.

    ``rivals`` are called before such a request is worked on.
    """

    moment: datetime
    fates: list[str] = field(default_factory=list)
    rivals: list[Callable[[], object]] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock = Clock()
        self.loop = asyncio.new_event_loop()
        self.app = self.loop.run_until_complete(self._made())
        # After the start of a server its clock goes.
        self.clock.freeze(self.moment.timestamp())
        self.store = self.app.store
        self.store.settings.queueSeconds = 0
        self.store.data.rotations.clear()
        self.store.data.secrets.clear()
        self.store.data.okta.clear()
        identity = self.store.first_identity()
        self.token = self.app.tokens.issue(identity, "token-auth").accessToken

    async def _made(self) -> App:
        return App(clock=self.clock)

    def close(self) -> None:
        self.loop.close()

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.clock.now(), timezone.utc)

    def sleep(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self._settle()

    def _settle(self) -> None:
        """What the server does after an answer."""
        for _turn in range(5):
            self.loop.run_until_complete(asyncio.sleep(0))

    def seen(self) -> dict[str, Any]:
        """All that a task could have changed."""
        data = self.store.dump()["data"]
        return {name: data[name] for name in ("rotations", "secrets", "okta")}

    # -- in place of a connection

    def exchange(
        self, method: str, url: str, *, headers: Mapping[str, str], content: bytes | None, timeout: float
    ) -> Received:
        parts = urlsplit(url)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        fate = ""
        if method != "GET" and parts.path.startswith(ROTATIONS):
            if self.rivals:
                self.rivals.pop(0)()
                self._settle()
            fate = self.fates.pop(0) if self.fates else ""
        if fate == "refused for the rate":
            self.sent.append(Sent(method, fate, 0))
            body = (
                b'{"reqId": "req-1", "statusCode": 429, "error": "RateLimitExceeded", '
                b'"message": "Rate limit exceeded. Please try again in 2 seconds"}'
            )
            return Received(429, {"Date": http_date(self.clock.now())}, body)
        if fate in ("not sent", "lost before"):
            self.sent.append(Sent(method, fate, 0))
            raise Broken(ConnectionResetError(), sent=fate != "not sent")
        request = pipeline.Received(
            method, target, {name.lower(): value for name, value in headers.items()}, content or b"", "127.0.0.1"
        )
        answer = self.loop.run_until_complete(self.app.pipeline.answer(request))
        self._settle()
        if method != "GET" and parts.path.startswith(ROTATIONS):
            self.sent.append(Sent(method, fate, answer.status))
        if fate == "lost after":
            raise Broken(ConnectionResetError(), sent=True)
        return Received(answer.status, {"Date": http_date(self.clock.now())}, answer.body)


class _HostClock:
    def __init__(self, server: InnerServer) -> None:
        self._server = server

    def now(self, _zone: timezone) -> datetime:
        return self._server.now()


@dataclass(frozen=True)
class _Task(TestTask):
    server: Any = None

    def patience(self) -> Patience:
        return Patience(self.params["wait_timeout"], self.server.clock.now, self.server.sleep)

    def session(self, connection: Any, patience: Any) -> Session:
        session = super().session(connection, patience)
        channel: Any = self.server
        session._client._channel = channel
        return session


def run(server: InnerServer, options: Mapping[str, Any], *, check_mode: bool = False) -> dict[str, Any]:
    """The result of one task of the module, of one that failed too."""
    runner = Runner(module)
    params = runner.params({"url": "https://x.example", "token": server.token, **options})
    task = _Task(params=params, check_mode=check_mode, environ={}, warn=runner.warnings.append, server=server)
    server.sent.clear()
    with patch.object(_states, "datetime", _HostClock(server)), patch.object(server, "close", create=True):
        try:
            result: dict[str, Any] = module.execute(task)
        except InfisicalError as failure:
            result = failure.result()
    return {**result, "warnings": runner.warnings}


def days(number: float) -> float:
    return timedelta(days=number).total_seconds()
