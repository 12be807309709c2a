# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server or a proxy shows secrets back, wherever an answer has room for it: nothing of them is shown again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import yaml
from ansible_collections.secretops.infisical.plugins.module_utils._transport.redaction import MASK
from integration.secrecy.reflecting import (
    LIST,
    LOGIN,
    PLACES,
    READ,
    REVOKE,
    ROTATE,
    ROTATION_ID,
    SHOWN,
    WAYS,
    Reflector,
    reflecting,
)
from support.ansible import MODULE, SUPPORT, Run, Workspace, python_path
from support.leaks import Watch, random_jwt, random_secret

pytestmark = pytest.mark.run_once

BEFORE_RELEASE = pytest.mark.before_release
WEEKLY = (BEFORE_RELEASE, pytest.mark.weekly)
INVENTORY = "secretops.infisical.okta_client_secret_rotations"
Case = tuple[str, str]


#: A place that makes sense with one request only.
ALONE = {("doubt", LOGIN), ("doubt", ROTATE), ("doubt", REVOKE), ("doubt", LIST)}


def cases(*kinds: str) -> list[Case]:
    """Each place with every request, and where it is shown each way of writing by itself with the first two."""
    everywhere = [(place, kind) for place in PLACES for kind in kinds if (place, kind) not in ALONE]
    return everywhere + [(f"{place}.{way}", kind) for place in SHOWN for way in range(len(WAYS)) for kind in kinds[:2]]


def some(*kinds: str) -> list[Case]:
    """Each place with one of the requests."""
    return [case for number, place in enumerate(PLACES) if (case := (place, kinds[number % len(kinds)])) not in ALONE]


KEPT = ("data.0", ROTATE)
OF_TASKS, OF_INVENTORIES = (LOGIN, READ, ROTATE, REVOKE), (LOGIN, LIST, REVOKE)
METHODS = {
    "universal_auth": {"universal_auth_client_id": "i", "universal_auth_client_secret": "{{ right }}"},
    "ldap_auth": {
        "identity_id": "0f6f2f0e-2a0c-4a5c-9a0e-6d2f3b1c7e55",
        "ldap_username": "robot",
        "ldap_password": "{{ ldap }}",
    },
    "oidc_auth": {"identity_id": "0f6f2f0e-2a0c-4a5c-9a0e-6d2f3b1c7e55", "jwt": "{{ jwt }}"},
}


class World:
    """Secrets, whoever shows them, and where the run may have left them."""

    def __init__(self, workspace: Workspace, reflector: Reflector, inputs: Path, **secrets: str) -> None:
        self.workspace = workspace
        self.reflector = reflector
        self.inputs = inputs
        self.secrets = {**secrets, "token": reflector.token}

    def environment(self, **more: str) -> dict[str, str]:
        folder = self.workspace.folder
        return {
            "INFISICAL_UNIVERSAL_AUTH_CLIENT_ID": "i",
            "INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET": self.secrets["right"],
            "INFISICAL_LDAP_USERNAME": "robot",
            "INFISICAL_LDAP_PASSWORD": self.secrets["ldap"],
            "INFISICAL_JWT": self.secrets["jwt"],
            "INFISICAL_MACHINE_IDENTITY_ID": "0f6f2f0e-2a0c-4a5c-9a0e-6d2f3b1c7e55",
            "ANSIBLE_LOG_PATH": str(folder / "ansible.log"),
            "ANSIBLE_CACHE_PLUGIN": "ansible.builtin.jsonfile",
            "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(folder / "facts"),
            "ANSIBLE_INJECT_INVOCATION": "true",
            "ANSIBLE_DISPLAY_TRACEBACK": "always",
            "PYTHONPATH": python_path(SUPPORT / "leak_hooks"),
            "LEAK_SYSLOG": str(folder / "syslog"),
            **more,
        }

    def run(self, command: list[str], wanted: list[Case], **environment: str) -> Run:
        """The run, in which every case was shown to the collection, and in which nothing was shown by it."""
        self.reflector.shown.clear()
        with Watch(self.secrets, self.workspace) as watch:
            run = self.workspace.command(command, self.environment(**environment), timeout=600)
        missing = [case for case in wanted if not self.reflector.shown[case]]
        assert not missing, f"{missing}\n{run.output}"
        assert watch.leaks(run.output) == []
        assert "a fault of this collection" not in run.output
        return run

    def playbook(self, tasks: list[dict[str, Any]]) -> str:
        path = self.inputs / "playbook.yml"
        path.write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]), "utf-8")
        variables = self.inputs / "variables.json"
        variables.write_text(json.dumps({**self.secrets, "host": self.reflector.host}), encoding="utf-8")
        return str(path)


