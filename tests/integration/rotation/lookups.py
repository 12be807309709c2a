# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls of the lookup in a play, and what came of them."""

from __future__ import annotations

import json
from typing import Any

from simulator.client import Simulator
from support.ansible import Run, Workspace
from support.okta import credentials
from support.server import environment

LOOKUP = "secretops.infisical.okta_client_credentials"
BY_NAME = "project_slug='payments', environment='prod', secret_path='/okta'"


def looked_up(workspace: Workspace, simulator: Simulator, *calls: str, env: Any = None, **play: Any) -> Run:
    """Each call is the arguments of a lookup; the values are written where only the test reads them."""
    tasks = [
        {
            "name": f"call {number}",
            "ansible.builtin.copy": {
                "content": "{{ lookup('" + LOOKUP + "', " + call + ") | to_json }}",
                "dest": str(workspace.home / f"value-{number}"),
                "mode": "0600",
            },
            "no_log": True,
            "ignore_errors": True,
        }
        for number, call in enumerate(calls)
    ]
    return workspace.tasks(tasks, env=environment(simulator) if env is None else env, **play)


def value(workspace: Workspace, number: int = 0) -> Any:
    path = workspace.home / f"value-{number}"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def refusals(
    workspace: Workspace, simulator: Simulator, calls: list[str], *, env: Any = None, **more: Any
) -> list[str]:
    """What lookups that fail say, one after the other in one play."""
    tasks = [
        {
            "name": f"call {number}",
            "ansible.builtin.set_fact": {"found": "{{ lookup('" + LOOKUP + "', " + call + ") }}"},
            "ignore_errors": True,
        }
        for number, call in enumerate(calls)
    ]
    run = workspace.tasks(tasks, env=environment(simulator) if env is None else env, **more)
    assert [result.status for result in run.results] == ["failed"] * len(calls), run.output
    return [str(result["msg"]) for result in run.results]


def refusal(workspace: Workspace, simulator: Simulator, call: str, **more: Any) -> str:
    (message,) = refusals(workspace, simulator, [call], **more)
    return message


def active(simulator: Simulator, rotation_id: str | None = None) -> dict[str, str]:
    made = credentials(simulator, rotation_id)[0]
    return {"clientId": made["clientId"], "clientSecret": made["clientSecret"]}
