# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The answers that others than the server give, and the ways in which an exchange breaks."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from collections.abc import Callable

import requests

HTML = b"<!DOCTYPE html><html><head><title>Gateway</title></head><body>It works</body></html>"
_ELSEWHERE = {"Location": "https://elsewhere.example/"}

#: In the shape of a proxy, a firewall, a login page or another service: status, headers, body.
FOREIGN: tuple[tuple[int, dict[str, str], bytes], ...] = (
    (302, _ELSEWHERE, HTML),
    (502, {}, HTML),
    (407, {"Proxy-Authenticate": "Basic"}, HTML),
    (429, {}, b'{"message": "API rate limit exceeded"}'),
    (200, {}, HTML),
    (429, {"Retry-After": "3"}, HTML),
    (301, _ELSEWHERE, b""),
    (504, {}, b"upstream timed out"),
    (403, {}, HTML),
    (401, {"WWW-Authenticate": "Basic"}, HTML),
    (303, {"Location": "http://[bad"}, HTML),
    (400, {}, b'{"statusCode": 400, "error": "Bad Request", "message": "Bad Request"}'),
    (503, {"Retry-After": "1"}, b'{"error": "upstream", "message": "no healthy upstream", "statusCode": 503}'),
    (404, {}, b'{"error": "Not Found", "message": "no such tenant", "statusCode": 404}'),
    (307, {}, HTML),
    (200, {}, b'["a list"]'),
    (200, {}, b'{"ok": true}'),
    (204, {}, b""),
    (500, {}, json.dumps({"error": {"code": 500, "message": "Failed to acquire rotation lock."}}).encode()),
    (429, {}, b'{"statusCode": "429", "error": "RateLimitExceeded", "message": "x", "reqId": "req-1"}'),
    (308, _ELSEWHERE, HTML),
)

#: Before a byte of the request was handed over.
UNSENT: dict[str, Callable[[], Exception]] = {
    "refused": lambda: ConnectionRefusedError(111, "Connection refused"),
    "no_such_host": lambda: socket.gaierror(-2, "Name or service not known"),
    "connect_timeout": TimeoutError,
    "tls_broken": lambda: requests.exceptions.SSLError(ssl.SSLEOFError(8, "EOF occurred in violation of protocol")),
    "tunnel_refused": lambda: requests.exceptions.ProxyError(OSError("Tunnel connection failed: 503 Unavailable")),
}

#: After that. Words and types must not matter, so that some of them speak of what happens before.
SENT: tuple[Callable[[], Exception], ...] = (
    lambda: ConnectionResetError(104, "Connection reset by peer"),
    lambda: http.client.RemoteDisconnected("Remote end closed connection without response"),
    lambda: OSError(113, "No route to host"),
    lambda: ConnectionRefusedError(111, "Connection refused"),
    lambda: OSError("Tunnel connection failed: 503 Unavailable"),
    lambda: requests.exceptions.InvalidHeader("two lengths"),
    lambda: requests.exceptions.SSLError(ssl.SSLError(1, "[SSL] tlsv13 alert certificate required")),
    lambda: http.client.BadStatusLine("Tunnel connection failed: 407"),
    lambda: OSError(9, "Bad file descriptor"),
    lambda: requests.exceptions.ConnectTimeout("timed out"),
    lambda: ValueError("Invalid IPv6 URL"),
    lambda: socket.gaierror(-2, "Name or service not known"),
)
