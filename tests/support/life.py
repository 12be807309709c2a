# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rotations that tests create, change and remove."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from simulator.client import Simulator

from .machine import Machine

DAY = 86_400
#: As the vendor's page for a creation names them.
ROTATIONS = "/api/v2/secret-rotations/okta-client-secret"
APPLICATION = "0oabilling"
WANTED: dict[str, Any] = {
    "state": "present",
    "name": "okta-billing",
    "environment": "dev",
    "secret_path": "/okta",
    "connection_name": "okta-main",
    "parameters": {"client_id": APPLICATION},
    "secrets_mapping": {"client_id": "BILLING_ID", "client_secret": "BILLING_SECRET"},
    "rotation_interval": 30,
}


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


def creating(simulator: Simulator, folder: Path) -> Machine:
    simulator.add_application(APPLICATION)
    options = {"url": simulator.url, "token": simulator.mint_token(), "project_slug": "payments", **WANTED}
    return Machine(folder, options)


def created(simulator: Simulator) -> list[dict[str, Any]]:
    return [each for each in simulator.state()["rotations"] if each["parameters"]["clientId"] == APPLICATION]


def issued(simulator: Simulator) -> int:
    """How many secrets Okta made for the application, besides the one that was made by hand."""
    return int(simulator.state()["okta"][APPLICATION]["createdCount"]) - 1


def writes(simulator: Simulator) -> list[str]:
    return [entry["method"] for entry in simulator.log(ROTATIONS) if entry["method"] != "GET"]
