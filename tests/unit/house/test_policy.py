# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the policy says is supported is what is tested, and what the collection asks for."""

from __future__ import annotations

import re
from pathlib import Path

import yaml
from quality.ansible_test import CONTROLLERS

CHECKOUT = Path(__file__).resolve().parents[3]
ROW = re.compile(r"^   \* - (2\.\d+)\n     - (3\.\d+(?:, 3\.\d+)*)$", re.MULTILINE)


def supported() -> dict[str, tuple[str, ...]]:
    page = (CHECKOUT / "docs" / "docsite" / "rst" / "policy.rst").read_text(encoding="utf-8")
    return {core: tuple(pythons.split(", ")) for core, pythons in ROW.findall(page)}


def test_each_ansible_core_of_the_policy_is_tested_and_no_other() -> None:
    assert supported() == CONTROLLERS


def test_the_oldest_is_what_ansible_is_told() -> None:
    runtime = yaml.safe_load((CHECKOUT / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    assert runtime["requires_ansible"] == f">={next(iter(supported()))}.0"


def test_the_oldest_python_is_what_ansible_test_is_told() -> None:
    oldest = min((python for pythons in supported().values() for python in pythons), key=lambda text: int(text[2:]))
    config = yaml.safe_load((CHECKOUT / "tests" / "config.yml").read_text(encoding="utf-8"))
    assert config["modules"]["python_requires"] == f">={oldest}"
    page = (CHECKOUT / "docs" / "docsite" / "rst" / "policy.rst").read_text(encoding="utf-8")
    assert f"Python {oldest} or newer" in page
