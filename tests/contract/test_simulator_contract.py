# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every answer of the rotate endpoint keeps to its OpenAPI document."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from simulator.client import Simulator

DOCUMENT = Path(__file__).parent / "rotate-secrets.openapi.yaml"
PATH = "/api/v2/secret-rotations/okta-client-secret/{rotationId}/rotate-secrets"
UNKNOWN_ID = "42210cf5-4315-4ae1-ace5-f025901610f4"


def _json_schema(node: Any) -> Any:
    """OpenAPI 3.0 says `nullable` where JSON Schema has a second type."""
    if isinstance(node, dict):
        converted = {key: _json_schema(value) for key, value in node.items() if key != "nullable"}
        if node.get("nullable"):
            converted["type"] = [node["type"], "null"]
        return converted
    return [_json_schema(item) for item in node] if isinstance(node, list) else node


OPERATION = yaml.safe_load(DOCUMENT.read_text(encoding="utf-8"))["paths"][PATH]["post"]
SCHEMAS = {
    int(status): _json_schema(answer["content"]["application/json"]["schema"])
    for status, answer in OPERATION["responses"].items()
}
FORMATS = jsonschema.FormatChecker()


def check(status: int, body: Any) -> None:
    jsonschema.Draft7Validator(SCHEMAS[status], format_checker=FORMATS).validate(body)


