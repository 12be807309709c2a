# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module pages as HTML, as a documentation site builds them."""

from __future__ import annotations

from .rooms import Failed, Room

#: Without other projects' indexes references into them cannot be resolved, and those indexes are not here.
CONF = """
intersphinx_mapping = {}
suppress_warnings = ["ref.envvar", "ref.ref"]
"""


def webpages(room: Room) -> None:
    site = room.folder / "site"
    site.mkdir(mode=0o700)
    room.run(
        "antsibull-docs", "sphinx-init", "--use-current", "--fail-on-error", "--dest-dir", site, "secretops.infisical"
    )
    with (site / "conf.py").open("a", encoding="utf-8") as conf:
        conf.write(CONF)
    room.run("/bin/bash", "build.sh", cwd=site)
    pages = list((site / "build" / "html" / "collections" / "secretops" / "infisical").glob("*_module.html"))
    modules = list((room.collection / "plugins" / "modules").glob("*.py"))
    if len(pages) != len(modules):
        raise Failed(f"{len(pages)} pages of {len(modules)} modules")
    room.remark = f"{len(pages)} module pages"
