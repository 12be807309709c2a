# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook handover over many consumers, against a play of as many hosts that copies one file to each."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any

import yaml
from simulator.client import Simulator
from support.ansible import Workspace
from support.handover import Handover

from .measuring import Cost, measured
from .plays import FORKS

FULL, UP_TO_DATE, COPY = "handover, rotation included", "delivered only, all up to date", "one file copied to each"
WAYS = (FULL, UP_TO_DATE, COPY)


class Handed:
    """``size`` consumers on this machine. ``cost`` is that of one of WAYS."""

    def __init__(self, folder: Path, simulator: Simulator, size: int) -> None:
        self.workspace = Workspace(folder)
        self.handover = Handover(self.workspace, simulator, *(f"host{number:03d}" for number in range(size)))
        self.inventory = self.handover.write_inventory()
        task = {"name": "Copy", "ansible.builtin.copy": {"content": "{{ x }}\n", "dest": "{{ to }}", "mode": "0600"}}
        variables = {"to": "{{ handover_take.path }}.copy"}
        play = {"hosts": "handover_consumers", "gather_facts": False, "vars": variables, "tasks": [task]}
        self.copying = folder / "copy.yml"
        self.copying.write_text(yaml.safe_dump([play]), encoding="utf-8")

    def cost(self, way: str) -> Cost:
        if way == COPY:
            # Each time another content, so that each file is written.
            return self._measured(str(self.copying), {"x": secrets.token_hex(8)})
        variables = {"handover_min_age": "0", "handover_rotate": way == FULL, "handover_serial": [1, "10%", "100%"]}
        before = self.handover.rotations()
        cost = self._measured("secretops.infisical.handover", variables)
        assert self.handover.rotations() - before == (way == FULL)
        assert {self.handover.holds(name) for name in self.handover.hosts} == {self.handover.active}
        return cost

    def _measured(self, playbook: str, variables: dict[str, Any]) -> Cost:
        arguments = ["-i", str(self.inventory), "--forks", str(FORKS), "-e", json.dumps(variables), playbook]
        environ = self.workspace.environment(
            {"INFISICAL_URL": self.handover.simulator.url, "INFISICAL_TOKEN": self.handover.simulator.mint_token()}
        )
        program = str(Path(environ["PATH"].partition(":")[0]) / "ansible-playbook")
        return measured([program, *arguments], environ, self.workspace.folder)
