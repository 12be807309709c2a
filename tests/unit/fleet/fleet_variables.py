# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of the playbook rotate_fleet, as its meta file has them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

_META = Path(__file__).resolve().parents[3] / "playbooks" / "rotate_fleet.meta.yml"
SPEC: dict[str, dict[str, Any]] = yaml.safe_load(_META.read_text(encoding="utf-8"))["argument_specs"]["rotate_fleet"][
    "options"
]


def uuid(number: int) -> str:
    """An id of a rotation."""
    return f"00000000-0000-4000-8000-{number:012}"
