# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""HAProxy as a load balancer."""

from __future__ import annotations

import signal

from .rows import CLIENT, ONCE, PUBLIC, Neighbour, Row, confirmed, refused, twice, unknown

_CONFIG = """
global
  log stderr local0
  hard-stop-after 20s
defaults
  mode http
  timeout connect 2s
  timeout client 30s
  timeout server 30s
  timeout http-request 5s
cache hour
  total-max-size 4
  max-age 3600
listen infisical
  bind 127.0.0.1:@port@@listen@
  @row@
  server one 127.0.0.1:@server@
"""
_TLS = " ssl crt @folder@/server.pem"
_VERIFY = " ca-file @folder@/ca.pem verify required"
_TIMEOUT = "timeout server 1s\n  "
_DATE = "http-after-response set-header Date '{} 00:00:00 GMT'"
_ROTATE = "if { path_end /rotate-secrets }"
#: Only what it holds completely can it send again.
_RETRY = _TIMEOUT + "option http-buffer-request\n  retry-on all-retryable-errors\n  retries 1\n  "

_PLAIN = (
    Row("as it comes"),
    Row("``option httpclose``", "option httpclose"),
    Row("``option http-server-close``", "option http-server-close"),
    Row("``mode tcp``", "mode tcp"),
    Row("103 Early Hints before the answer", "http-request early-hint Link </style.css>"),
    Row(
        "gzip that nobody asked for",
        "http-request set-header Accept-Encoding gzip\n  compression algo gzip\n  compression type application/json",
    ),
    Row("TLS", tls=True),
    Row("TLS and a client certificate required, and given", tls=True, listen=_VERIFY, options=CLIENT),
    Row(
        "cache of an hour, which leaves out what comes with ``Authorization``",
        "http-request cache-use hour\n  http-response del-header Vary\n  http-response cache-store hour",
        ends=ONCE,
        added=PUBLIC,
    ),
)
_ERROR_PAGES = (
    confirmed("read timeout: its own 504 page", _TIMEOUT),
    confirmed("read timeout: the work ends after the 504 page", _TIMEOUT, hold="request"),
    unknown("read timeout: the server never got to it", _TIMEOUT, hold="lost"),
    confirmed("read timeout: ``errorloc 504``", _TIMEOUT + "errorloc 504 https://status.example/down"),
    confirmed("read timeout: ``errorloc303 504``", _TIMEOUT + "errorloc303 504 https://status.example/down"),
    confirmed(
        "read timeout: JSON in the place of the page",
        _TIMEOUT + 'http-error status 504 content-type application/json string {"message":"try\\ later"}',
    ),
    confirmed("read timeout: closed without an answer", _TIMEOUT + "errorfile 504 /dev/null"),
    confirmed("the server resets the connection: 502", hold="", fault={"action": "reset_after"}),
)
_STATIONS = (
    Row("reloaded in mid-rotation", hold="answer", meanwhile="reload"),
    confirmed("stopped in mid-rotation, and started again", meanwhile="restart"),
    Row("told to end softly in mid-rotation", hold="answer", meanwhile="quit", says="still valid"),
    refused(
        "the server behind it is down", "server_error", "503", "use-server none if TRUE\n  server none 127.0.0.1:1"
    ),
)
_DOORS = (
    unknown("the request to rotate refused: 429", f"http-request deny deny_status 429 {_ROTATE}"),
    unknown("the request to rotate rejected without an answer", f"http-request reject {_ROTATE}"),
    unknown("the request to rotate held in the tarpit: 500", f"timeout tarpit 1s\n  http-request tarpit {_ROTATE}"),
    unknown(
        "the request to rotate redirected to a login page",
        f"http-request redirect location https://sso.example/login {_ROTATE}",
    ),
    refused(
        "everything redirected to ``https``",
        "redirected",
        "https://",
        "http-request redirect scheme https code 301",
    ),
    refused(
        "``Authorization`` taken away",
        "authentication_failed",
        "Authorization",
        "http-request del-header Authorization",
    ),
    refused("TLS and a client certificate required, none given", "tls_failed", "client_cert", tls=True, listen=_VERIFY),
)
_CLOCKS = (
    Row("no ``Date``", "http-after-response del-header Date", says="clock"),
    refused("``Date`` of 1970", "clock_unreliable", "clock", _DATE.format("Thu, 01 Jan 1970")),
    Row("``Date`` of 2038, the last rotation 40 days ago", _DATE.format("Fri, 01 Jan 2038"), says="clock"),
    Row(
        "``Date`` of 2038, the last rotation a moment ago",
        _DATE.format("Fri, 01 Jan 2038"),
        ends=("rotated", "clock_unreliable", "clock_unreliable"),
        says="clock",
    ),
)
_REPEATS = (
    twice("POST repeated after a timeout: ``retry-on all-retryable-errors``", _RETRY),
    confirmed("POST not repeated: ``disable-l7-retry``", _RETRY + "http-request disable-l7-retry if METH_POST"),
    Row(
        "POST repeated while the first one is at work",
        _RETRY,
        ends=("rotated_by_another",),
        posts=2,
        server="slow",
    ),
)

HAPROXY = Neighbour(
    "HAProxy",
    "haproxy",
    "haproxy",
    _CONFIG,
    ("-W", "-db", "-f", "@folder@/config"),
    _PLAIN + _ERROR_PAGES + _STATIONS + _DOORS + _CLOCKS + _REPEATS,
    {
        "reload": (signal.SIGUSR2, "Loading success"),
        "quit": (signal.SIGUSR1, "Proxy infisical stopped|Stopping proxy infisical"),
    },
    tls=_TLS,
)
