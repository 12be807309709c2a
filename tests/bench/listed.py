# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a large inventory from the server, against ansible-core's own reading of the same one from a YAML file."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import yaml
from simulator.client import Simulator
from support.server import environment

from .measuring import Cost
from .plays import Bench

PLUGIN, STATIC = "the inventory plugin", "the same inventory as a YAML file"
WAYS = (PLUGIN, STATIC)


class Listed(Bench):
    """``size`` rotations in one project, and a static inventory of the same hosts. ``cost`` is that of one of WAYS."""

    def __init__(self, folder: Path, simulator: Simulator, size: int) -> None:
        super().__init__(folder, simulator, size)
        env = self.workspace.environment(environment(simulator))
        program = str(Path(env["PATH"].partition(":")[0]) / "ansible-inventory")
        command = [program, "-i", str(self.inventory), "--list"]
        done = subprocess.run(command, env=env, cwd=folder, check=True, stdout=subprocess.PIPE)
        groups = json.loads(done.stdout)
        hosts = groups.pop("_meta")["hostvars"]
        children = {name: {"hosts": dict.fromkeys(group.get("hosts", []))} for name, group in groups.items()}
        del children["all"]
        self.static = folder / "static.yml"
        # ansible-inventory's own way to write YAML takes minutes for so many.
        text = yaml.dump({"all": {"hosts": hosts, "children": children}}, Dumper=yaml.CSafeDumper)
        self.static.write_text(text, encoding="utf-8")

    def cost(self, way: str) -> Cost:
        """Of a play that does nothing on localhost but look whether all hosts are there."""
        wanted = f"groups['okta_client_secret_rotations'] | length == {len(self.ids)}"
        task = {"name": "Look", "ansible.builtin.assert": {"that": wanted}}
        playbook = self.workspace.folder / "look.yml"
        playbook.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": [task]}]), "utf-8")
        return self.command("1", "-i", str(self.inventory if way == PLUGIN else self.static), str(playbook))
