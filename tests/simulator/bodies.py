# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fastify's body parsers: which content types are read, and what breaks them."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

from .errors import internal


class UnsupportedType(Exception):
    """A content type without a parser."""


def _refuse_prototype(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if any(name == "__proto__" for name, _unused in pairs):
        raise ValueError("__proto__")
    return dict(pairs)


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw.decode("utf-8-sig"), object_pairs_hook=_refuse_prototype)
    except ValueError:
        raise internal() from None


def parse_body(method: str, headers: dict[str, str], raw: bytes) -> Any:
    """The parsed body; failures are the masked 500, since they are the framework's own errors."""
    if method in ("GET", "HEAD", "OPTIONS", "TRACE", "PROPFIND"):
        return None
    content_type = headers.get("content-type")
    if content_type is None:
        if not raw and "transfer-encoding" not in headers:
            return None
        raise UnsupportedType
    kind = content_type.split(";")[0].strip().lower()
    if kind == "application/json":
        return _json(raw)
    if kind == "application/scim+json":
        return _json(raw) if raw else None
    if kind == "application/x-www-form-urlencoded":
        return dict(parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True))
    if kind == "text/plain":
        return raw.decode("utf-8", "replace")
    raise UnsupportedType
