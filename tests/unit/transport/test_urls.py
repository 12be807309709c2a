# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError
from ansible_collections.secretops.infisical.plugins.module_utils._transport.urls import (
    base_url,
    canonical,
    is_unprotected,
)


@pytest.mark.parametrize(
    ("spellings", "expected"),
    [
        (
            ("https://host", "https://Host", "HTTPS://host", "https://host:443", "https://host.", "https://HOST.:443/"),
            "https://host",
        ),
        (("http://host:80", "http://host/", "http://host:"), "http://host"),
        (("https://host:8443", "https://Host:08443/"), "https://host:8443"),
        (("https://host:80",), "https://host:80"),
        (("http://host:443",), "http://host:443"),
        (("https://host/Path/", "https://HOST:443/Path"), "https://host/Path"),
        (("https://host/path",), "https://host/path"),
        (("https://[::1]", "https://[0:0:0::1]:443/", "https://[0000::0001]"), "https://[::1]"),
        (("https://[2001:DB8::A]:8443/x",), "https://[2001:db8::a]:8443/x"),
        (("https://10.0.0.1:443/",), "https://10.0.0.1"),
        (
            ("https://bücher.example", "https://BÜCHER.example/", "https://xn--bcher-kva.example"),
            "https://xn--bcher-kva.example",
        ),
        (("https://no..name/",), "https://no..name"),
    ],
)
def test_every_spelling_of_a_server_becomes_one(spellings: tuple[str, ...], expected: str) -> None:
    assert {canonical(spelling) for spelling in spellings} == {expected}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (" https://host/ ", "https://host"),
        ("HTTP://Host:8080/Prefix//", "HTTP://Host:8080/Prefix"),
        ("https://[::1]:8443", "https://[::1]:8443"),
    ],
)
def test_a_base_url_is_kept_as_it_is_written(written: str, expected: str) -> None:
    assert base_url("url", written, example="https://host") == expected


@pytest.mark.parametrize(
    "written",
    [
        "host",
        "ftp://host",
        "https://",
        "https://host:0",
        "https://host:99999",
        "https://[::1",
        "https://host?x=1",
        "https://host/#x",
        "https://host\\x",
        "https://ho st",
        "https://host\x00",
        "https://host\ud800",
        "https://host/../x",
        "https://host/%2e%2e",
    ],
)
def test_what_is_no_base_url_is_told(written: str) -> None:
    with pytest.raises(InfisicalError, match="^endpoint is ") as caught:
        base_url("endpoint", written, example="https://host")
    assert caught.value.reason == "invalid_arguments"


def test_a_password_in_a_url_is_not_repeated() -> None:
    with pytest.raises(InfisicalError, match="user name or password") as caught:
        base_url("url", "https://me:hunter22@host", example="https://host")
    assert "hunter22" not in caught.value.message


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://host", True),
        ("HTTP://host", True),
        ("http://127.example", True),
        ("https://host", False),
        ("http://localhost:8080", False),
        ("http://127.0.0.1", False),
        ("http://[::1]:1", False),
    ],
)
def test_what_can_be_read_on_the_way(url: str, expected: bool) -> None:
    assert is_unprotected(url) is expected
