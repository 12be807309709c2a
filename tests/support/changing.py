# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rotation that a test changes with state: present."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from simulator.client import Simulator

from .machine import Machine

DAY = 86_400
ROTATIONS = "/api/v2/secret-rotations/okta-client-secret"


def changing(simulator: Simulator, folder: Path) -> Machine:
    """Its rotation was rotated three days ago and is planned for in a month."""
    simulator.settings(queueSeconds=0)
    rotation = simulator.rotation()
    simulator.change_rotation(rotation["id"], lastRotatedAt=3 * DAY)
    options = {"url": simulator.url, "token": simulator.mint_token(), "state": "present", "rotation_id": rotation["id"]}
    return Machine(folder, options)


def due(simulator: Simulator, machine: Machine, **more: Any) -> None:
    """The next rotation would lie in the past."""
    simulator.change_rotation(machine.options["rotation_id"], lastRotatedAt=40 * DAY, **more)


def sent(simulator: Simulator) -> list[dict[str, Any]]:
    """The bodies of the changes."""
    return [entry["body"] for entry in simulator.log(ROTATIONS, "PATCH")]
