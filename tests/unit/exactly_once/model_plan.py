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

from unit.exactly_once.model_fates import KINDS, READ_KINDS, Cache, Fate, Schedule, Way
from unit.exactly_once.model_server import Rival

#: Bytes a task; what a schedule does not use of them is not looked at.
SIZE = 56

SECONDS = (0.0, 0.3, 1.0, 7.0, 28.0, 31.0, 58.0, 63.0, 100.0, 180.0)
RIVALS = tuple(
    Rival(after, seconds, result)
    for after in (0.0, 0.4, 40.0, 70.0)
    for seconds, result in ((0.0, "ok"), (3.0, "ok"), (50.0, "ok"), (5.0, "okta_fails"), (0.0, "lock_lost"))
)
SKEWS: tuple[float | None, ...] = (0.0, 3 * 3600.017, -5 * 3600.033, 3601.0, -301.0)
#: How far replicas are behind. With what a cache adds, it stays within ten minutes.
LAGS = ((0.0,), (2.0,), (240.0,), (0.0, 60.0), (60.0, 0.0), (240.0, 2.0, 0.0))
CACHES = (
    None,
    *(
        Cache(seconds, whole_url, tells_age, keeps_date)
        for seconds in (1.0, 10.0, 240.0)
        for whole_url in (False, True)
        for tells_age in (False, True)
        for keeps_date in (False, True)
    ),
)
#: How far the proxy's clock is ahead.
DATES = (0.0, 0.0, 600.0, -600.0, None, 4.0, -4.0, -1.7e9, 200.0, 86400.0)

#: Of which there is one way only.
PLAIN = ("ok", "extra", "forbidden", "expired", "revoked", "repeated", "lock_lost", "unmoved")

#: What is most like what it is not is tried most.
ROTATE_KINDS = (*KINDS, *("foreign_before", "foreign_after") * 3)

T = TypeVar("T")


@dataclass(frozen=True)
class Plan:
    """One task and what is to happen to it."""

    schedule: Schedule
    options: dict[str, Any]


class _Bytes:
    def __init__(self, blob: bytes, steady: bool) -> None:
        self._left: Iterator[int] = iter(blob)
        self._skews: tuple[float | None, ...] = (None,) if steady else SKEWS

    def pick(self, choices: Sequence[T]) -> T:
        return choices[next(self._left, 0) % len(choices)]

    def seldom(self, choices: Sequence[T], one_in: int) -> T | None:
        number = next(self._left, 0)
        return None if number % one_in != one_in - 1 else choices[(number // one_in) % len(choices)]

    def fates(self, kinds: Sequence[str], *one_in: int) -> tuple[Fate, ...]:
        """As many as there are odds, each of which goes well but for one time in that many."""
        return tuple([self._fate(kinds, odds) for odds in one_in[: self.pick(range(len(one_in) + 1))]])

    def _fate(self, kinds: Sequence[str], odds: int) -> Fate:
        if odds == 1:
            return self._made(
                self.pick(kinds), self.pick(SECONDS), self.seldom(RIVALS, 5), self.seldom(self._skews, 10)
            )
        kind = self.seldom(kinds, odds) or "ok"
        seconds = self.seldom(SECONDS, odds) or 0.0
        return self._made(kind, seconds, self.seldom(RIVALS, odds + 4), self.seldom(self._skews, 20))

    def _made(self, kind: str, seconds: float, rival: Rival | None, skew: float | None) -> Fate:
        return Fate(kind, seconds, rival, skew, 0 if kind in PLAIN else self.pick(range(256)))

    def way(self) -> Way:
        """One time in two there is nothing special between a task and the server."""
        if self.pick((True, False)):
            return Way()
        return Way(self.pick(LAGS), self.pick(LAGS), self.seldom(CACHES, 2), self.pick(DATES))


def plan(blob: bytes, *, steady: bool) -> Plan:
    """``steady`` says that the server's own clock is right all the time."""
    source = _Bytes(blob, steady)
    options = {
        "wait_timeout": source.pick((120, 0, 5, 30, 300)),
        "timeout": source.pick((90, 5, 40)),
        "min_age": source.pick(("0", "5m", "1d")),
        "token_given": source.pick((False, False, True)),
        "by_name": source.pick((False, False, True)),
        "machine": source.pick((0, 0, 0, 1)),
        "only_if": source.seldom(("present", "before"), 6),
    }
    way = source.way()
    rotate = source.fates(ROTATE_KINDS, 1, 1)
    # Seldom wrong before the request, after which it becomes interesting.
    login = source.fates(READ_KINDS, 9, 2)
    read = source.fates(READ_KINDS, 9, 3, 2, 2, 2)
    revoke = source.fates(READ_KINDS, 2)
    schedule = Schedule(login, read, rotate, revoke, source.fates(READ_KINDS, 3), way)
    return Plan(schedule, {**options, "outcome_timeout": source.pick((120, 0, 20, 600))})
