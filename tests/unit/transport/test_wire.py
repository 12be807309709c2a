# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the time and the size of an exchange are limited where no test over a socket comes to."""

from __future__ import annotations

import socket
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.secretops.infisical.plugins.module_utils._transport import exchange, failures, wire


class Connection:
    """What urllib3's connections have in common."""

    host, port, sock = "four.example", 443, None
    timeout: float = 0

    def connect(self) -> None:
        self.connected = True


@pytest.mark.parametrize(("addresses", "steps"), [("_count_addresses", 6), ("_one_address", 3)])
def test_every_step_of_connecting_has_its_share_of_the_time(
    monkeypatch: pytest.MonkeyPatch, addresses: str, steps: int
) -> None:
    """One for each address, and two for TLS; what a SOCKS proxy looks up is not looked up here."""
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_given: ["an address"] * 4)
    progress = wire.Progress(lambda: 0.0)
    progress.begin(90)
    connection = wire._watched(Connection, progress, getattr(wire, addresses))()
    connection.connect()
    assert connection.connected
    assert connection.timeout == wire.CONNECT_TIMEOUT / steps


def test_what_stands_around_a_body_is_limited_too() -> None:
    progress = wire.Progress(lambda: 0.0)
    progress.received(33 * 1024 * 1024)
    with pytest.raises(failures.TooLarge):
        progress.received(1)


@pytest.mark.parametrize(("headers", "status", "whole"), [
    ({"Content-Length": "4"}, 200, False),
    ({"Content-Length": "3"}, 200, True),
    ({"Content-Length": "4"}, 304, True),
    ({"Content-Length": "4", "Transfer-Encoding": "chunked"}, 200, True),
    ({}, 200, True),
])  # fmt: skip
def test_a_body_that_is_shorter_than_announced_is_none(headers: dict[str, str], status: int, whole: bool) -> None:
    """As urllib3 1.26 hands it over, which does not look at the length."""
    raw = SimpleNamespace(stream=lambda size, decode_content: [b"one"], tell=lambda: 3)
    response: Any = SimpleNamespace(raw=raw, headers=headers, status_code=status)
    if whole:
        assert exchange._body(response) == b"one"
    else:
        with pytest.raises(failures.CutOff):
            exchange._body(response)
