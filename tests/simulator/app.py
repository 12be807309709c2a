# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The server: puts the parts together and takes requests from the wire."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from .answers import Answer, json_answer, text_answer
from .clock import Clock, http_date
from .control import Control
from .fault_actions import ACTIONS, perform
from .faults import Faults
from .jobs import Jobs
from .limits import RateLimiter
from .logins import Logins
from .metadata import Metadata
from .okta_oauth import PREFIX, OktaOAuth
from .pipeline import Pipeline, Received
from .project_routes import ProjectRoutes
from .requestlog import Entry, RequestLog
from .rotation_changes import RotationChanges
from .rotation_routes import RotationRoutes
from .rotations import Rotations
from .router import Router, parse_query
from .secret_routes import SecretRoutes
from .secret_writes import SecretWrites
from .seed import seed
from .session import Session
from .store import Store
from .tokens import Tokens
from .wire import (
    BODY_LIMIT,
    HEADER_LIMIT,
    ScriptedResponse,
    Wire,
    WireProtocol,
    WireServer,
    too_many_headers,
    without_host,
)

#: Told of each request when it has come; what it returns is called when the exchange is over.
Watch = Callable[[Entry], Callable[[], None]]


class App:
    def __init__(
        self, *, clock: Clock | None = None, state_file: Path | None = None, watch: Watch | None = None
    ) -> None:
        self._watch = watch
        self.store = Store(clock)
        self.rotations = Rotations(self.store)
        self.jobs = Jobs(self.store, self.rotations, self.spawn)
        self.tokens = Tokens(self.store)
        self.limiter = RateLimiter(self.store.now)
        self.faults = Faults(ACTIONS)
        self.log = RequestLog()
        self.router = Router()
        self.state_file = state_file
        self._background: set[asyncio.Future[Any]] = set()
        for part in (
            Logins(self.store, self.tokens),
            RotationRoutes(self.store, self.rotations, RotationChanges(self.store, self.rotations, self.jobs)),
            SecretRoutes(self.store),
            SecretWrites(self.store),
            ProjectRoutes(self.store),
        ):
            part.register(self.router)
        self.pipeline = Pipeline(self.store, self.router, self.tokens, self.limiter)
        self.metadata = Metadata(self.store)
        self.okta = OktaOAuth(self.store)
        self.server = WireServer(
            self.handle,
            keepalive_timeout=lambda: self.store.settings.keepAliveTimeout,
            silence_limit=lambda: self.store.settings.silenceLimit,
        )
        self.control = Control(self)
        if state_file is not None and state_file.exists():
            self.store.load(json.loads(state_file.read_text(encoding="utf-8")))
        else:
            self.reset()

    def reset(self) -> None:
        """Back to the state after a start; connections stay."""
        self.store.clock.unfreeze()
        self.store.clock.offset = 0.0
        self.store.clear()
        self.faults.clear()
        self.log.clear()
        self.limiter.switch(None)
        seed(self.store, self.rotations)

    def save(self) -> None:
        if self.state_file is not None:
            self.state_file.write_text(json.dumps(self.store.dump()), encoding="utf-8")

    def kill(self) -> None:
        self.save()
        os._exit(137)

    def spawn(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    def date(self) -> str | None:
        return http_date(self.store.now()) if self.store.settings.sendDate else None

    @contextlib.asynccontextmanager
    async def listening(self, host: str, port: int, ssl_context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
        """The port, where 0 was asked for any."""
        runner = web.ServerRunner(self.server, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port, ssl_context=ssl_context, backlog=1024).start()
            yield runner.addresses[0][1]
        finally:
            await runner.cleanup()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        protocol = request.protocol
        assert isinstance(protocol, WireProtocol)
        if sum(len(name) + len(value) + 4 for name, value in request.raw_headers) > HEADER_LIMIT:
            return too_many_headers()
        if request.version >= (1, 1) and "host" not in request.headers:
            return without_host(self.date())
        return ScriptedResponse(lambda wire: self._serve(request, protocol, wire))

    async def _receive(self, request: web.BaseRequest, wire: Wire) -> Received:
        raw_url = request.raw_path
        if "://" in raw_url.split("?")[0]:
            raw_url = "/" + raw_url.split("://", 1)[1].partition("/")[2]
        headers = {name.lower(): value for name, value in request.headers.items()}
        if headers.get("expect", "").lower() == "100-continue":
            await wire.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        peer = request.remote or "127.0.0.1"
        return Received(request.method, raw_url, headers, await _read_body(request), peer)

    async def _serve(self, request: web.BaseRequest, protocol: WireProtocol, wire: Wire) -> bool:
        received = await self._receive(request, wire)
        own = received.path.startswith("/_control/")
        if not own:
            self.server.used_connections += protocol.requests == 0
            protocol.requests += 1
        session = Session(
            received,
            self.log.open(received, protocol.connection_id, self.store.now()),
            wire,
            answer=self._work_of(received.path),
            date=self.date,
            kill=self.kill,
            stays=request.keep_alive and (request.content_length or 0) <= BODY_LIMIT,
            keep_alive_timeout=self.store.settings.keepAliveTimeout,
        )
        if own:
            self.log.entries.remove(session.entry)
            wire.disarm()
            return await session.send(await self.control.answer(received))
        over = self._watch(session.entry) if self._watch is not None else None
        try:
            return await perform(session, self.faults.take(received.method, received.path))
        finally:
            if over is not None:
                over()

    def _work_of(self, path: str) -> Callable[[Received], Awaitable[Answer]]:
        if path.startswith("/_"):
            return self._special
        return self.okta.answer if path.startswith(PREFIX) else self.pipeline.answer

    async def _special(self, received: Received) -> Answer:
        query = parse_query(received.raw_query, strict=False)
        status, kind, body = self.metadata.answer(received.path, query, received.headers)
        return text_answer(status, body, kind) if isinstance(body, str) else json_answer(status, body)


async def _read_body(request: web.BaseRequest) -> bytes | None:
    if (request.content_length or 0) > BODY_LIMIT:
        return None
    body = bytearray()
    size = 0
    async for chunk in request.content.iter_any():
        size += len(chunk)
        if size <= BODY_LIMIT:
            body += chunk
    return bytes(body) if size <= BODY_LIMIT else None
