# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long one task may wait, for which reasons and who is told, and when to try something again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from .._errors import NONE, InfisicalError

#: Pauses before trying again what never reached a server, or a reading that failed.
RETRY_PAUSES = (1.0, 2.0)
#: Pause after a refusal for the rate limit that does not say how long.
RATE_LIMIT_PAUSE = 5.0
#: What is waited for, in words that follow "for".
RATE_LIMIT = "the server's rate limit"
#: Failures that may be over a little later.
_TRANSIENT = {
    "unreachable": "a server that could not be reached",
    "server_error": "a server that failed",
    "rate_limited": RATE_LIMIT,
}
#: Whatever the server asks for: a reset in 0 seconds must not become a flood.
SHORTEST_PAUSE = 1.0
#: No request can be made in less.
SHORTEST_REQUEST = 0.1
#: Waiting that is shorter, all in all, is not worth a word.
_NOTABLE = 5.0
#: How long a reason that was told holds.
_AGAIN = 60.0


class Waits:
    """What one task has waited for. ``announce`` is told while it waits, in words without a secret."""

    def __init__(self, announce: Callable[[str], None] | None = None) -> None:
        self.seconds = 0.0
        self._announce = announce
        #: When each reason was told last.
        self._told: dict[str, float | None] = {}

    def begin(self, why: str, seconds: float, total: float, left: float, now: float) -> None:
        """A pause begins at ``now`` that makes ``total`` of all waiting, with ``left`` at most from now on."""
        last = self._told.setdefault(why, None)
        if self._announce is None or total < _NOTABLE or (last is not None and now - last < _AGAIN):
            return
        self._told[why] = now
        again = f"; the next attempt is in {seconds:.0f} s" if seconds >= _NOTABLE else ""
        # Whom it cannot be told must not overturn what was done.
        with suppress(Exception):
            self._announce(f"waiting up to {left:.0f} s more for {why}{again}")

    @property
    def sentence(self) -> str:
        """For the end of a message; empty where it is not worth a word."""
        if self.seconds < _NOTABLE or not self._told:
            return ""
        return f" It waited {self.seconds:.0f} seconds for {' and for '.join(self._told)}."


class Patience:
    """``wait_timeout`` seconds to spend.

    Pauses are charged always, requests only inside ``spending()`` and when they were in vain: a request that is
    the task's work is bounded by its own timeout, one that is made because the task waits is part of the waiting.
    """

    def __init__(
        self,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        waits: Waits | None = None,
    ) -> None:
        self._left = float(seconds)
        #: What at_most() keeps back.
        self._kept = 0.0
        self._waits = waits or Waits()
        self._clock = clock
        self._sleep = sleep
        self._since: float | None = None

    def now(self) -> float:
        return self._clock()

    def charge(self, seconds: float) -> None:
        if self._since is None:
            self._spend(seconds)

    def _spend(self, seconds: float) -> None:
        self._left -= seconds
        self._waits.seconds += seconds

    @property
    def _running(self) -> float:
        return 0.0 if self._since is None else self._clock() - self._since

    @property
    def left(self) -> float:
        return self._left - self._running

    def limit(self, timeout: float) -> float:
        """The timeout of a request, shorter when waiting made of several requests would end too late with it."""
        if self._since is None:
            return timeout
        return max(SHORTEST_REQUEST, min(timeout, self.left + timeout))

    def pause(self, seconds: float, why: str) -> bool:
        """Sleep, if that much is left; otherwise return false at once and without a pause.

        ``why`` says what is waited for. The rate limit is nothing of what at_most() limits.
        """
        lent = min(self._kept, seconds) if why == RATE_LIMIT else 0.0
        if seconds > self.left + lent:
            return False
        self._kept -= lent
        self._left += lent
        with self.spending():
            left = self.left + (self._kept if why == RATE_LIMIT else 0.0)
            self._waits.begin(why, seconds, self._waits.seconds + self._running + seconds, left, self._clock())
            self._sleep(seconds)
        return True

    @contextmanager
    def at_most(self, seconds: float) -> Iterator[None]:
        """Leave no more than that for what is waited for inside."""
        self._kept = max(0.0, self.left - seconds)
        self._left -= self._kept
        try:
            yield
        finally:
            self._left, self._kept = self._left + self._kept, 0.0

    @contextmanager
    def spending(self) -> Iterator[None]:
        if self._since is not None:
            yield
            return
        self._since = self._clock()
        try:
            yield
        finally:
            took, self._since = self._running, None
            self._spend(took)


class Retries:
    """Trying one thing again. Attempts that were in vain are waiting, and charged as that."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._pauses = list(RETRY_PAUSES)
        self.begin()

    def begin(self) -> None:
        """An attempt begins now."""
        self._begun = self._patience.now()

    def wait(self, failure: InfisicalError, *, safe: bool) -> bool:
        """After a failed attempt: pause, and true if another one is due.

        ``safe`` says that the other one does no harm even if the failed one had an effect.
        """
        if failure.reason not in _TRANSIENT or not (safe or failure.effect == NONE):
            return False
        if failure.reason == "rate_limited":
            told = failure.retry_after
            pause = RATE_LIMIT_PAUSE if told is None else max(SHORTEST_PAUSE, told)
        elif self._pauses:
            pause = self._pauses.pop(0)
        else:
            return False
        took = self._patience.now() - self._begun
        self._patience.charge(took)
        # Another attempt that takes as long would end too late.
        if self._patience.left < took or not self._patience.pause(pause, _TRANSIENT[failure.reason]):
            return False
        self.begin()
        return True
