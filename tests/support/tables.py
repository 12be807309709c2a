# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation's tables that tests write from what they saw."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

PAGES = Path(__file__).resolve().parents[2] / "docs" / "docsite" / "rst"
#: Set to 1, a run writes the tables instead of comparing them.
UPDATE = "UPDATE_TABLES"


def check_table(
    name: str, source: str, headings: Sequence[str], rows: Iterable[Sequence[str]], widths: Sequence[int]
) -> None:
    """That the documentation says what this run saw. The table stands between two comments, on whichever page."""
    begin, end = f".. begin {name}: written by {source} from what it saw\n", f".. end {name}\n"
    pages = [(path, path.read_text(encoding="utf-8")) for path in sorted(PAGES.glob("*.rst"))]
    places = [(path, text) for path, text in pages for _mark in range(text.count(begin))]
    assert len(places) == 1, f"{len(places)} places for the table of {name}"
    ((path, text),) = places
    assert text.count(end) == 1, f"{path.name} has no one end of the table of {name}"
    head, _begin, rest = text.partition(begin)
    _old, _end, tail = rest.partition(end)
    now = f"{head}{begin}\n{_list_table(headings, rows, widths)}\n{end}{tail}"
    if os.environ.get(UPDATE) == "1":
        path.write_text(now, encoding="utf-8")
    elif now != text:
        raise AssertionError(f"The table of {name} is no longer true: run it with {UPDATE}=1 and look at what changed.")


def _list_table(headings: Sequence[str], rows: Iterable[Sequence[str]], widths: Sequence[int]) -> str:
    """reStructuredText. Nothing in it depends on when or where it was made."""
    lines = [".. list-table::", "   :header-rows: 1", f"   :widths: {' '.join(map(str, widths))}", ""]
    for row in (headings, *rows):
        lines += [f"   {'* -' if number == 0 else '  -'} {cell}" for number, cell in enumerate(row)]
    return "\n".join(lines) + "\n"
