# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client secret that Okta is asked about is shown nowhere, whoever shows the request back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from ansible_collections.secretops.infisical.plugins.modules import okta_client_secret_check
from simulator.client import Simulator
from support.ansible import SUPPORT, Workspace, python_path
from support.leaks import Watch, random_secret
from support.okta import IN_BODY, INTROSPECTION, application, task
from support.tasks import Runner


@pytest.mark.parametrize("client_auth_method", ["client_secret_basic", "client_secret_post"])
@pytest.mark.parametrize("status", [200, 401, 403, 500])
def test_a_peer_that_shows_the_request_back(simulator: Simulator, client_auth_method: str, status: int) -> None:
    runner = Runner(okta_client_secret_check)
    given = {**application(simulator), "client_auth_method": client_auth_method, "wait_timeout": 0}
    given["client_secret"] = random_secret()
    simulator.fault("reflect", path=INTROSPECTION, status=status, times=0)
    assert given["client_secret"] not in json.dumps(runner.fail(given).result(), ensure_ascii=False)
    body = {"error": "odd", "error_description": f"I saw {given['client_secret']} here"}
    simulator.clear_faults()
    simulator.fault("status", path=INTROSPECTION, status=status, body=body, times=0)
    failure = runner.fail(given)
    assert given["client_secret"] not in json.dumps(failure.result(), ensure_ascii=False)
    assert "I saw ******** here" in failure.message


@pytest.mark.run_once
@pytest.mark.parametrize("in_process", [pytest.param("0", marks=pytest.mark.before_release), "1"])
def test_no_secret_is_shown(
    workspace: Workspace, simulator: Simulator, tmp_path_factory: pytest.TempPathFactory, in_process: str
) -> None:
    secrets = {name: random_secret() for name in ("wrong", "misspelt")}
    secrets["right"] = application(simulator)["client_secret"]
    simulator.settings(oktaAuthorizationServers=["reflects"])
    simulator.fault("reflect", path="/reflects/", times=0)
    given = {**application(simulator), "wait_timeout": 0}
    wrong = {**given, "client_secret": "{{ wrong }}"}
    right = {**given, "client_secret": "{{ right }}"}
    tasks = [
        task("accepted", right),
        task("refused", wrong),
        task("in the body", {**right, **IN_BODY}),
        task("reflected", {**right, "authorization_server": "reflects"}),
        task("reflected from the body", {**wrong, **IN_BODY, "authorization_server": "reflects"}),
        task("outer blanks", {**right, "client_secret": "{{ right }} "}),
        task("misspelt", {**right, "client_secrt": "{{ misspelt }}"}),
        task("unknown id", {**wrong, "client_id": "0oaNobody"}),
        task("no network", {**right, "okta_url": "http://127.0.0.1:9"}),
    ]
    inputs = tmp_path_factory.mktemp("inputs")
    (inputs / "variables.json").write_text(json.dumps(secrets), encoding="utf-8")
    (inputs / "playbook.yml").write_text(
        yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "ignore_errors": True, "tasks": tasks}]),
        encoding="utf-8",
    )
    folder = workspace.folder
    env = {
        "SECRETOPS_INFISICAL_IN_PROCESS": in_process,
        "PYTHONPATH": python_path(SUPPORT / "leak_hooks"),
        "LEAK_SYSLOG": str(folder / "syslog"),
        "ANSIBLE_LOG_PATH": str(folder / "ansible.log"),
        "ANSIBLE_INJECT_INVOCATION": "true",
        "ANSIBLE_DISPLAY_TRACEBACK": "always",
    }
    with Watch(secrets, workspace) as watch:
        command = ["ansible-playbook", str(inputs / "playbook.yml"), "-e", f"@{inputs / 'variables.json'}", "-vvvv"]
        run = workspace.command(command, env)
    ended = [each.result.get("reason") or each["outcome"] for each in run.results]
    assert ended == [
        "accepted",
        "refused",
        "accepted",
        "server_error",
        "server_error",
        "invalid_arguments",
        "invalid_arguments",
        "not_found",
        "unreachable",
    ], run.output
    assert watch.leaks(run.output) == []
    assert (Path(folder) / "ansible.log").read_text(encoding="utf-8")
