# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests share: the data file of tower_setup as it is for a team, and the playbook run against the stand-in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from jinja2.nativetypes import NativeEnvironment
from support.ansible import COLLECTION, Run, Workspace

from .awx_api import Awx

PLAYBOOKS = COLLECTION / "playbooks"
PASSWORD = "tower-pässword-0815"
CLIENT_SECRET = "st.secret-of-the-identity"
PROJECT = "https://git.example.com/rotations.git"
#: The login of the jobs, as whoever sets Tower up has it in the environment.
LOGIN = {
    "INFISICAL_URL": "https://infisical.example.com",
    "INFISICAL_UNIVERSAL_AUTH_CLIENT_ID": "8e9f0a1b-2c3d-4e5f-8a7b-9c0d1e2f3a4b",
    "INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET": CLIENT_SECRET,
}


class Unsafe(str):
    """A text of the data file that Ansible hands on as it is."""

    __slots__ = ()


class _Loader(yaml.SafeLoader):
    pass


_Loader.add_constructor("!unsafe", lambda _loader, node: Unsafe(node.value))


def _read(path: Path) -> Any:
    return yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - it is a safe one


def data(**given: Any) -> dict[str, Any]:
    """The data file for a team that gave these variables, with its templates filled in."""
    source = _read(PLAYBOOKS / "vars" / "tower_setup.yml")
    defaults = {"tower_setup_prefix": "Okta secrets", "tower_setup_organization": "Default"}
    known: dict[str, Any] = {"tower_setup_given": {**defaults, **given}, "lookup": lambda *_: ""}
    environment = NativeEnvironment()
    environment.filters["path_join"] = "/".join

    def filled(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: filled(each) for key, each in value.items()}
        if isinstance(value, list):
            return [filled(each) for each in value]
        if isinstance(value, str) and "{" in value and not isinstance(value, Unsafe):
            return environment.from_string(value).render(known)
        return value

    for name, value in source.items():
        known[name] = filled(value)
    return known


def tasks(state: str) -> list[dict[str, Any]]:
    """The tasks of a state."""
    found: list[dict[str, Any]] = _read(PLAYBOOKS / "tasks" / "tower_setup" / f"{state}.yml")
    return found


def way_to(awx: Awx) -> dict[str, str]:
    return {"CONTROLLER_HOST": awx.url, "CONTROLLER_USERNAME": "admin", "CONTROLLER_PASSWORD": PASSWORD}


def run(workspace: Workspace, awx: Awx, *arguments: str, env: dict[str, str] | None = None) -> Run:
    """The playbook by its name, as the guide shows it."""
    command = ["ansible-playbook", "secretops.infisical.tower_setup", *arguments]
    return workspace.command(command, {**way_to(awx), **LOGIN, **(env or {})})
