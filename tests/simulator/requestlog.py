# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every request seen, and what became of it."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from .clock import iso
from .pipeline import Received

HEADERS_OF_INTEREST = (
    "accept",
    "connection",
    "content-length",
    "content-type",
    "host",
    "if-none-match",
    "transfer-encoding",
    "user-agent",
    "x-api-key",
    "x-forwarded-for",
    "x-infisical-org",
)
ROTATE_PATH = re.compile(r"/rotate-secrets/?$")


@dataclass
class Entry:
    """`status` is what the client was sent (null: no complete head); `workStatus` what the work came to."""

    number: int
    time: str
    connection: int
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    hasAuthorization: bool
    token: str | None
    body: Any
    status: int | None = None
    workStatus: int | None = None
    fault: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)


class RequestLog:
    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._count = 0

    def open(self, received: Received, connection: int, now: float) -> Entry:
        self._count += 1
        authorization = received.headers.get("authorization")
        entry = Entry(
            number=self._count,
            time=iso(now),
            connection=connection,
            method=received.method,
            path=received.path,
            query=dict(parse_qsl(received.raw_query, keep_blank_values=True)),
            headers={name: received.headers[name] for name in HEADERS_OF_INTEREST if name in received.headers},
            hasAuthorization=authorization is not None,
            token=None if authorization is None else authorization[-12:],
            body=_readable(received.body),
        )
        self.entries.append(entry)
        return entry

    def clear(self) -> None:
        self.entries.clear()

    def view(self) -> dict[str, Any]:
        posts = [e for e in self.entries if e.method == "POST" and ROTATE_PATH.search(e.path)]
        return {"requests": [asdict(entry) for entry in self.entries], "rotatePosts": len(posts)}


def _readable(body: bytes | None) -> Any:
    if not body:
        return None
    text = body.decode("utf-8", "replace")
    try:
        return json.loads(text)
    except ValueError:
        return text
