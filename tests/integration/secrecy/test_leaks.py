# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""No secret is shown: every module, in success and failure, with everything on that may show one.

ANSIBLE_DEBUG is left out: ansible-core itself prints every argument then.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from simulator.client import Simulator
from support.ansible import COLLECTION, SUPPORT, Run, Workspace, python_path
from support.leaks import Watch, random_jwt, random_secret

ROTATION, LOGIN, LOGOUT = (f"secretops.infisical.{name}" for name in ("okta_client_secret_rotation", "login", "logout"))
MODULES = [f"secretops.infisical.{path.stem}" for path in sorted((COLLECTION / "plugins" / "modules").glob("*.py"))]
Task = dict[str, Any]


class World:
    """Secrets, the server that knows them, and the files that hand them to Ansible."""

    def __init__(self, simulator: Simulator, workspace: Workspace, inputs: Path) -> None:
        self.simulator = simulator
        self.workspace = workspace
        # What holds the secrets by purpose is not below the folder that is searched.
        self.inputs = inputs
        self.syslog = self.workspace.folder / "syslog"
        self.secrets = {name: random_secret() for name in ("right", "wrong", "ldap", "proxy", "aws")}
        self.secrets |= {name: random_jwt() for name in ("jwt", "bad_token", "jwt_in_file")}
        methods = {"ldap-auth": {"users": {"robot": self.secrets["ldap"]}}}
        self.identity = simulator.add_identity(clientSecret=self.secrets["right"], methods=methods)
        for name in ("token", "spent"):
            self.secrets[name] = simulator.mint_token(revoked=name == "spent")
        self.rotations = [rotation["id"] for rotation in simulator.add_rotations(3)]
        simulator.fault("reflect", path="(oidc|jwt)-auth/login", times=0)
        simulator.fault("reflect", path="token/revoke", times=2)
        simulator.fault("reflect", path="api/status")
        simulator.fault("reflect", path=self.rotations[1], method="GET", times=0)
        simulator.fault("reflect", path=self.rotations[2], method="POST", times=0)
        jwt_file = self.inputs / "jwt"
        jwt_file.write_text(self.secrets["jwt_in_file"] + "\n", encoding="utf-8")
        names = {"url": simulator.url, "client_id": self.identity["clientId"], "identity_id": self.identity["id"]}
        self.variables = self.inputs / "variables.json"
        self.variables.write_text(
            json.dumps({**self.secrets, **names, "rotations": self.rotations, "jwt_file": str(jwt_file)}),
            encoding="utf-8",
        )

    def environment(self, **more: str) -> dict[str, str]:
        return {
            "INFISICAL_URL": self.simulator.url,
            "INFISICAL_UNIVERSAL_AUTH_CLIENT_ID": self.identity["clientId"],
            "INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET": self.secrets["right"],
            "AWS_SECRET_ACCESS_KEY": self.secrets["aws"],
            "http_proxy": f"http://robot:{self.secrets['proxy'].encode().hex()}@127.0.0.1:9",
            "no_proxy": "127.0.0.1",
            "PYTHONPATH": python_path(SUPPORT / "leak_hooks"),
            "LEAK_SYSLOG": str(self.syslog),
            "ANSIBLE_LOG_PATH": str(self.workspace.folder / "ansible.log"),
            "ANSIBLE_INJECT_INVOCATION": "true",
            "ANSIBLE_DISPLAY_TRACEBACK": "always",
            **more,
        }

    def watch(self) -> Watch:
        return Watch({**self.secrets, "proxy": self.secrets["proxy"].encode().hex()}, self.workspace)

    def leaks(self, watch: Watch, run: Run) -> list[str]:
        for token in self.simulator.state()["tokens"]:
            watch.add(f"token {token['id']} of {token['method']}", token["accessToken"])
        return watch.leaks(run.output)


def task(name: str, module: str, expected: str, options: dict[str, Any], **keywords: Any) -> Task:
    """``expected`` is 'ok' or the reason of the failure."""
    return {"name": f"{name}: {expected}", module: {"wait_timeout": 0, **options}, "ignore_errors": True, **keywords}


