# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whoever looks for the test of a promise is led to a file that is there, and no folder of tests is left out."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).resolve().parents[2]
GUIDE = (TESTS / "README.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`([a-z_]+(?:/[a-z_.]+)*)`", GUIDE)


def test_each_file_that_is_named_is_there() -> None:
    files = [name for name in NAMED if name.endswith(".py")]
    assert len(files) > 20
    assert [name for name in files if not (TESTS / name).is_file()] == []


def test_each_folder_is_named() -> None:
    folders = {path.name for path in TESTS.iterdir() if path.is_dir() and any(path.glob("**/*.py"))}
    assert sorted(folders - set(NAMED)) == []
