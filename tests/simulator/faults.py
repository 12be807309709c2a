# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which requests go wrong, and how: a list of faults, used up in order."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

_FIELDS = ("action", "method", "path", "times", "after", "params")


@dataclass
class Fault:
    """`times` 0 is for ever; `after` lets that many matching requests pass first."""

    action: str
    method: str | None = None
    path: str = ""
    times: int = 1
    after: int = 0
    params: dict[str, Any] = field(default_factory=dict)
    used: int = 0

    def matches(self, method: str, path: str) -> bool:
        if self.times and self.used >= self.times:
            return False
        if self.method is not None and self.method.upper() != method:
            return False
        return re.search(self.path, path) is not None


def parse_fault(raw: dict[str, Any]) -> Fault:
    """Keys that are not a fault's own are its params, so that a caller can write them side by side."""
    known = {name: raw[name] for name in _FIELDS if name in raw}
    params = dict(known.pop("params", {}))
    params.update({name: value for name, value in raw.items() if name not in _FIELDS})
    fault = Fault(**known, params=params)
    re.compile(fault.path)
    return fault


class Faults:
    def __init__(self, actions: Collection[str]) -> None:
        self.actions = actions
        self.planned: list[Fault] = []

    def add(self, raw: list[dict[str, Any]]) -> list[Fault]:
        parsed = [parse_fault(item) for item in raw]
        for fault in parsed:
            if fault.action not in self.actions:
                raise ValueError(f"unknown action {fault.action!r}; known: {', '.join(sorted(self.actions))}")
        self.planned.extend(parsed)
        return parsed

    def clear(self) -> None:
        self.planned.clear()

    def take(self, method: str, path: str) -> Fault | None:
        for fault in self.planned:
            if not fault.matches(method, path):
                continue
            if fault.after > 0:
                fault.after -= 1
                continue
            fault.used += 1
            return fault
        return None
