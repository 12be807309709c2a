# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the body of an answer is read: as far as time and size allow, and whole or not at all."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import requests
from ansible_collections.secretops.infisical.plugins.module_utils._transport import failures
from ansible_collections.secretops.infisical.plugins.module_utils._transport.client import MAX_BODY_BYTES, Client
from ansible_collections.secretops.infisical.plugins.module_utils._transport.connection import Connection
from ansible_collections.secretops.infisical.plugins.module_utils._transport.patience import Patience
from ansible_collections.secretops.infisical.plugins.module_utils._transport.redaction import Redactor


class Body:
    """Pieces of a body, each of which takes ten seconds to come."""

    def __init__(self, pieces: list[bytes], announced: str | None = None) -> None:
        self.now = 0.0
        self.timeouts: list[float] = []
        self.released = False
        self._pieces = [*pieces, b""]
        self._connection = SimpleNamespace(sock=SimpleNamespace(settimeout=self.timeouts.append))
        self.headers = {} if announced is None else {"Content-Length": announced}

    def read1(self, size: int) -> bytes:
        self.now += 10
        return self._pieces.pop(0)

    def release_conn(self) -> None:
        self.released = True

    def read(self, seconds: float) -> bytes:
        client = Client(Connection("https://x.example"), Patience(0), Redactor(), lambda: self.now)
        response: Any = SimpleNamespace(raw=self, headers=self.headers, request=SimpleNamespace(method="GET"))
        return client._read(response, seconds)


def test_each_piece_has_what_is_left_of_the_time() -> None:
    body = Body([b"one ", b"two"], "7")
    assert body.read(60) == b"one two"
    assert body.timeouts == [60, 50, 40]
    assert body.released


def test_a_body_that_trickles_ends_with_the_time() -> None:
    body = Body([b"."] * 100)
    with pytest.raises(TimeoutError):
        body.read(60)
    assert body.now == 60


def test_a_body_that_is_shorter_than_announced_is_none() -> None:
    with pytest.raises(failures.CutOff):
        Body([b"one"], "4").read(60)
    assert Body([b"one"], "no number").read(60) == b"one"


def test_a_body_that_never_ends_is_not_read_on() -> None:
    with pytest.raises(failures.TooLarge):
        Body([b"." * MAX_BODY_BYTES, b"."]).read(60)


def test_an_interrupt_in_the_middle_of_an_exchange_closes_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next request, which revokes the token, must not read what was left of the answer."""
    client = Client(Connection("https://x.example"), Patience(0), Redactor())
    closed: list[bool] = []

    def interrupted(*_given: Any, **_more: Any) -> None:
        raise KeyboardInterrupt

    client._session = requests.Session()
    monkeypatch.setattr(client._session, "request", interrupted)
    monkeypatch.setattr(client._session, "close", lambda: closed.append(True))
    monkeypatch.setattr(client, "_last_used", client._clock())
    with pytest.raises(KeyboardInterrupt):
        client.get("/api/status", "read")
    assert closed == [True]
    assert client._session is None
