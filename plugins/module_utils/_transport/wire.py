# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections that note how far an exchange comes, and that wait no longer than its deadline."""

from __future__ import annotations

import http.client
import io
import socket
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from . import failures

if TYPE_CHECKING:
    from requests.adapters import HTTPAdapter

#: Connecting to all addresses and the TLS handshakes take milliseconds; what takes longer than this altogether is
#: not going to happen.
CONNECT_TIMEOUT = 15
#: Everything that comes for one answer: a body and whatever stands around it.
_MAX_BYTES = 33 * 1024 * 1024


class Progress:
    """How far the running exchange came, and how much time it has left."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.begin(0)

    def begin(self, timeout: float) -> None:
        self._deadline = self._clock() + timeout
        self._received = 0
        self.connecting = False
        self.sent = False

    def left(self) -> float:
        left = self._deadline - self._clock()
        if left <= 0:
            raise TimeoutError
        return left

    def received(self, count: int) -> None:
        self._received += count
        if self._received > _MAX_BYTES:
            raise failures.TooLarge


def adapter_noting(progress: Progress) -> HTTPAdapter:
    """requests' own adapter, with such connections."""
    from requests.adapters import HTTPAdapter

    class Adapter(HTTPAdapter):
        """Makes connections that tell how far they come."""

        def init_poolmanager(self, *given: Any, **more: Any) -> None:
            super().init_poolmanager(*given, **more)
            _watch(self.poolmanager, progress, _count_addresses)

        def proxy_manager_for(self, proxy: str, **more: Any) -> Any:
            known = proxy in self.proxy_manager
            manager = super().proxy_manager_for(proxy, **more)
            if not known:
                # What a SOCKS proxy is to look up is none of this host's business.
                by_proxy = proxy.lower().startswith("socks")
                _watch(manager, progress, _one_address if by_proxy else _count_addresses)
            return manager

    return Adapter()


def _watch(manager: Any, progress: Progress, addresses: Callable[[str, int], int]) -> None:
    manager.pool_classes_by_scheme = {
        scheme: type(pool.__name__, (pool,), {"ConnectionCls": _watched(pool.ConnectionCls, progress, addresses)})
        for scheme, pool in manager.pool_classes_by_scheme.items()
    }


def _watched(base: Any, progress: Progress, addresses: Callable[[str, int], int]) -> Any:
    class Watched(base):  # type: ignore[misc]
        """A connection that notes when the request begins to leave, and that waits no longer than the deadline."""

        response_class = staticmethod(partial(_Answer, progress))

        def connect(self) -> None:
            progress.connecting = True
            # It is the limit of each single step: one for each address, TLS with a proxy, and TLS with the server.
            steps = addresses(self.host, self.port) + 2
            self.timeout = min(CONNECT_TIMEOUT, progress.left()) / steps
            try:
                super().connect()
            finally:
                progress.connecting = False

        def send(self, data: Any) -> None:
            if self.sock is None:
                self.connect()
            self.sock.settimeout(progress.left())
            if not progress.connecting:
                progress.sent = True
            super().send(data)

    return Watched


def _one_address(_host: str, _port: int) -> int:
    return 1


def _count_addresses(host: str, port: int) -> int:
    try:
        return len(socket.getaddrinfo(host.strip("[]"), port, 0, socket.SOCK_STREAM)) or 1
    except (OSError, UnicodeError):
        # Said by the attempt to connect.
        return 1


class _Answer(http.client.HTTPResponse):
    """Reads no longer than the deadline, and past every interim answer, of which http.client knows only 100."""

    def __init__(self, progress: Progress, sock: Any, *given: Any, **more: Any) -> None:
        super().__init__(_Reader(sock, progress), *given, **more)  # type: ignore[arg-type]

    def begin(self) -> None:
        super().begin()
        while 102 <= self.status < 200:
            self.headers = self.msg = None  # type: ignore[assignment]
            super().begin()
        if self.headers.get("Content-Encoding", "").lower() == "x-gzip":
            # The old name of the same thing, which urllib3 1.26 does not know.
            self.headers.replace_header("Content-Encoding", "gzip")
        if not self.chunked:
            self._check_length()

    def _check_length(self) -> None:
        """http.client overlooks a length that it does not understand, and would wait for the connection to close."""
        lengths = {text.strip() for line in self.headers.get_all("Content-Length", []) for text in line.split(",")}
        if not lengths:
            return
        length = failures.whole_number(lengths.pop())
        if length is None or lengths:
            raise failures.InvalidLength
        if self.length is None:
            self.length = length


class _Lines(io.BufferedReader):
    """Lines that are whole: http.client takes the end of the connection for the end of a head."""

    begun = False

    def readline(self, size: int | None = -1, /) -> bytes:
        line = super().readline(size)
        limit = size if size is not None and size >= 0 else None
        if not line.endswith(b"\n") and len(line) != limit and (line or self.begun):
            raise failures.CutOff
        self.begun = True
        return line


class _Reader(io.RawIOBase):
    """What comes from a socket, each piece within what is left of the time."""

    def __init__(self, sock: Any, progress: Progress) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        self._progress = progress

    def makefile(self, _mode: str) -> io.BufferedReader:
        """As http.client asks a socket for it."""
        return _Lines(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(self._progress.left())
        count: int | None = self._raw.readinto(buffer)
        self._progress.received(count or 0)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()
