# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rotation that a test creates with state: present."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from simulator.client import Simulator

from .machine import Machine

APPLICATION = "0oabilling"
#: As the vendor's page for a creation names them.
ROTATIONS = "/api/v2/secret-rotations/okta-client-secret"
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
