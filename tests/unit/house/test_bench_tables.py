# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What make bench writes into the documentation, without measuring anything."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from bench.__main__ import PAGE
from bench.tables import Table, plot, replaced

BENCH = Path(__file__).resolve().parents[2] / "bench"


def test_a_table_for_a_terminal_and_for_the_documentation() -> None:
    table = Table("bench_one", "One", ("", "s"), [("ours", "1"), ("a recipe", "10")])
    assert table.text().splitlines() == ["One", "", "           s", "------------", "ours       1", "a recipe  10"]
    rows = table.rst().splitlines()[3:]
    assert rows == ["   * -", "     - s", "   * - ours", "     - 1", "   * - a recipe", "     - 10"]


def test_the_plot_is_svg() -> None:
    text = plot("Title", "rotations", "seconds", {"ours": [(1, 1), (10, 2)], "debug": [(1, 1), (10, 4)]})
    head, _empty, svg = text.partition("\n\n")
    assert head == ".. raw:: html"
    assert len(ET.fromstring(svg).findall(".//{*}polyline")) == 2  # noqa: S314 - our own text


def test_only_what_stands_between_the_marks_is_replaced() -> None:
    page = "before\n\n.. begin x\n\nold\n\n.. end x\n\nafter\n"
    once = replaced(page, "x", "new")
    assert once == "before\n\n.. begin x\n\nnew\n\n.. end x\n\nafter\n"
    assert replaced(once, "x", "old") == page


@pytest.mark.parametrize("page", ["", ".. begin x\n\n", ".. end x\n.. begin x\n", 2 * ".. begin x\n\n.. end x\n"])
def test_a_page_without_one_place_for_a_table_is_left_alone(page: str) -> None:
    with pytest.raises(ValueError, match="has not one place for x"):
        replaced(page, "x", "new")


def test_the_page_has_one_place_for_everything() -> None:
    """Whatever the code calls bench_... is the name of a table."""
    written = {name for path in BENCH.glob("*.py") for name in re.findall(r'"(bench_\w+)"', path.read_text("utf-8"))}
    page = PAGE.read_text(encoding="utf-8")
    for mark in ("begin", "end"):
        assert sorted(re.findall(rf"^\.\. {mark} (bench_\w+)$", page, re.MULTILINE)) == sorted(written)
    for name in written:
        assert replaced(page, name, "new") != page
