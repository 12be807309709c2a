# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Imports point downwards only, and each room knows no more than its share of the outside."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PLUGINS = Path(__file__).resolve().parents[3] / "plugins"
PACKAGE = "ansible_collections.secretops.infisical.plugins"

#: From top to bottom. A file imports only from floors below its own, or from its own wing; a new file is given a floor
#: by its folder, or here.
FLOORS = (
    {"action/*", "filter/*", "inventory/*", "lookup/*"},
    {"plugin_utils/_report"},
    {"plugin_utils/_report_files", "plugin_utils/_report_page"},
    {"plugin_utils/_in_process", "plugin_utils/_on_controller"},
    {"plugin_utils/_handover_cycle"},
    {"plugin_utils/_fleet_plan", "plugin_utils/_fleet_summary", "plugin_utils/_handover_look"},
    {"plugin_utils/_handover_settings", "plugin_utils/_handover_host"},
    {"plugin_utils/_handover_rule", "plugin_utils/_handover_files", "plugin_utils/_handover_summary"},
    {"plugin_utils/_fleet_members", "plugin_utils/_run_settings"},
    {"plugin_utils/_run_hosts"},
    {"plugin_utils/_internals", "plugin_utils/_inventory_file"},
    {
        "plugin_utils/_run_stats",
        "plugin_utils/_report_rows",
        "plugin_utils/_announcing",
        "plugin_utils/_surroundings",
        "plugin_utils/_refused",
        "plugin_utils/_data",
        "plugin_utils/_fleet",
        "plugin_utils/_foreign",
    },
    {"modules/*"},
    {"module_utils/_module"},
    {"module_utils/_results"},
    {"module_utils/_states"},
    {"module_utils/_task"},
    {"module_utils/_okta"},
    {"module_utils/_settings"},
    {"module_utils/_rotations/*"},
    {"module_utils/_login/*"},
    {"module_utils/_transport/*"},
    {"module_utils/_errors", "module_utils/_options", "module_utils/_timestamps"},
    {"doc_fragments/*"},
)
#: Files of a wing may import each other, in no circle.
WINGS = ("module_utils/_rotations", "module_utils/_login", "module_utils/_transport")
#: Who may import something that is neither the standard library's nor this collection's.
OUTSIDE = {
    "requests": {"module_utils/_transport/*"},
    "urllib3": {"module_utils/_transport/*"},
    "botocore": {"module_utils/_login/aws"},
    "jinja2": {"plugin_utils/_report_page"},
    "markupsafe": {"plugin_utils/_report_page"},
    "ansible": {
        "module_utils/_module",
        "plugin_utils/_announcing",
        "plugin_utils/_in_process",
        "plugin_utils/_on_controller",
        "plugin_utils/_internals",
        "plugin_utils/_data",
        "plugin_utils/_foreign",
        "plugin_utils/_refused",
        "plugin_utils/_inventory_file",
        "plugin_utils/_handover_host",
        "plugin_utils/_run_hosts",
        "plugin_utils/_run_settings",
        "action/*",
        "filter/*",
        "inventory/*",
        "lookup/*",
    },
}
FILES = sorted(
    path.relative_to(PLUGINS).with_suffix("").as_posix() for path in PLUGINS.rglob("*.py") if path.name != "__init__.py"
)


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


def targets(file: str) -> Iterator[str]:
    """The files of this collection that it imports."""
    for name in imported(file):
        if name.startswith(PACKAGE):
            target = name.removeprefix(f"{PACKAGE}.").replace(".", "/")
            assert (PLUGINS / f"{target}.py").is_file(), f"{file} imports {name}, which is no file of plugins/"
            yield target


@pytest.mark.parametrize("file", FILES)
def test_imports_point_downwards(file: str) -> None:
    wing = file.rpartition("/")[0]
    for target in targets(file):
        same_wing = wing in WINGS and target.rpartition("/")[0] == wing
        assert same_wing or floor_of(file) < floor_of(target), f"{file} imports {target}, which is not below it"


@pytest.mark.parametrize("wing", WINGS)
def test_the_files_of_a_wing_import_each_other_in_no_circle(wing: str) -> None:
    files = [file for file in FILES if file.startswith(f"{wing}/")]
    assert files
    TopologicalSorter({file: set(targets(file)) for file in files}).prepare()


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
