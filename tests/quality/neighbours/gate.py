# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands between a neighbour and the server, and holds the first request to rotate until it is told to go on."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
from collections.abc import Iterator

from .daemon import free_port

ASKS = b"/rotate-secrets "
#: What is held: nothing, the answer after the work, the request before it, or the request for good.
HOLDS = ("", "answer", "request", "lost")


class Gate:
    def __init__(self, server: int, hold: str, added: str) -> None:
        assert hold in HOLDS
        self.port = free_port()
        self._server = server
        self._hold = hold
        self._added = f"\r\n{added}\r\n".encode() if added else b"\r\n"
        self._lock = threading.Lock()
        #: A request to rotate is here. With "answer" the server has it, and may be done with it.
        self.arrived = threading.Event()
        self._released = threading.Event()

    def release(self) -> None:
        self._released.set()

    def _is_first(self, data: bytes) -> bool:
        with self._lock:
            if ASKS not in data or self.arrived.is_set():
                return False
            self.arrived.set()
            return True

    def carry(self, client: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", self._server)) as upstream:
            held = threading.Event()
            back = threading.Thread(target=self._back, args=(upstream, client, held), daemon=True)
            back.start()
            with contextlib.suppress(OSError):
                while data := client.recv(65536):
                    if self._is_first(data):
                        if self._hold == "answer":
                            held.set()
                        elif self._hold:
                            self._released.wait()
                            if self._hold == "lost":
                                break
                    upstream.sendall(data)
            # A server that works goes on when its client leaves.
            if not held.is_set():
                with contextlib.suppress(OSError):
                    upstream.shutdown(socket.SHUT_WR)
            back.join()

    def _back(self, upstream: socket.socket, client: socket.socket, held: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := upstream.recv(65536):
                if held.is_set():
                    self._released.wait()
                if data.startswith(b"HTTP/1.1 200 "):
                    data = data.replace(b"\r\n", self._added, 1)
                client.sendall(data)
        with contextlib.suppress(OSError):
            client.shutdown(socket.SHUT_WR)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64


@contextlib.contextmanager
def gate(server: int, hold: str, added: str) -> Iterator[Gate]:
    made = Gate(server, hold, added)

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            made.carry(self.request)

    with _Server(("127.0.0.1", made.port), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield made
        finally:
            made.release()
            listening.shutdown()
