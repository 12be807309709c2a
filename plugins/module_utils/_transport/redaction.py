# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes out of whatever the server says what nobody may see, and what nobody can print."""

from __future__ import annotations

import base64
import html
import json
import math
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus, unquote, urlsplit

MASK = "********"
#: A secret in fewer letters than this is a part of many words, and a part of one in fewer than that.
_WORD, _TELLING = 4, 8
#: What has fewer letters is in one line.
_LONG = 16
#: Servers cut what is long, and say so at the end, or not.
_MAY_BE_CUT = 200
_ENDS_OF_CUT_TEXTS = ("...", "…", "")
#: How deep one way of writing may be inside another, how many readings of one text are made, of how much, how often.
_DEPTH, _READINGS, _CHARACTERS, _ROUNDS = 5, 200, 1_000_000, 50

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_HALF = re.compile(r"[\ud800-\udfff]")
_PERCENT = re.compile(r"%[0-9A-F]{2}")
_BACKSLASH = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))", re.DOTALL)
_BACKSLASHED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
#: The end of a line may have become a blank.
_QUOTED_PRINTABLE = re.compile(r"=(?:([0-9A-Fa-f]{2})|\r?\n| )")
#: What is at 0x80 to 0x9f for those who do not read ISO 8859-1 by the letter.
_WINDOWS = {ord(bytes([code]).decode("cp1252")): code for code in {*range(0x80, 0xA0)} - {0x81, 0x8D, 0x8F, 0x90, 0x9D}}
_LATER = rf"[\x80-\xbf{''.join(map(chr, _WINDOWS))}]"
_UTF8 = re.compile(rf"[\xc2-\xdf]{_LATER}|[\xe0-\xef]{_LATER}{{2}}|[\xf0-\xf4]{_LATER}{{3}}")
_URL_SAFE = str.maketrans("+/", "-_")

_Undo = Callable[[str], str]


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
        """The passwords in proxy variables: a proxy is sent them, and its answers are shown like the server's."""
        for name, value in environ.items():
            if name.lower().endswith("_proxy"):
                for password in _passwords(value):
                    self.add(password)

    def text(self, value: str) -> str:
        value = self._masked(value)
        for _unused in range(_ROUNDS if self._forms else 0):
            place = self._written_otherwise(value)
            if place is None:
                break
            value = f"{value[: place[0]]}{MASK}{value[place[1] :]}"
        return self._without_beginning(value)

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

    def _holds(self, value: str, shortest: int = 1) -> bool:
        return any(form in value for form in self._forms if len(form) >= shortest and form not in MASK)

    def _written_otherwise(self, value: str) -> tuple[int, int] | None:
        """Where a secret stands in a way of writing that is none of its forms."""
        for undo, reading in _readings(value):
            # Words that stand side by side may make a short one.
            shortest = _LONG if _joined in undo else 1
            if self._holds(reading, shortest):
                return _bounds(value, lambda part: self._holds(_undone(part, undo), shortest))  # noqa: B023
        return None

    def _without_beginning(self, value: str) -> str:
        """Without the beginning of a secret, with which a text ends that was cut."""
        if len(value) < _MAY_BE_CUT:
            return value
        end = next(end for end in _ENDS_OF_CUT_TEXTS if value.endswith(end))
        text = value.removesuffix(end)
        for form in self._forms:
            start = text.find(form[:_TELLING], max(0, len(text) - len(form))) if len(form) > _TELLING else -1
            while start >= 0:
                if form.startswith(text[start:]):
                    return f"{text[:start]}{MASK}{end}"
                start = text.find(form[:_TELLING], start + 1)
        return value


def _bounds(value: str, holds: Callable[[str], bool]) -> tuple[int, int]:
    """The shortest part that holds it, from where it begins to where it ends."""
    end = 1 + bisect_left(range(1, len(value)), True, key=lambda end: holds(value[:end]))
    start = bisect_left(range(1, end), True, key=lambda start: not holds(value[start:end]))
    return start, end


def _passwords(url: str) -> Iterator[str]:
    """The password of a proxy as it is written, as it is, and as it is sent."""
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
    except ValueError:
        # Nothing is sent to what is no URL.
        return
    if parts.password:
        password = unquote(parts.password)
        yield from (parts.password, password, f"{unquote(parts.username or '')}:{password}")


