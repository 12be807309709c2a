# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One request on its way through: what was received, where the answer goes, and the work in between."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from .answers import Answer
from .pipeline import Received
from .requestlog import Entry
from .wire import Wire, head

NO_BODY = (204, 304)


class Session:
    def __init__(
        self,
        received: Received,
        entry: Entry,
        wire: Wire,
        *,
        answer: Callable[[Received], Awaitable[Answer]],
        date: Callable[[], str | None],
        kill: Callable[[], None],
        stays: bool,
        keep_alive_timeout: float,
    ) -> None:
        self.received = received
        self.entry = entry
        self.wire = wire
        self.stays = stays
        self.kill = kill
        self._answer = answer
        self._date = date
        self._keep_alive_timeout = keep_alive_timeout

    async def work(self) -> Answer:
        """Runs to its end even when nobody waits for the answer any more."""
        task = asyncio.ensure_future(self._work())
        return await asyncio.shield(task)

    async def _work(self) -> Answer:
        answer = await self._answer(self.received)
        self.entry.workStatus = answer.status
        return answer

    def raw_head(self, status: int, headers: list[tuple[str, str]], *, close: bool = False) -> bytes:
        return head(
            status,
            headers,
            date=self._date(),
            keep_alive=self.stays and not close,
            keep_alive_timeout=self._keep_alive_timeout,
        )

    def head(self, answer: Answer) -> bytes:
        headers = answer.header_list()
        if answer.status != 204:
            headers.append(("content-length", str(len(answer.body))))
        return self.raw_head(answer.status, headers)

    async def send(self, answer: Answer) -> bool:
        body = b"" if self.received.method == "HEAD" or answer.status in NO_BODY else answer.body
        await self.wire.write(self.head(answer) + body)
        self.entry.status = answer.status
        return self.stays
