# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What make bench writes into the guide, without measuring anything."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from bench.tables import Table, plot, replaced

GUIDES = Path(__file__).resolve().parents[2] / "docs" / "docsite" / "rst"
BENCH = Path(__file__).resolve().parents[1] / "bench"


def test_a_table_for_a_terminal_and_for_the_guide() -> None:
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
    guide = "before\n\n.. begin x\n\nold\n\n.. end x\n\nafter\n"
    once = replaced(guide, "x", "new")
    assert once == "before\n\n.. begin x\n\nnew\n\n.. end x\n\nafter\n"
    assert replaced(once, "x", "old") == guide
    with pytest.raises(ValueError, match="no place for y"):
        replaced(guide, "y", "new")


def test_the_guides_have_a_place_for_everything() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in BENCH.glob("*.py"))
    written = set(re.findall(r'"(bench_\w+)"', text))
    guide = "".join(path.read_text(encoding="utf-8") for path in sorted(GUIDES.glob("*.rst")))
    assert written == set(re.findall(r"^\.\. begin (bench_\w+)$", guide, re.MULTILINE))
    assert written == set(re.findall(r"^\.\. end (bench_\w+)$", guide, re.MULTILINE))
