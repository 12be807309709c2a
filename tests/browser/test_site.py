# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The site that `make docs` made can be read: at a desk and on a phone, in light and dark, without a network."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from support.browsed import CONTRASTS

COLLECTION = Path(__file__).parents[2]
GUIDES = COLLECTION / "docs" / "docsite" / "rst"
SITE = COLLECTION / ".cache" / "docs"
PAGES = [
    "index.html",
    "docsite/guide_rotation.html",
    "docsite/guide_report.html",
    "docsite/guide_authentication.html",
    "docsite/measurements.html",
    "okta_client_secret_rotation_module.html",
    "environment_variables.html",
]
WIDTHS = {"desktop": 1280, "phone": 390}
#: What sticks out of the window, and out of no box that scrolls.
STICKING_OUT = """() => [...document.querySelectorAll("article *")].filter((element) => {
  if (!element.checkVisibility() || element.getBoundingClientRect().right <= innerWidth) return false;
  for (let box = element.parentElement; box.tagName !== "ARTICLE"; box = box.parentElement)
    if (["auto", "scroll", "hidden"].includes(getComputedStyle(box).overflowX)) return false;
  return true;
}).map((element) => element.outerHTML.slice(0, 80))"""
#: antsibull-docs makes cards of a plugin's options where they have no room as a table.
CUT_OFF = """() => [...document.querySelectorAll(".table-wrapper:has(.ansible-option-table)")]
  .filter((each) => each.scrollWidth > each.clientWidth).map((each) => each.outerHTML.slice(0, 80))"""
EMPTY_PICTURES = """() => [...document.querySelectorAll("article img, article svg")].filter(
  (each) => each.getBoundingClientRect().width < 100 || each.getBoundingClientRect().height < 100
    || (each.tagName === "IMG" && !each.naturalWidth)).map((each) => each.outerHTML.slice(0, 80))"""
COLOURS = """async (picture) => {
  const bitmap = await createImageBitmap(await (await fetch("data:image/png;base64," + picture)).blob());
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
  canvas.drawImage(bitmap, 0, 0);
  return new Set(new Uint32Array(canvas.getImageData(0, 0, bitmap.width, bitmap.height).data.buffer)).size;
}"""
BEHIND = "() => getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"
Open = Callable[[str, str, str], Page]


@pytest.fixture
def opened(browser: Browser) -> Iterator[Open]:
    """Opens a page. None may ask for anything outside the site, or complain."""
    noticed: list[str] = []
    requested: list[str] = []

    def opened(path: str, device: str, scheme: str) -> Page:
        context = browser.new_context(viewport={"width": WIDTHS[device], "height": 900}, color_scheme=scheme)
        context.on("console", lambda message: noticed.append(message.text))
        context.on("weberror", lambda error: noticed.append(str(error.error)))
        context.on("request", lambda request: requested.append(request.url))
        page = context.new_page()
        page.goto((SITE / "html" / path).as_uri())
        return page

    yield opened
    for context in browser.contexts:
        context.close()
    assert noticed == []
    assert [url for url in requested if not url.startswith(SITE.as_uri())] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("device", WIDTHS)
@pytest.mark.parametrize("path", PAGES)
def test_a_page_can_be_read(browser: Browser, opened: Open, path: str, device: str, scheme: str) -> None:
    page = opened(path, device, scheme)
    assert page.evaluate("() => document.documentElement.scrollWidth") == WIDTHS[device]
    assert page.evaluate(STICKING_OUT) == []
    assert page.evaluate(CUT_OFF) == []
    assert page.evaluate(EMPTY_PICTURES) == []
    contrasts = page.evaluate(CONTRASTS)
    assert len(contrasts) > 50
    assert contrasts[0][0] >= 4.5, contrasts[:10]
    assert (min(page.evaluate(BEHIND)) > 230, max(page.evaluate(BEHIND)) < 40) == (scheme == "light", scheme == "dark")
    name = path.removesuffix(".html").replace("/", "-")
    picture = page.screenshot(path=SITE / "screenshots" / f"{name}-{device}-{scheme}.png", full_page=True)
    blank = browser.new_context().new_page()
    assert blank.evaluate(COLOURS, base64.b64encode(picture).decode()) > 20


def test_a_guide_has_its_pictures(opened: Open) -> None:
    source = (GUIDES / "guide_report.rst").read_text(encoding="utf-8")
    assert opened("docsite/guide_report.html", "phone", "light").locator("article img").count() == source.count(
        "image::"
    )


@pytest.mark.parametrize("device", WIDTHS)
def test_the_guides_are_found_in_their_order_and_the_plugins_after_them(opened: Open, device: str) -> None:
    page = opened("index.html", device, "light")
    if device == "phone":
        page.locator("label.nav-overlay-icon").click()
    sidebar = page.locator(".sidebar-tree")
    names = [text.strip() for text in sidebar.locator("a").all_inner_texts()]
    guides = [text.strip() for text in page.locator("article .toctree-wrapper a").all_inner_texts()]
    assert names[: len(guides) - 2] == guides[:-2]
    assert names.index("okta_client_secret_rotation") > names.index("Failures")
    sidebar.get_by_role("link", name="okta_client_secret_rotation", exact=True).click()
    expect(page.locator("h1")).to_contain_text("secretops.infisical.okta_client_secret_rotation module")


def test_the_search_finds_an_option_without_a_server(opened: Open) -> None:
    page = opened("index.html", "desktop", "light")
    page.get_by_role("textbox", name="Search").fill("min_age")
    page.keyboard.press("Enter")
    expect(page.locator("ul.search li").first).to_be_visible()
    expect(page.locator("ul.search")).to_contain_text("okta_client_secret_rotation module")
