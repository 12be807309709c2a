# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Consumers with their files in memory, and the steps of the role handover that are done to them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.secretops.infisical.plugins.action import handover
from ansible_collections.secretops.infisical.plugins.plugin_utils._handover_host import Host
from support.server import login
from unit.handover.files_in_memory import VARIABLES, Machine
from unit.handover.handover_cycle import Handed
from unit.handover.handover_steps import Play
from unit.handover.handover_variables import NEEDED


class Consumers:
    """Of the rotation, each with an env file of its own, and a check that asks Okta."""

    def __init__(self, handed: Handed, monkeypatch: pytest.MonkeyPatch, *names: str, **more: Any) -> None:
        self.machines = {name: Machine({"/etc/app.env": b"KEY=old\n"}) for name in names}
        monkeypatch.setattr(handover, "Host", self._host)
        connection = {f"infisical_{name}": value for name, value in login(handed.simulator).items()}
        shared = {
            **NEEDED,
            "handover_rotation_id": handed.id,
            "handover_okta_url": handed.simulator.okta_url,
            "handover_check": {"way": "okta"},
            "handover_require": "checked",
            **connection,
            **more,
        }
        self.play = Play({name: {} for name in names}, None, **shared)
        self.run = self.play.act("check")

    def _host(self, _action: Any, variables: dict[str, Any]) -> Host:
        machine: Any = self.machines[variables["inventory_hostname"]]
        return Host(machine, VARIABLES)

    def deliver(self, host: str, look: dict[str, Any]) -> dict[str, Any]:
        """As deliver.yml and consumers.yml do it."""
        own = self.play.hostvars[host]["handover_own"]
        active = look["credentials"]["active"]
        secret = {"own": own, "client_id": active["clientId"], "client_secret": active["clientSecret"]}
        note = self.play.act("read", host, own=own)
        taken = self.play.act("file", host, **secret)
        self.play.act("note", host, own=own, secret_id=active["secretId"])
        asked = self.play.act("okta", host, **secret)
        assert asked["msg"] == "Okta accepts the secret that /etc/app.env holds."
        record = {"run": self.run, "note": note, "secret_id": active["secretId"], "state": "checked"}
        self.play.hostvars[host]["handover_state"] = self.play.act("record", host, **record)
        return dict(taken)
