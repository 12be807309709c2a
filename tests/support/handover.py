# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Consumers of a secret on this machine, each with a file of its own, and the playbook that hands it to them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml
from simulator.client import Simulator

from support import okta
from support.ansible import LOCAL, SUPPORT, Run, Workspace
from support.server import environment

PLAYBOOK = "secretops.infisical.handover"
DAY = 86_400
KEY = "OKTA_CLIENT_SECRET"


class Handover:
    """``names`` are consumers whose check passes with every secret that Okta accepts, by what their file holds."""

    def __init__(self, workspace: Workspace, simulator: Simulator, *names: str, **rotation: Any) -> None:
        self.workspace = workspace
        self.simulator = simulator
        wanted = {"name": "handed", "lastRotatedAt": 40 * DAY, "nextRotationAt": 9 * DAY, **rotation}
        self.rotation = simulator.add_rotation(**wanted)
        self.id = str(self.rotation["id"])
        self.report = workspace.folder / "report.json"
        self.hosts: dict[str, dict[str, Any]] = {name: self.consumer(name) for name in names}
        self.variables: dict[str, Any] = {
            **LOCAL,
            "handover_rotation_id": self.id,
            "handover_okta_url": simulator.okta_url,
            "handover_report": str(self.report),
        }

    # -- consumers

    def path(self, name: str) -> Path:
        return self.workspace.folder / f"{name}.env"

    def consumer(self, name: str, held: str = "made by hand") -> dict[str, Any]:
        """A file, a log of restarts, and a check that looks whether there is a secret at all."""
        self.path(name).write_text(f"# of {name}\nPORT=80\n{KEY}={held}\n", encoding="utf-8")
        return {
            "handover_take": {"way": "env_file", "path": str(self.path(name)), "client_secret_key": KEY},
            "handover_restart": {"argv": ["sh", "-c", f"echo restarted >>{self.restarts(name)}"]},
            "handover_check": {
                "way": "command",
                "argv": ["grep", "-q", f"^{KEY}=.", str(self.path(name))],
                "fetches_token": True,
                "retries": 0,
                "delay": 0,
            },
        }

    def note(self, name: str) -> Path:
        return self.workspace.folder / f"{name}.env.handover"

    def restarts(self, name: str) -> Path:
        return self.workspace.folder / f"{name}.restarts"

    def restarted(self, name: str) -> int:
        path = self.restarts(name)
        return len(path.read_text(encoding="utf-8").splitlines()) if path.exists() else 0

    def accepts_only(self, name: str, secret: str) -> None:
        """Its check fails with every other secret."""
        self.hosts[name]["handover_check"]["argv"] = ["grep", "-q", f"^{KEY}={secret}$", str(self.path(name))]

    def holds(self, name: str) -> str:
        found = re.search(f"^{KEY}=(.*)$", self.path(name).read_text(encoding="utf-8"), re.MULTILINE)
        assert found is not None
        return found[1]

    # -- the other side

    @property
    def slots(self) -> dict[str, str]:
        """As ``okta.slots`` has them."""
        return okta.slots(self.simulator, self.id)

    def token_status(self, secret: str) -> int:
        return okta.token_status(self.simulator, self.rotation["parameters"]["clientId"], secret)

    @property
    def active(self) -> str:
        return next(iter(self.slots.values()))

    @property
    def active_id(self) -> str:
        return next(iter(self.slots))

    def rotations(self) -> int:
        return self.simulator.rotations_done(self.id)

    # -- the run

    def write_inventory(self) -> Path:
        path = self.workspace.folder / "consumers.yml"
        inventory = {"handover_consumers": {"hosts": self.hosts, "vars": self.variables}}
        path.write_text(yaml.safe_dump(inventory), encoding="utf-8")
        return path

    def run(self, *arguments: str, env: dict[str, str] | None = None, playbook: str = PLAYBOOK, **more: Any) -> Run:
        """``more`` are variables ``handover_...``, without that beginning."""
        variables = [word for name, value in more.items() for word in ("-e", json.dumps({f"handover_{name}": value}))]
        return self.workspace.command(
            ["ansible-playbook", "-i", str(self.write_inventory()), playbook, *arguments, *variables],
            {
                **environment(self.simulator),
                "ANSIBLE_CONNECTION_PLUGINS": str(SUPPORT / "connection_plugins"),
                "SHAKY_FILE": str(self.workspace.folder / "shaky"),
                **(env or {}),
            },
        )

    def told(self) -> dict[str, Any]:
        report: dict[str, Any] = json.loads(self.report.read_text(encoding="utf-8"))
        return report

    def states(self) -> dict[str, tuple[str, str]]:
        """What the report says of each consumer: its state and the id of the secret that it holds."""
        return {each["host"]: (each["state"], each["secret_id"]) for each in self.told()["consumers"]}
