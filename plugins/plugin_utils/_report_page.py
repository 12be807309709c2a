# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report for people: one page of HTML that asks for nothing from anywhere. Its template is the playbook's."""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime
from pathlib import Path

from ansible_collections.secretops.infisical.plugins.plugin_utils._report_rows import Report, Row, iso, visible
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

_TEMPLATES = Path(__file__).resolve().parents[2] / "playbooks" / "templates" / "report"


def page(report: Report) -> str:
    """Whatever a rotation is named, it is text."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(visible=visible, iso=iso, moment=_moment, width=_width, pace=_pace)
    style, script = (_TEMPLATES.joinpath(name).read_text(encoding="utf-8") for name in ("style.css", "sort.js"))
    return environment.get_template("page.html.j2").render(
        report=report,
        # Files of this collection: nothing in them is anybody's input.
        style=Markup(style),  # noqa: S704
        script=Markup(script),  # noqa: S704
        allowed=f"style-src '{_digest(style)}'; script-src '{_digest(script)}'",
    )


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _moment(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M UTC")


def _width(row: Row) -> int:
    """How much of its interval is over, in percent."""
    return 0 if not row.interval else max(0, row.age * 100 // (row.interval * 86_400))


def _pace(row: Row) -> str:
    """How the bar is shown: late, soon or well in time."""
    width = _width(row)
    return "late" if row.overdue or width >= 100 else "soon" if width >= 80 else "fine"
