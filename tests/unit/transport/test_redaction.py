# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import html
import json
import quopri
import re
from collections.abc import Callable
from urllib.parse import quote, quote_plus, unquote

import pytest
from ansible_collections.secretops.infisical.plugins.module_utils._transport.redaction import MASK, Redactor, printable
from hypothesis import given, settings
from hypothesis import strategies as st

SECRETS = st.text(st.characters(codec="utf-8", exclude_characters="*"), min_size=6, max_size=40).filter(
    lambda text: text.strip() == text
)


@given(SECRETS, st.text(max_size=20), st.text(max_size=20))
def test_no_form_of_a_secret_is_left(secret: str, before: str, after: str) -> None:
    redactor = Redactor()
    redactor.add(secret)
    for form in (
        secret,
        quote(secret, safe=""),
        quote_plus(secret),
        base64.b64encode(secret.encode()).decode(),
        base64.urlsafe_b64encode(secret.encode()).decode(),
        base64.b64encode(secret.encode()).decode().rstrip("="),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        json.dumps(json.dumps(secret))[3:-3],
        html.escape(secret),
        quote(secret, safe="!'()*"),
        re.sub("%..", lambda escape: escape[0].lower(), quote(secret, safe="")),
    ):
        assert form not in redactor.text(before + form + after)


def entities(text: str) -> str:
    return "".join(f"&#{ord(letter)};" for letter in text)


def hexadecimal_entities(text: str) -> str:
    return "".join(f"&#X{ord(letter):X};" for letter in text)


def percent(text: str) -> str:
    return "".join(f"%{byte:02x}" for byte in text.encode())


def backslashes(text: str) -> str:
    return "".join(f"\\x{byte:02x}" if byte > 126 else chr(byte) for byte in text.replace("\\", "\\\\").encode())


def slashes(text: str) -> str:
    """JSON as PHP writes it."""
    return json.dumps(text)[1:-1].replace("/", "\\/")


def quoted_printable(text: str) -> str:
    return quopri.encodestring(text.encode(), quotetabs=True).decode()


def read_as(encoding: str) -> Callable[[str], str]:
    """UTF-8 that somebody took for something else."""
    return lambda text: "".join(_read_as(letter, encoding) for letter in text)


def _read_as(letter: str, encoding: str) -> str:
    try:
        return letter.encode().decode(encoding)
    except UnicodeDecodeError:
        return letter


NASTY = st.text("abcXYZ019\"'\\/+%&=;#?_-:.<>(){}$é€Í¡🔑 ", min_size=8, max_size=24).filter(
    lambda text: text.strip() == text
)
WRITTEN: list[Callable[[str], str]] = [
    quote,
    quote_plus,
    percent,
    html.escape,
    entities,
    hexadecimal_entities,
    backslashes,
    slashes,
    quoted_printable,
    read_as("latin-1"),
    read_as("cp1252"),
]
UNDONE: list[Callable[[str], str]] = [
    html.unescape,
    unquote,
    lambda text: text.replace("+", " "),
    lambda text: text.replace("=\n", ""),
    lambda text: re.sub("=([0-9A-F]{2})", lambda code: chr(int(code[1], 16)), text),
    lambda text: re.sub(r"\\x([0-9a-f]{2})", lambda code: chr(int(code[1], 16)), text),
    lambda text: re.sub(r"\\u([0-9a-f]{4})", lambda code: chr(int(code[1], 16)), text),
    lambda text: re.sub(r"\\(.)", r"\1", text),
]


@given(NASTY, st.lists(st.sampled_from(WRITTEN), min_size=1, max_size=2))
@settings(deadline=None, max_examples=300)
def test_whatever_ways_of_writing_are_one_inside_another(secret: str, ways: list[Callable[[str], str]]) -> None:
    redactor = Redactor()
    redactor.add(secret)
    written = secret
    for way in ways:
        written = way(written)
    left = redactor.text(f"Could not handle it: {written} is wrong")
    assert MASK in left
    # A reader who undoes them all finds nothing.
    for undo in (*UNDONE, *UNDONE, *UNDONE):
        left = undo(left)
        assert secret not in left


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_what_an_older_encoding_leaves_of_it(encoding: str) -> None:
    redactor = Redactor()
    redactor.add("hunter-é€-hunter")
    page = "<p>hunter-é€-hunter".encode(encoding, "replace")
    assert redactor.text(page.decode("utf-8", "replace")) == f"<p>{MASK}"