@pytest.fixture
def world(workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    secrets = {"right": random_secret(), "ldap": random_secret(), "jwt": random_jwt()}
    # requests knows only Latin-1 there.
    secrets["proxy"] = random_secret().replace("€", "")
    with reflecting(random_jwt()) as reflector:
        yield World(workspace, reflector, tmp_path_factory.mktemp("inputs"), **secrets)


def tasks(wanted: list[Case], url: str = "http://{{ host }}/{{ item[0] }}/{{ item[1] }}") -> list[dict[str, Any]]:
    """One for each login, with its share of the cases."""
    options = {"url": url, "rotation_id": ROTATION_ID, "wait_timeout": 0, "min_age": 0, "timeout": 5}
    return [
        {
            "name": method,
            MODULE: {**options, "auth_method": method, **login},
            "loop": [list(case) for case in wanted[number :: len(METHODS)]],
            "ignore_errors": True,
        }
        for number, (method, login) in enumerate(METHODS.items())
    ]


@pytest.mark.parametrize(
    ("verbosity", "in_process", "wanted"),
    [
        pytest.param(0, "1", some(*OF_TASKS), marks=BEFORE_RELEASE),
        pytest.param(1, "1", some(*OF_TASKS[1:], LOGIN), marks=WEEKLY),
        pytest.param(2, "1", some(*OF_TASKS[2:], LOGIN, READ), marks=WEEKLY),
        (3, "1", some(REVOKE, *OF_TASKS[:3])),
        pytest.param(4, "1", cases(*OF_TASKS), marks=WEEKLY),
        pytest.param(4, "1", some(*OF_TASKS), marks=BEFORE_RELEASE),
        pytest.param(0, "0", some(*OF_TASKS)[::3], marks=BEFORE_RELEASE),
        pytest.param(3, "0", some(*OF_TASKS)[1::3], marks=BEFORE_RELEASE),
        pytest.param(4, "0", some(*OF_TASKS)[2::3], marks=BEFORE_RELEASE),
    ],
)
def test_tasks(world: World, verbosity: int, in_process: str, wanted: list[Case]) -> None:
    # Of a loop in which something failed ansible-core keeps no facts.
    played = [*tasks(wanted), {**tasks([KEPT])[0], "name": "facts"}]
    command = ["ansible-playbook", world.playbook(played), "-e", f"@{world.inputs}/variables.json", "--diff"]
    run = world.run([*command, *["-v"] * verbosity], [*wanted, KEPT], SECRETOPS_INFISICAL_IN_PROCESS=in_process)
    assert MASK in run.output
    # What was searched as well: facts that were kept, and notes for the next task.
    assert any((world.workspace.folder / "facts").iterdir())
    assert any(world.workspace.tmp.glob("secretops.infisical-*/*"))


@BEFORE_RELEASE
@pytest.mark.parametrize("in_process", ["1", pytest.param("0", marks=pytest.mark.weekly)])
def test_behind_a_proxy(world: World, in_process: str) -> None:
    """Which shows its own password too, to requests and in the place of a tunnel."""
    answered = [case for case in cases(LOGIN) if case[0] != "token"]
    refused = [(place, "connect") for place in PLACES if place.startswith(("reason", "location", "page", "no-header"))]
    wanted = [*answered[:: 3 if in_process == "1" else 9], *refused]
    proxy = f"http://robot:{quote(world.secrets['proxy'], safe='')}@{world.reflector.host}"
    through = [
        *tasks(
            [case for case in wanted if case not in refused], "http://infisical.example/{{ item[0] }}/{{ item[1] }}"
        ),
        *tasks(refused, "https://{{ item[0] }}--{{ item[1] }}.example"),
    ]
    command = ["ansible-playbook", world.playbook(through), "-e", f"@{world.inputs}/variables.json", "-vvvv"]
    environment = {"http_proxy": proxy, "https_proxy": proxy, "SECRETOPS_INFISICAL_IN_PROCESS": in_process}
    assert MASK in world.run(command, wanted, **environment).output


@pytest.mark.parametrize(
    ("verbosity", "wanted"),
    [
        (0, some(*OF_INVENTORIES)),
        pytest.param(1, some(*OF_INVENTORIES), marks=WEEKLY),
        pytest.param(2, some(*OF_INVENTORIES[1:], LOGIN), marks=WEEKLY),
        pytest.param(3, some(REVOKE, *OF_INVENTORIES[:2]), marks=WEEKLY),
        pytest.param(4, some(*OF_INVENTORIES), marks=BEFORE_RELEASE),
        pytest.param(4, cases(*OF_INVENTORIES), marks=WEEKLY),
    ],
)
def test_inventories(world: World, verbosity: int, wanted: list[Case]) -> None:
    """One file for each case, all read by one command."""
    folder = world.inputs / "fleet"
    folder.mkdir()
    for number, (place, kind) in enumerate(wanted):
        options = {
            "plugin": INVENTORY,
            "url": f"http://{world.reflector.host}/{place}/{kind}",
            "auth_method": list(METHODS)[number % len(METHODS)],
            "projects": {f"p{number}": "p"},
            "wait_timeout": 0,
            "timeout": 5,
            "cache": True,
            "cache_plugin": "ansible.builtin.jsonfile",
            "cache_connection": str(world.workspace.folder / "cache"),
        }
        (folder / f"{number:03}.okta_rotations.yml").write_text(yaml.safe_dump(options), encoding="utf-8")
    run = world.run(["ansible-inventory", "-i", str(folder), "--list", *["-v"] * verbosity], wanted)
    assert MASK in run.output
    assert any((world.workspace.folder / "cache").iterdir())
