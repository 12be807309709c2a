# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets and folders: listing, creating, changing and deleting them as clients of the vendor do."""

from __future__ import annotations

from typing import Any

import pytest
from contract.test_simulator_routes import Api
from simulator.client import Simulator

V3 = "/api/v3/secrets/raw"
V4 = "/api/v4/secrets"


class Writer(Api):
    """By the id of the project under the name that the version gives it."""

    def __init__(self, simulator: Simulator, base: str, **identity: Any) -> None:
        super().__init__(simulator, **identity)
        self.base = base
        key = "workspaceId" if base == V3 else "projectId"
        self.at = {key: self.project, "environment": "dev", "secretPath": "/okta"}

    def write(self, method: str, name: str, **body: Any) -> tuple[int, Any]:
        return self.call(method, f"{self.base}/{name}", {**self.at, **body})

    def stored(self) -> dict[str, dict[str, Any]]:
        return {s["secretKey"]: s for s in self.simulator.state()["secrets"] if s["environment"] == "dev"}


@pytest.fixture(params=[V3, V4])
def writer(simulator: Simulator, request: pytest.FixtureRequest) -> Writer:
    return Writer(simulator, request.param)


def test_a_secret_is_created_changed_and_deleted(writer: Writer) -> None:
    status, body = writer.write("POST", "NEW", secretValue=" first ", secretComment="why")
    assert status == 200
    secret = body["secret"]
    assert (secret["secretValue"], secret["version"], secret["secretComment"]) == ("first", 1, "why")
    assert (secret["workspace"], secret["environment"], secret["type"]) == (writer.project, "dev", "shared")
    assert "secretPath" not in secret
    assert writer.stored()["NEW"]["secretPath"] == "/okta"
    status, body = writer.write("POST", "NEW", secretValue="x")
    assert (status, body["message"], body["error"]) == (400, "Secret already exists", "BadRequest")

    status, body = writer.write("PATCH", "NEW", secretValue="second\n")
    assert (status, body["secret"]["secretValue"], body["secret"]["version"]) == (200, "second\n", 2)
    assert body["secret"]["id"] == secret["id"]
    status, body = writer.write("PATCH", "NEW", newSecretName="RENAMED")
    assert (status, body["secret"]["secretKey"], body["secret"]["secretValue"]) == (200, "RENAMED", "")
    stored = writer.stored()["RENAMED"]
    assert (stored["secretValue"], stored["version"], stored["secretComment"]) == ("second\n", 3, "why")

    status, body = writer.write("DELETE", "RENAMED")
    assert (status, body["secret"]["secretValue"]) == (200, "second\n")
    assert writer.stored() == {}


def test_the_same_value_again_is_a_new_version(writer: Writer) -> None:
    writer.write("POST", "NEW", secretValue="same")
    assert writer.write("PATCH", "NEW", secretValue="same")[1]["secret"]["version"] == 2


@pytest.mark.parametrize(
    ("method", "name", "changes", "status", "message", "error"),
    [
        ("PATCH", "NONE", {}, 404, "Secret with name NONE not found", "NotFound"),
        ("DELETE", "NONE", {}, 404, "Secret not found", "NotFound"),
        ("POST", "NEW", {"type": "personal"}, 400, "Must be user to create personal secret", "BadRequest"),
        ("DELETE", "HERE", {"type": "personal"}, 400, "Must be user to delete personal secret", "BadRequest"),
        ("PATCH", "HERE", {"newSecretName": "TAKEN"}, 400, "Secret with the new name already exists", "BadRequest"),
    ],
)
def test_what_cannot_be_written(
    writer: Writer, method: str, name: str, changes: dict[str, Any], status: int, message: str, error: str
) -> None:
    for present in ("HERE", "TAKEN"):
        assert writer.write("POST", present, secretValue="x")[0] == 200
    before = writer.stored()
    answer = writer.write(method, name, **{"secretValue": "y", **changes})
    assert (answer[0], answer[1]["message"], answer[1]["error"]) == (status, message, error)
    assert writer.stored() == before


@pytest.mark.parametrize(
    ("method", "operation"), [("POST", "CreateSecret"), ("PATCH", "UpdateSecret"), ("DELETE", "DeleteSecret")]
)
def test_writing_needs_the_folder(writer: Writer, method: str, operation: str) -> None:
    status, body = writer.write(method, "NEW", secretValue="x", secretPath="/nowhere")
    assert (status, body["error"]) == (404, operation)
    assert body["message"] == "Folder with path '/nowhere' in environment with slug 'dev' not found"


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_writing_needs_well_formed_bodies(writer: Writer, method: str) -> None:
    status, body = writer.write(method, "NEW", secretValue=7)
    assert (status, body["error"], body["message"][0]["path"]) == (422, "ValidationFailure", ["secretValue"])


