# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever text the server sends, and wherever: it is shown as text, and no task ends otherwise for it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import pytest
import yaml
from ansible_collections.secretops.infisical.plugins.modules import login as login_module
from ansible_collections.secretops.infisical.plugins.modules import logout as logout_module
from simulator.client import Simulator
from support.ansible import AS_MODULE, MODULE, Run, TaskResult, Workspace
from support.machine import Machine, ended
from support.server import environment
from support.stale_front import Onward, Reply, Request, everywhere, front

#: Infisical cuts texts at 1021 UTF-16 units, and an emoji has two.
HALF = "\ud83d"
TEXTS = (
    "name",
    "description",
    "lastRotationMessage",
    "nextRotationAt",
    "connection.name",
    "environment.name",
    "folder.path",
    "parameters.clientId",
    "secretsMapping.clientId",
    "secretsMapping.clientSecret",
)
#: Which way ansible-core runs a task on this machine, and how it is told.
WAYS = {"in process": {}, "as a module": AS_MODULE}


def halved(*paths: str) -> dict[str, str]:
    return {path: f"half of {path} {HALF}" for path in paths}


def at(data: Mapping[str, Any], path: str) -> Any:
    for key in path.split("."):
        data = data[key]
    return data


def assert_fit_to_print(result: Any) -> None:
    json.dumps(result, ensure_ascii=False).encode("utf-8")


def refusal(status: int, error: Any, message: Any, **more: Any) -> dict[str, Any]:
    """An answer in Infisical's shape. As text, for JSON in ASCII can hold halves of characters."""
    body = {"reqId": "req-text0000000000", "statusCode": status, "error": error, "message": message, **more}
    return {"status": status, "body": json.dumps(body)}


# -- halves of characters


@pytest.mark.parametrize("path", TEXTS)
def test_half_a_character_in_a_text_of_the_rotation(simulator: Simulator, machine: Machine, path: str) -> None:
    with front(simulator.url, everywhere(halved(path))) as url:
        results = [machine.run(url=url, check_mode=True), machine.run(url=url), machine.run(url=url)]
    assert [ended(result) for result in results] == [("would_rotate", True), ("rotated", True), ("not_due", False)]
    for result in results:
        assert_fit_to_print(result)
        assert at(result["secretRotation"], path) == f"half of {path} \ufffd"
    assert simulator.posts() == simulator.rotations_done() == 1


def test_a_whole_emoji_stays_one(simulator: Simulator, machine: Machine) -> None:
    with front(simulator.url, everywhere({"description": "\U0001f511 für alle"})) as url:
        result = machine.run(url=url)
    assert result["secretRotation"]["description"] == "\U0001f511 für alle"


def test_half_a_character_as_the_name_of_a_key(simulator: Simulator, machine: Machine) -> None:
    with front(simulator.url, everywhere({"connection": {HALF: {HALF: [HALF]}}})) as url:
        result = machine.run(url=url)
    assert ended(result) == ("rotated", True)
    assert result["secretRotation"]["connection"] == {"\ufffd": {"\ufffd": ["\ufffd"]}}


@pytest.mark.parametrize(
    ("where", "answer", "reason", "posts"),
    [
        ("", refusal(403, "PermissionDenied", f"No {HALF}"), "permission_denied", 0),
        ("", refusal(404, f"NotFound{HALF}", f"None {HALF}"), "not_found", 0),
        ("/rotate-secrets", refusal(403, "PermissionDenied", f"No {HALF}"), "permission_denied", 1),
        ("/rotate-secrets", refusal(403, "PermissionDenied", "No", reqId=f"req-{HALF}"), "permission_denied", 1),
        ("/rotate-secrets", refusal(400, "BadRequest", f"Upgrade plan {HALF}"), "plan_restricted", 1),
        (
            "/rotate-secrets",
            refusal(422, "ValidationFailure", [{"path": [HALF], "message": HALF}]),
            "request_rejected",
            1,
        ),
    ],
)
def test_half_a_character_in_a_refusal(
    simulator: Simulator, machine: Machine, where: str, answer: dict[str, Any], reason: str, posts: int
) -> None:
    simulator.fault("status", path=f"{machine.options['rotation_id']}{where}$", **answer)
    result = machine.run()
    assert ended(result) == (reason, False)
    assert "\ufffd" in result["msg"]
    assert_fit_to_print(result)
    assert simulator.posts() == posts


@pytest.mark.parametrize("text", [f"Okta says {HALF}", "\x1b[2Jcleared", "two\nlines\r\nand \x00 more"])
def test_the_text_of_a_failed_attempt(simulator: Simulator, machine: Machine, text: str) -> None:
    """The server records it, and the task reads it."""
    simulator.settings(okta={"createError": 1})
    with front(simulator.url, everywhere({"lastRotationMessage": text})) as url:
        result = machine.run(url=url)
    assert ended(result) == ("rotation_failed", False)
    assert_fit_to_print(result)
    assert result["msg"].isprintable()


# -- what is no text


@pytest.mark.parametrize("value", [5, 1.5, True, [], ["a"], {}, {"a": 1}], ids=repr)
@pytest.mark.parametrize("fails", [False, True])
def test_a_message_that_is_no_text(simulator: Simulator, machine: Machine, value: Any, fails: bool) -> None:
    simulator.settings(okta={"createError": int(fails)} if fails else None)
    with front(simulator.url, everywhere({"lastRotationMessage": value})) as url:
        result = machine.run(url=url)
    assert ended(result) == (("rotation_failed", False) if fails else ("rotated", True))
    assert result["secretRotation"]["lastRotationMessage"] == value
    assert simulator.posts() == 1


@pytest.mark.parametrize(
    "message",
    [
        [{"path": 5, "message": "Bad"}],
        [{"path": None, "message": "Bad"}],
        [{"path": [0, None, {}], "message": 7}],
        [{"message": "Bad"}],
        [{"path": {"a": 1}}],
        [5, None, "text", []],
        {"a": "Bad"},
        5,
        None,
        "",
        [],
    ],
    ids=repr,
)
@pytest.mark.parametrize("where", ["", "/rotate-secrets"])
def test_a_validation_error_of_any_form(simulator: Simulator, machine: Machine, where: str, message: Any) -> None:
    answer = refusal(422, "ValidationFailure", message)
    simulator.fault("status", path=f"{machine.options['rotation_id']}{where}$", **answer)
    result = machine.run()
    assert ended(result) == ("request_rejected", False)
    assert (result["outcome"], result["http_status"], result["request_id"]) == ("failed", 422, "req-text0000000000")
    assert simulator.rotations_done() == 0


# -- numbers that no clock can wait for


@pytest.mark.parametrize("option", ["timeout", "wait_timeout"])
@pytest.mark.parametrize("value", [9_999_999_999, 86_401, 10**30, -1, -(10**30)])
def test_a_time_that_cannot_be_waited_for_sends_nothing(
    simulator: Simulator, machine: Machine, option: str, value: int
) -> None:
    given: dict[str, Any] = {option: value}
    result = machine.run(**given)
    assert ended(result) == ("invalid_arguments", False)
    assert option in result["msg"]
    assert str(value) in result["msg"]
    assert simulator.log() == []


@pytest.mark.parametrize("module", [login_module, logout_module])
def test_the_other_modules_refuse_it_too(simulator: Simulator, machine: Machine, module: ModuleType) -> None:
    machine.options = {"url": simulator.url, "token": simulator.mint_token()}
    result = machine.run(module=module, timeout=9_999_999_999)
    assert ended(result) == ("invalid_arguments", False)
    assert simulator.log() == []


def test_a_day_can_be_waited_for(simulator: Simulator, machine: Machine) -> None:
    assert ended(machine.run(timeout=86_400, wait_timeout=86_400)) == ("rotated", True)


def test_no_time_at_all_is_no_timeout_and_a_wait_timeout(simulator: Simulator, machine: Machine) -> None:
    assert ended(machine.run(timeout=0)) == ("invalid_arguments", False)
    assert ended(machine.run(wait_timeout=0)) == ("rotated", True)


# -- through ansible


def adhoc(workspace: Workspace, simulator: Simulator, way: str, url: str, **options: Any) -> Run:
    given = {"rotation_id": simulator.rotation()["id"], "url": url, **options}
    return workspace.adhoc(given, env={**environment(simulator), **WAYS[way]})


@pytest.mark.before_release
@pytest.mark.parametrize("way", WAYS)
def test_ansible_prints_a_rotation_with_half_characters(workspace: Workspace, simulator: Simulator, way: str) -> None:
    with front(simulator.url, everywhere(halved(*TEXTS))) as url:
        run = adhoc(workspace, simulator, way, url)
    assert run.returncode == 0, run.output
    assert ended(run.only.result) == ("rotated", True)
    assert run.only["secretRotation"]["description"] == "half of description \ufffd"
    assert "half of description" in run.stdout
    assert simulator.posts() == simulator.rotations_done() == 1


@pytest.mark.before_release
@pytest.mark.parametrize("way", WAYS)
def test_ansible_prints_a_failure_with_half_characters(workspace: Workspace, simulator: Simulator, way: str) -> None:
    rotation_id = simulator.rotation()["id"]
    tasks: list[tuple[str, dict[str, Any]]] = [
        ("permission_denied", refusal(403, "PermissionDenied", f"No {HALF}")),
        ("request_rejected", refusal(422, "ValidationFailure", [{"path": 5, "message": HALF}])),
    ]
    for _reason, answer in tasks:
        simulator.fault("status", path=f"{rotation_id}$", **answer)
    options = {"rotation_id": rotation_id}
    run = workspace.tasks(
        [{"name": reason, MODULE: options, "ignore_errors": True} for reason, _answer in tasks]
        + [{"name": "invalid_arguments", MODULE: {**options, "timeout": 9_999_999_999}, "ignore_errors": True}],
        env={**environment(simulator), **WAYS[way]},
    )
    assert [ended(result.result) for result in run.results] == [
        (name, False) for name in ("permission_denied", "request_rejected", "invalid_arguments")
    ], run.output
    failed: TaskResult = run.named("permission_denied")
    assert "No \ufffd" in failed["msg"]


def test_ansible_prints_an_inventory_with_half_characters(workspace: Workspace, simulator: Simulator) -> None:
    def halving(request: Request, onward: Onward) -> Reply:
        reply = onward(request)
        return reply._replace(body=reply.body.replace(b'"description":null', b'"description":"cut \\ud83d"'))

    simulator.add_rotation(name="second")
    source = workspace.folder / "fleet.okta_rotations.yml"
    plugin = "secretops.infisical.okta_client_secret_rotations"
    projects = {"payments": simulator.state()["project"]["id"]}
    source.write_text(yaml.safe_dump({"plugin": plugin, "projects": projects}), encoding="utf-8")
    with front(simulator.url, halving) as url:
        env = {**environment(simulator), "INFISICAL_URL": url}
        run = workspace.command(["ansible-inventory", "-i", str(source), "--list", "--export"], env)
    assert run.returncode == 0, run.output
    hosts = json.loads(run.stdout)["_meta"]["hostvars"]
    assert len(hosts) == 2
    assert "cut \ufffd" in json.dumps(hosts, ensure_ascii=False)
