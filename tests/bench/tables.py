# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables for a terminal and for the documentation, and a plot."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

_COLOURS = ("#2f7fd1", "#777777", "#c0392b", "#2e7d32")
_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP, _RIGHT = 640, 360, 60, 46, 20, 150

Points = Mapping[str, Sequence[tuple[float, float]]]


@dataclass
class Table:
    """``name`` is that of its place in the documentation."""

    name: str
    title: str
    columns: Sequence[str]
    rows: list[Sequence[str]] = field(default_factory=list)

    def text(self) -> str:
        lines = [self.columns, *self.rows]
        widths = [max(len(line[number]) for line in lines) for number in range(len(self.columns))]
        printed = [
            "  ".join(
                _padded(cell, width, number) for number, (cell, width) in enumerate(zip(line, widths, strict=True))
            )
            for line in lines
        ]
        return "\n".join([self.title, "", printed[0], "-" * len(printed[0]), *printed[1:], ""])

    def rst(self) -> str:
        lines = [".. list-table::", "   :header-rows: 1", ""]
        for row in (self.columns, *self.rows):
            lines += [f"   {'* -' if number == 0 else '  -'} {cell}".rstrip() for number, cell in enumerate(row)]
        return "\n".join(lines)


def replaced(page: str, name: str, text: str) -> str:
    """The page with another text between the marks of that name, which stand there once.

    Not a file that the page includes, for those who check and build a collection's guides copy nothing else.
    """
    begin, end = f".. begin {name}\n", f".. end {name}\n"
    before, _begin, rest = page.partition(begin)
    _old, closed, after = rest.partition(end)
    if not closed or page.count(begin) != 1 or page.count(end) != 1:
        raise ValueError(f"the page has not one place for {name}")
    return f"{before}{begin}\n{text.strip()}\n\n{end}{after}"


def _padded(cell: str, width: int, number: int) -> str:
    return cell.ljust(width) if number == 0 else cell.rjust(width)


def plot(title: str, across: str, up: str, points: Points) -> str:
    """Lines over two linear axes that begin at 0, as SVG inside reStructuredText."""
    right = max(x for line in points.values() for x, _y in line)
    top = max(y for line in points.values() for _x, y in line)

    def place(x: float, y: float) -> tuple[float, float]:
        return (
            _LEFT + x / right * (_WIDTH - _LEFT - _RIGHT),
            _HEIGHT - _BOTTOM - y / top * (_HEIGHT - _BOTTOM - _TOP),
        )

    drawn = [f"<title>{title}</title>", f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>']
    for step in range(5):
        x, y = place(right * step / 4, top * step / 4)
        start, end = place(0, 0), place(right, top)
        drawn += [
            (
                f'<line x1="{start[0]:.1f}" y1="{y:.1f}" x2="{end[0]:.1f}" y2="{y:.1f}" '
                'stroke="currentColor" stroke-opacity="0.2"/>'
            ),
            _label(start[0] - 8, y + 4, f"{top * step / 4:.3g}", "end"),
            _label(x, start[1] + 16, f"{right * step / 4:.0f}", "middle"),
        ]
    drawn += [_label(_LEFT, _TOP - 8, up, "middle"), _label(place(right, 0)[0], _HEIGHT - 8, across, "end")]
    for (name, line), colour in zip(points.items(), _COLOURS, strict=False):
        corners = [place(x, y) for x, y in line]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
        drawn.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        drawn += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in corners]
        drawn.append(_label(corners[-1][0] + 8, corners[-1][1] + 4, name, "start", colour))
    size = f'width="{_WIDTH}" height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}"'
    body = "\n".join(drawn)
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif">\n{body}\n</svg>\n'
    return f".. raw:: html\n\n{textwrap.indent(svg, '   ')}"


def _label(x: float, y: float, text: str, anchor: str, colour: str = "currentColor") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="12" fill="{colour}" text-anchor="{anchor}">{text}</text>'
