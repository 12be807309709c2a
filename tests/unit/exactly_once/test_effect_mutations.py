# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wherever the code says that a request may have had an effect, saying that it had none is caught."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from ansible_collections.secretops.infisical.plugins.module_utils._errors import NONE, InfisicalError
from ansible_collections.secretops.infisical.plugins.module_utils._rotations import api, observer, rule
from ansible_collections.secretops.infisical.plugins.module_utils._rotations import failures as rotation_failures
from ansible_collections.secretops.infisical.plugins.module_utils._transport import (
    answers,
    client,
    exchange,
    failures,
    wire,
)
from ansible_collections.secretops.infisical.plugins.module_utils._transport.connection import Connection
from ansible_collections.secretops.infisical.plugins.module_utils._transport.patience import Patience
from ansible_collections.secretops.infisical.plugins.module_utils._transport.redaction import Redactor
from support import peers
from support.scripted_channel import ScriptedChannel
from unit.exactly_once import scripted
from unit.exactly_once.mutants import Mutant, functions, mutant
from unit.transport.test_client_policy import ANSWERS, BROKEN


def doubts(module: ModuleType) -> Iterator[Mutant]:
    """Each place that says 'perhaps': the constant, and the note that the sending has begun."""
    for name, function in functions(module).items():
        for node in ast.walk(function):
            if isinstance(node, ast.Name) and node.id == "UNKNOWN":
                yield mutant(module, name, node, repr(NONE))
            elif isinstance(node, ast.Assign) and ast.unparse(node) == "progress.sent = True":
                yield mutant(module, name, node.value, "False")
            elif isinstance(node, ast.Attribute) and node.attr == "sent" and isinstance(node.ctx, ast.Load):
                yield mutant(module, name, node, "False")


class Answering:
    """A session in which every request gets this answer."""

    def __init__(self, data: dict[str, Any] | InfisicalError) -> None:
        self._data = data

    def write_now(self, method: str, path: str, what: str, body: Any = None, params: Any = None) -> client.Answer:
        if isinstance(self._data, InfisicalError):
            raise self._data
        return client.Answer(self._data, None)


def effect_of(channel: Any) -> str:
    asked = client.Client(Connection("https://x.example"), Patience(0), Redactor())
    asked._channel = channel
    return _failure(lambda: asked.write("POST", "/thing", "do it", {}, resend=False)).effect


def _failure(call: Any) -> InfisicalError:
    with pytest.raises(InfisicalError) as caught:
        call()
    return caught.value


def judge() -> None:
    """What is true, written by hand. It raises where the code says something else."""
    for answer, effect, _reason in ANSWERS:
        assert effect_of(ScriptedChannel(answer)) == effect
    for cause, _before, _after in BROKEN:
        assert effect_of(ScriptedChannel(exchange.Broken(cause, sent=True))) == "unknown"
        assert effect_of(ScriptedChannel(exchange.Broken(cause, sent=False))) == "none"
    with peers.canned(b"") as peer:
        asked = client.Client(Connection(f"http://{peer.host}"), Patience(0), Redactor())
        assert _failure(lambda: asked.write("POST", "/thing", "do it", {}, resend=False)).effect == "unknown"
    session: Any = Answering({"ok": True})
    assert _failure(lambda: api.Api(session).rotate(scripted.ID)).effect == "unknown"
    late: Any = Answering(
        InfisicalError("request_rejected", "No.", http_status=400, server_message=f"{scripted.PREFIX}x")
    )
    body = {"name": "okta", "environment": "prod", "secretPath": "/"}
    assert _failure(lambda: api.Api(late).create(body)).effect == "unknown"
    said = "Failed to remove client secret with secretId ocs1 from app 0oa1: You can't."
    partly: Any = Answering(InfisicalError("request_rejected", "No.", http_status=400, server_message=said))
    flags = {"delete_secrets": False, "revoke_credentials": True}
    assert _failure(lambda: api.Api(partly).delete(scripted.ID, **flags)).effect == "unknown"
    assert rotation_failures.lost("okta", "changed", None, None).effect == "unknown"
    readings = ([scripted.BEFORE], [scripted.BEFORE], [scripted.BEFORE], [scripted.BEFORE, scripted.FAILED])
    answered_with: tuple[Any, ...] = (scripted.LOST, RuntimeError(), scripted.BEFORE, scripted.LOST)
    for seen, answered in zip(readings, answered_with, strict=True):
        server = scripted.Server(seen, answered)
        failure = _failure(lambda server=server: _rotated(server))
        assert (failure.effect, failure.result()["outcome"], server.requests) == ("unknown", "unknown", 1)


def _rotated(server: scripted.Server) -> None:
    rule.Rotator(
        server,
        min_age=0,
        outcome_timeout=5,
        patience=Patience(5, lambda: server.now, server._sleep),
        now=lambda: server.host_now,
        hold=server.hold,
        warn=server.warnings.append,
    ).rotate(scripted.ID)


MODULES = (answers, failures, wire, exchange, client, api, rotation_failures, observer, rule)
DOUBTS = [each for module in MODULES for each in doubts(module)]


def test_nothing_is_condemned_without_a_mutation() -> None:
    judge()
    assert len(DOUBTS) >= 9


@pytest.mark.parametrize("doubt", DOUBTS, ids=str)
def test_a_doubt_that_is_dropped_is_caught(doubt: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    doubt.take_effect(monkeypatch)
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        judge()
