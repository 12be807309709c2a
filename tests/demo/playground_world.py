# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A project with a dozen rotations, one in every state that a real one comes into."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from simulator.app import App
from simulator.model import Rotation
from simulator.rotations import failure_text
from simulator.seed import add_rotation

DAY = 86_400
PROJECT = "payments"
#: How long the rotation that is in progress takes once somebody waits for it.
BUSY_SECONDS = 3
_TWO = {"slots": 2, "activeIndex": 1}
_FAILED = {
    "rotationStatus": "failed",
    "lastRotationMessage": failure_text("Invalid token provided"),
    "lastRotationAttemptedAt": DAY / 2,
    "nextRotationAt": DAY / 2,
}
#: Beside okta-payments of production, which is there from the start and overdue.
_ROTATIONS: tuple[tuple[str, str, str, float, dict[str, Any]], ...] = (
    ("okta-payments", "staging", "/okta", 12, {}),
    ("okta-payments", "dev", "/okta", 33, {"rotationInterval": 60}),
    ("okta-new", "dev", "/okta", 0.1, {"createdAt": 0.1 * DAY}),
    ("okta-shop", "prod", "/okta", 0.001, {**_TWO, "isLastRotationManual": True}),
    ("okta-billing", "prod", "/okta/billing", 29.9, {**_TWO, "nextRotationAt": 0.1 * DAY}),
    ("okta-mail", "prod", "/okta/mail", 31, {**_TWO, **_FAILED}),
    ("okta-wiki", "prod", "/okta", 400, {**_TWO, "isAutoRotationEnabled": False}),
    ("okta-busy", "prod", "/okta", 35, _TWO),
    ("okta-lost", "prod", "/okta", 36, _TWO),
    ("okta-unmapped", "prod", "/okta", 20, _TWO),
    ("okta-orphan", "prod", "/okta", 38, _TWO),
)


class World:
    def __init__(self, app: App, told: Callable[[str], None]) -> None:
        """``told`` is given what happens without a request."""
        self._app = app
        self._told = told
        self._waited_for = asyncio.Event()
        settings = app.store.settings
        # A rotation at Okta takes a while, and one that is in progress has its lock until somebody asks for it.
        settings.rotationSeconds, settings.lockSeconds = 0.3, 365 * DAY
        self.due = next(iter(app.store.data.rotations.values()))
        for name, environment, path, age, more in _ROTATIONS:
            self._add(name, environment, path, age, more)
        self.busy, self.lost, self._orphan = (self._named(name) for name in ("okta-busy", "okta-lost", "okta-orphan"))
        self._take_the_mapped_secret("okta-unmapped")
        self._make_by_hand_at_okta()
        lost = {"action": "reset_after", "method": "POST", "path": f"{self.lost.id}/rotate-secrets", "times": 0}
        app.faults.add([lost])
        app.spawn(self._rival(app.rotations.acquire(self.busy.id)))

    def is_waited_for(self) -> None:
        self._waited_for.set()

    def _add(self, name: str, environment: str, path: str, age: float, more: dict[str, Any]) -> None:
        words = name.upper().replace("-", "_")
        mapping = {"clientId": f"{words}_CLIENT_ID", "clientSecret": f"{words}_CLIENT_SECRET"}
        wanted = {"name": name, "environment": environment, "secretPath": path, "secretsMapping": mapping}
        add_rotation(self._app.store, self._app.rotations, {**wanted, "lastRotatedAt": age * DAY, **more})

    def _named(self, name: str) -> Rotation:
        return next(each for each in self._app.store.data.rotations.values() if each.name == name)

    def _take_the_mapped_secret(self, name: str) -> None:
        """Somebody deleted it in Infisical."""
        secrets = self._app.store.data.secrets
        mapped = self._named(name).secretsMapping["clientSecret"]
        del secrets[next(each.id for each in secrets.values() if each.secretKey == mapped)]

    def _make_by_hand_at_okta(self) -> None:
        """In the place of one that Infisical made, so that Okta has no place for the next one."""
        okta, credentials = self._app.rotations.okta, self._orphan.generatedCredentials[0]
        okta.remove(credentials.clientId, credentials.secretId)
        okta.create(credentials.clientId, force=True)

    async def _rival(self, owner: str) -> None:
        await self._waited_for.wait()
        await self._app.rotations.rival(self.busy, owner, seconds=BUSY_SECONDS, fails=None)
        self._told(f"the other party has rotated {self.busy.name}")
