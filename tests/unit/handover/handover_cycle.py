# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One rotation at the simulator, and the rounds of a handover of its secret, on a clock that only pauses move."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timezone
from typing import Any

import pytest
from ansible_collections.secretops.infisical.plugins.module_utils._transport.patience import Patience
from ansible_collections.secretops.infisical.plugins.modules import okta_client_secret_rotation
from ansible_collections.secretops.infisical.plugins.plugin_utils import _handover_look
from ansible_collections.secretops.infisical.plugins.plugin_utils._handover_cycle import Cycle
from ansible_collections.secretops.infisical.plugins.plugin_utils._handover_rule import Held
from simulator.client import Simulator
from support.machine import Clock, PacedTask
from support.okta import credentials
from support.server import login
from support.tasks import Runner

DAY = 86_400
CREDENTIALS = r"/generated-credentials$"
RUN: dict[str, Any] = {
    "run": "r1",
    "rotate": True,
    "min_age": DAY,
    "window": 3600,
    "count": None,
    "serial": [1, "100%"],
    "require": "proven",
    "leaked_secret_id": "",
    "cut_off": [],
    "total": 2,
}


class Handed:
    """Its consumers are ``a`` and ``b``. ``rotation`` are changes of what the simulator makes."""

    def __init__(self, simulator: Simulator, monkeypatch: pytest.MonkeyPatch, **rotation: Any) -> None:
        self.simulator = simulator
        # By a header Date, which knows no part of a second.
        wanted = {"lastRotatedAt": 40 * DAY + 60, "nextRotationAt": 9 * DAY, "slots": 2, "activeIndex": 1, **rotation}
        self.id = str(simulator.add_rotation(name="handed", **wanted)["id"])
        self.clock = Clock()
        self.warnings: list[str] = []
        params = Runner(okta_client_secret_rotation).params({**login(simulator), "wait_timeout": 5})
        self.task = PacedTask(params, False, {}, self.warnings.append, clock=self.clock)
        self.okta = _handover_look.Okta({"okta_url": simulator.okta_url}, 5, self.warnings.append)
        self.told: dict[str, Any] = {}
        monkeypatch.setattr(_handover_look, "Patience", lambda seconds: Patience(seconds, self.clock, self.clock.sleep))

    # -- the other side

    @property
    def slots(self) -> list[dict[str, str]]:
        """What Infisical holds, the active one first."""
        return credentials(self.simulator, self.id)

    @property
    def ids(self) -> list[str]:
        return [each["secretId"] for each in self.slots]

    def remove_at_okta(self, secret_id: str) -> None:
        client_id = self.slots[0]["clientId"]
        self.simulator.control("POST", "orphan", {"action": "remove", "clientId": client_id, "secretId": secret_id})

    def rotations(self) -> int:
        return self.simulator.rotations_done(self.id)

    def lagging(self, credentials: int = 0, readings: int = 0) -> None:
        """From now on so many answers of a kind are those of this moment."""
        rotation = self.simulator.rotation(self.id)
        generated = {key: rotation[key] for key in ("activeIndex", "generatedCredentials", "type")}
        for path, times, body in (
            (CREDENTIALS, credentials, {"rotationId": self.id, **generated}),
            (f"/{self.id}$", readings, {"secretRotation": rotation}),
        ):
            if times:
                self.simulator.fault("status", path=path, method="GET", times=times, status=200, body=body)

    # -- the rounds

    def look(
        self, *, deliver_only: bool = False, known_ids: Collection[str] = (), rotated: Mapping[str, Any] | None = None
    ) -> _handover_look.Seen:
        return _handover_look.look(
            self.task, self.id, now, deliver_only=deliver_only, known_ids=known_ids, rotated=rotated
        )

    def cycle(self, *, deliver_only: str = "", leaked: str | None = None, **run: Any) -> Cycle:
        rotation = {"rotation_id": self.id, "hosts": ["a", "b"], "listed": ["a", "b"]}
        return Cycle({**RUN, **run}, rotation, self.task, self.okta, deliver_only, leaked)

    def held(self, secret_id: str | None = None, **others: Held | None) -> dict[str, Held | None]:
        """Both are proven with the active secret, but for the others."""
        proven = Held(secret_id or self.ids[0], "proven")
        return {"a": proven, "b": proven, **others}


def now() -> datetime:
    return datetime.now(timezone.utc)
