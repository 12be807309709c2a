# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rotations that a change has queued: they are made after its answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from .model import Rotation
from .okta import OktaError
from .rotations import Rotations
from .store import Store


class Jobs:
    """``waiting`` has the time at which a rotation that lies ahead was queued, by its id."""

    def __init__(self, store: Store, rotations: Rotations, spawn: Callable[[Coroutine[Any, Any, None]], None]) -> None:
        self._store = store
        self._rotations = rotations
        self._spawn = spawn
        self.waiting: dict[str, float] = {}

    def add(self, rotation: Rotation) -> None:
        now = self._store.now()
        if self._store.settings.queuedRotationsWait and (rotation.nextRotationAt or 0) > now:
            self.waiting[rotation.id] = now
        else:
            self._spawn(self._run(rotation.id, now, self._store.settings.queueSeconds))

    def due(self, rotation_id: str) -> None:
        """The time has come."""
        self._spawn(self._run(rotation_id, self.waiting.pop(rotation_id), 0))

    async def _run(self, rotation_id: str, queued_at: float, seconds: float) -> None:
        await asyncio.sleep(seconds)
        rotation = self._store.data.rotations.get(rotation_id)
        if rotation is None or rotation.lastRotatedAt >= queued_at:
            return
        rotation.started += 1
        try:
            owner = self._rotations.acquire(rotation_id)
            await self._rotations.work(rotation, owner, seconds=self._store.settings.rotationSeconds)
        except (OktaError, RuntimeError) as problem:
            self._rotations.fail(rotation, str(problem))
