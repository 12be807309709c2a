# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is taken for a rotation, and what is not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.api import Api
from ansible_collections.secretops.infisical.plugins.module_utils._transport.client import Answer

ID = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
ROTATION = {
    "id": ID,
    "name": "okta",
    "type": "okta-client-secret",
    "rotationStatus": "success",
    "lastRotatedAt": "2026-01-01T00:00:00.000Z",
    "lastRotationAttemptedAt": "2026-01-01T00:00:00.000Z",
    "secretsMapping": {"clientId": "ID", "clientSecret": "SECRET"},
    "projectId": "p",
    "environment": {"slug": "prod", "name": "Production", "id": "e"},
    "folder": {"id": "f", "path": "/okta/"},
}


class Fixed:
    """A session whose every answer is the same."""

    def __init__(self, data: dict[str, Any] | InfisicalError) -> None:
        self._data = data

    def get(self, path: str, what: str, params: dict[str, str] | None = None, *, fresh: bool = False) -> Answer:
        # Only a list decides nothing.
        assert fresh is (path != "/api/v2/secret-rotations/okta-client-secret")
        return self.write_now("GET", path, what)

    def write_now(self, method: str, path: str, what: str, body: Any = None, params: Any = None) -> Answer:
        if isinstance(self._data, InfisicalError):
            raise self._data
        return Answer(self._data, None)


def api(data: dict[str, Any] | InfisicalError) -> Api:
    session: Any = Fixed(data)
    return Api(session)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"id": 7}, "secretRotation.id is not a string"),
        ({"name": None}, "secretRotation.name is not a string"),
        ({"lastRotatedAt": None}, "secretRotation.lastRotatedAt is not a timestamp"),
        ({"lastRotationAttemptedAt": "soon"}, "secretRotation.lastRotationAttemptedAt is not a timestamp"),
        ({"type": "aws-iam-user-secret"}, "its type is not okta-client-secret"),
        ({"id": "00000000-0000-4000-8000-000000000000"}, "it is about another rotation"),
        ({"secretsMapping": []}, "secretRotation.secretsMapping is not an object"),
    ],
)
def test_what_is_no_rotation_is_refused_with_its_fault(changes: dict[str, Any], fault: str) -> None:
    with pytest.raises(InfisicalError, match=fault) as caught:
        api({"secretRotation": {**ROTATION, **changes}}).read(ID)
    assert caught.value.reason == "invalid_response"


@pytest.mark.parametrize("data", [{}, {"secretRotation": None}, {"secretRotation": [ROTATION]}])
def test_an_answer_without_a_rotation_is_refused(data: dict[str, Any]) -> None:
    with pytest.raises(InfisicalError, match="holds no secretRotation"):
        api(data).read(ID)


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "other"},
        {"projectId": "q"},
        {"environment": {"slug": "dev"}},
        {"environment": "prod"},
        {"environment": None},
        {"folder": {"id": "f", "path": "/"}},
        {"folder": {"id": "f", "path": 5}},
        {"folder": None},
    ],
)
def test_what_was_found_is_what_was_looked_for(changes: dict[str, Any]) -> None:
    looked_for = ("okta", "p", "prod", "/okta")
    assert api({"secretRotation": ROTATION}).read_by_name(*looked_for).rotation == ROTATION
    with pytest.raises(InfisicalError, match="it is about another rotation") as caught:
        api({"secretRotation": {**ROTATION, **changes}}).read_by_name(*looked_for)
    assert caught.value.reason == "invalid_response"


def test_unknown_keys_are_kept_and_the_case_of_an_id_does_not_matter() -> None:
    rotation = {**ROTATION, "id": ID.upper(), "new": {"key": 1}}
    assert api({"secretRotation": rotation}).read(ID).rotation == rotation


@pytest.mark.parametrize("message", [None, 5, ["a"], {"a": 1}, ""])
def test_a_message_that_is_no_text_is_none(message: object) -> None:
    assert api({"secretRotation": {**ROTATION, "lastRotationMessage": message}}).read(ID).last_message == ""


def test_what_answers_the_request_and_is_no_rotation_leaves_a_doubt() -> None:
    with pytest.raises(InfisicalError, match="holds no secretRotation") as caught:
        api({"ok": True}).rotate(ID)
    assert (caught.value.reason, caught.value.effect) == ("invalid_response", "unknown")
    assert api({"secretRotation": ROTATION}).rotate(ID).rotation == ROTATION


@pytest.mark.parametrize(
    "said",
    [
        "A rotation is already in progress. Please try again shortly.",
        "Secret rotation is currently in progress",
        "The rotation is in progress",
    ],
)
def test_somebody_else_is_rotating_in_whatever_words(said: str) -> None:
    refusal = InfisicalError("request_rejected", "No.", http_status=400, server_message=said)
    with pytest.raises(InfisicalError) as caught:
        api(refusal).rotate(ID)
    assert (caught.value.reason, caught.value.effect) == ("rotation_in_progress", "none")


def test_who_loses_the_servers_lock_did_nothing() -> None:
    said = "Infisical encountered an issue: Failed to acquire rotation lock."
    refusal = InfisicalError("server_error", "No.", http_status=500, server_message=said, effect="unknown")
    with pytest.raises(InfisicalError) as caught:
        api(refusal).rotate(ID)
    assert (caught.value.reason, caught.value.effect) == ("rotation_in_progress", "none")


def test_a_list_is_read_whole_or_not_at_all() -> None:
    assert [reading.id for reading in api({"secretRotations": [ROTATION]}).read_all("p")] == [ID]
    with pytest.raises(InfisicalError, match="holds no secretRotations"):
        api({"secretRotation": ROTATION}).read_all("p")
    with pytest.raises(InfisicalError, match="not a timestamp"):
        api({"secretRotations": [ROTATION, {**ROTATION, "lastRotatedAt": 0}]}).read_all("p")
    with pytest.raises(InfisicalError, match="one of another project, 'p'"):
        api({"secretRotations": [ROTATION]}).read_all("q")


@pytest.mark.parametrize(
    "call",
    [
        lambda api: api.read(ID),
        lambda api: api.read_by_name("okta", "p", "prod", "/okta"),
        lambda api: api.read_all("p"),
    ],
)
def test_a_refusal_stays_the_refusal_that_it_is(call: Callable[[Api], object]) -> None:
    refusal = InfisicalError("permission_denied", "No.", http_status=403)
    with pytest.raises(InfisicalError) as caught:
        call(api(refusal))
    assert caught.value is refusal


def test_a_reason_that_is_not_documented_is_a_programming_error() -> None:
    with pytest.raises(ValueError, match="not a documented reason"):
        raise InfisicalError("bad_luck", "No.")
