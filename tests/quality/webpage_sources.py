# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What antsibull-docs wrote for Sphinx becomes the pages of a site that has this one collection only."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

#: What comes after the guides on the front page, in this order.
_LAST = ("Plugin Index", "Role Index", "Changelog", "Communication", "Description")
_HEADING = r".+\n(?:---|~~~)"
_REFERENCE = "    Environment variables <environment_variables>\n    Changelog <changelog>\n"
_IMAGES = "https://raw.githubusercontent.com/secretops/infisical/main/docs/docsite/rst/images/"
#: A row of the table that says in which variables an option stands.
_OPTION = re.compile(r"^   \* - (:ansopt:`.+`)\n     -.*\n     - (:envvar:.+)$", re.MULTILINE)


def arrange(pages: Path, opening: str, variables: str, images: Path) -> None:
    """Change them where they are."""
    shutil.copytree(images, pages / "images")
    front = pages / "index.rst"
    front.write_text(_front(front.read_text(encoding="utf-8"), opening), encoding="utf-8")
    guide = (pages / "docsite" / "guide_authentication.rst").read_text(encoding="utf-8")
    with (pages / "environment_variables.rst").open("a", encoding="utf-8") as index:
        index.write(f"\n{variables}\n{_variables(guide)}")
    for page in pages.rglob("*.rst"):
        page.write_text(_for_theme(page.read_text(encoding="utf-8")), encoding="utf-8")


def _front(text: str, opening: str) -> str:
    """The collection's page: the guides first, and with captions and short names, which the theme's sidebar needs."""
    head, *sections = re.split(r"^(?=\.\. _\S+:\n\n.+\n---|(?<!:\n\n).+\n---)", text, flags=re.MULTILINE)
    titles = {section: re.findall(r"^(.+)\n---", section, re.MULTILINE)[0] for section in sections}
    sections.sort(key=lambda section: _LAST.index(titles[section]) if titles[section] in _LAST else -1)
    head = re.sub(r"^.+\n===+$", "secretops.infisical\n===================", head, flags=re.MULTILINE)
    text = "".join([head, opening, "\n", *sections])
    text = text.replace("Changelog\n---------", "Reference\n---------")
    text = text.replace("    changelog\n", _REFERENCE)
    caption = rf"^(.+)\n([-~])\2+\n(?:(?!{_HEADING}).*\n)*?\.\. toctree::\n"
    text = re.sub(caption, r"\g<0>    :caption: \1\n", text, flags=re.MULTILINE)
    return re.sub(r"^( +)(\w+)_(module|filter|inventory|lookup|role)$", r"\1\2 <\2_\3>", text, flags=re.MULTILINE)


def _variables(guide: str) -> str:
    """antsibull-docs knows the variables of plugins, but not those in which modules look for their options."""
    return "".join(
        f".. envvar:: {name}\n\n    *Option:* {option}\n\n"
        for option, names in _OPTION.findall(guide)
        for name in re.findall(r"`(\w+)`", names)
    )


def _for_theme(text: str) -> str:
    """It has a table of contents beside each page, and the guides' pictures are here."""
    text = re.sub(r"^\.\. contents::.*\n(?: +.*\n)*", "", text, flags=re.MULTILINE)
    return text.replace(_IMAGES, "/images/").replace(
        ":ref:`ansible_configuration_settings`", "Ansible's own documentation"
    )
