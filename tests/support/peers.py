# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What else a client may meet on the network: a proxy, and a server that answers whatever it is told."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from support.listener import accepting, pump, requested


@dataclass
class Peer:
    """A listening peer, and the heads of the requests that it got."""

    port: int
    heads: list[bytes] = field(default_factory=list)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"


@contextlib.contextmanager
def proxy(authorization: str | None = None) -> Iterator[Peer]:
    """A proxy for CONNECT and for plain requests, which may ask for an exact Proxy-Authorization."""
    peer = Peer(0)

    def serve(client: socket.socket) -> None:
        with client:
            request = requested(client)
            peer.heads.append(request.partition(b"\r\n\r\n")[0])
            head = peer.heads[-1].decode("latin-1")
            if authorization and f"proxy-authorization: {authorization}".lower() not in head.lower():
                client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
                return
            method, target, _version = head.partition("\r\n")[0].split(" ")
            parts = urlsplit(f"//{target}" if method == "CONNECT" else target)
            with socket.create_connection((parts.hostname, parts.port or 80)) as upstream:
                if method == "CONNECT":
                    client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                else:
                    upstream.sendall(request.replace(f"{parts.scheme}://{parts.netloc}".encode(), b"", 1))
                back = threading.Thread(target=pump, args=(upstream, client), daemon=True)
                back.start()
                pump(client, upstream)
                back.join()

    with accepting(serve) as peer.port:
        yield peer


@contextlib.contextmanager
def canned(*pieces: bytes) -> Iterator[Peer]:
    """A server that answers every request with these bytes and closes."""
    peer = Peer(0)

    def serve(client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            peer.heads.append(requested(client).partition(b"\r\n\r\n")[0])
            for piece in pieces:
                client.sendall(piece)
            client.shutdown(socket.SHUT_WR)
            # Closed with something unread, the connection would be reset and the answer lost.
            client.settimeout(10)
            while client.recv(65536):
                pass

    with accepting(serve) as peer.port:
        yield peer
