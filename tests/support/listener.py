# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A listening socket of the test's own process, and what carries bytes from and to others."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def accepting(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """The port. Each connection is served by a thread of its own."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as listener:

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    client, _address = listener.accept()
                    threading.Thread(target=serve, args=(client,), daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def requested(client: socket.socket, most: int | None = None) -> bytes:
    """One request: all of it, or ``most`` bytes. Less where the connection ends before."""
    request = b""
    while not is_whole(request) if most is None else len(request) < most:
        piece = client.recv(65536 if most is None else most - len(request))
        if not piece:
            break
        request += piece
    return request


def is_whole(request: bytes) -> bool:
    fields, end, body = request.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", fields)
    return bool(end) and len(body) >= int(length[1] if length else 0)


def pump(source: socket.socket, target: socket.socket) -> None:
    """Everything that comes, and that nothing more comes."""
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            target.sendall(piece)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