@pytest.mark.parametrize("before", ["", "a", "ab", "abc", "user:", '{"clientSecret": "'])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_part_of_something_in_base64(before: str, encode: Callable[[bytes], bytes]) -> None:
    redactor = Redactor()
    redactor.add("hunter22-hunter22")
    encoded = encode(f"{before}hunter22-hunter22 and more".encode()).decode()
    shown = redactor.text(encoded)
    assert MASK in shown
    # Its 17 bytes are 22 letters and two thirds, of which the outmost tell of their neighbours too.
    assert len(encoded) - len(shown.replace(MASK, "")) >= 21


@pytest.mark.parametrize("end", ["", "...", "…"])
def test_a_text_that_was_cut_ends_with_no_beginning_of_a_secret(end: str) -> None:
    redactor = Redactor()
    redactor.add("hunter22-hunter22")
    text = f"{'x' * 200} Bearer "
    for length in range(8, 17):
        assert redactor.text(f"{text}{'hunter22-hunter22'[:length]}{end}") == f"{text}{MASK}{end}"
    # A word that a secret begins with too is left alone where it was not cut.
    for alone in (f"{text}hunter{end}", f"{text}hunter22-hunger", "hunter22", f"{text}hunter22 hunter22-x{end}"):
        assert redactor.text(alone) == alone


def test_folded_lines() -> None:
    redactor = Redactor()
    redactor.add("hunter22-hunter22")
    assert redactor.text("Authorization: hunter22-\r\n hunter22") == f"Authorization: {MASK}"


def test_short_secrets() -> None:
    redactor = Redactor()
    redactor.add("pass5")
    for form in ("pass5", "cGFzczU=", "cGFzczU", "7061737335", "7061737335".upper(), "%70%61ss5", "p&#97;ss5"):
        assert redactor.text(f"it says {form} here") == f"it says {MASK} here"


@pytest.mark.parametrize("name", ["http_proxy", "HTTPS_PROXY", "all_proxy"])
def test_proxy_passwords(name: str) -> None:
    redactor = Redactor()
    redactor.add_proxies({name: "http://robot:hunter%2F22@proxy.example:3128", "no_proxy": "x", "OTHER": "a:secret@b"})
    for form in ("hunter/22", "hunter%2F22", base64.b64encode(b"robot:hunter/22").decode()):
        assert redactor.text(f"it says {form} here") == f"it says {MASK} here"
    assert redactor.text("robot at proxy.example, secret") == "robot at proxy.example, secret"


@pytest.mark.parametrize("value", ["", "proxy.example", "http://[bad:hunter22@x", "robot@proxy.example"])
def test_proxy_variables_without_a_password(value: str) -> None:
    redactor = Redactor()
    redactor.add_proxies({"http_proxy": value})
    assert redactor.text("robot at proxy.example") == "robot at proxy.example"


def test_a_text_without_end_is_not_read_again_and_again() -> None:
    redactor = Redactor()
    redactor.add("hunter22")
    flood = "%25" * 2_000_000
    assert redactor.text(flood) == flood


def test_keys_and_nested_values_are_redacted() -> None:
    redactor = Redactor()
    redactor.add("hunter22")
    data = {"a": ["x hunter22 y", {"hunter22": 1, "b": None}], "c": True}
    assert redactor.data(data) == {"a": [f"x {MASK} y", {MASK: 1, "b": None}], "c": True}


def test_a_secret_inside_another_does_not_leave_the_rest() -> None:
    redactor = Redactor()
    redactor.add("abcdef")
    redactor.add("abcdef-and-more")
    assert redactor.text("abcdef-and-more") == MASK


def test_nothing_is_masked_without_a_secret() -> None:
    redactor = Redactor()
    redactor.add("")
    assert redactor.text("plain") == "plain"


def test_what_is_printed_holds_no_control_characters() -> None:
    assert printable("a\x1b[31mb\r\x9b\tc\nd") == "a [31mb   c d"
    assert len(printable("x" * 5000, limit=100)) == 100
