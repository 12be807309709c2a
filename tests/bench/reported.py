# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of many rotations, against what one would write without it: a task for each project and a template."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from simulator.client import Simulator

from .measuring import Cost
from .plays import Bench

REPORT, TEMPLATE = "the action report", "info tasks and a template"
WAYS = (REPORT, TEMPLATE)
PROJECTS = 2
#: The same columns, in the order in which they come, and nothing else of what the page can do.
_TEMPLATE = """<!DOCTYPE html>
<title>Okta client secrets</title>
<table>
{% for found in read.results %}
{% for each in found.secretRotations %}
{% set told = found.summary[loop.index0] %}
<tr><td>{{ 'Overdue' if told.overdue else '' }}<td>{{ each.name | e }}<td>{{ each.parameters.clientId | e }}
<td>{{ found.item | e }}<td>{{ each.environment.slug | e }}<td>{{ each.folder.path | e }}
<td>{{ told.age_seconds // 86400 }} days<td>{{ each.lastRotatedAt }}<td>{{ each.rotationInterval }} days
<td>{{ each.nextRotationAt or '' }}<td>{{ each.rotationStatus }} {{ each.lastRotationMessage or '' | e }}
{% endfor %}
{% endfor %}
</table>
"""


class Reported(Bench):
    """``size`` rotations in some projects. ``cost`` is that of one of WAYS."""

    def __init__(self, folder: Path, simulator: Simulator, size: int) -> None:
        super().__init__(folder, simulator, size // PROJECTS)
        self.projects = ["bench"]
        for number in range(1, PROJECTS):
            project = simulator.add_project(f"bench-{number}")
            simulator.add_rotations(size // PROJECTS, projectId=project["id"])
            self.projects.append(project["slug"])
        (folder / "page.html.j2").write_text(_TEMPLATE, encoding="utf-8")
        self.size = size // PROJECTS * PROJECTS

    def cost(self, way: str, *, memory: bool = False) -> Cost:
        page = self.workspace.folder / "page.html"
        page.unlink(missing_ok=True)
        tasks: list[dict[str, Any]] = [
            {
                "name": "Read",
                "secretops.infisical.okta_client_secret_rotation_info": {"project_slug": "{{ item }}"},
                "loop": self.projects,
                "register": "read",
            },
            {"name": "Write", "ansible.builtin.template": {"src": "page.html.j2", "dest": str(page), "mode": "0644"}},
        ]
        if way == REPORT:
            tasks = [{"name": "Report", "secretops.infisical.report": {"projects": self.projects, "html": str(page)}}]
        playbook = self.workspace.folder / "report.yml"
        playbook.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]), "utf-8")
        cost = self.command("1", str(playbook), memory=memory)
        rows = page.read_text(encoding="utf-8").count("<tr" if way == TEMPLATE else "<tr id=")
        if rows != self.size:
            raise AssertionError(f"{way}: {rows} rows instead of {self.size}")
        return cost
