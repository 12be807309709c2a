# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Data between ansible-core and the code of this collection, which knows only JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from ansible.utils.unsafe_proxy import wrap_var

try:
    from ansible.module_utils.common.json import Direction, get_module_encoder
except ImportError:  # pragma: no cover - before 2.19
    Direction = get_module_encoder = None

#: From 2.19 on data is no template unless it is marked as one; before, it is one unless it is marked.
TAGS_DATA = get_module_encoder is not None
#: The form in which a Python module of this collection prints its result.
PROFILE = "legacy"
_ENCODER = get_module_encoder(PROFILE, Direction.MODULE_TO_CONTROLLER) if TAGS_DATA else None


def plain(data: Mapping[str, Any]) -> dict[str, Any]:
    """The data as a module would be sent it: without tags, vaults and the like."""
    sent: dict[str, Any] = json.loads(json.dumps(dict(data), default=_as_modules_see))
    return sent


def _as_modules_see(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else str(value)


def as_printed(result: Mapping[str, Any]) -> str:
    """The result in the form in which a module prints it."""
    return json.dumps(result, cls=_ENCODER)


def untrusted(data: dict[str, Any]) -> dict[str, Any]:
    """The same data, of which nothing is ever taken for a template."""
    marked: dict[str, Any] = data if TAGS_DATA else wrap_var(data)
    return marked
