# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Varnish as a cache before the server."""

from __future__ import annotations

from .rows import ONCE, STALE, Neighbour, Row, cached, confirmed, twice, unknown

_CONFIG = """
vcl 4.1;
import std;
backend default { .host = "127.0.0.1"; .port = "@server@"; .first_byte_timeout = 30s; }
@row@
"""
_TIMEOUT = "sub vcl_backend_fetch { set bereq.first_byte_timeout = 1s; }\n"
_KEEP_GETS = 'if (req.method == "GET") { return (hash); }'
_HASH = f"sub vcl_recv {{ {_KEEP_GETS} }}\n"
_HASH_WITHOUT_QUERY = f'sub vcl_recv {{ set req.url = regsub(req.url, "\\?.*", ""); {_KEEP_GETS} }}\n'


def _keep(ttl: str, grace: str = "0s") -> str:
    return (
        f"sub vcl_backend_response {{ unset beresp.http.Cache-Control; set beresp.ttl = {ttl}; "
        f"set beresp.grace = {grace}; set beresp.uncacheable = false; return (deliver); }}"
    )


_PLAIN = (
    Row("as it comes", ends=ONCE),
    Row("keep-alive off", 'sub vcl_deliver { set resp.http.Connection = "close"; }'),
    Row("answers streamed without a length", "sub vcl_backend_response { unset beresp.http.Content-Length; }"),
)
_CACHES = (
    cached("GETs kept for a second", _HASH + _keep("1s")),
    cached("GETs kept for an hour", _HASH + _keep("1h")),
    cached("GETs kept for a second, queries cut off", _HASH_WITHOUT_QUERY + _keep("1s"), real_pauses=True),
    cached("GETs kept for an hour, queries cut off", _HASH_WITHOUT_QUERY + _keep("1h"), ends=STALE),
    Row(
        "GETs kept in grace and renewed in the background, queries cut off",
        _HASH_WITHOUT_QUERY + _keep("0.01s", "1h"),
        ends=ONCE,
        real_pauses=True,
    ),
)
_ERROR_PAGES = (
    confirmed("``first_byte_timeout``: its own 503 page", _TIMEOUT),
    confirmed("``first_byte_timeout``: the work ends after the 503 page", _TIMEOUT, hold="request"),
    unknown("``first_byte_timeout``: the server never got to it", _TIMEOUT, hold="lost"),
    confirmed(
        "``first_byte_timeout``: redirect to a page",
        _TIMEOUT + "sub vcl_backend_error { set beresp.status = 302; "
        'set beresp.http.Location = "https://status.example/down"; return (deliver); }',
    ),
    confirmed(
        "``first_byte_timeout``: JSON with status 200",
        _TIMEOUT
        + 'sub vcl_backend_error { set beresp.status = 200; set beresp.http.Content-Type = "application/json"; '
        'synthetic({"{}"}); return (deliver); }',
    ),
)
_STATIONS = (
    Row("other VCL put to use in mid-rotation", hold="answer", meanwhile="reload"),
    confirmed("stopped in mid-rotation, and started again", meanwhile="restart"),
)
_DOORS = (
    unknown(
        "the request to rotate refused: 405",
        'sub vcl_recv { if (req.url ~ "/rotate-secrets$") { return (synth(405)); } }',
    ),
)
_REPEATS = (
    twice(
        "POST repeated after a timeout: ``return (retry)``",
        "sub vcl_recv { std.cache_req_body(64KB); }\n"
        "sub vcl_backend_error { if (bereq.retries < 1) { return (retry); } }\n" + _TIMEOUT,
    ),
)

VARNISH = Neighbour(
    "Varnish",
    "varnishd",
    "varnish",
    _CONFIG,
    ("-F", "-n", "@folder@/work", "-f", "@folder@/config", "-a", "127.0.0.1:@port@", "-s", "malloc,8m"),
    _PLAIN + _CACHES + _ERROR_PAGES + _STATIONS + _DOORS + _REPEATS,
    {
        "reload": (
            "varnishadm -n @folder@/work vcl.load other @folder@/config && varnishadm -n @folder@/work vcl.use other",
            "",
        ),
    },
)