RIGHT = {"universal_auth_client_id": "{{ client_id }}", "universal_auth_client_secret": "{{ right }}"}
WRONG = {**RIGHT, "universal_auth_client_secret": "{{ wrong }}"}
LDAP = {"identity_id": "{{ identity_id }}", "ldap_username": "robot", "ldap_password": "{{ ldap }}"}
NOW = {"rotation_id": "{{ rotations[0] }}", "min_age": "0"}
REFLECTED = {"identity_id": "{{ identity_id }}", "jwt": "{{ jwt }}"}

TASKS = [
    task("revoke reflects", ROTATION, "ok", {**NOW, **LDAP}),
    task("environment", ROTATION, "ok", NOW),
    task("given token", ROTATION, "ok", {**NOW, "token": "{{ token }}"}),
    task("reading reflects", ROTATION, "server_error", {**RIGHT, "rotation_id": "{{ rotations[1] }}"}),
    task(
        "request reflects", ROTATION, "outcome_unknown", {"token": "{{ token }}", "rotation_id": "{{ rotations[2] }}"}
    ),
    task("spent token", ROTATION, "authentication_failed", {**NOW, "token": "{{ spent }}"}),
    task("token as login_data", ROTATION, "invalid_arguments", {**NOW, "login_data": "{{ token }}"}),
    # These two end in ansible-core's own checks, before it knows what to censor.
    task("misspelt", ROTATION, "invalid_arguments", {**NOW, **RIGHT, "universal_auth_client_secrt": "{{ wrong }}"}),
    task("misspelt below", ROTATION, "invalid_arguments", {**RIGHT, "login_data": {"acess_token": "{{ token }}"}}),
    task("two logins", ROTATION, "invalid_arguments", {**NOW, **RIGHT, "token": "{{ token }}"}),
    task("log in", LOGIN, "ok", RIGHT, no_log=True, register="infisical"),
    task("its token", ROTATION, "ok", {**NOW, "login_data": "{{ infisical.login_data }}"}),
    task("pass on", LOGIN, "ok", {"token": "{{ token }}"}, no_log=True),
    task("login reflects", LOGIN, "server_error", REFLECTED),
    task("file", LOGIN, "server_error", {"identity_id": "{{ identity_id }}", "jwt_path": "{{ jwt_file }}"}),
    task("proxy", LOGIN, "unreachable", {**RIGHT, "url": "http://infisical.example"}),
    task("exception", LOGIN, "internal_error", {"auth_method": "aws_auth", "identity_id": "{{ identity_id }}"}),
    task("status reflects", LOGOUT, "server_error", {"token": "{{ token }}"}),
    task("logout", LOGOUT, "ok", {"login_data": "{{ infisical.login_data }}"}),
    task("not a token", LOGOUT, "authentication_failed", {"token": "{{ bad_token }}"}),
    *(task(f"{module} wrong secret", module, "any", WRONG) for module in MODULES),
]
IN_BACKGROUND = [
    task("background", ROTATION, "ok", {**NOW, **RIGHT}, **{"async": 60, "poll": 1}),
    task("background reflects", LOGIN, "server_error", REFLECTED, **{"async": 60, "poll": 1}),
]


def play(tasks: list[Task]) -> list[dict[str, Any]]:
    defaults = {"group/secretops.infisical.all": {"url": "{{ url }}", "timeout": 20}}
    return [{"hosts": "localhost", "gather_facts": False, "module_defaults": defaults, "tasks": tasks}]


def assert_as_expected(run: Run, tasks: list[Task]) -> None:
    """What shows no secret because it did not even run proves nothing."""
    ended = {result.task: result for result in run.results}
    for wanted in tasks:
        result = ended[wanted["name"]]
        expected = wanted["name"].rpartition(": ")[2]
        if expected == "ok" or wanted.get("no_log"):
            assert result.status == "ok", f"{result.task}\n{run.output}"
        elif expected != "any":
            assert (result.status, result.result.get("reason", "none")) == ("failed", expected), result.result


