# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wrong logins in a row lock a login method for a while."""

from __future__ import annotations

from .errors import unauthorized
from .model import Identity
from .store import Failures, Store

LOCKED = "This identity auth method is temporarily locked, please try again later"


class Lockouts:
    def __init__(self, store: Store) -> None:
        self._store = store

    def _failures(self, key: str) -> Failures:
        return self._store.data.lockouts.setdefault(key, Failures())

    def refuse_locked(self, identity: Identity, key: str) -> None:
        if identity.lockoutEnabled and self._failures(key).lockedUntil > self._store.now():
            raise unauthorized(LOCKED)

    def wrong(self, identity: Identity, key: str) -> None:
        if not identity.lockoutEnabled:
            return
        now = self._store.now()
        failures = self._failures(key)
        if now >= failures.lastAt + identity.lockoutCounterResetSeconds:
            failures.count = 0
        failures.count += 1
        failures.lastAt = now
        if failures.count >= identity.lockoutThreshold:
            failures.count = 0
            failures.lockedUntil = now + identity.lockoutDurationSeconds

    def right(self, key: str) -> None:
        self._store.data.lockouts.pop(key, None)
