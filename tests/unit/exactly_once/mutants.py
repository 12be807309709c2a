# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A piece of a function replaced by another one, in the running code."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from functools import reduce
from types import FunctionType, ModuleType
from typing import Any, NamedTuple

import pytest


class Mutant(NamedTuple):
    """An expression of a function and what stands in its place: source for source."""

    module: ModuleType
    function: str
    line: int
    column: int
    was: str
    now: str

    def __str__(self) -> str:
        return f"{self.function}: {self.was} is {self.now}"

    def take_effect(self, patch: pytest.MonkeyPatch) -> None:
        """The module is run again with it, and only the function's code taken from that."""
        tree = ast.fix_missing_locations(_Replacement(self).visit(ast.parse(inspect.getsource(self.module))))
        names = {name: getattr(self.module, name) for name in ("__name__", "__package__", "__file__", "__spec__")}
        exec(compile(tree, str(self.module.__file__), "exec"), names)  # noqa: S102
        function, code = _found(vars(self.module), self.function), _found(names, self.function).__code__
        assert isinstance(function, FunctionType)
        assert function.__code__ != code
        patch.setattr(function, "__code__", code)


class _Replacement(ast.NodeTransformer):
    def __init__(self, wanted: Mutant) -> None:
        self._wanted = wanted

    def visit(self, node: ast.AST) -> Any:
        wanted = self._wanted
        here = (getattr(node, "lineno", 0), getattr(node, "col_offset", -1)) == (wanted.line, wanted.column)
        if here and isinstance(node, ast.expr) and ast.unparse(node) == wanted.was:
            return ast.parse(wanted.now, mode="eval").body
        return self.generic_visit(node)


def functions(module: ModuleType) -> dict[str, ast.FunctionDef]:
    """Those of the module and of its classes."""
    found = {}
    for node in ast.parse(inspect.getsource(module)).body:
        prefix, members = (f"{node.name}.", node.body) if isinstance(node, ast.ClassDef) else ("", [node])
        found.update({prefix + member.name: member for member in members if isinstance(member, ast.FunctionDef)})
    return found


def mutant(module: ModuleType, function: str, place: ast.expr, now: str) -> Mutant:
    return Mutant(module, function, place.lineno, place.col_offset, ast.unparse(place), now)


def turned_conditions(module: ModuleType, function: str) -> Iterator[Mutant]:
    """Every condition of it always so, and never, and without each of its parts."""
    for node in ast.walk(functions(module)[function]):
        turned: list[tuple[ast.expr, str]] = []
        if isinstance(node, (ast.If, ast.IfExp, ast.While)):
            turned = [(node.test, "True"), (node.test, "False")]
        elif isinstance(node, ast.BoolOp):
            # What changes nothing in the others' place leaves this one out.
            turned = [(part, str(isinstance(node.op, ast.And))) for part in node.values]
        for place, now in turned:
            yield mutant(module, function, place, now)


def _found(names: dict[str, Any], function: str) -> Any:
    first, *others = function.split(".")
    return reduce(getattr, others, names[first])
