# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Constant load: requests at a steady pace, each on a connection of its own, and those that were not answered well."""

from __future__ import annotations

import http.client
import threading
import time
from collections import Counter
from dataclasses import dataclass
from urllib.parse import urlsplit

_TIMEOUT = 15


@dataclass(frozen=True)
class Failure:
    """``time`` is that of time.time(), ``what`` a status or the name of an exception."""

    time: float
    url: str
    what: str


class Load:
    """From its start as a context manager to its end. ``per_second`` is what one URL gets."""

    def __init__(self, urls: list[str], *, threads: int = 2, per_second: float = 20) -> None:
        self.failures: list[Failure] = []
        self._counts: Counter[str] = Counter(dict.fromkeys(urls, 0))
        self._changed = threading.Condition()
        self._end = threading.Event()
        self._interval = threads / per_second
        self._threads = [
            threading.Thread(target=self._ask_on, args=(url,)) for url in urls for _thread in range(threads)
        ]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_unused: object) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join()

    @property
    def requests(self) -> int:
        return self._counts.total()

    def wait(self, more: int = 20, timeout: float = 60) -> None:
        """Until each URL has answered, or failed, so many requests more."""
        with self._changed:
            wanted = {url: count + more for url, count in self._counts.items()}
            came = self._changed.wait_for(lambda: all(self._counts[url] >= n for url, n in wanted.items()), timeout)
        assert came, f"the load came to a halt: {self.summary()}"

    def summary(self) -> str:
        kinds = Counter(failure.what for failure in self.failures)
        text = f"{self.requests} requests, {len(self.failures)} failures"
        return f"{text} ({', '.join(f'{count} {what}' for what, count in kinds.items())})" if kinds else text

    def _ask_on(self, url: str) -> None:
        due = time.monotonic()
        while not self._end.is_set():
            began = time.time()
            what = _ask(url)
            with self._changed:
                self._counts[url] += 1
                if what != "200":
                    self.failures.append(Failure(began, url, what))
                self._changed.notify_all()
            # Not one after the other at once, where one was slow.
            due = max(due + self._interval, time.monotonic())
            self._end.wait(due - time.monotonic())


def _ask(url: str) -> str:
    """200, or what came instead of it."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=_TIMEOUT)
    try:
        connection.request("GET", "/work", headers={"Connection": "close"})
        answer = connection.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException) as failure:
        return type(failure).__name__
    finally:
        connection.close()
    return str(answer.status)
