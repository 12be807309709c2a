# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long one task may wait: one budget for all its reasons to wait, and when to try something again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .._errors import NONE, InfisicalError

#: Pauses before trying again what never reached a server, or a reading that failed.
RETRY_PAUSES = (1.0, 2.0)
#: Pause after a refusal for the rate limit that does not say how long.
RATE_LIMIT_PAUSE = 5.0
#: Failures that may be over a little later.
_TRANSIENT = ("unreachable", "server_error", "rate_limited")
#: Whatever the server asks for: a reset in 0 seconds must not become a flood.
SHORTEST_PAUSE = 1.0
#: No request can be made in less.
SHORTEST_REQUEST = 0.1


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
    ) -> None:
        self._left = float(seconds)
        self._clock = clock
        self._sleep = sleep
        self._since: float | None = None

    def now(self) -> float:
        return self._clock()

    def charge(self, seconds: float) -> None:
        if self._since is None:
            self._left -= seconds

    @property
    def left(self) -> float:
        running = 0.0 if self._since is None else self._clock() - self._since
        return self._left - running

    def limit(self, timeout: float) -> float:
        """The timeout of a request, shorter when waiting made of several requests would end too late with it."""
        if self._since is None:
            return timeout
        return max(SHORTEST_REQUEST, min(timeout, self.left + timeout))

    def pause(self, seconds: float) -> bool:
        """Sleep, if that much is left; otherwise return false at once and without a pause."""
        if seconds > self.left:
            return False
        with self.spending():
            self._sleep(seconds)
        return True

    @contextmanager
    def spending(self) -> Iterator[None]:
        if self._since is not None:
            yield
            return
        self._since = self._clock()
        try:
            yield
        finally:
            self._left = self.left
            self._since = None


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
        if self._patience.left < took or not self._patience.pause(pause):
            return False
        self.begin()
        return True
