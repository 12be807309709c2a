# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of the report holds whatever rotations are named, as text; what it looks like is seen in a browser."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser

import pytest
from ansible_collections.secretops.infisical.plugins.plugin_utils._report_page import page
from ansible_collections.secretops.infisical.plugins.plugin_utils._report_rows import visible
from hypothesis import given, seed, settings
from hypothesis import strategies as st
from support.reports import DAY, HOSTILE, report, row

TEXT = st.text(st.characters(codec="utf-8"), max_size=40)


class Page(HTMLParser):
    """The names of a page's rotations, and its elements."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.elements: set[str] = set()
        self.attributes: set[str] = set()
        self._inside = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.attributes |= {name for name, _value in attrs}
        self._inside = (tag, ("scope", "row")) == ("th", attrs[0] if attrs else None)
        if self._inside:
            self.names.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.names[-1] += data


def test_the_page_asks_for_nothing_and_allows_only_its_own_style_and_script() -> None:
    text = page(report([row(), row(2, overdue=True, age=45 * DAY), row(3, interval=None, next=None)]))
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', text)
    digest = r"'sha256-[A-Za-z0-9+/]{43}='"
    assert re.fullmatch(
        rf"default-src 'none'; style-src {digest}; script-src {digest}; base-uri 'none'; form-action 'none'",
        html.unescape(policy),
    )
    found = Page(text)
    assert not found.elements & {"link", "img", "iframe", "object", "embed", "base", "form"}
    assert not {name for name in found.attributes if name.startswith("on")} | found.attributes & {"src", "style"}
    assert found.names == ["app-2", "app-1", "app-3"]
    assert 'aria-label="150 % of its interval"><rect width="100%"' in text
    assert '<time datetime="2026-12-15T14:53:07Z">2026-12-15 14:53 UTC</time>' in text
    assert "by hand" in text


@pytest.mark.parametrize(("age", "pace"), [(10, "fine"), (24, "soon"), (30, "late")])
def test_the_bar_says_how_much_of_the_interval_is_over(age: int, pace: str) -> None:
    assert f'<svg class="{pace}"' in page(report([row(age=age * DAY)]))


def test_the_page_of_nothing_says_so() -> None:
    assert "These projects have no rotation that may be read." in page(report([]))


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_text(name: str) -> None:
    ordinary = Page(page(report([row()])))
    text = page(report([row(name=name, folder=name, application=name, message=name, id=name)], title=name))
    found = Page(text)
    assert found.names == [visible(name)]
    assert found.elements == ordinary.elements
    assert found.attributes == ordinary.attributes


@seed(7)
@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(TEXT)
def test_any_name_is_text(name: str) -> None:
    found = Page(page(report([row(name=name), row(2)])))
    assert sorted(found.names) == sorted([visible(name), "app-2"])
    for text in found.names:
        assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)
