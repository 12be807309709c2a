# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every condition of a function turned, one at a time, in the running code."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from functools import reduce
from types import FunctionType, ModuleType
from typing import Any, NamedTuple


class Mutant(NamedTuple):
    """A condition of a function that is always so, or never, or of which one part is left out: source for source."""

    module: ModuleType
    function: str
    line: int
    column: int
    was: str
    now: str

    def __str__(self) -> str:
        return f"{self.function}: {self.was} is {self.now}"

    @property
    def live(self) -> FunctionType:
        function = _found(vars(self.module), self.function)
        assert isinstance(function, FunctionType)
        return function

    @property
    def code(self) -> Any:
        """The function's code with that condition turned. Its module is run again, and only this taken from it."""
        tree = ast.fix_missing_locations(_Turn(self).visit(ast.parse(inspect.getsource(self.module))))
        names = {name: getattr(self.module, name) for name in ("__name__", "__package__", "__file__", "__spec__")}
        exec(compile(tree, str(self.module.__file__), "exec"), names)  # noqa: S102
        return _found(names, self.function).__code__


class _Turn(ast.NodeTransformer):
    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant

    def visit(self, node: ast.AST) -> Any:
        mutant = self._mutant
        here = (getattr(node, "lineno", 0), getattr(node, "col_offset", -1)) == (mutant.line, mutant.column)
        if here and isinstance(node, ast.expr) and ast.unparse(node) == mutant.was:
            return ast.parse(mutant.now, mode="eval").body
        return self.generic_visit(node)


def mutants(module: ModuleType, function: str) -> Iterator[Mutant]:
    tree: Any = ast.parse(inspect.getsource(module))
    for name in function.split("."):
        [tree] = [node for node in tree.body if getattr(node, "name", None) == name]
    for node in ast.walk(tree):
        turned: list[tuple[ast.expr, str]] = []
        if isinstance(node, (ast.If, ast.IfExp, ast.While)):
            turned = [(node.test, "True"), (node.test, "False")]
        elif isinstance(node, ast.BoolOp):
            # What changes nothing in the others' place leaves this one out.
            turned = [(part, str(isinstance(node.op, ast.And))) for part in node.values]
        for place, now in turned:
            yield Mutant(module, function, place.lineno, place.col_offset, ast.unparse(place), now)


def _found(names: dict[str, Any], function: str) -> Any:
    first, *others = function.split(".")
    return reduce(getattr, others, names[first])
