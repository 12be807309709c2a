# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An HTTP client that sends exactly the bytes it is told to, and reports what came back and how it ended."""

from __future__ import annotations

import http.client
import io
import json
import socket
import time
from dataclasses import dataclass
from typing import Any

OPEN = "open"
CLOSED = "FIN by the server"


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    text: str

    @property
    def body(self) -> Any:
        try:
            return json.loads(self.text)
        except ValueError:
            return self.text


class _Canned:
    def __init__(self, stream: io.BytesIO) -> None:
        self._stream = stream

    def makefile(self, mode: str) -> io.BytesIO:
        return self._stream


def parse(raw: bytes, methods: list[str]) -> list[Reply]:
    """All answers in `raw`, which came for requests of these methods."""
    stream = io.BytesIO(raw)
    stream.close = lambda: None  # type: ignore[method-assign]
    replies: list[Reply] = []
    for method in methods:
        if stream.tell() >= len(raw):
            break
        response = http.client.HTTPResponse(_Canned(stream), method=method)  # type: ignore[arg-type]
        response.begin()
        text = response.read().decode()
        replies.append(Reply(response.status, {k.lower(): v for k, v in response.headers.items()}, text))
    return replies


def exchange(port: int, pieces: list[bytes], *, idle: float, until_closed: float = 5) -> tuple[bytes, str]:
    """Sends the pieces, reads until the server closes or says nothing for `idle` seconds after it spoke."""
    with socket.create_connection(("127.0.0.1", port), timeout=until_closed) as connection:
        for piece in pieces:
            try:
                connection.sendall(piece)
            except OSError:
                break
        received = b""
        deadline = time.monotonic() + until_closed
        while time.monotonic() < deadline:
            connection.settimeout(idle if received else until_closed)
            try:
                chunk = connection.recv(65536)
            except TimeoutError:
                return received, OPEN
            except ConnectionResetError:
                return received, CLOSED
            if not chunk:
                return received, CLOSED
            received += chunk
        return received, OPEN


def request_bytes(method: str, path: str, headers: dict[str, str], body: bytes | None) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if headers.get("Transfer-Encoding") == "chunked":
        return ("\r\n".join(lines) + "\r\n\r\n0\r\n\r\n").encode()
    if body is not None or method == "POST":
        lines.append(f"Content-Length: {len(body or b'')}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + (body or b"")
