# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection: every byte of an answer is written here, so that answers can also be broken on purpose."""

from __future__ import annotations

import asyncio
import itertools
import json
import socket
import struct
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

from .clock import http_date

HEADER_LIMIT = 16 * 1024
BODY_LIMIT = 1024 * 1024

_SECURITY_HEADERS = (
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Referrer-Policy", "no-referrer"),
    ("Strict-Transport-Security", "max-age=15552000; includeSubDomains"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "SAMEORIGIN"),
    ("vary", "Origin"),
)

_ids = itertools.count(1)

Script = Callable[["Wire"], Awaitable[bool]]


def reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


class WireProtocol(web.RequestHandler):
    """Closes a connection that stays silent too long, as the server's own timeout does, without a byte."""

    __slots__ = ("busy", "connection_id", "requests", "silence", "silence_limit")

    def __init__(self, manager: WireServer, *, loop: asyncio.AbstractEventLoop, keepalive_timeout: float) -> None:
        super().__init__(
            manager,
            loop=loop,
            keepalive_timeout=keepalive_timeout,
            max_line_size=HEADER_LIMIT,
            max_field_size=HEADER_LIMIT,
            max_headers=1000,
            auto_decompress=False,
            lingering_time=0,
        )
        self.connection_id = next(_ids)
        self.requests = 0
        self.busy = False
        self.silence: asyncio.TimerHandle | None = None
        self.silence_limit = manager.silence_limit

    def arm(self) -> None:
        self.disarm()
        self.silence = asyncio.get_running_loop().call_later(self.silence_limit(), self.cut)

    def disarm(self) -> None:
        if self.silence is not None:
            self.silence.cancel()
            self.silence = None

    def cut(self) -> None:
        if self.transport is not None:
            self.transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.arm()

    def connection_lost(self, exc: BaseException | None) -> None:
        self.disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self.arm()
        super().data_received(data)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        if status == 500:
            body: dict[str, Any] = {"statusCode": 500, "message": "Something went wrong", "error": "SimulatorError"}
            body["message"] += f": {exc!r}"
        elif type(exc).__name__ == "LineTooLong":
            return too_many_headers()
        elif "'Host'" in str(exc):
            return without_host(http_date(time.time()))
        else:
            body = {"error": "Bad Request", "message": "Client Error", "statusCode": 400}
        return parser_level(int(body["statusCode"]), body)


class WireServer(web.Server):
    def __init__(
        self,
        handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
        *,
        keepalive_timeout: Callable[[], float],
        silence_limit: Callable[[], float],
    ) -> None:
        super().__init__(handler)
        self.keepalive_timeout = keepalive_timeout
        self.silence_limit = silence_limit
        self.used_connections = 0

    def _live(self) -> list[WireProtocol]:
        return [c for c in self.connections if isinstance(c, WireProtocol) and c.transport is not None]

    def open_connections(self) -> list[dict[str, int]]:
        """Those that carried at least one request that was not for the control door."""
        return [{"id": c.connection_id, "requests": c.requests} for c in self._live() if c.requests]

    def close_idle(self) -> int:
        """What a server or a load balancer does to connections that nobody uses."""
        idle = [c for c in self._live() if c.requests and not c.busy]
        for connection in idle:
            connection.cut()
        return len(idle)

    def __call__(self) -> web.RequestHandler:
        return WireProtocol(self, loop=asyncio.get_running_loop(), keepalive_timeout=self.keepalive_timeout())


class Wire:
    """Raw writing to one connection."""

    def __init__(self, protocol: WireProtocol) -> None:
        self._protocol = protocol

    @property
    def alive(self) -> bool:
        transport = self._protocol.transport
        return transport is not None and not transport.is_closing()

    async def write(self, data: bytes) -> None:
        transport = self._protocol.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the client has gone")
        if self._protocol.silence is not None:
            self._protocol.arm()
        assert isinstance(transport, asyncio.Transport)
        transport.write(data)
        # A slow reader must not make a huge answer pile up in memory.
        while transport.get_write_buffer_size() > BODY_LIMIT and not transport.is_closing():
            await asyncio.sleep(0.005)

    def disarm(self) -> None:
        self._protocol.disarm()

    def close(self) -> None:
        if self._protocol.transport is not None:
            self._protocol.transport.close()

    def reset(self) -> None:
        """Close so that the peer sees RST and not FIN."""
        transport = self._protocol.transport
        if transport is None:
            return
        sock = transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        assert isinstance(transport, asyncio.Transport)
        transport.abort()


class ScriptedResponse(web.StreamResponse):
    """A response whose bytes come from a script, which says whether the connection stays open."""

    def __init__(self, script: Script) -> None:
        super().__init__()
        self._script = script
        self._stay = False

    @property
    def keep_alive(self) -> bool | None:
        return self._stay

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        protocol = request.protocol
        assert isinstance(protocol, WireProtocol)
        wire = Wire(protocol)
        protocol.busy = True
        try:
            self._stay = await self._script(wire)
        finally:
            protocol.busy = False
            wire.disarm()
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        return None


def head(
    status: int,
    headers: list[tuple[str, str]],
    *,
    date: str | None,
    keep_alive: bool,
    keep_alive_timeout: float = 72,
    plain: bool = False,
) -> bytes:
    lines = [f"HTTP/1.1 {status} {reason(status)}"]
    if not plain:
        lines += [f"{name}: {value}" for name, value in _SECURITY_HEADERS]
    lines += [f"{name}: {value}" for name, value in headers]
    if date is not None:
        lines.append(f"Date: {date}")
    if not plain:
        lines.append(f"Connection: {'keep-alive' if keep_alive else 'close'}")
        if keep_alive:
            lines.append(f"Keep-Alive: timeout={int(keep_alive_timeout)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")


def parser_level(status: int, body: dict[str, Any]) -> ScriptedResponse:
    """What is answered before any framework runs: no Date, no ETag, and the connection ends."""
    raw = json.dumps(body, separators=(",", ":")).encode()
    headers = [("Content-Length", str(len(raw))), ("Content-Type", "application/json")]

    async def script(wire: Wire) -> bool:
        await wire.write(head(status, headers, date=None, keep_alive=False, plain=True) + raw)
        return False

    return ScriptedResponse(script)


def without_host(date: str | None) -> ScriptedResponse:
    raw = head(
        400, [("Transfer-Encoding", "chunked"), ("Connection", "close")], date=date, keep_alive=False, plain=True
    )

    async def script(wire: Wire) -> bool:
        await wire.write(raw + b"0\r\n\r\n")
        return False

    return ScriptedResponse(script)


def too_many_headers() -> ScriptedResponse:
    error = reason(431)
    message = "Exceeded maximum allowed HTTP header size"
    return parser_level(431, {"error": error, "message": message, "statusCode": 431})
