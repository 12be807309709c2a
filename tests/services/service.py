# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A service that works with access tokens of Okta: ``python -m services.service``.

SIGHUP makes it read its settings again; after SIGTERM it answers whom it has let in, and ends. It says on a line of
JSON when it listens, and when it has read its settings again.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import signal
import socket
import socketserver
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from .account import Account, NoToken, fingerprint
from .born import born

_ORDERS = {signal.SIGHUP, signal.SIGTERM, signal.SIGINT}
_WATCH_INTERVAL = 0.25


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    #: For the request of one who connects and says nothing, which would keep the service from ending.
    timeout = 10
    server: _Server

    def do_GET(self) -> None:
        status, answer = self.server.answer(self.path)
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        # A connection that is kept could be used just when the service ends.
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """The log holds what the service manager waits for."""


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    request_queue_size = 128
    # With that, closing waits for the answers that are on their way.
    daemon_threads = False
    block_on_close = True
    #: How long ``handle_request`` waits.
    timeout = 0

    def __init__(self, port: int, account: Account) -> None:
        self.account = account
        super().__init__(("127.0.0.1", port), _Handler)

    def server_bind(self) -> None:
        # Whoever starts the service holds its port meanwhile, lest somebody else gets it between two starts.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        super().server_bind()

    def answer(self, path: str) -> tuple[int, dict[str, Any]]:
        if path == "/settings":
            held = self.account.credentials
            return 200, {"client_id": held.client_id, "secret_sha256": fingerprint(held.client_secret)}
        if path not in {"/work", "/health"}:
            return 404, {"ok": False, "error": "no such path"}
        try:
            if path == "/work":
                self.account.token()
            else:
                self.account.prove()
        except NoToken as failure:
            return 502 if path == "/work" else 503, {"ok": False, "error": str(failure)}
        return 200, {"ok": True}

    def drain(self, accepting: threading.Thread) -> None:
        """Stop, and answer those whose connections stand already."""
        self.shutdown()
        accepting.join()
        while select.select([self.socket], [], [], 0)[0]:
            self.handle_request()
        self.server_close()


def _say(**what: Any) -> None:
    print(json.dumps(what), flush=True)


def _end_with(parent: int) -> None:
    """It may be no longer the one that the kernel names: a service manager that started the service is gone soon."""
    alive = born(parent)
    while alive and born(parent) == alive:
        time.sleep(_WATCH_INTERVAL)
    os.kill(os.getpid(), signal.SIGTERM)


def _read_again(account: Account) -> None:
    try:
        account.read()
    except (OSError, ValueError, KeyError) as failure:
        # Works on with those that it has.
        _say(reloaded=False, error=type(failure).__name__)
    else:
        _say(reloaded=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="service", description=__doc__)
    parser.add_argument("--settings", type=Path, required=True, help="file with OKTA_CLIENT_ID and OKTA_CLIENT_SECRET")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--okta-url", required=True)
    parser.add_argument("--authorization-server", default="default")
    parser.add_argument("--parent", type=int, default=os.getppid(), help="the process with whose end it ends")
    return parser.parse_args()


def main() -> None:
    # Before there are threads, which inherit it: only the loop below takes orders.
    signal.pthread_sigmask(signal.SIG_BLOCK, _ORDERS)
    options = _arguments()
    token_url = f"{options.okta_url.rstrip('/')}/oauth2/{options.authorization_server}/v1/token"
    try:
        account = Account(options.settings, token_url)
    except (OSError, ValueError, KeyError) as failure:
        sys.exit(f"no settings in {options.settings}: {type(failure).__name__}")
    server = _Server(options.port, account)
    accepting = threading.Thread(target=server.serve_forever, args=(0.05,))
    accepting.start()
    threading.Thread(target=_end_with, args=(options.parent,), daemon=True).start()
    port = server.server_address[1]
    _say(url=f"http://127.0.0.1:{port}", port=port)
    while signal.sigwait(_ORDERS) == signal.SIGHUP:
        _read_again(account)
    server.drain(accepting)


if __name__ == "__main__":
    main()
