# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changing a good answer into one that a client should not believe."""

from __future__ import annotations

import copy
from typing import Any


def _parent(document: Any, path: str) -> tuple[Any, Any]:
    """The container and the key that a dotted path names; numbers index lists."""
    *way, last = path.split(".")
    for step in way:
        document = document[int(step)] if isinstance(document, list) else document[step]
    return document, int(last) if isinstance(document, list) else last


def mutate(document: Any, params: dict[str, Any]) -> Any:
    changed = copy.deepcopy(document)
    for path, value in params.get("set", {}).items():
        container, key = _parent(changed, path)
        container[key] = value
    for path in params.get("delete", []):
        container, key = _parent(changed, path)
        del container[key]
    for path in params.get("null", []):
        container, key = _parent(changed, path)
        container[key] = None
    if "wrap" in params:
        changed = {params["wrap"]: changed}
    if "unwrap" in params:
        changed = changed[params["unwrap"]]
    return params.get("replace", changed)