def _forms(text: str) -> set[str]:
    escaped = quote(text, safe="", errors="replace")
    forms = {
        text,
        html.escape(text),
        text.replace("'", "''"),
        escaped,
        quote_plus(text, errors="replace"),
        quote(text, safe="!'()*", errors="replace"),
        _PERCENT.sub(_lowered, escaped),
    }
    forms = forms.union(*map(_lossy, forms))
    for ascii_only in (True, False):
        once = json.dumps(text, ensure_ascii=ascii_only)[1:-1]
        # Twice, for a server that quotes the body of the request inside the JSON of its answer.
        forms |= {once, json.dumps(once, ensure_ascii=ascii_only)[1:-1]}
    # requests sends the password of a proxy in Latin-1.
    contents = {form.encode(encoding, "replace") for form in forms for encoding in ("utf-8", "latin-1")}
    return forms.union(*map(_in_letters, contents))


def _lowered(escape: re.Match[str]) -> str:
    return escape[0].lower()


def _lossy(text: str) -> Iterator[str]:
    """What an older encoding in between leaves of it, which no decoding brings back."""
    for encoding in ("ascii", "latin-1", "cp1252"):
        content = text.encode(encoding, "replace")
        yield from (content.decode(encoding), content.decode(errors="replace"))


def _in_letters(content: bytes) -> set[str]:
    """Hexadecimal, and base64 of it alone and of something longer that it is a part of."""
    alone = base64.b64encode(content).decode()
    found = {form for form in (content.hex(), content.hex().upper(), alone, alone.rstrip("=")) if len(form) >= _WORD}
    for offset in range(3):
        encoded = base64.b64encode(bytes(offset) + content).decode()
        # Without what the bytes before and after it have a share in.
        part = encoded[-(-offset * 4 // 3) : (offset + len(content)) * 4 // 3]
        found |= {part} if len(part) >= _TELLING else set()
    return found | {form.translate(_URL_SAFE) for form in found}


def _readings(value: str) -> Iterator[tuple[tuple[_Undo, ...], str]]:
    """What the text says when ways of writing are undone, also one inside another, and which."""
    left = min(_READINGS, _CHARACTERS // (len(value) or 1))
    seen = {value}
    level: list[tuple[tuple[_Undo, ...], str]] = [((), value)]
    for _unused in range(_DEPTH):
        before, level = level, []
        for undone, text in before:
            for undo in _UNDO:
                reading = undo(text) if left else text
                if reading not in seen:
                    left -= 1
                    seen.add(reading)
                    level.append(((*undone, undo), reading))
                    yield level[-1]


def _undone(value: str, ways: Iterable[_Undo]) -> str:
    for undo in ways:
        value = undo(value)
    return value


def _percent_latin_1(value: str) -> str:
    return unquote(value, "latin-1")


def _plus(value: str) -> str:
    return value.replace("+", " ")


def _backslashes(value: str) -> str:
    # JSON writes what is beyond the first 65536 characters as two.
    value = _BACKSLASH.sub(_unescaped, value) if "\\" in value else value
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _unescaped(code: re.Match[str]) -> str:
    number = code[1] or code[2]
    return chr(int(number, 16)) if number else _BACKSLASHED.get(code[3], code[3])


def _quoted_printable(value: str) -> str:
    return _QUOTED_PRINTABLE.sub(lambda code: chr(int(code[1], 16)) if code[1] else "", value)


def _utf8(value: str) -> str:
    """UTF-8 of which every byte was taken for a character, as http.client takes the bytes of headers."""
    return value if value.isascii() else _UTF8.sub(_character, value)


def _character(read_wrongly: re.Match[str]) -> str:
    return read_wrongly[0].translate(_WINDOWS).encode("latin-1").decode(errors="replace")


def _joined(value: str) -> str:
    """What was too long for one line and stands in several."""
    return "".join(value.split())


_UNDO: tuple[_Undo, ...] = (
    html.unescape,
    unquote,
    _percent_latin_1,
    _plus,
    _backslashes,
    _quoted_printable,
    _utf8,
    _joined,
)


def printable(value: str, limit: int = 2000) -> str:
    """Without control characters, which could repaint a terminal, and not longer than ``limit``."""
    value = _CONTROL.sub(" ", value)
    return value if len(value) <= limit else value[: limit - 1] + "…"


def whole(value: Any) -> Any:
    """The same data without halves of characters and numbers without end, which ansible-core cannot print.

    Infisical cuts texts in the middle of a character, and options and the environment may hold bytes that are no text.
    """
    if isinstance(value, str):
        return _HALF.sub("\ufffd", value)
    if isinstance(value, Mapping):
        return {whole(key): whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [whole(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
