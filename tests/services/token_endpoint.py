# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""As little of Okta as the services need, in the test's own process, where a test can hold it up."""

from __future__ import annotations

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CLIENT = "0oaclient"
OLD = "the old secret"
NEW = "the new secret"
_PATIENCE = 40


class Okta(ThreadingHTTPServer):
    """A token endpoint and nothing else. ``good`` are the secrets that it takes."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Endpoint)
        self.good = {OLD, NEW}
        #: Closed, it holds those who ask back.
        self.gate = threading.Event()
        self.gate.set()
        self.held = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_address[1]}/okta"


class _Endpoint(BaseHTTPRequestHandler):
    server: Okta

    def do_POST(self) -> None:
        form = self.rfile.read(int(self.headers["Content-Length"]))
        given = base64.b64decode(self.headers["Authorization"].removeprefix("Basic ")).decode()
        asked = self.path == "/okta/oauth2/default/v1/token" and b"grant_type=client_credentials" in form
        if not self.server.gate.is_set():
            self.server.held.set()
            self.server.gate.wait(_PATIENCE)
        good = asked and given in {f"{CLIENT}:{secret}" for secret in self.server.good}
        answer = {"access_token": "t", "token_type": "Bearer", "expires_in": 1} if good else {"error": "invalid_client"}
        body = json.dumps(answer).encode()
        self.send_response(200 if good else 401)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass
