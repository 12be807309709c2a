# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module through ansible-playbook: what it does when all goes well, and when an answer does not come."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from simulator.client import Simulator
from support.ansible import MODULE, Workspace
from support.processes import until
from support.server import environment, login, tokens_left


def test_it_rotates_once_and_the_next_run_does_not(
    workspace: Workspace, simulator: Simulator, rotation: dict[str, Any]
) -> None:
    options = {**login(simulator), "rotation_id": rotation["id"]}
    old = rotation["mappedSecrets"]["OKTA_CLIENT_SECRET"]["value"]
    # The header Date has whole seconds, so a rotation 40 days ago could seem a second short of them.
    simulator.settings(clockAdvance=60)
    tasks: list[dict[str, Any]] = [
        {"name": "check", MODULE: options, "check_mode": True},
        {"name": "rotate", MODULE: options},
        {"name": "again", MODULE: options},
        {"name": "always", MODULE: {**options, "min_age": 0}},
        {"name": "fact", "ansible.builtin.debug": {"msg": "{{ ansible_facts.secretRotation.lastRotatedAt }}"}},
    ]
    run = workspace.tasks(tasks, "--diff")
    assert run.returncode == 0, run.output
    check, rotated, again, always = (run.named(name) for name in ("check", "rotate", "again", "always"))

    outcomes = [(task["outcome"], task["changed"]) for task in (check, rotated, again, always)]
    assert outcomes == [("would_rotate", True), ("rotated", True), ("not_due", False), ("rotated", True)]
    assert check["msg"] == "Would rotate: last rotated 40 days ago, at least min_age 5 minutes."
    assert rotated["msg"] == "Rotated: last rotated 40 days ago, at least min_age 5 minutes."
    assert again["msg"].startswith("Not due: last rotated ")
    assert again["msg"].endswith("less than min_age 5 minutes.")
    assert always["msg"].endswith("min_age is 0.")

    assert check["secretRotation"]["lastRotatedAt"] == rotation["lastRotatedAt"]
    assert rotated["secretRotation"] == again["secretRotation"]
    assert rotated["ansible_facts"] == {"secretRotation": rotated["secretRotation"]}
    assert run.named("fact")["msg"] == always["secretRotation"]["lastRotatedAt"]

    before, after = rotated["diff"]["before"], rotated["diff"]["after"]
    assert before == check["diff"]["before"]
    assert list(before) == ["lastRotatedAt", "activeIndex", "rotationStatus", "nextRotationAt"]
    assert after == {key: rotated["secretRotation"][key] for key in before}
    assert (before["activeIndex"], check["diff"]["after"]["activeIndex"], after["activeIndex"]) == (0, 1, 1)
    assert again["diff"]["before"] == again["diff"]["after"]

    assert simulator.posts() == simulator.rotations_done() == 2
    held = {secret["client_secret"] for secret in simulator.okta_secrets()}
    assert len(held) == 2
    assert old not in held, "the second rotation deletes the secret from before the first one"
    assert tokens_left(simulator) == []


def test_what_it_returns_is_what_the_server_sent(
    workspace: Workspace, simulator: Simulator, rotation: dict[str, Any]
) -> None:
    task = workspace.task({**login(simulator), "rotation_id": rotation["id"]}).only
    now = simulator.rotation()
    known = task["secretRotation"].keys()
    assert {key: now[key] for key in known} == task["secretRotation"]
    assert set(now) - set(known) == {"secretPath", "generatedCredentials", "mappedSecrets", "started", "completed"}


def test_by_name_it_finds_the_same_rotation(
    workspace: Workspace, simulator: Simulator, rotation: dict[str, Any]
) -> None:
    name = {"name": "okta-payments", "project_id": rotation["projectId"], "environment": "prod"}
    options = {**login(simulator), **name, "secret_path": "/okta/"}
    tasks: list[dict[str, Any]] = [
        {"name": "check", MODULE: options, "check_mode": True},
        {"name": "rotate", MODULE: options},
        {"name": "again", MODULE: options},
        {"name": "elsewhere", MODULE: {**options, "secret_path": "/"}, "ignore_errors": True},
    ]
    run = workspace.tasks(tasks)
    assert [task["outcome"] for task in run.results] == ["would_rotate", "rotated", "not_due", "failed"]
    assert run.named("rotate")["secretRotation"]["id"] == rotation["id"]
    assert run.named("elsewhere")["reason"] == "not_found"
    assert simulator.posts() == 1


def test_check_mode_of_the_whole_play_sends_no_request_to_rotate(
    workspace: Workspace, simulator: Simulator, rotation: dict[str, Any]
) -> None:
    options = {**login(simulator), "rotation_id": rotation["id"], "min_age": 0}
    task = workspace.task(options, "--check", "--diff").only
    assert (task["outcome"], task["changed"]) == ("would_rotate", True)
    assert simulator.posts() == 0
    assert [entry["method"] for entry in simulator.log(r"/secret-rotations/")] == ["GET"]
    assert tokens_left(simulator) == []


@pytest.mark.before_release
def test_the_number_of_requests_is_the_documented_one(
    workspace: Workspace, simulator: Simulator, rotation: dict[str, Any]
) -> None:
    token = simulator.mint_token()
    by_id = {"rotation_id": rotation["id"], "min_age": 0}
    by_name = {"name": "okta-payments", "project_id": rotation["projectId"], "environment": "prod"}
    given = {"url": simulator.url, "token": token}
    seen = {}
    for name, options in {
        "given a token": {**given, **by_id},
        "not due": {**given, "rotation_id": rotation["id"]},
        "logging in": {**login(simulator), **by_id},
        "by name": {**given, **by_name, "secret_path": "/okta", "min_age": 0},
    }.items():
        simulator.clear_log()
        assert workspace.task(options).returncode == 0
        log = simulator.log()
        seen[name] = len(log)
        # The request to rotate has a connection of its own, which nobody can be closing at that moment.
        assert len({entry["connection"] for entry in log}) == 1 + ("rotate-secrets" in str(log) and len(log) > 1)
    assert seen == {"given a token": 2, "not due": 1, "logging in": 4, "by name": 3}
    assert not next(t for t in simulator.state()["tokens"] if t["accessToken"] == token)["revoked"]


@pytest.mark.uncounted
def test_the_request_is_what_the_server_wants(
    workspace: Workspace, simulator: Simulator, rotation: dict[str, Any]
) -> None:
    # requests would send these credentials in the place of the token.
    (workspace.home / ".netrc").write_text("machine 127.0.0.1 login mallory password wrong\n", encoding="utf-8")
    (workspace.home / ".netrc").chmod(0o600)
    run = workspace.task({**login(simulator), "rotation_id": rotation["id"]})
    assert run.only["outcome"] == "rotated"
    (post,) = simulator.log("/rotate-secrets", "POST")
    assert post["body"] == {}
    assert post["headers"]["content-type"] == "application/json"
    (signed_in,) = simulator.log("/universal-auth/login")
    assert not signed_in["hasAuthorization"]


@pytest.mark.parametrize(
    ("fault", "params", "said"),
    [
        # Every other kind, in one play, is in test_faults.py.
        ("close_after", {}, "the connection to"),
        ("silence", {"seconds": 20, "work": True}, "no complete answer within 1 seconds"),
    ],
)
@pytest.mark.uncounted
def test_a_lost_answer_leads_to_one_request_and_the_truth(
    workspace: Workspace,
    simulator: Simulator,
    rotation: dict[str, Any],
    fault: str,
    params: dict[str, Any],
    said: str,
) -> None:
    simulator.fault_rotate(fault, **params)
    options = {**login(simulator), "rotation_id": rotation["id"], "timeout": 1, "wait_timeout": 10}
    task = workspace.task(options).only
    assert (task["outcome"], task["changed"]) == ("rotated", True)
    assert "confirmed by reading lastRotatedAt" in task["msg"]
    assert said in task["msg"]
    assert simulator.posts() == simulator.rotations_done() == 1
    assert task["secretRotation"]["lastRotatedAt"] == simulator.rotation()["lastRotatedAt"]


def test_an_error_500_after_the_commit_is_a_rotation(
    workspace: Workspace, simulator: Simulator, rotation: dict[str, Any]
) -> None:
    simulator.settings(lateFailure=1)
    task = workspace.task({**login(simulator), "rotation_id": rotation["id"]}).only
    assert (task["outcome"], task["changed"]) == ("rotated", True)
    assert task["secretRotation"]["rotationStatus"] == "failed"
    assert simulator.posts() == simulator.rotations_done() == 1


@pytest.mark.before_release
def test_a_rotation_that_another_party_runs_is_waited_for(
    workspace: Workspace, simulator: Simulator, rotation: dict[str, Any]
) -> None:
    text = "A rotation is already in progress. Please try again shortly."
    body = {"message": text, "error": "BadRequest", "statusCode": 400, "reqId": "req-busy"}
    simulator.fault_rotate("status", status=400, body=body)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(workspace.task, {**login(simulator), "rotation_id": rotation["id"]})
        # The other party ends only after the request was refused, however slowly this machine starts Ansible.
        until(lambda: simulator.posts() == 1, "the request is refused")
        simulator.rival(rotation["id"])
        task = running.result().only
    assert (task["outcome"], task["changed"]) == ("rotated_by_another", True)
    assert simulator.posts() == simulator.rotations_done() == 1
    assert task["secretRotation"]["lastRotatedAt"] == simulator.rotation()["lastRotatedAt"]


@pytest.mark.before_release
def test_the_30_second_cut_does_not_hide_the_rotation(
    workspace: Workspace, simulator: Simulator, rotation: dict[str, Any]
) -> None:
    simulator.settings(silenceLimit=1.0, rotationSeconds=3.0)
    task = workspace.task({**login(simulator), "rotation_id": rotation["id"]}).only
    assert (task["outcome"], task["changed"]) == ("rotated", True)
    assert simulator.posts() == simulator.rotations_done() == 1


def test_without_the_servers_clock_it_warns_and_uses_the_hosts(
    workspace: Workspace, simulator: Simulator, rotation: dict[str, Any]
) -> None:
    simulator.settings(sendDate=False)
    task = workspace.task({**login(simulator), "rotation_id": rotation["id"], "min_age": "365d"}).only
    assert task["outcome"] == "not_due"
    assert any("clock of this host" in warning for warning in task["warnings"])


@pytest.mark.parametrize(("min_age", "ends"), [("30d", "rotated"), ("60d", "clock_unreliable")])
def test_two_clocks_must_agree_on_the_decision(
    workspace: Workspace, simulator: Simulator, rotation: dict[str, Any], min_age: str, ends: str
) -> None:
    simulator.settings(clockOffset=86400 * 30 + 60)
    task = workspace.task({**login(simulator), "rotation_id": rotation["id"], "min_age": min_age}).only
    assert task.result.get("reason", task["outcome"]) == ends
    said = str(task.result.get("warnings")) if ends == "rotated" else task["msg"]
    assert "70 days ago by the server's clock" in said
    assert "40 days ago by the clock of this host" in said
    assert simulator.posts() == (ends == "rotated")


def test_a_credential_with_empty_fields_does_no_harm(
    workspace: Workspace, simulator: Simulator, rotation: dict[str, Any]
) -> None:
    """Tower injects an empty variable for each field that was left blank."""
    blank = {"INFISICAL_TOKEN": "", "INFISICAL_AUTH_METHOD": "", "INFISICAL_JWT": ""}
    run = workspace.task({"rotation_id": rotation["id"], "url": ""}, env={**environment(simulator), **blank})
    assert run.only["outcome"] == "rotated"


def test_module_defaults_of_the_action_group_apply(
    workspace: Workspace, simulator: Simulator, rotation: dict[str, Any]
) -> None:
    defaults = {"group/secretops.infisical.all": login(simulator)}
    run = workspace.tasks([{"name": "task", MODULE: {"rotation_id": rotation["id"]}}], module_defaults=defaults)
    assert run.only["outcome"] == "rotated"


def test_login_data_is_used_and_its_token_is_kept(
    workspace: Workspace, simulator: Simulator, rotation: dict[str, Any]
) -> None:
    token = simulator.mint_token()
    options = {"login_data": {"url": simulator.url, "access_token": token}, "rotation_id": rotation["id"]}
    simulator.fault("html_200", path="/secret-rotations/")
    tasks: list[dict[str, Any]] = [
        {"name": "failed", MODULE: options, "ignore_errors": True},
        {"name": "rotated", MODULE: options},
    ]
    run = workspace.tasks(tasks, "-vvv")
    assert run.named("rotated")["outcome"] == "rotated"
    assert simulator.url in run.named("failed")["msg"], "the URL is not censored along with the token"
    assert token not in run.output
    assert not simulator.state()["tokens"][0]["revoked"]


def test_a_token_is_kept_when_asked_to(workspace: Workspace, simulator: Simulator, rotation: dict[str, Any]) -> None:
    workspace.task({**login(simulator), "rotation_id": rotation["id"], "revoke_token": False})
    assert len(tokens_left(simulator)) == 1
