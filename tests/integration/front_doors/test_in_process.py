# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same tasks as modules and in the controller's process: what comes out must be the same to the letter.

These are the tasks that might make a difference; `make quality LONG=1` runs the whole integration suite both ways too.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import certifi
import pytest
from simulator.client import Simulator
from support.ansible import LOCAL, MODULE, Run, Workspace
from support.both_ways import normalised
from support.processes import until
from support.server import login, tokens_left

pytestmark = pytest.mark.run_once

LOGIN, LOGOUT = "secretops.infisical.login", "secretops.infisical.logout"
SWITCH = "SECRETOPS_INFISICAL_IN_PROCESS"
HERE, AS_MODULE = {SWITCH: "1", "ANSIBLE_VERBOSITY": "0"}, {SWITCH: "0", "ANSIBLE_VERBOSITY": "0"}
IN_PROCESS = "runs in the process of the controller"

Task = dict[str, Any]


def rotation_id(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


class Both:
    """Runs a list of tasks twice on a server in the same state."""

    def __init__(self, workspace: Workspace, simulator: Simulator) -> None:
        self.workspace = workspace
        self.simulator = simulator
        (workspace.folder / "hosts.yml").write_text(
            "all: {hosts: {elsewhere: {ansible_connection: ssh, ansible_host: elsewhere.invalid}}}\n", encoding="utf-8"
        )

    def prepare(self) -> dict[str, Any]:
        """The server's state is made anew with the same ids; returns the options of every task."""
        server = self.simulator.reset()
        # These are other rotations with the ids of those before.
        for noted in self.workspace.tmp.glob("secretops*"):
            shutil.rmtree(noted)
        for number in range(1, 20):
            self.simulator.add_rotation(
                id=rotation_id(number),
                name=f"number-{number}",
                description="{{ 7 * 6 }} {% raw %}",
                connectionId=server["appConnections"][0]["id"],
                secretsMapping={"clientId": f"ID_{number}", "clientSecret": f"SECRET_{number}"},
            )
        path = "{}/rotate-secrets"
        self.simulator.fault("status", path=path.format(rotation_id(11)), status=500, work="before")
        self.simulator.fault("status", path=path.format(rotation_id(12)), status=502)
        self.simulator.fault("html_200", path=rotation_id(13))
        self.simulator.fault("rate_limit", path=rotation_id(14), seconds=300)
        self.simulator.orphan(rotation_id(15))
        self.simulator.orphan(rotation_id(15))
        return login(self.simulator)

    def run(self, tasks: list[Task], *arguments: str, env: dict[str, str] | None = None, **play: Any) -> list[Run]:
        runs = []
        for switch in (AS_MODULE, HERE):
            options = self.prepare()
            given = [_with_options(task, options) for task in tasks]
            inventory = str(self.workspace.folder / "hosts.yml")
            runs.append(self.workspace.tasks(given, "-i", inventory, *arguments, env={**switch, **(env or {})}, **play))
            assert tokens_left(self.simulator) == []
        as_module, here = runs
        assert [(r.task, r.status) for r in here.results] == [(r.task, r.status) for r in as_module.results]
        for one, other in zip(here.results, as_module.results, strict=True):
            assert normalised(one.result) == normalised(other.result), one.task
        assert here.returncode == as_module.returncode
        return runs


def _with_options(task: Task, options: dict[str, Any]) -> Task:
    if task.get(LOGIN, ...) is None:
        return {**task, LOGIN: options}
    return {**task, MODULE: {**options, **task[MODULE]}, "ignore_errors": True} if MODULE in task else task


@pytest.fixture
def both(workspace: Workspace, simulator: Simulator) -> Both:
    return Both(workspace, simulator)


def task(name: str, number: int, /, options: dict[str, Any] | None = None, **keywords: Any) -> Task:
    return {"name": name, MODULE: {"rotation_id": rotation_id(number), **(options or {})}, **keywords}


SUCCESSES = [
    task("check", 1, check_mode=True),
    task("rotated", 1),
    task("not due", 1),
    task("always", 1, {"min_age": 0}, diff=True),
    task("loop", 1, {"min_age": "{{ item }}"}, loop=[0, "5m", 0]),
    task("loop with an error in it", 1, {"min_age": "{{ item }}"}, loop=["5m", "soon"]),
    task("no_log", 2, no_log=True),
    task("delegated", 3, delegate_to="elsewhere", vars=LOCAL),
    task("until", 1, register="tried", until="tried is failed", retries=1, delay=0),
    task("until in vain", 1, {"rotation_id": rotation_id(99)}, register="tried", until="tried is success", retries=1),
    task("throttled", 4, throttle=1),
    task("changed_when", 1, changed_when=True),
    task("failed_when", 1, register="it", failed_when="it.outcome == 'not_due'"),
    {"name": "a fact", "ansible.builtin.debug": {"msg": "{{ ansible_facts.secretRotation.description }}"}},
    task("the unverified certificate warns", 5, {"validate_certs": False}),
    task("strings for other types", 6, {"validate_certs": "no", "wait_timeout": "60", "min_age": 0}),
    task("omitted", 7, {"min_age": "{{ nothing_there | default(omit) }}"}),
]
FAILURES = [
    task("unknown option", 1, {"unknown": 1}),
    task("two unknown options", 1, {"unknown": 1, "other": {"a": [1]}}),
    task("wrong type", 1, {"timeout": "soon"}),
    task("wrong choice", 1, {"state": "present"}),
    task("missing suboption", 1, {"login_data": {"url": "https://infisical.example"}}),
    task("bad duration", 1, {"min_age": "soon"}),
    task("contradiction", 1, {"name": "number-1"}),
    task("no such rotation", 99),
    task("no server", 1, {"url": "http://127.0.0.1:9"}, environment={"UNUSED": ""}),
    task("a token that is none", 1, {"token": "no-token-of-this-server", "universal_auth_client_id": ""}),
    task("a certificate file that is missing", 1, {"ca_path": "missing.pem"}),
    task("a secret in a message", 1, {"min_age": "hidden-{{ 'word' }}", "ldap_password": "hidden-word"}),
    task("answer 500 after the work", 11),
    task("answer 502 and nothing done", 12, {"wait_timeout": 0}),
    task("HTML", 13),
    task("rate limit", 14, {"wait_timeout": 1}),
    task("an orphan at Okta", 15),
    task("in check mode too", 99, check_mode=True),
]


@pytest.mark.before_release
def test_successes(both: Both) -> None:
    as_module, here = both.run(SUCCESSES)
    assert as_module.named("rotated")["outcome"] == here.named("rotated")["outcome"] == "rotated"
    assert here.named("a fact")["msg"] == "{{ 7 * 6 }} {% raw %}", "what a server sends is never a template"
    assert "warnings" in here.named("the unverified certificate warns").result


@pytest.mark.before_release
def test_login_and_logout(both: Both) -> None:
    """What a result is for stays readable, also where it is the very secret that was given."""
    given = {"universal_auth_client_id": "", "universal_auth_client_secret": ""}
    data = "{{ it.login_data }}"
    tasks = [
        {"name": "login", LOGIN: None, "register": "it"},
        task("with it", 1, {**given, "login_data": data}),
        {"name": "logout", LOGOUT: {"login_data": data}, "check_mode": True},
        {"name": "really", LOGOUT: {"login_data": data}},
        {"name": "again", LOGOUT: {"login_data": data}},
        {"name": "contradiction", LOGOUT: {}, "ignore_errors": True},
        {"name": "passed on", LOGIN: {"token": "a-token", "url": "http://127.0.0.1:9"}},
    ]
    both.run(tasks)


@pytest.mark.before_release
def test_failures(both: Both) -> None:
    as_module, here = both.run(FAILURES)
    assert "Unsupported parameters" in here.named("unknown option")["msg"]
    assert "hidden-word" not in here.output + as_module.output
    assert _on_screen(here) == _on_screen(as_module)


@pytest.mark.before_release
def test_verbose_results_hold_the_same_invocation(both: Both) -> None:
    tasks = [task("not due", 1, {"min_age": "9999d"}), task("bad duration", 1, {"min_age": "soon"})]
    as_module, here = both.run(tasks, "-vvv", env={"ANSIBLE_INJECT_INVOCATION": "true"})
    assert IN_PROCESS in here.output
    assert IN_PROCESS not in as_module.output
    for run in (here, as_module):
        assert '"universal_auth_client_secret": "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"' in run.output


@pytest.mark.before_release
def test_a_failure_has_no_traceback_into_the_collection(both: Both) -> None:
    """It would quote what led to the failure, and that may be what a server echoed."""
    tasks = [task("no server", 1, {"url": "http://127.0.0.1:9"}), task("unknown option", 1, {"unknown": 1})]
    for run in both.run(tasks, "-vvv", env={"ANSIBLE_DISPLAY_TRACEBACK": "always"}):
        assert [result.status for result in run.results] == ["failed"] * len(tasks)
        # ansible-core adds one of its own, which ends where it took the result.
        assert not re.findall(r'File ".*(?:infisical|requests|urllib3|http/client).*', run.output)


def _on_screen(run: Run) -> Any:
    return normalised(run.output)


@pytest.mark.before_release
def test_environment_of_the_task(both: Both, tmp_path: Path) -> None:
    """Proxies, credentials, the temporary folder; templated, merged from play and task, gone afterwards."""
    elsewhere = tmp_path / "other-tmp"
    elsewhere.mkdir()
    proxy = {"HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": ""}
    tasks = [
        task("proxy", 1, environment=proxy),
        task("no proxy any more", 1),
        task("templated", 1, {"min_age": 0}, environment={"HTTP_PROXY": "http://127.0.0.1:{{ port }}"}),
        task("a loop", 1, {"min_age": 0}, environment={"HTTP_PROXY": "{{ item }}"}, loop=["", "http://127.0.0.1:9"]),
        task("temporary folder", 1, {"min_age": 0}, environment={"TMPDIR": str(elsewhere / "missing")}),
        task("in the home", 1, {"ca_path": "~/missing.pem"}, environment={"HOME": "/nowhere"}),
        task("a variable in a path", 1, {"ca_path": "$FOLDER/missing.pem"}, environment={"FOLDER": "/nowhere"}),
        task("for Python", 1, environment={"PYTHONWARNINGS": "ignore"}),
    ]
    _unused, here = both.run(tasks, vars={"port": 9}, environment=[{"FROM_PLAY": "{{ port }}"}])
    assert here.named("proxy")["reason"] == "unreachable"
    assert "proxy" in here.named("proxy")["msg"]
    assert here.named("no proxy any more").status == "ok"
    assert "/nowhere/missing.pem" in here.named("a variable in a path")["msg"]


#: Every one of them is taken away by test_internals.py; these are of each kind one, in ansible-playbook.
INTERNALS = [
    pytest.param("ansible.module_utils.common.arg_spec:ArgumentSpecValidator", id="an import"),
    pytest.param("ansible.plugins.action:ActionBase._compute_environment_string", id="a method before the work"),
    pytest.param(
        "ansible.plugins.action:ActionBase._parse_returned_data",
        id="a method after the work",
        marks=pytest.mark.before_release,
    ),
]


@pytest.mark.parametrize("internal", INTERNALS)
def test_without_an_internal_of_ansible_core_it_runs_as_a_module(both: Both, internal: str) -> None:
    env = {**HERE, "ANSIBLE_CALLBACKS_ENABLED": "results,without", "WITHOUT": internal}
    run = both.workspace.tasks([_with_options(task("task", 1), both.prepare())], "-vvv", env=env)
    assert run.named("task")["outcome"] == "rotated", run.output
    assert IN_PROCESS not in run.output
    said = re.search(r"runs as a module: this ansible-core lacks what else it takes, \w+: .+", run.output)
    assert said, run.output
    assert internal.rpartition(":")[2].rpartition(".")[2] in said[0]


@pytest.mark.before_release
def test_paths_are_relative_to_the_playbook(both: Both) -> None:
    folder = both.workspace.folder / "books"
    folder.mkdir()
    (folder / "authorities.pem").write_bytes(Path(certifi.where()).read_bytes())
    for switch in (AS_MODULE, HERE):
        options = {**both.prepare(), "rotation_id": rotation_id(1), "ca_path": "authorities.pem"}
        plays = [{"hosts": "localhost", "gather_facts": False, "tasks": [{"name": "task", MODULE: options}]}]
        (folder / "play.yml").write_text(json.dumps(plays), encoding="utf-8")
        run = both.workspace.command(["ansible-playbook", str(folder / "play.yml")], switch)
        assert run.returncode == 0, run.output


@pytest.mark.before_release
def test_module_defaults_and_short_names(both: Both) -> None:
    defaults = {"group/secretops.infisical.all": {"min_age": "99d"}, MODULE: {"wait_timeout": 7}}
    short = {"okta_client_secret_rotation": {"rotation_id": rotation_id(1), "unknown": 1}}
    tasks = [
        task("defaults", 1),
        {"name": "short name", "ignore_errors": True, **short},
    ]
    _unused, here = both.run(tasks, module_defaults=defaults, collections=["secretops.infisical"])
    assert here.named("defaults")["outcome"] == "not_due"


@pytest.mark.before_release
def test_on_a_host_of_the_inventory(both: Both) -> None:
    """A local connection without an interpreter that somebody asked for."""
    inventory = "all: {hosts: {one: {ansible_connection: local}}}\n"
    (both.workspace.folder / "hosts.yml").write_text(inventory, encoding="utf-8")
    for switch in (AS_MODULE, HERE):
        tasks = [_with_options(task("task", 1), both.prepare())]
        interpreter = {"ANSIBLE_PYTHON_INTERPRETER": sys.executable}
        run = both.workspace.tasks(
            tasks, "-i", str(both.workspace.folder / "hosts.yml"), "-v", hosts="one", env={**switch, **interpreter}
        )
        assert run.only["outcome"] == "rotated", run.output


@pytest.mark.before_release
def test_async_runs_as_a_module(both: Both) -> None:
    as_module, here = both.run([{**task("async", 1), "async": 60, "poll": 1}])
    assert as_module.named("async")["outcome"] == here.named("async")["outcome"] == "rotated"


@pytest.mark.before_release
def test_vaulted_arguments(both: Both) -> None:
    """An encrypted value is what it holds, and stays out of the output."""
    password = both.workspace.folder / "password"
    password.write_text("a password", encoding="utf-8")
    vaulted = both.workspace.command(
        ["ansible-vault", "encrypt_string", "--vault-password-file", str(password), "99d", "--name", "age"]
    )
    (both.workspace.folder / "vars.yml").write_text(vaulted.stdout, encoding="utf-8")
    arguments = ("--vault-password-file", str(password), "-e", f"@{both.workspace.folder / 'vars.yml'}")
    _unused, here = both.run([task("vaulted", 1, {"min_age": "{{ age }}"})], *arguments)
    assert here.named("vaulted")["msg"].endswith("less than min_age 99 days.")


@pytest.mark.before_release
@pytest.mark.parametrize("switch", [AS_MODULE, HERE], ids=["module", "in process"])
def test_the_timeout_keyword_ends_the_task_and_its_token(
    both: Both, switch: dict[str, str], simulator: Simulator
) -> None:
    options = both.prepare()
    simulator.settings(rotationSeconds=6.0)
    run = both.workspace.tasks([_with_options(task("task", 1, timeout=3), options)], env=switch)
    assert run.named("task").status == "failed"
    assert re.search("Timed out after 3|expected time frame", run.named("task")["msg"])
    assert simulator.posts() == 1
    _until_no_token_is_left(simulator)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_the_task_and_its_token(both: Both, number: signal.Signals, simulator: Simulator) -> None:
    options = both.prepare()
    simulator.settings(rotationSeconds=3.0)
    plays = [{"hosts": "localhost", "gather_facts": False, "tasks": [_with_options(task("task", 1), options)]}]
    path = both.workspace.folder / "interrupted.yml"
    path.write_text(json.dumps(plays), encoding="utf-8")
    command = [str(Path(sys.executable).parent / "ansible-playbook"), str(path)]
    process = subprocess.Popen(
        command,
        env=both.workspace.environment(HERE),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        until(lambda: simulator.posts() == 1, "the request is sent")
        # A terminal sends Ctrl-C to the whole group, a service manager its signal to the first process.
        (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)
        process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode != 0
    _until_no_token_is_left(simulator)
    assert simulator.posts() == 1


def _until_no_token_is_left(simulator: Simulator) -> None:
    until(lambda: tokens_left(simulator) == [], "the token is revoked")
