# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Markdown file of the repository links to is there. The links of the site are followed where it is built."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from quality.webpage_links import REPOSITORY, broken

COLLECTION = Path(__file__).resolve().parents[3]
INSIDE = "https://github.com/secretops/infisical/blob/main"
FOLDERS = ("examples", "extensions", "playbooks", "roles", "tests")
PAGES = [*COLLECTION.glob("*.md"), *(page for folder in FOLDERS for page in (COLLECTION / folder).rglob("*.md"))]
_CODE = re.compile(r"^```.*?^```$|`[^`\n]*`", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)|^\[[^\]]+\]: (\S+)$", re.MULTILINE)


@pytest.mark.parametrize("page", sorted(str(page.relative_to(COLLECTION)) for page in PAGES))
def test_a_link_into_the_repository_names_a_file(page: str) -> None:
    file = COLLECTION / page
    links = ["".join(found) for found in _LINK.findall(_CODE.sub("", file.read_text(encoding="utf-8")))]
    inside = [COLLECTION / found[1].partition("#")[0] for link in links if (found := REPOSITORY.match(link))]
    beside = [file.parent / link.partition("#")[0] for link in links if not re.match(r"[a-z]+:|#", link)]
    assert [link for link in links if link.startswith("http:")] == []
    assert [str(target) for target in [*inside, *beside] if not target.exists()] == []


def test_links_of_the_site_that_lead_nowhere_are_told(tmp_path: Path) -> None:
    right = ["b.html#x", "#", "b.html", "a.css?v=1", "https://example.com/a", f"{INSIDE}/README.md?plain=1"]
    wrong = ["b.html#y", "#x", "c.html", "../site", "http://example.com/", "https://example", f"{INSIDE}/NO.md"]
    anchors = "".join(f'<a href="{link}">a</a>' for link in right + wrong)
    (tmp_path / "a.html").write_text(f'{anchors}<img src="no.png">', encoding="utf-8")
    (tmp_path / "b.html").write_text('<p id="x">b</p>', encoding="utf-8")
    (tmp_path / "a.css").touch()
    number, nowhere = broken(tmp_path, COLLECTION)
    assert number == len(right) + len(wrong) + 1
    assert sorted(nowhere) == sorted(f"a.html: {link}" for link in [*wrong, "no.png"])
