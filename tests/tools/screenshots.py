# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes the pictures of the report that the guide shows: a run of the playbook against the simulator, in a browser.

make quality ONLY=browser && PYTHONPATH=tests .venvs/browser/bin/python tests/tools/screenshots.py
"""

from __future__ import annotations

import runpy
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright
from quality import browser as of_distribution
from simulator.client import Simulator
from support.ansible import COLLECTION, Workspace
from support.reports import fill, run
from support.server import environment

IMAGES = COLLECTION / "docs" / "docsite" / "rst" / "images"
#: Width, height, and the colours that the reader prefers.
PICTURES = {
    "report-light": (1280, 860, "light"),
    "report-dark": (1280, 860, "dark"),
    "report-phone": (390, 844, "light"),
}
_LIMIT = 150_000


def main() -> None:
    runpy.run_path(str(Path(__file__).with_name("link_collection.py")), run_name="__main__")
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, Simulator() as simulator:
        fill(simulator)
        workspace = Workspace(Path(folder))
        done = run(workspace, simulator, html="r.html", env=environment(simulator))
        assert done.returncode == 0, done.output
        page = workspace.folder / "r.html"
        # Not the address of a server that is gone when this is read.
        text = page.read_text(encoding="utf-8").replace(simulator.url, "https://infisical.example.com")
        page.write_text(text, encoding="utf-8")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=of_distribution.find())
            for name, (width, height, colours) in PICTURES.items():
                viewport = {"width": width, "height": height}
                opened = browser.new_page(viewport=viewport, color_scheme=colours)
                opened.goto(page.as_uri())
                opened.screenshot(path=IMAGES / f"{name}.png")
                assert (IMAGES / f"{name}.png").stat().st_size < _LIMIT
            browser.close()


if __name__ == "__main__":
    main()
