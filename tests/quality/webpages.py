# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation as a site: built without a warning, its links followed, looked at in a browser."""

from __future__ import annotations

import shutil

from . import browser
from .installer import CHECKOUT
from .rooms import Failed, Room
from .webpage_links import broken
from .webpage_sources import arrange

#: Where it stands in a checkout; `make docs` says so.
SITE = ".cache/docs"
#: Each kind of plugin, and what its pages are called.
_KINDS = {"modules": "module", "lookup": "lookup", "inventory": "inventory", "filter": "filter"}


def webpages(room: Room) -> None:
    site = room.collection / SITE
    _build(room)
    number, nowhere = broken(site / "html", room.collection)
    if nowhere:
        raise Failed(f"links that lead nowhere: {'; '.join(nowhere)}")
    pages = len(list((site / "html").rglob("*.html")))
    room.remark = f"{pages} pages, {number} links"
    try:
        if browser.find() is None:
            room.remark += f"; NOT LOOKED AT, not installed: {', '.join(browser.PACKAGES)}"
        elif " passed" not in room.run("python", "-m", "pytest", "-n", "0", "--tb=short", "tests/browser/test_site.py"):
            raise Failed("no test ran")
    finally:
        shutil.rmtree(CHECKOUT / SITE, ignore_errors=True)
        shutil.copytree(site, CHECKOUT / SITE)


def _build(room: Room) -> None:
    parts = room.collection / "tests" / "docs_site"
    sources = room.folder / "pages"
    sources.mkdir(mode=0o700)
    antsibull = ("collection", "--use-current", "--squash-hierarchy", "--fail-on-error", "--dest-dir", sources)
    room.run("antsibull-docs", *antsibull, "secretops.infisical")
    opening, variables = ((parts / f"{name}.rst").read_text(encoding="utf-8") for name in ("front", "variables"))
    arrange(sources, opening, variables, room.collection / "docs" / "docsite" / "rst" / "images")
    html = room.collection / SITE / "html"
    doctrees = room.temporary / "doctrees"
    room.run("sphinx-build", "-W", "--keep-going", "-b", "html", "-c", parts, "-d", doctrees, sources, html)
    plugins = {
        f"{file.stem}_{kind}"
        for folder, kind in _KINDS.items()
        for file in (room.collection / "plugins" / folder).glob("[!_]*.py")
    }
    roles = {f"{folder.name}_role" for folder in (room.collection / "roles").iterdir()}
    wanted = plugins | roles | {"index", "changelog", "environment_variables"}
    missing = sorted(wanted - {page.stem for page in html.glob("*.html")})
    if missing:
        raise Failed(f"no page of {', '.join(missing)}")
