# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""CONTRIBUTING leads to files, tests and names that are there."""

from __future__ import annotations

import re

from ansible_collections.secretops.infisical.plugins.module_utils._login.methods import METHODS
from ansible_collections.secretops.infisical.plugins.module_utils._options import AUTHENTICATION
from support.ansible import COLLECTION

TEXT = (COLLECTION / "CONTRIBUTING.md").read_text(encoding="utf-8")
QUOTED = re.findall(r"`([^`\n]+)`", TEXT)
SOURCES = {path.name: path.read_text(encoding="utf-8") for path in (COLLECTION / "tests").rglob("test_*.py")}


def test_each_path_is_there() -> None:
    # Not changelogs, of which a release makes some files.
    folders = "plugins|tests|docs|playbooks|roles|meta"
    paths = [word for word in QUOTED if re.fullmatch(rf"({folders})/[\w./-]+", word)]
    assert len(paths) > 30
    assert [path for path in paths if not (COLLECTION / path).exists()] == []


def test_each_test_is_there() -> None:
    files = [word for word in QUOTED if re.fullmatch(r"test_\w+\.py", word)]
    tests = [word for word in QUOTED if re.fullmatch(r"test_\w+", word)]
    assert len(files) > 5
    assert len(tests) > 2
    assert [file for file in files if file not in SOURCES] == []
    assert [test for test in tests if not any(f"def {test}(" in source for source in SOURCES.values())] == []


def test_each_target_is_one_of_the_makefile() -> None:
    targets = {word.split()[1] for word in QUOTED if word.startswith("make ")}
    makefile = (COLLECTION / "Makefile").read_text(encoding="utf-8")
    assert targets <= set(re.findall(r"^(\w+):", makefile, re.MULTILINE))


def test_every_login_method_can_be_chosen_and_is_named_wherever_they_are_listed() -> None:
    assert AUTHENTICATION["auth_method"]["choices"] == list(METHODS)
    for path in ("docs/docsite/rst/guide_authentication.rst", "playbooks/vars/tower_setup.yml"):
        text = (COLLECTION / path).read_text(encoding="utf-8")
        assert [method for method in METHODS if method not in text] == [], path
