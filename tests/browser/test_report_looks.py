# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of the report can be read: on each width, in light and dark, on paper."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect
from support.browsed import CONTRASTS, Opener
from support.reports import DAY, HOSTILE, MADE, row

ROWS = [
    row(1),
    row(2, age=26 * DAY),
    row(3, age=45 * DAY, next=MADE - timedelta(days=15), overdue=True),
    row(4, failed=True, message="Okta is not available. " * 20),
    row(5, interval=None, next=None),
    *(row(10 + number, name=name, folder=name, application="0" * 90) for number, name in enumerate(HOSTILE)),
]
BEHIND = "() => getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"


@pytest.mark.parametrize("script", [True, False])
@pytest.mark.parametrize("width", [320, 360, 480, 768, 1199, 1280, 1920])
def test_nothing_is_wider_than_the_window(opener: Opener, width: int, script: bool) -> None:
    page = opener.rows(ROWS, viewport={"width": width, "height": 800}, java_script_enabled=script).page
    assert page.evaluate("() => document.documentElement.scrollWidth") == width
    right = "(found) => Math.max(...found.map((each) => each.getBoundingClientRect().right))"
    assert page.locator("body *:visible").evaluate_all(right) <= width
    as_table = page.locator("tbody").evaluate("(body) => getComputedStyle(body).display") == "table-row-group"
    assert as_table is (width >= 1200)


def test_a_card_says_what_each_of_its_values_is(opener: Opener) -> None:
    page = opener.rows(ROWS, viewport={"width": 360, "height": 800}).page
    before = "(found) => found.map((each) => getComputedStyle(each, '::before').content)"
    labels = page.locator("tbody tr").first.locator("td").evaluate_all(before)
    assert labels == [
        "none", '"Application"', '"Project"', '"Environment"', '"Folder"', '"Age"', '"Interval"', '"Next rotation"',
        '"Last result"',
    ]  # fmt: skip
    expect(page.get_by_role("button", name="Age")).to_be_visible()


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_have_contrast_in_light_and_dark(opener: Opener, scheme: str, width: int) -> None:
    page = opener.rows(ROWS, color_scheme=scheme, viewport={"width": width, "height": 800}).page
    found = page.evaluate(CONTRASTS)
    assert len(found) > 100
    assert found[0][0] >= 4.5, found[:5]
    assert (min(page.evaluate(BEHIND)) > 230, max(page.evaluate(BEHIND)) < 40) == (scheme == "light", scheme == "dark")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_paper_it_is_black_on_white_and_says_all_in_words(opener: Opener, scheme: str) -> None:
    page = opener.rows([*ROWS, *(row(100 + number) for number in range(100))], color_scheme=scheme).page
    page.emulate_media(media="print")
    assert page.evaluate(BEHIND) == [255, 255, 255]
    assert page.evaluate(CONTRASTS)[0][0] >= 7
    expect(page.locator(".tools")).to_be_hidden()
    # What is displayed so is repeated on each page.
    assert page.locator("thead").evaluate("(head) => getComputedStyle(head).display") == "table-header-group"
    states = page.locator("tbody td:first-child").all_inner_texts()
    assert {text.strip() for text in states} == {"Overdue", "Failed", "In time", "By hand"}
    pages = page.pdf(prefer_css_page_size=True)
    boxes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", pages)
    assert len(boxes) >= 3
    assert {(round(float(width)), round(float(height))) for width, height in boxes} == {(842, 595)}
