# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From bytes to the schedule and the options of a task.

Bytes, because hypothesis draws and shrinks one blob much faster than the hundred choices in it. Zeros mean that
all goes well, so that a shrunk schedule holds only what it needs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from unit import model_server as model
from unit.model_server import Fate, Rival, Schedule

#: Bytes a task; what a schedule does not use of them is not looked at.
SIZE = 48

SECONDS = (0.0, 0.3, 1.0, 7.0, 28.0, 31.0, 58.0, 63.0, 100.0, 180.0)
RIVALS = tuple(
    Rival(after, seconds, result)
    for after in (0.0, 0.4, 40.0, 70.0)
    for seconds, result in ((0.0, "ok"), (3.0, "ok"), (50.0, "ok"), (5.0, "okta_fails"), (0.0, "lock_lost"))
)
SKEWS = (0.0, 3 * 3600.017, -5 * 3600.033, 3601.0, -301.0)
READ_KINDS = tuple(kind for kind in model.KINDS if kind not in model.ROTATE_ONLY)

T = TypeVar("T")


@dataclass(frozen=True)
class Plan:
    """One task and what is to happen to it."""

    schedule: Schedule
    options: dict[str, Any]


class _Bytes:
    def __init__(self, blob: bytes) -> None:
        self._left: Iterator[int] = iter(blob)

    def pick(self, choices: Sequence[T]) -> T:
        return choices[next(self._left, 0) % len(choices)]

    def seldom(self, choices: Sequence[T], one_in: int) -> T | None:
        number = next(self._left, 0)
        return None if number % one_in != one_in - 1 else choices[(number // one_in) % len(choices)]

    def fates(self, kinds: Sequence[str], *one_in: int) -> list[Fate]:
        """As many as there are odds, each of which goes well but for one time in that many."""
        return [self._fate(kinds, odds) for odds in one_in[: self.pick(range(len(one_in) + 1))]]

    def _fate(self, kinds: Sequence[str], odds: int) -> Fate:
        if odds == 1:
            return Fate(self.pick(kinds), self.pick(SECONDS), self.seldom(RIVALS, 5), self.seldom(SKEWS, 10))
        kind = (self.seldom(kinds, odds)) or "ok"
        return Fate(kind, self.seldom(SECONDS, odds) or 0.0, self.seldom(RIVALS, odds + 4), self.seldom(SKEWS, 20))


def plan(blob: bytes) -> Plan:
    source = _Bytes(blob)
    options = {
        "wait_timeout": source.pick((120, 0, 5, 30, 300)),
        "timeout": source.pick((90, 5, 40)),
        "min_age": source.pick(("0", "5m", "1d")),
        "token_given": source.pick((False, False, True)),
        "by_name": source.pick((False, False, True)),
    }
    rotate = source.fates(model.KINDS, 1, 1)
    # Seldom wrong before the request, after which it becomes interesting.
    login = source.fates(READ_KINDS, 9, 2)
    read = source.fates(READ_KINDS, 9, 3, 2, 2, 2)
    revoke = source.fates(READ_KINDS, 2)
    return Plan(Schedule(login, read, rotate, revoke, source.fates(READ_KINDS, 3)), options)
