# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Imports point downwards only, and each room knows no more than its share of the outside."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PLUGINS = Path(__file__).resolve().parents[2] / "plugins"
PACKAGE = "ansible_collections.secretops.infisical.plugins"

#: From top to bottom. A file imports only from floors below its own; a new file is given a floor here.
FLOORS = (
    {"action/*", "inventory/*"},
    {"plugin_utils/_in_process"},
    {"plugin_utils/_surroundings", "plugin_utils/_data", "plugin_utils/_fleet"},
    {"modules/*", "lookup/*"},
    {"module_utils/_module"},
    {"module_utils/_task"},
    {"module_utils/_rotation"},
    {"module_utils/_api"},
    {"module_utils/_settings"},
    {"module_utils/_credentials"},
    {"module_utils/_auth"},
    {"module_utils/_methods"},
    {"module_utils/_proofs"},
    {"module_utils/_metadata", "module_utils/_aws"},
    {"module_utils/_http"},
    {"module_utils/_failures", "module_utils/_lock"},
    {
        "module_utils/_patience",
        "module_utils/_redaction",
        "module_utils/_durations",
        "module_utils/_options",
        "module_utils/_urls",
    },
    {"module_utils/_errors"},
    {"doc_fragments/*"},
)
#: Who may import something that is neither the standard library's nor this collection's.
OUTSIDE = {
    "requests": {"module_utils/_http"},
    "urllib3": {"module_utils/_http"},
    "botocore": {"module_utils/_aws"},
    "ansible": {
        "module_utils/_module",
        "plugin_utils/_in_process",
        "plugin_utils/_data",
        "action/*",
        "inventory/*",
        "lookup/*",
    },
}
FILES = sorted(path.relative_to(PLUGINS).with_suffix("").as_posix() for path in PLUGINS.rglob("*.py"))


def floor_of(file: str) -> int:
    found = [number for number, names in enumerate(FLOORS) if names & {file, f"{file.rpartition('/')[0]}/*"}]
    assert len(found) == 1, f"{file} has {len(found)} floors in FLOORS"
    return found[0]


def imported(file: str) -> Iterator[str]:
    """The names of imported modules, in full, wherever in the file the import stands."""
    own = f"{PACKAGE}.{file.replace('/', '.')}".split(".")
    for node in ast.walk(ast.parse((PLUGINS / f"{file}.py").read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = own[: len(own) - node.level] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            # 'from package import module' names the module only on its right side.
            yield from (f"{base}.{alias.name}" if is_package(base) else base for alias in node.names)


def is_package(name: str) -> bool:
    return name.startswith(PACKAGE) and (PLUGINS / name.removeprefix(PACKAGE).replace(".", "/").lstrip("/")).is_dir()


@pytest.mark.parametrize("file", FILES)
def test_imports_point_downwards(file: str) -> None:
    for name in imported(file):
        if name.startswith(PACKAGE):
            target = name.removeprefix(f"{PACKAGE}.").replace(".", "/")
            assert (PLUGINS / f"{target}.py").is_file(), f"{file} imports {name}, which is no file of plugins/"
            assert floor_of(file) < floor_of(target), f"{file} imports {target}, which is not below it"


@pytest.mark.parametrize("file", FILES)
def test_who_knows_the_outside(file: str) -> None:
    for name in imported(file):
        allowed = OUTSIDE.get(name.partition(".")[0])
        if allowed is not None:
            assert allowed & {file, f"{file.rpartition('/')[0]}/*"}, f"{file} imports {name}"


@pytest.mark.parametrize("file", FILES)
def test_nothing_else_is_imported(file: str) -> None:
    known = {*sys.stdlib_module_names, *OUTSIDE, "ansible_collections"}
    strangers = {name.partition(".")[0] for name in imported(file)} - known
    assert not strangers, f"{file} imports {strangers}"
