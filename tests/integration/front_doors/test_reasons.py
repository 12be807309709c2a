# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every documented reason is provoked through ansible-playbook, and every message says what to do next."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.secretops.infisical.plugins.module_utils._errors import REASONS
from simulator.client import Simulator
from support.ansible import MODULE, TaskResult, Workspace
from support.server import login, tokens_left

Prepare = Callable[[Simulator, str], dict[str, Any]]
UNKNOWN = "11111111-2222-4333-8444-555555555555"


def options(**given: Any) -> Prepare:
    return lambda simulator, rotation_id: given


def fault(action: str, method: str = "POST", **params: Any) -> Prepare:
    def prepare(simulator: Simulator, rotation_id: str) -> dict[str, Any]:
        simulator.fault(action, path=rotation_id, method=method, times=0, **params)
        return {}

    return prepare


def orphan(simulator: Simulator, rotation_id: str) -> dict[str, Any]:
    # The first rotation would clear it; later ones can't.
    simulator.rival(rotation_id)
    simulator.orphan(rotation_id)
    return {"min_age": 0}


def busy(simulator: Simulator, rotation_id: str) -> dict[str, Any]:
    simulator.rival(rotation_id, seconds=60)
    return {}


def without_permission(simulator: Simulator, rotation_id: str) -> dict[str, Any]:
    identity = simulator.add_identity(without=[["rotate-secrets", "secret-rotation"]])
    return {
        "universal_auth_client_id": identity["clientId"],
        "universal_auth_client_secret": identity["clientSecrets"][0]["clientSecret"],
    }


def other_type(simulator: Simulator, rotation_id: str) -> dict[str, Any]:
    return {"rotation_id": simulator.add_rotation(type="aws-iam-user-secret")["id"]}


def rotated_tomorrow(simulator: Simulator, rotation_id: str) -> dict[str, Any]:
    simulator.change_rotation(rotation_id, lastRotatedAt=-86_400)
    return {}


def no_plan(simulator: Simulator, rotation_id: str) -> dict[str, Any]:
    text = (
        "Failed to rotate secret rotation secrets due to plan restriction. Upgrade plan to rotate secret rotation "
        "secrets."
    )
    body = {"message": text, "error": "BadRequest", "statusCode": 400, "reqId": "req-plan"}
    simulator.fault("status", path=f"{rotation_id}/rotate", status=400, body=body)
    return {}


def rejected(simulator: Simulator, rotation_id: str) -> dict[str, Any]:
    issues = [{"code": "custom", "path": ["a", "b"], "message": "Bad value"}]
    body = {"message": issues, "error": "ValidationFailure", "statusCode": 422, "reqId": "req-zod"}
    simulator.fault("status", path=f"{rotation_id}/rotate", status=422, body=body)
    return {}


#: Reason, HTTP status, how to get there, words that the message must hold.
CASES: list[tuple[str, int | None, Prepare, list[str]]] = [
    ("invalid_arguments", None, options(rotation_id="42"), ["rotation_id", "UUID"]),
    ("unreachable", None, options(url="http://127.0.0.1:1"), ["Connection refused", "Check url"]),
    ("tls_failed", None, lambda s, i: {"url": s.url.replace("http:", "https:")}, ["TLS", "speaks HTTPS"]),
    ("redirected", 307, fault("redirect", "GET", status=307, location="https://other.example/x"), ["other.example"]),
    ("authentication_failed", 401, options(universal_auth_client_secret="wrong"), ["three refused logins", "five min"]),
    ("permission_denied", 403, without_permission, ["rotate-secrets", "secret-rotation", "Give the identity"]),
    ("not_found", 404, options(rotation_id=UNKNOWN), [UNKNOWN, "Check the identifiers"]),
    ("route_not_found", 404, lambda s, i: {"url": s.url + "/prefix"}, ["Check url"]),
    ("wrong_type", 400, other_type, ["Okta client secret rotation"]),
    ("plan_restricted", 400, no_plan, ["Upgrade plan", "paid feature"]),
    ("rate_limited", 429, fault("rate_limit", seconds=30), ["fewer forks", "wait_timeout"]),
    ("request_rejected", 422, rejected, ["a.b: Bad value", "Check the options"]),
    ("server_error", 500, fault("status", "GET", status=500), ["Something went wrong", "server's log"]),
    ("invalid_response", 200, fault("html_200", "GET"), ["not Infisical's", "check url"]),
    (
        "stale_reading",
        None,
        options(only_if_last_rotated_at="2099-01-01T00:00:00.000Z", wait_timeout=0),
        ["lastRotatedAt", "2099", "Nothing was sent", "run again in ten minutes"],
    ),
    (
        "clock_unreliable",
        None,
        rotated_tomorrow,
        ["in the future", "clock of this host", "Nothing was sent"],
    ),
    ("rotation_failed", 500, options(), ["Failed to add client secret", "active secret is unchanged"]),
    ("okta_secret_limit", 500, orphan, ["orphan", "Okta admin console", "deactivate"]),
    ("rotation_in_progress", 400, busy, ["in progress", "Run again"]),
    (
        "conflict",
        None,
        options(state="present", new_name="outcome-unknown", allow_rotation=True),
        ["'outcome-unknown' in prod:/okta", "another new_name"],
    ),
    ("not_changeable", None, options(state="present", connection_name="other"), ["'okta-main'", "state: absent"]),
    ("rotation_not_allowed", None, options(state="present", description="x"), ["midnight", "allow_rotation: true"]),
    ("revocation_failed", 400, options(state="absent", revoke_credentials=True), ["still there", "run again without"]),
    ("outcome_unknown", None, fault("reset_before"), ["lastRotatedAt", "Before you run it again", "look at"]),
]


