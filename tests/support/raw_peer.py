# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small Infisical on a bare socket. It keeps one truth, and a test decides how its bytes go out."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from email.utils import formatdate
from enum import Enum
from typing import Any

from support.listener import accepting, is_whole, requested

#: Which request it is. A reading after a request to rotate is one of its own.
LOGIN, READ, ROTATE, READ_AFTER, REVOKE = "login", "reading", "rotation", "reading after", "revocation"
#: And what is asked of a proxy.
CONNECT = "connection"
TOKEN = "the-token-of-the-peer"
#: Long enough for the other thread to take what was sent before the next piece comes; nothing depends on it.
_BETWEEN_PIECES = 0.0001

#: From a right answer in JSON, and the fields that go with it, to what goes over the wire.
Reply = Callable[[bytes, tuple[str, ...]], bytes]


def head(line: str, *fields: str) -> bytes:
    return "".join(f"{text}\r\n" for text in (line, *fields, "")).encode("latin-1")


def with_length(
    body: bytes, fields: tuple[str, ...], *, line: str = "HTTP/1.1 200 OK", before: bytes = b"", after: bytes = b""
) -> bytes:
    return before + head(line, *fields, f"Content-Length: {len(body)}") + body + after


def whole(answer: bytes) -> Iterable[bytes]:
    return (answer,)


class Ending(Enum):
    """What becomes of the connection after an answer."""

    KEEP = "kept for the next request"
    #: The end and the last byte arrive together, or the next request would race against the end.
    CLOSE = "closed"
    HALF = "closed for sending, read until the client closes"
    OPEN = "left to the client to close"
    RESET = "reset"


@dataclass(frozen=True)
class Step:
    """How a request is met."""

    reply: Reply = with_length
    fields: tuple[str, ...] = ()
    ending: Ending = Ending.KEEP
    pieces: Callable[[bytes], Iterable[bytes]] = whole
    #: Whether a request to rotate is done.
    works: bool = True
    #: So many bytes of the request are read, and then the connection ends; None reads all and answers.
    reads: int | None = None
    #: How often before it is met plainly; 0 is always.
    times: int = 0


Script = Mapping[str, Step]
_PLAIN = Step()


@dataclass
class World:
    """The truth, and every request that was seen, whole or in part."""

    script: Script = field(default_factory=dict)
    rotation: dict[str, Any] = field(default_factory=dict)
    rotations: int = 0
    revoked: bool = False
    seen: list[str] = field(default_factory=list)
    requests: dict[str, bytes] = field(default_factory=dict)
    answers: dict[str, bytes] = field(default_factory=dict)
    #: What came over connections whose end had been announced.
    stray: bytes = b""

    def __post_init__(self) -> None:
        before = _timestamp(datetime.now(timezone.utc) - timedelta(days=40))
        self.rotation = {
            "id": str(uuid.uuid4()),
            "name": "okta",
            "type": "okta-client-secret",
            "description": "für 🔑",
            "rotationStatus": "success",
            "activeIndex": 0,
            "lastRotatedAt": before,
            "lastRotationAttemptedAt": before,
            "secretsMapping": {},
            **self.rotation,
        }

    def kind(self, line: bytes) -> str:
        if line.startswith(b"GET ") and self.rotation["id"].encode() in line:
            return READ_AFTER if ROTATE in self.seen else READ
        if line.startswith(b"CONNECT "):
            return CONNECT
        ends = {b"/universal-auth/login": LOGIN, b"/rotate-secrets": ROTATE, b"/token/revoke": REVOKE}
        path = line.split(b" ")[1].partition(b"?")[0]
        return next((kind for end, kind in ends.items() if path.endswith(end)), f"unknown request {line!r}")

    def step(self, kind: str) -> Step:
        step = self.script.get(kind, _PLAIN)
        return _PLAIN if step.times and self.seen.count(kind) > step.times else step

    def work(self, kind: str) -> None:
        if kind == REVOKE:
            self.revoked = True
        if kind == ROTATE:
            self.rotations += 1
            now = _timestamp(datetime.now(timezone.utc))
            index = 1 - self.rotation["activeIndex"]
            self.rotation.update(lastRotatedAt=now, lastRotationAttemptedAt=now, activeIndex=index)

    def right_answer(self, kind: str) -> bytes:
        answers: dict[str, dict[str, Any]] = {
            LOGIN: {"accessToken": TOKEN, "expiresIn": 7200, "accessTokenMaxTTL": 7200, "tokenType": "Bearer"},
            REVOKE: {"message": "Successfully revoked access token"},
        }
        answer = answers.get(kind, {"secretRotation": self.rotation})
        # A lone surrogate goes out as JavaScript writes it, escaped.
        return json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode(errors="backslashreplace")


def _timestamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


@dataclass
class RawPeer:
    """One listener for many worlds, one after the other."""

    port: int
    world: World = field(default_factory=World)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def begin(self, script: Script, **rotation: Any) -> World:
        self.world = World(script, rotation)
        return self.world

    def serve(self, client: socket.socket) -> None:
        world = self.world
        with client, contextlib.suppress(OSError):
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while _meet(client, world):
                pass


def _meet(client: socket.socket, world: World) -> bool:
    """One request; whether another one may follow."""
    line = _first_line(client)
    if not line:
        return False
    kind = world.kind(line)
    world.seen.append(kind)
    step = world.step(kind)
    request = requested(client, step.reads)
    world.requests[kind] = request
    if step.works and is_whole(request):
        world.work(kind)
    answer = b""
    if step.reads is None:
        answer = step.reply(world.right_answer(kind), ("Date: " + formatdate(usegmt=True), *step.fields))
    world.answers[kind] = answer
    _send(client, step.pieces(answer), step.ending)
    return _ended(client, world, step)


def _first_line(client: socket.socket) -> bytes:
    """Seen, but not taken."""
    while b"\r\n" not in (seen := client.recv(65536, socket.MSG_PEEK)):
        if not seen:
            return b""
    return seen.partition(b"\r\n")[0]


def _send(client: socket.socket, pieces: Iterable[bytes], ending: Ending) -> None:
    last = b""
    for piece in pieces:
        if last:
            client.sendall(last)
            time.sleep(_BETWEEN_PIECES)
        last = piece
    closes = ending in (Ending.CLOSE, Ending.HALF)
    client.sendall(last, socket.MSG_MORE if closes else 0)
    if closes:
        client.shutdown(socket.SHUT_WR)


def _ended(client: socket.socket, world: World, step: Step) -> bool:
    if step.ending is Ending.RESET:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    # Closed with something unread, a connection is reset, and what was sent may be lost.
    elif step.ending in (Ending.HALF, Ending.OPEN) or step.reads is not None:
        while more := client.recv(65536):
            world.stray += more if step.reads is None else b""
    return step.ending is Ending.KEEP


@contextlib.contextmanager
def listening() -> Iterator[RawPeer]:
    peer = RawPeer(0)
    with accepting(peer.serve) as peer.port:
        yield peer
