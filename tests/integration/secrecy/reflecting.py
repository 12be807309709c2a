# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small Infisical, and a proxy, that shows back what secrets a request held. Where, its URL says: /PLACE/KIND."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from email.utils import formatdate
from typing import Any

from support.leaks import ways
from support.listener import accepting, is_whole, requested

ROTATION_ID = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
#: The requests, by what their path holds.
LOGIN, LIST, READ, ROTATE, REVOKE = "login", "list", "read", "rotate", "revoke"
WAYS = tuple(ways("any secret"))

_CLOSE = ("Connection: close",)

#: From what is shown, each in another way of writing, and the right answer, to what goes over the wire.
Place = Callable[[list[str], dict[str, Any]], bytes]


def answer(
    status: str, body: str | bytes, *fields: str, kind: str = "application/json", version: str = "HTTP/1.1"
) -> bytes:
    content = body.encode(errors="replace") if isinstance(body, str) else body
    lines = [f"{version} {status}", f"Content-Type: {kind}", f"Content-Length: {len(content)}", *_CLOSE, *fields]
    return head(*lines) + content


def head(*lines: str) -> bytes:
    """What cannot stand in a line is left out."""
    return b"".join(re.sub(rb"=\n|[\r\n\0]", b"", line.encode(errors="replace")) + b"\r\n" for line in (*lines, ""))


def failure(status: int, message: Any, error: str = "InternalServerError", **more: Any) -> str:
    return json.dumps({"reqId": "req-1", "statusCode": status, "message": message, "error": error, **more})


def shown_in(value: Any, echoes: list[str]) -> Any:
    """The same answer with the echoes in every text that may say anything, and in new ones."""
    if isinstance(value, list):
        return [shown_in(item, echoes) for item in value]
    if not isinstance(value, dict):
        return value
    fixed = {"id", "type", "rotationStatus", "projectId", "slug", "path", "lastRotatedAt", "lastRotationAttemptedAt"}
    fixed |= {"accessToken", "secretsMapping"}
    told = {
        key: f"{item} {' '.join(echoes)}" if isinstance(item, str) and key not in fixed else shown_in(item, echoes)
        for key, item in value.items()
    }
    return {**told, "extra": echoes, **{f"key {echo}": 1 for echo in echoes}}


def chunked(body: bytes, size: str = "", trailer: str = "", extension: str = "") -> bytes:
    fields = head("HTTP/1.1 200 OK", "Content-Type: application/json", "Transfer-Encoding: chunked", *_CLOSE)
    first = head(f"{size or f'{len(body):x}'}{extension}").removesuffix(b"\r\n")
    return fields + first + body + b"\r\n0\r\n" + (head(trailer) if trailer else b"\r\n")


def _json(right: dict[str, Any]) -> bytes:
    return json.dumps(right).encode()


def _page(title: str, encoding: str = "utf-8") -> bytes:
    text = f"<html><head><title>Sorry: {title}</title></head><body><h1>{title}</h1><p>{title}</p></body></html>"
    return text.encode(encoding, "replace")


def _one(echoes: list[str]) -> str:
    return " ".join(echoes)