@pytest.mark.parametrize(("method", "action"), [("POST", "create"), ("PATCH", "edit"), ("DELETE", "delete")])
def test_writing_needs_the_permission(simulator: Simulator, method: str, action: str) -> None:
    reader = Writer(simulator, V4, without=[[action, "secrets"]])
    Writer(simulator, V4).write("POST", "HERE", secretValue="x")
    name = "NEW" if method == "POST" else "HERE"
    status, body = reader.write(method, name, secretValue="y")
    assert (status, body["message"]) == (403, f"You are not allowed to {action} on secrets")
    assert reader.stored()["HERE"]["secretValue"] == "x"
    assert "NEW" not in reader.stored()


def test_who_may_write_and_not_read_sees_no_value(simulator: Simulator) -> None:
    blind = Writer(simulator, V4, without=[["readValue", "secrets"]])
    blind.write("POST", "NEW", secretValue="x")
    for method in ("PATCH", "DELETE"):
        secret = blind.write(method, "NEW", secretValue="y")[1]["secret"]
        assert (secret["secretValueHidden"], secret["secretValue"]) == (True, "<hidden-by-infisical>")


def test_a_rotated_secret_keeps_its_name_and_place(writer: Writer) -> None:
    rotated = {"environment": "prod", "secretPath": "/okta"}
    status, body = writer.write("PATCH", "OKTA_CLIENT_ID", newSecretName="OTHER", **rotated)
    assert (status, body["message"]) == (400, "Cannot update rotated secret name")
    status, body = writer.write("DELETE", "OKTA_CLIENT_ID", **rotated)
    assert (status, body["message"]) == (400, "Cannot delete rotated secrets")


def test_the_older_endpoints_take_a_slug(simulator: Simulator) -> None:
    writer = Writer(simulator, V3)
    del writer.at["workspaceId"]
    assert writer.write("POST", "NEW", secretValue="x", projectSlug="payments")[0] == 200
    status, body = writer.write("DELETE", "NEW")
    assert (status, body["message"]) == (400, "You must provide projectSlug or workspaceId")
    status, body = writer.write("DELETE", "NEW", projectSlug="nobody")
    assert (status, body["message"]) == (404, "No project found with slug 'nobody'")
    assert set(writer.stored()) == {"NEW"}


def test_an_older_server_has_other_words(simulator: Simulator) -> None:
    simulator.settings(generation="old")
    writer = Writer(simulator, V3)
    writer.write("POST", "NEW", secretValue="x")
    assert writer.write("POST", "NEW", secretValue="x")[1]["message"] == "Secret already exist"


def _names(writer: Writer, **query: str) -> list[str]:
    status, body = writer.call("GET", writer.base, **{**writer.at, **query})
    assert (status, body["imports"]) == (200, [])
    return [secret["secretKey"] for secret in body["secrets"]]


def test_what_is_not_there_lists_as_empty(writer: Writer) -> None:
    writer.write("POST", "NEW", secretValue="x")
    assert _names(writer) == ["NEW"]
    assert _names(writer, secretPath="/nowhere") == []
    assert _names(writer, environment="nowhere") == []
    assert _names(writer, secretPath="/nowhere", recursive="true") == []


def test_a_recursive_list_holds_what_is_nested(writer: Writer) -> None:
    folder = {"projectId": writer.project, "environment": "dev", "name": "okta-other", "path": "/"}
    assert writer.call("POST", "/api/v2/folders", folder)[0] == 200
    for name, path in (("TOP", "/"), ("NESTED", "/okta"), ("OTHER", "/okta-other")):
        assert writer.write("POST", name, secretValue="x", secretPath=path)[0] == 200
    assert _names(writer, secretPath="/") == ["TOP"]
    assert _names(writer, secretPath="/", recursive="true") == ["TOP", "NESTED", "OTHER"]
    assert _names(writer, secretPath="/okta", recursive="true") == ["NESTED"]
    status, body = writer.call("GET", writer.base, **writer.at, recursive="True")
    assert (status, body["message"][0]["path"]) == (422, ["recursive"])


def test_a_list_needs_to_be_told_where(writer: Writer) -> None:
    assert writer.call("GET", writer.base, environment="dev")[0] == 400
    del writer.at["environment"]
    assert writer.call("GET", writer.base, **writer.at)[0] == 400


@pytest.mark.parametrize(("base", "key"), [("/api/v2/folders", "projectId"), ("/api/v1/folders", "workspaceId")])
def test_folders(simulator: Simulator, base: str, key: str) -> None:
    api = Api(simulator)
    place = {key: api.project, "environment": "dev"}
    status, body = api.call("POST", base, {**place, "name": "deep", "path": "/okta/"})
    assert (status, body["folder"]["path"], body["folder"]["name"]) == (200, "/okta/deep", "deep")
    for text, names in {"True": ["okta", "deep"], "true": ["okta", "deep"], "False": ["okta"], "0": ["okta"]}.items():
        status, listed = api.call("GET", base, **place, path="/", recursive=text)
        assert (status, [folder["name"] for folder in listed["folders"]]) == (200, names), text
    status, body = api.call("POST", base, {**place, "name": "a/b"})
    assert (status, body["message"][0]["path"]) == (422, ["name"])
