# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What else a client may meet on the network: a proxy, and a server that answers whatever it is told."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from support.listener import pump


@dataclass
class Peer:
    """A listening peer, and the heads of the requests that it got."""

    port: int
    heads: list[bytes] = field(default_factory=list)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False


def _head(client: socket.socket) -> bytes:
    head = b""
    while b"\r\n\r\n" not in head:
        piece = client.recv(65536)
        if not piece:
            return b""
        head += piece
    return head


@contextlib.contextmanager
def _listening(handler: type[socketserver.BaseRequestHandler]) -> Iterator[int]:
    with _Server(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield int(server.server_address[1])
        finally:
            server.shutdown()


@contextlib.contextmanager
def proxy(authorization: str | None = None) -> Iterator[Peer]:
    """A proxy for CONNECT and for plain requests, which may ask for an exact Proxy-Authorization."""
    peer = Peer(0)

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            head = _head(self.request)
            peer.heads.append(head)
            if authorization and f"proxy-authorization: {authorization}".lower() not in head.decode("latin-1").lower():
                self.request.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
                return
            method, target, _version = head.partition(b"\r\n")[0].decode().split(" ")
            parts = urlsplit(f"//{target}" if method == "CONNECT" else target)
            with socket.create_connection((parts.hostname, parts.port or 80)) as upstream:
                if method == "CONNECT":
                    self.request.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                else:
                    upstream.sendall(head.replace(f"{parts.scheme}://{parts.netloc}".encode(), b"", 1))
                back = threading.Thread(target=pump, args=(upstream, self.request), daemon=True)
                back.start()
                pump(self.request, upstream)
                back.join()

    with _listening(Handler) as port:
        peer.port = port
        yield peer


@contextlib.contextmanager
def canned(*pieces: bytes) -> Iterator[Peer]:
    """A server that answers every request with these bytes and closes."""
    peer = Peer(0)

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            peer.heads.append(_head(self.request))
            with contextlib.suppress(OSError):
                for piece in pieces:
                    self.request.sendall(piece)
                self.request.shutdown(socket.SHUT_WR)
                # Closed with something unread, the connection would be reset and the answer lost.
                self.request.settimeout(10)
                while self.request.recv(65536):
                    pass

    with _listening(Handler) as port:
        peer.port = port
        yield peer
