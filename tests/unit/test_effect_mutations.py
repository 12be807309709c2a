# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wherever the code says that a request may have had an effect, saying that it had none is caught."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError
from ansible_collections.secretops.infisical.plugins.module_utils._rotations import api, rule
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
from unit import scripted
from unit.test_client_policy import ANSWERS, BROKEN, Scripted


def doubts(module: ModuleType) -> Iterator[ast.AST]:
    """Each place that says 'perhaps': the constant, and the note that the sending has begun."""
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(node, ast.Name) and node.id == "UNKNOWN":
            yield node
        elif isinstance(node, ast.Assign) and ast.unparse(node) == "progress.sent = True":
            yield node.value
        elif isinstance(node, ast.Attribute) and node.attr == "sent" and isinstance(node.ctx, ast.Load):
            yield node


class Mutation(ast.NodeTransformer):
    def __init__(self, place: ast.AST) -> None:
        self._at = (place.lineno, place.col_offset, type(place))  # type: ignore[attr-defined]

    def visit(self, node: ast.AST) -> Any:
        if (getattr(node, "lineno", 0), getattr(node, "col_offset", 0), type(node)) != self._at:
            return self.generic_visit(node)
        said: ast.expr = ast.Name("NONE", ast.Load()) if isinstance(node, ast.Name) else ast.Constant(False)
        return ast.copy_location(said, node)


def mutated(module: ModuleType, place: ast.AST) -> dict[str, Any]:
    """The module's functions and classes, with that one place changed."""
    tree = ast.fix_missing_locations(Mutation(place).visit(ast.parse(inspect.getsource(module))))
    names: dict[str, Any] = {
        "__name__": module.__name__,
        "__package__": module.__package__,
        "__file__": module.__file__,
    }
    exec("from .._errors import NONE", names)  # noqa: S102
    exec(compile(tree, str(module.__file__), "exec"), names)  # noqa: S102
    return names


class Answering:
    """A session in which every request gets this answer."""

    def __init__(self, data: dict[str, Any]) -> None:
        self._data = data

    def post_now(self, path: str, what: str, body: dict[str, Any]) -> client.Answer:
        return client.Answer(self._data, None)


def effect_of(channel: Any) -> str:
    asked = client.Client(Connection("https://x.example"), Patience(0), Redactor())
    asked._channel = channel
    return _failure(lambda: asked.post("/thing", "do it", {}, resend=False)).effect


def _failure(call: Any) -> InfisicalError:
    with pytest.raises(InfisicalError) as caught:
        call()
    return caught.value


def judge() -> None:
    """What is true, written by hand. It raises where the code says something else."""
    for answer, effect, _reason in ANSWERS:
        assert effect_of(Scripted(answer)) == effect
    for cause, _before, _after in BROKEN:
        assert effect_of(Scripted(exchange.Broken(cause, sent=True))) == "unknown"
        assert effect_of(Scripted(exchange.Broken(cause, sent=False))) == "none"
    with peers.canned(b"") as peer:
        asked = client.Client(Connection(f"http://{peer.host}"), Patience(0), Redactor())
        assert _failure(lambda: asked.post("/thing", "do it", {}, resend=False)).effect == "unknown"
    session: Any = Answering({"ok": True})
    assert _failure(lambda: api.Api(session).rotate(scripted.ID)).effect == "unknown"
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
        patience=Patience(5, lambda: server.now, server._sleep),
        now=lambda: server.host_now,
        hold=server.hold,
        warn=server.warnings.append,
    ).rotate(scripted.ID)


MODULES = (answers, failures, wire, exchange, client, api, rule)
PLACES = [(module, place) for module in MODULES for place in doubts(module)]


def _named(value: Any) -> str | None:
    if isinstance(value, ModuleType):
        return value.__name__.rpartition(".")[2]
    return f"line {value.lineno}" if isinstance(value, ast.AST) else None  # type: ignore[attr-defined]


def test_nothing_is_condemned_without_a_mutation() -> None:
    judge()
    assert len(PLACES) >= 8


@pytest.mark.parametrize(("module", "place"), PLACES, ids=_named)
def test_a_doubt_that_is_dropped_is_caught(module: ModuleType, place: ast.AST, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = mutated(module, place)
    for name, value in changed.items():
        if getattr(value, "__module__", None) == module.__name__:
            original = getattr(module, name)
            for user in (each for each in MODULES if getattr(each, name, None) is original):
                monkeypatch.setattr(user, name, value)
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        judge()
