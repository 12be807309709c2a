# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes secrets out of whatever the server says before anything else sees it."""

from __future__ import annotations

import base64
import html
import json
import re
from typing import Any
from urllib.parse import quote, quote_plus

MASK = "********"
_ESCAPE = re.compile(r"%[0-9A-F]{2}")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Redactor:
    """Replaces every secret it was told of, in the encodings in which one may be echoed."""

    def __init__(self) -> None:
        self._forms: list[str] = []

    def add(self, secret: str) -> None:
        forms = set(self._forms)
        for text in (secret, secret.strip()):
            if text:
                forms |= _forms(text)
        # Longest first: a short form inside a longer one would leave the rest of the longer one readable.
        self._forms = sorted(forms, key=len, reverse=True)

    def text(self, value: str) -> str:
        for form in self._forms:
            value = value.replace(form, MASK)
        return value

    def data(self, value: Any) -> Any:
        """The same JSON value with every string redacted, keys included."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(key): self.data(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.data(item) for item in value]
        return value


def _forms(text: str) -> set[str]:
    escaped = quote(text, safe="")
    forms = {
        text,
        html.escape(text),
        escaped,
        quote_plus(text),
        quote(text, safe="!'()*"),
        _ESCAPE.sub(_lowered, escaped),
    }
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        encoded = encode(text.encode()).decode()
        forms |= {encoded, encoded.rstrip("=")}
    for ascii_only in (True, False):
        once = json.dumps(text, ensure_ascii=ascii_only)[1:-1]
        # Twice, for a server that quotes the body of the request inside the JSON of its answer.
        forms |= {once, json.dumps(once, ensure_ascii=ascii_only)[1:-1]}
    return forms


def _lowered(escape: re.Match[str]) -> str:
    return escape[0].lower()


def printable(value: str, limit: int = 2000) -> str:
    """Without control characters, which could repaint a terminal, and not longer than ``limit``."""
    value = _CONTROL.sub(" ", value)
    return value if len(value) <= limit else value[: limit - 1] + "…"
