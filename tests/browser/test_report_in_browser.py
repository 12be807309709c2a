# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of the report works: what it shows, sorting, searching, no scripts, hostile names, thousands of rows."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from ansible_collections.secretops.infisical.plugins.plugin_utils._report_rows import visible
from playwright.sync_api import expect
from simulator.client import Simulator
from support.ansible import Workspace
from support.browsed import Opener
from support.reports import DAY, HOSTILE, HOUR, MADE, fill, row, run

FEW = [
    row(1, name="app-10", application="0oaB", folder="/b"),
    row(2, name="app-9", application="0oaA", project="billing", environment="dev", folder="/a", age=45 * DAY,
        next=MADE - timedelta(days=15), overdue=True),
    row(3, name="App-1", application="0oaC", environment="staging", folder="/", age=3 * HOUR, interval=None, next=None),
    row(4, name="app-2", application="0oaD", project="billing", folder="/c", age=100 * DAY, interval=90,
        next=MADE - timedelta(days=10), overdue=True, failed=True, message="Okta is not available."),
]  # fmt: skip
AS_SERVED = ["app-2", "app-9", "app-10", "App-1"]


def test_what_a_run_of_the_playbook_shows(workspace: Workspace, simulator: Simulator, opener: Opener) -> None:
    fill(simulator)
    done = run(workspace, simulator, html="r.html", title="Secrets & more")
    assert done.returncode == 0, done.output
    opened = opener.file(workspace.folder / "r.html")
    page = opened.page
    assert (page.title(), page.locator("h1").inner_text()) == ("Secrets & more", "Secrets & more")
    told = page.locator("header p").inner_text()
    assert re.fullmatch(rf"payments, billing at {re.escape(simulator.url)}, made \d{{4}}-\d\d-\d\d \d\d:\d\d UTC", told)
    tiles = page.locator(".tile").all_inner_texts()
    assert [re.sub(r"\s+", " ", tile) for tile in tiles] == [
        "Overdue 2",
        "Last rotation failed 2",
        "Rotated by hand 1",
        "Rotations 7",
        "Oldest 412 days okta-ledger in billing, prod:/okta",
    ]
    assert opened.names()[:3] == ["okta-ledger", "okta-payments", "okta-invoices"]
    first = page.locator("tbody tr").first.locator("td").all_inner_texts()
    assert first[0].split() == ["Overdue", "Failed"]
    assert first[2:5] == ["billing", "prod", "/okta"]
    assert first[5].startswith("412 days")
    assert first[6] == "90 days"
    assert first[8].startswith("Failed\nInfisical encountered an issue")
    assert page.locator("tbody tr").first.get_by_role("img").get_attribute("aria-label") == "457 % of its interval"
    page.get_by_role("link", name="okta-ledger").click()
    assert page.locator("tr:target th").inner_text() == "okta-ledger"


@pytest.mark.parametrize(
    ("column", "first", "then"),
    [
        ("State", ["app-10", "App-1", "app-9", "app-2"], ["app-2", "app-9", "app-10", "App-1"]),
        ("Rotation", ["App-1", "app-2", "app-9", "app-10"], ["app-10", "app-9", "app-2", "App-1"]),
        ("Application", ["app-9", "app-10", "App-1", "app-2"], ["app-2", "App-1", "app-10", "app-9"]),
        ("Project", ["app-2", "app-9", "app-10", "App-1"], ["app-10", "App-1", "app-2", "app-9"]),
        ("Environment", ["app-9", "app-2", "app-10", "App-1"], ["App-1", "app-2", "app-10", "app-9"]),
        ("Folder", ["App-1", "app-9", "app-10", "app-2"], ["app-2", "app-10", "app-9", "App-1"]),
        ("Age", ["app-2", "app-9", "app-10", "App-1"], ["App-1", "app-10", "app-9", "app-2"]),
        # What has none comes last both times.
        ("Interval", ["app-9", "app-10", "app-2", "App-1"], ["app-2", "app-9", "app-10", "App-1"]),
        ("Next", ["app-9", "app-2", "app-10", "App-1"], ["app-10", "app-2", "app-9", "App-1"]),
        ("Last result", ["app-2", "app-9", "app-10", "App-1"], ["app-9", "app-10", "App-1", "app-2"]),
    ],
)
def test_each_column_sorts_both_ways(opener: Opener, column: str, first: list[str], then: list[str]) -> None:
    opened = opener.rows(FEW)
    assert (opened.names(), opened.orders()) == (AS_SERVED, {"State": "descending"})
    word = column.split(maxsplit=1)[0]
    ways = ["descending", "ascending"] if column == "Age" else ["ascending", "descending"]
    for way, names in zip(ways, (first, then), strict=True):
        opened.sort(column)
        assert (opened.names(), opened.orders()) == (names, {word: way})


