# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes secrets out of whatever the server says before anything else sees it."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus, unquote, unquote_to_bytes, urlsplit

MASK = "********"
_ESCAPE = re.compile(r"%[0-9A-F]{2}")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_BACKSLASH = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))", re.DOTALL)
_QUOTED_PRINTABLE = re.compile(r"=(?:([0-9A-Fa-f]{2})|\r?\n)")
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]+")
#: Where fewer letters than this are all that there is of a secret, it could be any word.
_TELLING = 8
#: Servers cut what is longer than a page, and not what is short.
_MAY_BE_CUT = 200
_ENDS_OF_CUT_TEXTS = ("...", "…", "")
#: So many times one way of writing is undone inside another, and so many texts are looked at in all.
_DEPTH, _READINGS, _CHARACTERS = 4, 60, 1_000_000


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

    def add_proxies(self, environ: Mapping[str, str]) -> None:
        """The passwords in proxy variables: a proxy is sent them, and what it says is shown like what a server says."""
        for name, value in environ.items():
            if name.lower().endswith("_proxy") and "@" in value:
                for password in _password(value):
                    self.add(password)

    def text(self, value: str) -> str:
        if not self._forms:
            return value
        value = self._masked(value)
        for _unused in range(_DEPTH):
            # Written in a way that no form is of: what it says is shown instead.
            telling = next((reading for reading in _readings(value) if self._masked(reading) != reading), None)
            if telling is None:
                break
            value = self._masked(telling)
        return self._without_cut(value)

    def data(self, value: Any) -> Any:
        """The same JSON value with every string redacted, keys included."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(key): self.data(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.data(item) for item in value]
        return value

    def _masked(self, value: str) -> str:
        for form in self._forms:
            value = value.replace(form, MASK)
        return value

    def _without_cut(self, value: str) -> str:
        """Without the beginning of a secret at the end of a long text."""
        if len(value) < _MAY_BE_CUT:
            return value
        end = next(end for end in _ENDS_OF_CUT_TEXTS if value.endswith(end))
        text = value[: len(value) - len(end)]
        for form in self._forms:
            start = text.find(form[:_TELLING], max(0, len(text) - len(form))) if len(form) > _TELLING else -1
            while start >= 0:
                if form.startswith(text[start:]):
                    return text[:start] + MASK + end
                start = text.find(form[:_TELLING], start + 1)
        return value


def _password(url: str) -> Iterator[str]:
    """As it is written, as it is, and as it is sent."""
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        user, password = unquote(parts.username or ""), parts.password or ""
    except ValueError:
        return
    if password:
        yield from (password, unquote(password), f"{user}:{unquote(password)}")


def _forms(text: str) -> set[str]:
    escaped = quote(text, safe="")
    forms = {
        text,
        html.escape(text),
        escaped,
        quote_plus(text),
        quote(text, safe="!'()*"),
        _ESCAPE.sub(_lowered, escaped),
        *_lossy(text),
    }
    for ascii_only in (True, False):
        once = json.dumps(text, ensure_ascii=ascii_only)[1:-1]
        # Twice, for a server that quotes the body of the request inside the JSON of its answer.
        forms |= {once, json.dumps(once, ensure_ascii=ascii_only)[1:-1]}
    for written in list(forms):
        forms |= _in_letters(written.encode(errors="surrogatepass"))
    return forms


def _lossy(text: str) -> Iterator[str]:
    """What is left of it where an older encoding is in between, which no decoding brings back."""
    for encoding in ("ascii", "latin-1", "cp1252"):
        yield text.encode(encoding, "replace").decode(errors="replace")


def _in_letters(content: bytes) -> set[str]:
    """Hexadecimal, and base64 of it alone and of something longer that it is a part of."""
    found = {content.hex(), content.hex().upper()}
    for offset in range(3):
        encoded = base64.b64encode(bytes(offset) + content).decode()
        # Without what the bytes before and after it have a share in.
        start, end = -(-offset * 4 // 3), (offset + len(content)) * 4 // 3
        forms = {encoded[start:end], *({encoded, encoded.rstrip("=")} if not offset else ())}
        found |= forms | {form.translate(_URL_SAFE) for form in forms}
    return {form for form in found if len(form) >= _TELLING} or {base64.b64encode(content).decode()}


_URL_SAFE = str.maketrans("+/", "-_")


def _lowered(escape: re.Match[str]) -> str:
    return escape[0].lower()


def _readings(value: str) -> Iterator[str]:
    """What the text says where ways of writing are undone, one inside another."""
    seen = {value}
    level = [value]
    for _unused in range(_DEPTH):
        decoded = [text for each in level for text in _decoded(each)]
        level = []
        for text in decoded:
            if text not in seen and len(seen) < _READINGS and len(seen) * len(value) < _CHARACTERS:
                seen.add(text)
                level.append(text)
                yield text


def _decoded(value: str) -> Iterator[str]:
    if "&" in value:
        yield html.unescape(value)
    if "%" in value:
        yield unquote(value, errors="replace")
        yield unquote(value, "latin-1")
    if "+" in value:
        yield value.replace("+", " ")
    if "\\" in value:
        yield _whole_characters(_BACKSLASH.sub(_unescaped, value))
    if "=" in value:
        yield _QUOTED_PRINTABLE.sub(lambda code: chr(int(code[1], 16)) if code[1] else "", value)
    if "\n" in value:
        yield _FOLD.sub("", value)
    if not value.isascii():
        for encoding in ("latin-1", "cp1252"):
            yield _BEYOND_ASCII.sub(lambda run, encoding=encoding: _as_utf8(run[0], encoding), value)


def _unescaped(code: re.Match[str]) -> str:
    if code[1] or code[2]:
        return chr(int(code[1] or code[2], 16))
    return _SHORT.get(code[3], code[3])


_SHORT = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_FOLD = re.compile(r"\r?\n[ \t]*")


def _whole_characters(text: str) -> str:
    """JSON writes one beyond the first 65536 as two."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _as_utf8(text: str, encoding: str) -> str:
    try:
        return text.encode(encoding).decode()
    except UnicodeError:
        return text


def printable(value: str, limit: int = 2000) -> str:
    """Without control characters, which could repaint a terminal, and not longer than ``limit``."""
    value = _CONTROL.sub(" ", value)
    return value if len(value) <= limit else value[: limit - 1] + "…"
