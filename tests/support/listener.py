# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A listening socket of the test's own process, and what carries bytes from one socket to another."""

from __future__ import annotations

import contextlib
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


def pump(source: socket.socket, target: socket.socket) -> None:
    """Everything that comes, and that nothing more comes."""
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            target.sendall(piece)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
