# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands between a task and its server: a cache, a replica that lags, a proxy with a clock of its own."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from simulator.clock import http_date

_OF_THE_CONNECTION = ("connection", "keep-alive", "transfer-encoding", "content-length", "host")


class Request(NamedTuple):
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def reads(self) -> bool:
        """Whether it asks for one rotation, by its id or by its name."""
        return self.method == "GET" and "/okta-client-secret/" in self.path

    @property
    def rotates(self) -> bool:
        return self.method == "POST" and self.path.endswith("/rotate-secrets")


class Reply(NamedTuple):
    """The names of ``headers`` are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def with_headers(self, **fields: str) -> Reply:
        return self._replace(headers={**self.headers, **fields})

    def showing(self, values: Mapping[str, Any]) -> Reply:
        """Another value at each dotted path of the rotation. JSON in ASCII can hold halves of characters."""
        data = json.loads(self.body)
        for path, value in values.items():
            *above, last = path.split(".")
            place = data["secretRotation"]
            for key in above:
                place = place[key]
            place[last] = value
        return self._replace(body=json.dumps(data).encode())


Onward = Callable[[Request], Reply]
#: Is given a request and the way to whoever stands behind it.
Neighbour = Callable[[Request, Onward], Reply]


class Cache:
    """Keeps readings and hands them out again, whatever the request says about caches."""

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        seconds: float = float("inf"),
        by_path: bool = True,
        tells_age: bool = False,
    ) -> None:
        self._clock = clock
        self._seconds = seconds
        self._by_path = by_path
        self._tells_age = tells_age
        self._kept: dict[str, tuple[float, Reply]] = {}
        self.hits = 0

    def __call__(self, request: Request, onward: Onward) -> Reply:
        if not request.reads:
            return onward(request)
        key = request.path if self._by_path else request.target
        since, kept = self._kept.get(key, (0.0, None))
        age = self._clock() - since
        if kept is None or age >= self._seconds:
            reply = onward(request)
            self._kept[key] = self._clock(), reply
            return reply
        self.hits += 1
        return kept.with_headers(age=str(int(age))) if self._tells_age else kept


class Replica:
    """Readings come from a copy in which a rotation arrives only after so many of them."""

    def __init__(self, behind: int) -> None:
        self._behind = behind
        self._left = 0
        self._copy = b""

    def __call__(self, request: Request, onward: Onward) -> Reply:
        if request.rotates:
            path = request.path.removesuffix("/rotate-secrets")
            self._copy = onward(Request("GET", path, request.headers, b"")).body
            self._left = self._behind
        reply = onward(request)
        if not request.reads or self._left <= 0 or reply.status != 200:
            return reply
        self._left -= 1
        return reply._replace(body=self._copy)


class Shown:
    """Readings show other values, and other header fields: the first to the last one, of those that ``where`` fits."""

    def __init__(
        self,
        values: Mapping[str, Any] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        where: str = "",
        first: int = 1,
        last: int = 1_000_000,
    ) -> None:
        self._values = values or {}
        self._headers = headers or {}
        self._where = re.compile(where)
        self._turns = range(first, last + 1)
        self._seen = 0

    def __call__(self, request: Request, onward: Onward) -> Reply:
        reply = onward(request)
        if not request.reads or reply.status != 200 or not self._where.search(request.target):
            return reply
        self._seen += 1
        return reply.showing(self._values).with_headers(**self._headers) if self._seen in self._turns else reply


def everywhere(values: Mapping[str, Any]) -> Neighbour:
    """The answer to a request to rotate shows them too."""

    def show(request: Request, onward: Onward) -> Reply:
        reply = onward(request)
        return reply.showing(values) if (request.reads or request.rotates) and reply.status == 200 else reply

    return show


def stamping(**fields: str) -> Neighbour:
    """Every answer has these header fields."""
    return lambda request, onward: onward(request).with_headers(**fields)


def with_clock(ahead: float) -> Neighbour:
    """A proxy that writes the header Date itself, by a clock that is so many seconds ahead."""
    return lambda request, onward: onward(request).with_headers(date=http_date(time.time() + ahead))


def repeating(request: Request, onward: Onward) -> Reply:
    """A proxy that sends a request again because the first answer did not please it."""
    if request.rotates:
        onward(request)
    return onward(request)


def stripping(request: Request, onward: Onward) -> Reply:
    """A proxy that keeps the header Authorization for itself."""
    kept = {name: value for name, value in request.headers.items() if name.lower() != "authorization"}
    return onward(request._replace(headers=kept))


class Front(ThreadingHTTPServer):
    """The server, seen through its neighbours: the first one is the nearest to the task."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, url: str, neighbours: tuple[Neighbour, ...]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self._behind = urlsplit(url).netloc
        self._neighbours = neighbours

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def reply(self, request: Request, depth: int = 0) -> Reply:
        if depth < len(self._neighbours):
            return self._neighbours[depth](request, lambda onward: self.reply(onward, depth + 1))
        with contextlib.closing(http.client.HTTPConnection(self._behind)) as connection:
            connection.request(request.method, request.target, request.body or None, dict(request.headers))
            answer = connection.getresponse()
            headers = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, headers, answer.read())


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Front

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _OF_THE_CONNECTION}
        reply = self.server.reply(Request(self.command, self.path, headers, body))
        self.send_response_only(reply.status)
        for name, value in reply.headers.items():
            if name not in _OF_THE_CONNECTION:
                self.send_header(name, value)
        self.send_header("content-length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    do_GET = do_POST = do_PATCH = do_DELETE = _answer

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
        """Nothing for the terminal."""


@contextlib.contextmanager
def front(url: str, *neighbours: Neighbour) -> Iterator[str]:
    """The URL by which a task meets them."""
    with Front(url, neighbours) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        try:
            yield server.url
        finally:
            server.shutdown()
