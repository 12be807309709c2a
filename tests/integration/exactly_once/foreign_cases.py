# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers that are not Infisical's, or not HTTP: from proxies, login pages, broken servers and cut lines."""

from __future__ import annotations

import gzip
import json
from functools import partial
from typing import NamedTuple

from integration.transport.framing_cases import chunked, encoded, rewritten, until_close
from support.raw_peer import Ending, Reply, head, with_length

MIB = 1024 * 1024
PAGE = b"<html><head><title>Some other server</title></head><body>" + b"<p>Go away.</p>" * 40 + b"</body></html>"
ELSEWHERE = "Location: https://sso.example.com/login?next=%2F"


class Foreign(NamedTuple):
    """``reasons`` are those that fit when it answers a reading or a login."""

    reply: Reply
    reasons: tuple[str, ...]
    ending: Ending = Ending.KEEP


BROKEN = ("unreachable", "invalid_response")
NOT_OURS = ("invalid_response",)


def page(status: str, *extra: str, body: bytes = PAGE) -> Reply:
    """A whole answer, by somebody who does not know what was asked."""
    fields = ("Server: other", "Content-Type: text/html", *extra)
    return lambda _body, _fields: with_length(body, fields, line=f"HTTP/1.1 {status}")


def raw(answer: bytes) -> Reply:
    return lambda _body, _fields: answer


def broken(reply: Reply, *reasons: str, ending: Ending = Ending.CLOSE) -> Foreign:
    return Foreign(reply, reasons or BROKEN, ending)


def length(said: str) -> Reply:
    return raw(head("HTTP/1.1 200 OK", f"Content-Length: {said}") + PAGE)


def other_json(status: str, value: object, *extra: str) -> Reply:
    return page(status, *extra, body=json.dumps(value).encode())


def cut_chunks(body: bytes, fields: tuple[str, ...], *, left: int) -> bytes:
    return chunked(body, fields, size=50)[:-left]


def with_another_length(body: bytes, fields: tuple[str, ...], *, more: int) -> bytes:
    return with_length(body, (*fields, f"Content-Length: {len(body) + more}"))


def padded(body: bytes) -> bytes:
    return body + b" " * (33 * MIB)


REDIRECTS = {
    f"{status}, {how}": Foreign(page(f"{status} Moved", *location, body=body), ("redirected",))
    for status in (301, 302, 303, 307, 308)
    for how, location, body in (("with a page", (ELSEWHERE,), PAGE), ("without a body", (ELSEWHERE,), b""))
} | {
    "302 to what is no address": Foreign(page("302 Found", "Location: http://[bad"), ("redirected",)),
    "302 to nowhere": Foreign(page("302 Found"), ("redirected",)),
    "302 to where it came from": Foreign(page("302 Found", "Location: ?"), ("redirected",)),
    "302 until close": broken(
        lambda body, fields: until_close(PAGE, (ELSEWHERE,), line="HTTP/1.0 302 Found"), "redirected"
    ),
    "302 in chunks": Foreign(rewritten(b"200 OK", b"302 Found", chunked), ("redirected",)),
    "302 with 33 MiB": Foreign(page("302 Found", ELSEWHERE, body=padded(PAGE)), ("redirected", "invalid_response")),
}

STATUSES = {
    "407 of a proxy": Foreign(page("407 Proxy Authentication Required", "Proxy-Authenticate: Basic"), ("unreachable",)),
    "429 of a proxy": Foreign(page("429 Too Many Requests"), ("rate_limited",)),
    "429 of a proxy, with a time": Foreign(page("429 Too Many Requests", "Retry-After: 1"), ("rate_limited",)),
    "429 in another JSON": Foreign(other_json("429 Slow", {"message": "Slow down", "code": 7}), ("rate_limited",)),
    "400 of a proxy": Foreign(page("400 Bad Request"), NOT_OURS),
    "401 of a proxy": Foreign(page("401 Unauthorized", "WWW-Authenticate: Basic"), NOT_OURS),
    "403 of a firewall": Foreign(page("403 Forbidden"), NOT_OURS),
    "404 of a proxy": Foreign(page("404 Not Found"), NOT_OURS),
    "418": Foreign(page("418 I'm a teapot"), NOT_OURS),
    "500 with a page": Foreign(page("500 Internal Server Error"), ("server_error",)),
    "502 with a page": Foreign(page("502 Bad Gateway"), ("server_error",)),
    "503 with a page": Foreign(page("503 Service Unavailable", "Retry-After: 1"), ("server_error",)),
    "504 until close": broken(lambda _body, _fields: head("HTTP/1.0 504 Timeout") + PAGE, "server_error"),
    "503 about a tunnel": Foreign(page("503 Tunnel connection failed: 407"), ("server_error",)),
    "500 in a shape that is almost ours": Foreign(
        other_json("500 Error", {"error": "BadRequest", "message": "No.", "statusCode": 400, "reqId": "req-1"}),
        ("server_error",),
    ),
    "599": Foreign(page("599 Network Connect Timeout"), ("server_error", "invalid_response")),
    "999": Foreign(page("999 Request denied"), ("server_error", "invalid_response")),
    "101": broken(raw(head("HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: upgrade"))),
    "202 with the right body": Foreign(rewritten(b"200 OK", b"202 Accepted"), NOT_OURS),
    "204": Foreign(raw(head("HTTP/1.1 204 No Content")), NOT_OURS),
    "206 with the right body": Foreign(rewritten(b"200 OK", b"206 Partial Content"), NOT_OURS),
    "300": Foreign(page("300 Multiple Choices"), ("redirected", "invalid_response")),
    "304": Foreign(raw(head("HTTP/1.1 304 Not Modified", "Content-Length: 500")), ("invalid_response", "redirected")),
}