#: Whatever fails after that returns what was read.
AFTER_READING = {
    "permission_denied",
    "stale_reading",
    "clock_unreliable",
    "conflict",
    "not_changeable",
    "rotation_not_allowed",
    "revocation_failed",
    "plan_restricted",
    "rate_limited",
    "request_rejected",
    "rotation_failed",
    "okta_secret_limit",
    "rotation_in_progress",
    "outcome_unknown",
}


def _results(workspace: Workspace, simulator: Simulator) -> dict[str, TaskResult]:
    """All cases in one play, each with a rotation of its own."""
    tasks: list[dict[str, Any]] = []
    for reason, _status, prepare, _said in CASES:
        rotation_id = simulator.add_rotation(name=reason.replace("_", "-"))["id"]
        if reason == "rotation_failed":
            # Okta fails for whoever comes next, so it is told just before.
            body = {"okta": {"createError": 1}}
            uri = {"url": f"{simulator.url}/_control/settings", "method": "POST", "body": body, "body_format": "json"}
            tasks.append({"name": "break Okta", "ansible.builtin.uri": uri})
        given = {**login(simulator), "rotation_id": rotation_id, "timeout": 5, "wait_timeout": 3}
        tasks.append({"name": reason, MODULE: {**given, **prepare(simulator, rotation_id)}, "ignore_errors": True})
    run = workspace.tasks(tasks)
    assert len(run.results) == len(tasks), run.output
    return {result.task: result for result in run.results}


def _problems(task: TaskResult, status: int | None, said: list[str]) -> Iterator[str]:
    reason, message = task.task, task["msg"]
    if (task.status, task["reason"], task["http_status"], task["changed"]) != ("failed", reason, status, False):
        yield f"it is {task.result}"
    if task["outcome"] != ("unknown" if reason in ("outcome_unknown", "revocation_failed") else "failed"):
        yield f"its outcome is {task['outcome']}"
    for words in said:
        if words not in message:
            yield f"{words!r} is not in {message!r}"
    request_id = task["request_id"]
    if status is None or status < 400 or reason == "route_not_found":
        if request_id is not None:
            yield f"it has the request id {request_id}"
    elif not request_id.startswith("req-") or request_id not in message:
        yield f"its request id is {request_id}, and the message {message!r}"
    if ("secretRotation" in task.result) is not (reason in AFTER_READING):
        yield f"secretRotation is {task.result.get('secretRotation')}"


@pytest.mark.before_release
def test_every_reason_is_told_with_status_and_next_step(workspace: Workspace, simulator: Simulator) -> None:
    results = _results(workspace, simulator)
    problems = [
        f"{reason}: {problem}"
        for reason, status, _prepare, said in CASES
        for problem in _problems(results[reason], status, said)
    ]
    assert not problems, "\n".join(problems)
    assert tokens_left(simulator) == []


def _with_another_requests(workspace: Workspace, simulator: Simulator, text: str) -> TaskResult:
    """On an interpreter that has everything, and in the place of requests this text."""
    hidden = workspace.folder / "hidden"
    hidden.mkdir()
    (hidden / "requests.py").write_text(text, encoding="utf-8")
    given = {**login(simulator), "rotation_id": UNKNOWN}
    task = workspace.task(given, environment={"PYTHONPATH": str(hidden)}).only
    assert (task.status, task["outcome"], task["http_status"], task["request_id"]) == ("failed", "failed", None, None)
    assert simulator.log() == []
    return task


@pytest.mark.before_release
def test_a_host_without_requests_is_told_what_to_install(workspace: Workspace, simulator: Simulator) -> None:
    task = _with_another_requests(workspace, simulator, "raise ImportError('No module named requests')\n")
    assert task["reason"] == "missing_dependency"
    assert "pip install requests" in task["msg"]
    assert Path(sys.executable).name in task["msg"]


def test_a_fault_that_nobody_foresaw_has_a_reason_too(workspace: Workspace, simulator: Simulator) -> None:
    task = _with_another_requests(workspace, simulator, "raise RuntimeError('with a s3cret')\n")
    assert task["reason"] == "internal_error"
    assert "RuntimeError" in task["msg"]
    assert "eport it" in task["msg"]
    assert "s3cret" not in str(task.result)


def test_a_lock_that_cannot_be_used_is_told(workspace: Workspace, simulator: Simulator) -> None:
    in_its_place = workspace.tmp / f"secretops.infisical-{os.geteuid()}"
    in_its_place.write_text("somebody else's", encoding="utf-8")
    task = workspace.task({**login(simulator), "rotation_id": simulator.rotation()["id"]}).only
    assert (task["reason"], task["outcome"]) == ("lock_unavailable", "failed")
    assert (task["http_status"], task["request_id"]) == (None, None)
    assert str(in_its_place) in task["msg"]
    assert "TMPDIR" in task["msg"]
    assert simulator.log("/secret-rotations/") == []


def test_every_documented_reason_is_provoked() -> None:
    elsewhere = {"missing_dependency", "internal_error", "lock_unavailable", "attention_needed"}
    assert {case[0] for case in CASES} | elsewhere == set(REASONS)