def test_the_keyboard_sorts_too(opener: Opener) -> None:
    opened = opener.rows(FEW)
    opened.head("Folder").get_by_role("button").focus()
    opened.page.keyboard.press("Enter")
    assert opened.names() == ["App-1", "app-9", "app-10", "app-2"]
    opened.page.keyboard.press("Space")
    assert opened.names() == ["app-2", "app-10", "app-9", "App-1"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("billing", ["app-2", "app-9"]),
        ("BILLING  prod", ["app-2"]),
        ("overdue", ["app-2", "app-9"]),
        ("not available", ["app-2"]),
        ("0oaC", ["App-1"]),
        ("00000000-0000-4000-8000-000000000001", ["app-10"]),
        ("2026-11-10", ["app-9"]),
        ("nothing has this", []),
        ("<script>", []),
        (" ", AS_SERVED),
    ],
)
def test_searching_shows_what_has_every_word(opener: Opener, text: str, names: list[str]) -> None:
    opened = opener.rows(FEW)
    shown = opened.page.locator("output")
    expect(shown).to_have_text("4 of 4 shown")
    opened.search("no such")
    expect(shown).to_have_text("0 of 4 shown")
    opened.search(text)
    expect(shown).to_have_text(f"{len(names)} of 4 shown")
    assert opened.names() == names
    opened.sort("Rotation")
    assert sorted(opened.names()) == sorted(names)


def test_without_scripts_everything_can_be_read(opener: Opener) -> None:
    opened = opener.rows(FEW, java_script_enabled=False)
    assert opened.names() == AS_SERVED
    page = opened.page
    for text in ("Okta is not available.", "2026-11-10 14:53 UTC", "0oaA", "100 days", "by hand"):
        expect(page.get_by_text(text, exact=True).first).to_be_visible()
    expect(page.locator(".tools")).to_be_hidden()
    assert page.locator("button").count() == 0
    assert page.locator("thead th").all_inner_texts()[0] == "State"


@pytest.mark.parametrize("script", [True, False])
def test_hostile_names_are_read_and_not_run(opener: Opener, script: bool) -> None:
    rows = [
        row(number, name=name, folder=name, application=name, environment=name, project=name, message=name, id=name,
            age=(100 - number) * DAY)
        for number, name in enumerate(HOSTILE)
    ]  # fmt: skip
    opened = opener.rows(rows, title=HOSTILE[0], java_script_enabled=script)
    assert opened.page.locator("h1").inner_text() == HOSTILE[0]
    assert opened.page.locator("tbody th").all_text_contents() == [visible(name) for name in HOSTILE]
    if script:
        for column in ("Rotation", "Last result", "Folder"):
            opened.sort(column)
        opened.search("<script>")
        expect(opened.page.locator("output")).to_have_text(f"1 of {len(HOSTILE)} shown")
    assert opened.page.locator("script").count() == 1
    # That nothing ran, and nothing was asked for, is seen when the page is closed.


def test_a_page_without_rotations_is_quiet(opener: Opener) -> None:
    opened = opener.rows([])
    expect(opened.page.get_by_text("These projects have no rotation that may be read.")).to_be_visible()
    expect(opened.page.locator(".tools")).to_be_hidden()


def test_five_thousand_rotations_are_sorted_and_searched(opener: Opener, tmp_path: Path) -> None:
    size = 5_000
    # Each age once, in an order of its own.
    rows = [row(number, age=(number * 1_777 % size) * HOUR, interval=None) for number in range(size)]
    opened = opener.rows(rows)
    expect(opened.page.locator("output")).to_have_text("5,000 of 5,000 shown")
    names = opened.page.locator("tbody th")
    opened.sort("Rotation")
    assert names.all_text_contents() == [f"app-{number}" for number in range(size)]
    opened.sort("Age")
    by_age = sorted(range(size), key=lambda number: -(number * 1_777 % size))
    assert names.all_text_contents() == [f"app-{number}" for number in by_age]
    opened.search("app-123")
    expect(opened.page.locator("output")).to_have_text("11 of 5,000 shown")
    assert opened.names() == [f"app-{number}" for number in by_age if str(number).startswith("123")]