PLACES: dict[str, Place] = {
    "reason-200": lambda e, right: answer(f"200 {_one(e)}", _json(right)),
    "reason-500": lambda e, right: answer(f"500 {_one(e)}", failure(500, "Something went wrong")),
    "reason-407": lambda e, right: answer(f"407 {_one(e)}", _page("none"), kind="text/html"),
    "reason-302": lambda e, right: answer(f"302 {_one(e)}", "", "Location: /elsewhere"),
    "status": lambda e, right: answer(_one(e), _json(right)),
    "version": lambda e, right: answer("200 OK", _json(right), version=f"HTTP/{_one(e)}"),
    "location-path": lambda e, right: answer("302 Found", "", f"Location: https://elsewhere.example/{_one(e)}"),
    "location-query": lambda e, right: answer("301 Moved", "moved", f"Location: /login?next={_one(e)}#{_one(e)}"),
    "location-user": lambda e, right: answer("307 Moved", "moved", f"Location: https://a:{_one(e)}@elsewhere.example/"),
    "location-none": lambda e, right: answer("308 Moved", "moved", f"Location: http://[{_one(e)}"),
    "retry-after": lambda e, right: answer("429 Slow", failure(429, "slow"), f"Retry-After: {_one(e)}"),
    "rate-limit": lambda e, right: answer("429 Slow", failure(429, _one(e), "RateLimitExceeded")),
    "date": lambda e, right: answer("200 OK", _json(right), f"Date: {_one(e)}"),
    "age": lambda e, right: answer("200 OK", _json(right), f"Age: {_one(e)}"),
    "cookie": lambda e, right: answer("200 OK", _json(right), f"Set-Cookie: {_one(e)}", f"Set-Cookie: a={_one(e)}"),
    "content-type": lambda e, right: answer("502 Bad Gateway", "{}", kind=f"text/html; charset={_one(e)}"),
    "content-length": lambda e, right: head("HTTP/1.1 200 OK", f"Content-Length: {_one(e)}") + _json(right),
    "two-lengths": lambda e, right: answer("200 OK", _json(right), f"Content-Length: {_one(e)}"),
    "content-encoding": lambda e, right: answer("200 OK", _json(right), f"Content-Encoding: {_one(e)}"),
    "no-gzip": lambda e, right: answer("200 OK", _one(e), "Content-Encoding: gzip"),
    "transfer-encoding": lambda e, right: head("HTTP/1.1 200 OK", f"Transfer-Encoding: {_one(e)}") + _json(right),
    "authenticate": lambda e, right: answer(
        "401 No", failure(401, "no", "Unauthorized"), f"WWW-Authenticate: {_one(e)}"
    ),
    "proxy-authenticate": lambda e, right: answer("407 No", "no", f"Proxy-Authenticate: Basic realm={_one(e)}"),
    "names": lambda e, right: answer("200 OK", _json(right), *(f"{echo}: {echo}" for echo in e)),
    "no-header": lambda e, right: answer("200 OK", _json(right), _one(e)),
    "interim": lambda e, right: head("HTTP/1.1 103 Early", f"Link: {_one(e)}") + answer("200 OK", _json(right)),
    "chunk-extension": lambda e, right: chunked(_json(right), extension=f";a={_one(e)}"),
    "chunk-size": lambda e, right: chunked(_json(right), size=_one(e)),
    "trailer": lambda e, right: chunked(_json(right), trailer=f"X-Echo: {_one(e)}"),
    "cut-body": lambda e, right: head("HTTP/1.1 200 OK", "Content-Length: 99999") + _one(e).encode(errors="replace"),
    "message-400": lambda e, right: answer("400 No", failure(400, _one(e), "BadRequest")),
    "message-401": lambda e, right: answer("401 No", failure(401, _one(e), "Unauthorized")),
    "message-403": lambda e, right: answer("403 No", failure(403, _one(e), "PermissionDenied")),
    "message-404": lambda e, right: answer("404 No", failure(404, _one(e), "NotFound")),
    "message-500": lambda e, right: answer("500 No", failure(500, _one(e))),
    "message-cut": lambda e, right: answer("500 No", failure(500, f"{'x' * 900} {_one(e)}"[:1021] + "...")),
    "issues": lambda e, right: answer(
        "422 No", failure(422, [{"path": [echo, 1], "message": echo, echo: echo} for echo in e], "ValidationFailure")
    ),
    "error": lambda e, right: answer("400 No", failure(400, "no", _one(e))),
    "request-id": lambda e, right: answer("400 No", failure(400, "no", reqId=_one(e))),
    "status-code": lambda e, right: answer("400 No", failure(400, "no", statusCode=_one(e))),
    "foreign-json": lambda e, right: answer("502 Bad Gateway", json.dumps({"error": e, "message": {"a": e}})),
    "page": lambda e, right: answer("502 Bad Gateway", _page(_one(e)), kind="text/html"),
    "page-200": lambda e, right: answer("200 OK", _page(_one(e)), kind="text/html"),
    "page-latin-1": lambda e, right: answer("403 No", _page(_one(e), "latin-1"), kind="text/html; charset=iso-8859-1"),
    "text": lambda e, right: answer("200 OK", _one(e), kind="text/plain"),
    "list": lambda e, right: answer("200 OK", json.dumps(e)),
    "no-json": lambda e, right: answer("200 OK", '{"secretRotation": ' + _one(e)),
    "data": lambda e, right: answer("200 OK", json.dumps(shown_in(right, e))),
    # Here no request to rotate gets an answer that tells, so that the name is shown in the advice.
    "doubt": lambda e, right: answer("200 OK", json.dumps(shown_in(right, e))),
    "token": lambda e, right: answer("200 OK", json.dumps({"accessToken": f"not a token: {_one(e)}", "expiresIn": e})),
}
#: Where texts are shown, and short: each way of writing gets an answer of its own there.
SHOWN = ("message-500", "page", "page-latin-1", "location-path", "data")


