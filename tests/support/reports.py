# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rotations for tests of the report: those that a server has, and rows that no server has."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from ansible_collections.secretops.infisical.plugins.plugin_utils._report_rows import Report, Row, in_order
from simulator.client import Simulator

from support.ansible import Run, Workspace
from support.server import environment

PLAYBOOK = "secretops.infisical.report"
FILES = {"html": "r.html", "json": "r.json", "csv": "r.csv", "prometheus": "r.prom"}
HOUR, DAY = 3_600, 86_400
MADE = datetime(2026, 11, 25, 14, 53, 7, tzinfo=timezone.utc)
SERVER = "https://infisical.example.com"
#: Each is a name that wants to be something else.
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=http://127.0.0.1:9/x onerror=alert(2)>',
    "'; alert(3); //",
    "</td></tr></table></style></script><svg/onload=alert(4)>",
    "{{ 7 * 7 }}{% raw %}",
    "=HYPERLINK(1)",
    "\u202egnp.exe",
    "zero\u200bwidth",
    "line\nbreak\tand\x1b[2Jescape",
    "a\\b",
    "x" * 64,
)


def fill(simulator: Simulator) -> None:
    """Two projects: beside that of the seed, which is overdue by ten days, what a fleet may have."""
    payments = simulator.state()["project"]["id"]
    billing = simulator.add_project("billing")["id"]
    text = (
        "Infisical encountered an issue while generating credentials with the configured inputs: Failed to add client "
        "secret to Okta app 0oa8r2cq7kTn1XyZ45d7: You must have only a single secret for the Okta app prior to "
        "creating this secret rotation."
    )
    wanted: list[dict[str, Any]] = [
        {"name": "okta-checkout", "projectId": payments, "lastRotatedAt": 3 * DAY + HOUR},
        {"name": "okta-refunds", "projectId": payments, "secretPath": "/refunds", "lastRotatedAt": 26 * DAY + HOUR},
        {"name": "okta-sandbox", "projectId": payments, "environment": "dev", "lastRotatedAt": 5 * HOUR + 60},
        {"name": "okta-ledger", "projectId": billing, "lastRotatedAt": 412 * DAY + HOUR, "nextRotationAt": -320 * DAY,
         "rotationInterval": 90, "rotationStatus": "failed", "lastRotationMessage": text},
        {"name": "okta-invoices", "projectId": billing, "lastRotatedAt": 12 * DAY + HOUR, "rotationStatus": "failed",
         "lastRotationMessage": "Okta is not available."},
        {"name": "okta-archive", "projectId": billing, "lastRotatedAt": 200 * DAY + HOUR, "nextRotationAt": None,
         "isAutoRotationEnabled": False},
    ]  # fmt: skip
    for each in wanted:
        simulator.add_rotation(**each)


def run(workspace: Workspace, simulator: Simulator, *arguments: str, env: Any = None, **variables: Any) -> Run:
    given = {f"report_{name}": value for name, value in {"projects": "payments,billing", **variables}.items()}
    command = ["ansible-playbook", PLAYBOOK, *arguments, "-e", json.dumps(given)]
    return workspace.command(command, env or environment(simulator))


def written(workspace: Workspace) -> set[str]:
    return {name for name in os.listdir(workspace.folder) if name.startswith("r.")}


def row(number: int = 1, **given: Any) -> Row:
    """One that is in time."""
    age = given.pop("age", 10 * DAY)
    known: dict[str, Any] = {
        "project": "payments",
        "environment": "prod",
        "folder": "/okta",
        "name": f"app-{number}",
        "id": f"00000000-0000-4000-8000-{number:012}",
        "application": f"0oa{number:017}",
        "last_rotated": MADE - timedelta(seconds=age),
        "age": age,
        "interval": 30,
        "next": MADE + timedelta(days=20),
        "overdue": False,
        "failed": False,
        "message": "",
    }
    return Row(**{**known, **given})


def report(rows: Sequence[Row], title: str = "Okta client secrets") -> Report:
    return Report(title, SERVER, MADE, ["payments"], in_order(rows))