BODIES = {
    "200 with a page": Foreign(page("200 OK"), NOT_OURS),
    "200 with nothing": Foreign(page("200 OK", body=b""), NOT_OURS),
    "200 with another JSON": Foreign(other_json("200 OK", {"status": "ok"}), NOT_OURS),
    "200 with a list": Foreign(other_json("200 OK", []), NOT_OURS),
    "200 with null": Foreign(other_json("200 OK", None), NOT_OURS),
    "NaN": Foreign(page("200 OK", body=b"NaN"), NOT_OURS),
    "deep nesting": Foreign(page("200 OK", body=b'{"secretRotation":' + b"[" * 100_000), NOT_OURS),
    "a number without end": Foreign(page("200 OK", body=b'{"expiresIn":' + b"9" * 100_000 + b"}"), NOT_OURS),
    "invalid UTF-8": Foreign(page("200 OK", body=b'{"accessToken":"\xff\xfe","secretRotation":"\xc3"}'), NOT_OURS),
    "UTF-16 without a mark": Foreign(page("200 OK", body="{}x".encode("utf-16-be")), NOT_OURS),
    "33 MiB": Foreign(lambda body, fields: with_length(padded(body), fields), NOT_OURS),
    "33 MiB in chunks": Foreign(lambda body, fields: chunked(padded(body), fields), NOT_OURS),
    "33 MiB, packed": Foreign(lambda body, fields: _packed(padded(body), fields), NOT_OURS),
    "an unknown coding": Foreign(encoded("sdch", lambda body: b"\x01" + body, with_length), NOT_OURS),
    "gzip that is none": broken(encoded("gzip", bytes, with_length)),
    "gzip that is cut": broken(encoded("gzip", lambda body: gzip.compress(body)[:-20], with_length)),
    "gzip with a fault": broken(encoded("gzip", lambda body: _spoilt(gzip.compress(body)), with_length)),
    "deflate that is none": broken(encoded("deflate", bytes, with_length)),
}

FRAMES = {
    "no bytes": broken(raw(b""), "unreachable"),
    "no bytes, reset": broken(raw(b""), "unreachable", ending=Ending.RESET),
    "two lengths, the second too long": broken(partial(with_another_length, more=-1)),
    "two lengths, the first too long": broken(partial(with_another_length, more=1)),
    "two lengths in one field": broken(length("5, 7")),
    "a negative length": broken(length("-5")),
    "a length that is no number": broken(length("many")),
    "a length without end": broken(length("9" * 30)),
    "a short body": broken(lambda body, fields: with_length(body, fields)[:-1], "unreachable"),
    "a chunk size that is none": broken(partial(chunked, size=50, written="chunk")),
    "a negative chunk size": broken(partial(chunked, size=50, written="-{:x}")),
    "a chunk without end": broken(partial(chunked, size=50, written="FFFFFFFFFFFFFFFF")),
    "the last chunk missing": broken(partial(cut_chunks, left=5), "unreachable"),
    "half a chunk": broken(partial(cut_chunks, left=20), "unreachable"),
    "a status line about a tunnel": broken(raw(b"Tunnel connection failed: 503 Service Unavailable\r\n\r\n")),
    "a status line of nonsense": broken(raw(b"SSH-2.0-OpenSSH_9.9\r\n\r\n")),
    "a status of two digits": broken(raw(b"HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n")),
    "a status of four digits": broken(raw(b"HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n")),
    "a status that is no number": broken(raw(b"HTTP/1.1 OK 200\r\nContent-Length: 0\r\n\r\n")),
    "HTTP/0.9": broken(lambda body, _fields: body),
    "HTTP/9.9": broken(rewritten(b"HTTP/1.1", b"HTTP/9.9")),
    "binary": broken(raw(bytes(range(256)) * 4)),
    "a head without its end": broken(raw(b"HTTP/1.1 200 OK\r\nContent-Le"), "unreachable"),
    "a head of 200 fields": broken(page("200 OK", *(f"X-{number}: y" for number in range(200)))),
    "a field of 70,000 bytes": broken(page("200 OK", "X: " + "y" * 70_000)),
    "103 and then nothing": broken(raw(head("HTTP/1.1 103 Early Hints")), "unreachable"),
    "100 and then nothing": broken(raw(head("HTTP/1.1 100 Continue")), "unreachable"),
}

FOREIGN = {**REDIRECTS, **STATUSES, **BODIES, **FRAMES}


def _packed(body: bytes, fields: tuple[str, ...]) -> bytes:
    return encoded("gzip", partial(gzip.compress, compresslevel=1), with_length)(body, fields)


def _spoilt(packed: bytes) -> bytes:
    return packed[:30] + b"\xff\xff\xff" + packed[33:]