@pytest.fixture
def world(simulator: Simulator, workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(simulator, workspace, tmp_path_factory.mktemp("inputs"))


@pytest.mark.run_once
@pytest.mark.parametrize(
    ("in_process", "result_format", "tasks"),
    # What runs in the background clears up after itself seconds later, so it comes first.
    [
        pytest.param("0", "json", IN_BACKGROUND + TASKS, id="as modules", marks=pytest.mark.before_release),
        pytest.param("1", "yaml", TASKS, id="in the controller's process"),
    ],
)
def test_ansible_playbook_shows_no_secret(world: World, in_process: str, result_format: str, tasks: list[Task]) -> None:
    playbook = world.inputs / "playbook.yml"
    playbook.write_text(yaml.safe_dump(play(tasks)), encoding="utf-8")
    environment = world.environment(
        SECRETOPS_INFISICAL_IN_PROCESS=in_process, ANSIBLE_CALLBACK_RESULT_FORMAT=result_format
    )
    with world.watch() as watch:
        command = ["ansible-playbook", str(playbook), "-e", f"@{world.variables}", "-vvvv", "--diff"]
        run = world.workspace.command(command, environment)
        until_gone(world.workspace.home / ".ansible" / "tmp")
    assert_as_expected(run, tasks)
    assert world.leaks(watch, run) == []
    assert watch.command_lines > 1
    if in_process == "0":
        assert "Invoked with" in world.syslog.read_text(encoding="utf-8")


def until_gone(folder: Path) -> None:
    """Wait for the monitor of a task in the background to remove what it ran; then it is no longer a leak."""
    end = time.monotonic() + 15
    while any(folder.glob("ansible-tmp-*")) and time.monotonic() < end:
        time.sleep(0.05)


def test_ansible_runner_stores_no_secret(world: World) -> None:
    project, variables = world.inputs / "project", world.inputs / "env"
    for folder in (project, variables):
        folder.mkdir()
    (project / "playbook.yml").write_text(yaml.safe_dump(play(TASKS)), encoding="utf-8")
    (variables / "extravars").write_text(world.variables.read_text(encoding="utf-8"), encoding="utf-8")
    artifacts = world.workspace.folder / "artifacts"
    command = [
        "ansible-runner",
        "run",
        str(world.inputs),
        "-p",
        "playbook.yml",
        "--artifact-dir",
        str(artifacts),
        "-vvvv",
    ]
    with world.watch() as watch:
        run = world.workspace.command(command, world.environment())
    assert_as_expected(run, TASKS)
    events = [path.read_text(encoding="utf-8") for path in artifacts.rglob("job_events/*.json")]
    assert sum('"event": "runner_on_' in event for event in events) >= len(TASKS)
    # It stores the environment of the whole job in this file, whatever the job does; the guide says so.
    own = next(artifacts.glob("*/command"))
    stored = own.read_text(encoding="utf-8")
    own.unlink()
    assert world.secrets["ldap"] not in stored
    assert world.secrets["jwt"] not in stored
    assert world.leaks(watch, run) == []


def test_a_planted_leak_is_found(world: World) -> None:
    left = world.workspace.tmp / "left"
    # The pause is what lets the command line be seen.
    script = "import json, sys, time; time.sleep(0.5); open(sys.argv[1], 'w').write(json.dumps(sys.argv[2]))"
    argv = [sys.executable, "-c", script, str(left), "{{ wrong }}", "{{ ldap | urlencode }}"]
    tasks: list[Task] = [
        {"name": "encoded", "ansible.builtin.debug": {"msg": "{{ ('a' ~ right) | b64encode }}"}},
        {"name": "command line, syslog and file", "ansible.builtin.command": {"argv": argv}},
    ]
    playbook = world.inputs / "playbook.yml"
    playbook.write_text(yaml.safe_dump(play(tasks)), encoding="utf-8")
    with world.watch() as watch:
        run = world.workspace.command(
            ["ansible-playbook", str(playbook), "-e", f"@{world.variables}"], world.environment()
        )
    assert run.returncode == 0, run.output
    found = world.leaks(watch, run)
    for leak in (
        "output: right (base64)",
        "command lines: wrong (raw)",
        "syslog: ldap (URL)",
        "tmp/left: wrong (JSON)",
    ):
        assert leak in found
    assert {leak.partition(":")[0] for leak in found} >= {"ansible.log", "results-1.jsonl"}