def post(simulator: Simulator, rotation_id: str, token: str | None, body: bytes = b"{}") -> tuple[int, Any]:
    headers = {"Content-Type": "application/json"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    connection = http.client.HTTPConnection("127.0.0.1", simulator.port, timeout=10)
    connection.request("POST", PATH.format(rotationId=rotation_id), body, headers)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, json.loads(text)


Case = Callable[[Simulator, str], "tuple[int, Any]"]


def _with_settings(**settings: Any) -> Case:
    def case(simulator: Simulator, rotation_id: str) -> tuple[int, Any]:
        simulator.settings(**settings)
        return post(simulator, rotation_id, simulator.mint_token())

    return case


def _with_token(**wanted: Any) -> Case:
    return lambda simulator, rotation_id: post(simulator, rotation_id, simulator.mint_token(**wanted))


def _old_with_token(**wanted: Any) -> Case:
    def case(simulator: Simulator, rotation_id: str) -> tuple[int, Any]:
        simulator.settings(generation="old")
        return post(simulator, rotation_id, simulator.mint_token(**wanted))

    return case


def _with_rotation(**wanted: Any) -> Case:
    def case(simulator: Simulator, rotation_id: str) -> tuple[int, Any]:
        return post(simulator, simulator.add_rotation(**wanted)["id"], simulator.mint_token())

    return case


def _while_rotating(*, hidden: bool) -> Case:
    def case(simulator: Simulator, rotation_id: str) -> tuple[int, Any]:
        simulator.rival(rotation_id, seconds=30, hidden=hidden)
        return post(simulator, rotation_id, simulator.mint_token())

    return case


def _without_permission(simulator: Simulator, rotation_id: str) -> tuple[int, Any]:
    identity = simulator.add_identity(without=[["rotate-secrets", "secret-rotation"]])
    return post(simulator, rotation_id, simulator.mint_token(identityId=identity["id"]))


def _not_a_member(simulator: Simulator, rotation_id: str) -> tuple[int, Any]:
    identity = simulator.add_identity(projects=[])
    return post(simulator, rotation_id, simulator.mint_token(identityId=identity["id"]))


def _orphaned(simulator: Simulator, rotation_id: str) -> tuple[int, Any]:
    rotation = simulator.add_rotation(slots=2, activeIndex=1)
    simulator.settings(okta={"createdButAnswerLost": 1})
    post(simulator, rotation["id"], simulator.mint_token())
    return post(simulator, rotation["id"], simulator.mint_token())


CASES: dict[str, tuple[int, str, Case]] = {
    "success": (200, "", _with_token()),
    "all nulls": (200, "", _with_rotation(isAutoRotationEnabled=False, description=None)),
    "plan": (400, "Upgrade plan", _with_settings(planAllowsRotation=False)),
    "in progress": (400, "already in progress", _while_rotating(hidden=False)),
    "other type": (400, "not configured for Okta", _with_rotation(type="auth0-client-secret")),
    "no token": (401, "Token missing", lambda simulator, rotation_id: post(simulator, rotation_id, None)),
    "revoked": (401, "has been revoked", _with_token(revoked=True)),
    "revoked, older server": (401, "No identity access token found", _old_with_token(revoked=True)),
    "expired": (403, "has expired", _with_token(expired=True)),
    "malformed": (403, "malformed", lambda simulator, rotation_id: post(simulator, rotation_id, "garbage")),
    "permission": (403, "not allowed to rotate-secrets on secret-rotation", _without_permission),
    "no member": (403, "not allowed to access", _not_a_member),
    "address": (403, "current IP address", _with_settings(ipRefused=True)),
    "unknown": (404, "Could not find", lambda s, _unused: post(s, UNKNOWN_ID, s.mint_token())),
    "not a uuid": (422, "Invalid uuid", lambda s, _unused: post(s, "not-a-uuid", s.mint_token())),
    "lock lost": (500, "Failed to acquire rotation lock.", _while_rotating(hidden=True)),
    "okta": (500, "Internal Server Error", _with_settings(okta={"createError": 1})),
    "orphan": (500, "only a single secret", _orphaned),
    "late": (500, "snapshot", _with_settings(lateFailure=1)),
    "maintenance": (500, "Something went wrong", _with_settings(maintenance=True)),
    "empty body": (500, "Something went wrong", lambda s, rid: post(s, rid, s.mint_token(), b"")),
    "broken body": (500, "Something went wrong", lambda s, rid: post(s, rid, s.mint_token(), b"{")),
}


@pytest.mark.parametrize("name", CASES)
def test_answer_keeps_to_the_document(simulator: Simulator, name: str) -> None:
    expected, words, case = CASES[name]
    status, body = case(simulator, simulator.rotation()["id"])
    assert status == expected, body
    check(status, body)
    assert words in json.dumps(body)


def test_every_documented_answer_is_driven() -> None:
    assert {case[0] for case in CASES.values()} == set(SCHEMAS)


PLANTED: dict[str, dict[str, Any]] = {
    "a key too many": {"set": {"secretRotation.encryptedGeneratedCredentials": "x"}},
    "a key too many outside": {"set": {"extra": 1}},
    "a key missing": {"delete": ["secretRotation.lastRotatedAt"]},
    "null where none may be": {"null": ["secretRotation.lastRotatedAt"]},
    "no uuid": {"set": {"secretRotation.id": "42"}},
    "no moment": {"set": {"secretRotation.lastRotatedAt": "yesterday"}},
    "another type": {"set": {"secretRotation.type": "auth0-client-secret"}},
    "a wrong kind": {"set": {"secretRotation.activeIndex": "1"}},
    "hours out of range": {"set": {"secretRotation.rotateAtUtc.hours": 24}},
    "wrapped": {"wrap": "data"},
    "not wrapped": {"unwrap": "secretRotation"},
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_wrong_answer_is_refused(simulator: Simulator, name: str) -> None:
    simulator.fault_rotate("mutate", **PLANTED[name])
    status, body = post(simulator, simulator.rotation()["id"], simulator.mint_token())
    assert status == 200
    with pytest.raises(jsonschema.ValidationError):
        check(status, body)


def test_an_unknown_route_is_not_the_documented_404(simulator: Simulator) -> None:
    """It has no reqId, and that is how a client tells an old server from a missing rotation."""
    status, body = post(simulator, "x/y", simulator.mint_token())
    assert (status, body["error"]) == (404, "Not Found")
    with pytest.raises(jsonschema.ValidationError):
        check(status, body)
