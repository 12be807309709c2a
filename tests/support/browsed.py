# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages of the report, opened in a browser. Whatever a page tries to do is seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.secretops.infisical.plugins.plugin_utils._report_page import page as page_of
from ansible_collections.secretops.infisical.plugins.plugin_utils._report_rows import Row
from playwright.sync_api import Browser, Locator, Page

from support.reports import report

#: The contrast of each text with what is behind it, the smallest first, as WCAG 2 counts it.
CONTRASTS = """() => {
  const numbers = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([red, green, blue]) => [red, green, blue]
    .map((value) => value / 255)
    .map((value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
    .reduce((sum, value, index) => sum + value * [0.2126, 0.7152, 0.0722][index], 0);
  const behind = (element) => {
    const [red, green, blue, alpha = 1] = numbers(getComputedStyle(element).backgroundColor);
    if (alpha === 1) return [red, green, blue];
    const below = behind(element.parentElement);
    return [red, green, blue].map((value, index) => value * alpha + below[index] * (1 - alpha));
  };
  const hasText = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  return [...document.body.querySelectorAll("*:not(script)")]
    .filter((element) => element.checkVisibility() && (hasText(element) || element.matches("input")))
    .map((element) => {
      const [one, other] = [light(numbers(getComputedStyle(element).color)), light(behind(element))];
      return [(Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05), element.outerHTML.slice(0, 80)];
    })
    .sort((one, other) => one[0] - other[0]);
}"""


@dataclass
class Opened:
    """A page of the report. ``noticed`` is what a page of ours never does."""

    page: Page
    noticed: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def names(self) -> list[str]:
        """Of the rotations that are to be seen, in their order."""
        shown: list[str] = self.page.locator("tbody tr:visible th").all_inner_texts()
        return shown

    def head(self, name: str) -> Locator:
        return self.page.locator("thead th", has_text=name)

    def sort(self, name: str) -> None:
        self.head(name).get_by_role("button").click()

    def orders(self) -> dict[str, str]:
        """By which columns the table says it is sorted."""
        heads = self.page.locator("thead th[aria-sort]").all()
        return {head.inner_text().split()[0]: str(head.get_attribute("aria-sort")) for head in heads}

    def search(self, text: str) -> None:
        self.page.get_by_label("Search").fill(text)


class Opener:
    """Opens pages, each in a context of its own with the given settings."""

    def __init__(self, browser: Browser, folder: Path) -> None:
        self._browser = browser
        self._folder = folder
        self._opened: list[Opened] = []

    def file(self, path: Path, **settings: Any) -> Opened:
        opened = Opened(self._browser.new_context(**settings).new_page())
        page = opened.page
        page.on("dialog", lambda dialog: opened.noticed.append(f"dialog: {dialog.message}"))
        page.on("pageerror", lambda error: opened.noticed.append(f"error: {error}"))
        page.on("console", lambda message: opened.noticed.append(f"console: {message.text}"))
        page.context.on("request", lambda request: opened.requests.append(request.url))
        page.goto(path.as_uri())
        self._opened.append(opened)
        return opened

    def rows(self, rows: Sequence[Row], title: str = "Okta client secrets", **settings: Any) -> Opened:
        path = self._folder / f"page-{len(self._opened)}.html"
        path.write_text(page_of(report(rows, title)), encoding="utf-8")
        return self.file(path, **settings)

    def close(self) -> None:
        """Whatever was done with them, they asked for nothing but themselves, and no fault was theirs."""
        for opened in self._opened:
            opened.page.context.close()
            assert opened.noticed == []
            assert len(opened.requests) == 1
