# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether what the pages of the site link to exists. A link checker that asks each page anew takes two minutes."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

#: A link into the repository names a file of the checkout.
REPOSITORY = re.compile(r"https://github\.com/secretops/infisical/(?:blob|edit|raw|tree)/main/([^?#]*)")
_HOST = re.compile(r"(?:[a-z0-9-]+\.)+[a-z]{2,}")


class _Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.places: set[str] = {"", "top"}
        self.links: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.places |= {found[name] for name in ("id", "name") if name in found}
        self.links |= {found[name] for name in ("href", "src") if name in found}


def broken(site: Path, checkout: Path) -> tuple[int, list[str]]:
    """How many links there are, and those that lead nowhere. Others' pages are not asked for."""
    site = site.resolve()
    pages = {page: _Page(page.read_text(encoding="utf-8")) for page in site.rglob("*.html")}
    links = [(page, link) for page, read in pages.items() for link in sorted(read.links)]
    return len(links), [
        f"{page.relative_to(site)}: {link}" for page, link in links if not _leads(pages, page, link, checkout)
    ]


def _leads(pages: dict[Path, _Page], page: Path, link: str, checkout: Path) -> bool:
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        inside = REPOSITORY.match(link)
        well_formed = parts.scheme == "https" and _HOST.fullmatch(parts.netloc) is not None
        return well_formed and (inside is None or (checkout / unquote(inside[1])).exists())
    target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    if target in pages:
        return unquote(parts.fragment) in pages[target].places
    return target.is_file() and not parts.fragment
