# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing is raised while an exception of a library is being handled: it would be behind ours, and would be shown."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PLUGINS = Path(__file__).resolve().parents[3] / "plugins"
#: What raises in a handler all the same, and why that does no harm.
ALLOWED = {
    # It is caught where a task decides to run as a module, and only its text goes on from there.
    ("plugin_utils/_internals", "Elsewhere"),
}
Function = ast.FunctionDef | ast.AsyncFunctionDef


def sources() -> dict[str, ast.Module]:
    return {
        path.relative_to(PLUGINS).with_suffix("").as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in PLUGINS.rglob("*.py")
    }


def last_name(node: ast.AST | None) -> str:
    """``c`` of a.b.c, ``c`` and c()."""
    if isinstance(node, ast.Call):
        return last_name(node.func)
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def called(node: ast.AST) -> set[str]:
    return {last_name(each) for each in ast.walk(node) if isinstance(each, ast.Call)}


def raised(node: ast.AST) -> list[str]:
    """What is raised anew. A bare raise passes on what is there."""
    return [last_name(each.exc) for each in ast.walk(node) if isinstance(each, ast.Raise) and each.exc is not None]


def own_exceptions(trees: dict[str, ast.Module]) -> set[str]:
    classes = [node for tree in trees.values() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    return {node.name for node in classes if {last_name(base) for base in node.bases} & {"Exception", "BaseException"}}


def raising_functions(trees: dict[str, ast.Module]) -> set[str]:
    """The names of all functions here that may raise something new, by themselves or through each other."""
    functions = [node for tree in trees.values() for node in ast.walk(tree) if isinstance(node, Function)]
    found = {function.name for function in functions if raised(function)}
    while more := {function.name for function in functions if called(function) & found} - found:
        found |= more
    return found


def breaches(trees: dict[str, ast.Module]) -> set[tuple[str, str]]:
    """File, and what is raised, or called and may raise, while a foreign exception is being handled."""
    own, raising = own_exceptions(trees), raising_functions(trees)
    found = set()
    for file, tree in trees.items():
        for handler in ast.walk(tree):
            if isinstance(handler, ast.ExceptHandler):
                caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
                if not {last_name(each) for each in caught} <= own:
                    names = {name for line in handler.body for name in [*raised(line), *(called(line) & raising)]}
                    found |= {(file, name) for name in names}
    return found


def test_nothing_is_raised_while_a_foreign_exception_is_handled() -> None:
    assert breaches(sources()) == ALLOWED


@pytest.mark.parametrize(
    "handler",
    [
        "except OSError as cause:\n        raise Own() from cause",
        "except (Own, OSError):\n        raise Own() from None",
        "except:\n        raise Own",
        "except json.JSONDecodeError:\n        helper()",
        "except KNOWN:\n        return value.of(helper())",
    ],
)
def test_the_rule_finds(handler: str) -> None:
    functions = "def raises(): raise Own\ndef helper(): raises()\ndef work():\n    try: pass\n"
    assert breaches({"planted": ast.parse(f"class Own(Exception): pass\n{functions}    {handler}")})


def test_what_the_rule_lets_pass() -> None:
    text = (
        "class Own(Exception): pass\ndef work():\n    try: pass\n    except OSError:\n        raise\n"
        "    except Own:\n        raise Own\n    raise Own"
    )
    assert breaches({"planted": ast.parse(text)}) == set()