@dataclass
class Reflector:
    """A listening one, and how often it showed something, by place and kind."""

    port: int
    token: str
    shown: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def answer(self, request: bytes) -> bytes:
        line, _end, rest = request.partition(b"\r\n")
        target = line.split(b" ")[1].decode("latin-1")
        fields, _end, body = rest.partition(b"\r\n\r\n")
        # As a proxy it is told a whole URL, and of a tunnel only where to.
        path = re.sub("^https?://[^/]*", "", target)
        if line.startswith(b"CONNECT "):
            path = "/".join(["", *target.partition(".")[0].split("--"), "connect"])
        _empty, place, kind, *_more = path.split("/")
        told = secrets_in(fields, body)
        if place == "doubt" and kind_of(line, path) == ROTATE:
            return answer("502 Bad Gateway", "sorry", kind="text/plain")
        if kind != kind_of(line, path):
            return answer("200 OK", json.dumps(self.right(kind_of(line, path))), f"Date: {formatdate(usegmt=True)}")
        self.shown[place, kind] += 1
        name, _dot, number = place.partition(".")
        echoes = [text for secret in told for text in ways(secret).values()]
        if number:
            echoes = [list(ways(secret).values())[int(number)] for secret in told]
        return PLACES[name](echoes, self.right(kind))

    def right(self, kind: str) -> dict[str, Any]:
        now = datetime.now(timezone.utc)
        last = now if kind == ROTATE else now - timedelta(days=40)
        rotation = {
            "id": ROTATION_ID,
            "name": "okta",
            "type": "okta-client-secret",
            "description": "what it is for",
            "rotationStatus": "success",
            "activeIndex": 1 if kind == ROTATE else 0,
            "lastRotatedAt": last.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "lastRotationAttemptedAt": last.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "lastRotationMessage": "none",
            "secretsMapping": {"clientId": "OKTA_CLIENT_ID", "clientSecret": "OKTA_CLIENT_SECRET"},
            "environment": {"slug": "prod", "name": "Production"},
            "folder": {"path": "/okta"},
            "projectId": "p",
        }
        answers: dict[str, dict[str, Any]] = {
            LOGIN: {"accessToken": self.token, "expiresIn": 7200, "tokenType": "Bearer"},
            REVOKE: {"message": "Successfully revoked access token"},
            LIST: {"secretRotations": [rotation]},
        }
        return answers.get(kind, {"secretRotation": rotation})


def kind_of(line: bytes, path: str) -> str:
    if line.startswith(b"CONNECT "):
        return "connect"
    kinds = {"/login": LOGIN, "/rotate-secrets": ROTATE, "/token/revoke": REVOKE, ROTATION_ID: READ}
    return next((kind for end, kind in kinds.items() if path.partition("?")[0].endswith(end)), LIST)


def secrets_in(fields: bytes, body: bytes) -> list[str]:
    """What a careless server or proxy would show of it."""
    text = fields.decode("latin-1")
    found = re.findall(r"(?im)^Authorization: Bearer (.*?)\r?$", text)
    for proof in re.findall(r"(?im)^Proxy-Authorization: Basic (.*?)\r?$", text):
        found += [proof, base64.b64decode(proof).decode("latin-1").partition(":")[2]]
    with contextlib.suppress(ValueError):
        found += [value for value in json.loads(body).values() if isinstance(value, str) and len(value) > 8]
    return found


@contextlib.contextmanager
def reflecting(token: str) -> Iterator[Reflector]:
    reflector = Reflector(0, token)
    with accepting(lambda client: _serve(client, reflector)) as reflector.port:
        yield reflector


def _serve(client: socket.socket, reflector: Reflector) -> None:
    with client, contextlib.suppress(OSError):
        request = requested(client)
        if not is_whole(request):
            return
        client.sendall(reflector.answer(request))
        client.shutdown(socket.SHUT_WR)
        # Closed with something unread, the connection would be reset and the answer lost.
        while client.recv(65536):
            pass
