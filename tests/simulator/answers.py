# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A finished answer, before it is put on the wire."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

JSON_TYPE = "application/json; charset=utf-8"
HTML = (
    b'<!doctype html><html lang="en"><head><title>Infisical</title></head>'
    b'<body><div id="root"></div><script src="/assets/index.js"></script></body></html>'
)


@dataclass
class Answer:
    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str | None = JSON_TYPE
    etag: bool = True

    def header_list(self) -> list[tuple[str, str]]:
        found = list(self.headers.items())
        if self.content_type is not None:
            found.append(("content-type", self.content_type))
        if self.etag and (self.body or self.status == 304):
            found.append(("etag", self.tag()))
        return found

    def tag(self) -> str:
        digest = base64.b64encode(hashlib.sha1(self.body, usedforsecurity=False).digest())
        return f'"{digest.decode()}"'

    def json(self) -> Any:
        return json.loads(self.body)


def json_answer(status: int, body: Any, headers: dict[str, str] | None = None) -> Answer:
    raw = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
    return Answer(status, raw, headers or {})


def text_answer(status: int, body: str, content_type: str) -> Answer:
    return Answer(status, body.encode(), {}, content_type)
