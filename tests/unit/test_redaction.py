# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import html
import json
import re
from urllib.parse import quote, quote_plus

from ansible_collections.secretops.infisical.plugins.module_utils._transport.redaction import MASK, Redactor, printable
from hypothesis import given
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
