# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The other endpoints: rotations as objects, secrets, projects, folders, connections, health."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlencode

import pytest
from simulator.client import Simulator

BASE = "/api/v2/secret-rotations/okta-client-secret"


class Api:
    def __init__(self, simulator: Simulator, **identity: Any) -> None:
        self.simulator = simulator
        self.project = simulator.state()["project"]["id"]
        self.rotation = simulator.rotation()
        self.identity = simulator.add_identity(**identity)
        self.token = simulator.mint_token(identityId=self.identity["id"])

    def call(self, method: str, url: str, body: Any = None, **query: str) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.simulator.port, timeout=10)
        headers = {"Authorization": f"Bearer {self.token}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        target = url + ("?" + urlencode(query) if query else "")
        connection.request(method, target, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, json.loads(text) if text.startswith(("{", "[")) else text

    def place(self) -> dict[str, str]:
        return {"projectId": self.project, "environment": "prod", "secretPath": "/okta/"}

    def new_rotation(self, **changes: Any) -> dict[str, Any]:
        client_id = self.rotation["parameters"]["clientId"]
        return {
            "name": "second",
            "connectionId": self.rotation["connectionId"],
            "rotationInterval": "14",
            "parameters": {"clientId": client_id},
            "secretsMapping": {"clientId": "SECOND_ID", "clientSecret": "SECOND_SECRET"},
            **self.place(),
            **changes,
        }


@pytest.fixture
def api(simulator: Simulator) -> Api:
    return Api(simulator)


def test_reading_a_rotation(api: Api) -> None:
    rotation_id = api.rotation["id"]
    status, by_id = api.call("GET", f"{BASE}/{rotation_id}")
    assert (status, by_id["secretRotation"]["name"]) == (200, "okta-payments")
    assert api.call("GET", f"{BASE}/rotation-name/okta-payments", **api.place()) == (200, by_id)
    assert api.call("GET", BASE, projectId=api.project) == (200, {"secretRotations": [by_id["secretRotation"]]})
    status, credentials = api.call("GET", f"{BASE}/{rotation_id}/generated-credentials")
    assert set(credentials) == {"activeIndex", "generatedCredentials", "type", "rotationId"}
    assert set(credentials["generatedCredentials"][0]) == {"clientId", "clientSecret", "secretId"}


def test_what_is_not_there(api: Api) -> None:
    assert api.call("GET", f"{BASE}/rotation-name/nobody", **api.place())[0] == 404
    assert api.call("GET", f"{BASE}/rotation-name/okta-payments", **{**api.place(), "secretPath": "/x"})[0] == 400
    assert api.call("GET", f"{BASE}/rotation-name/okta-payments")[0] == 422
    assert api.call("GET", BASE)[0] == 422
    other = api.simulator.add_rotation(name="other", type="auth0-client-secret")
    assert api.call("GET", f"{BASE}/{other['id']}")[0] == 400
    assert api.call("GET", f"{BASE}/rotation-name/other", **api.place())[0] == 400


@pytest.mark.parametrize(
    ("taken", "path"),
    [("read", ""), ("read-generated-credentials", "/generated-credentials")],
)
def test_missing_permissions(simulator: Simulator, taken: str, path: str) -> None:
    api = Api(simulator, without=[[taken, "secret-rotation"]])
    status, body = api.call("GET", f"{BASE}/{api.rotation['id']}{path}")
    assert (status, body["error"]) == (403, "PermissionDenied")
    assert body["message"] == f"You are not allowed to {taken} on secret-rotation"
    assert body["details"] == []


def test_create_change_and_delete(api: Api) -> None:
    assert api.call("POST", BASE, api.new_rotation(name="Not_A_Slug"))[0] == 422
    assert api.call("POST", BASE, api.new_rotation(name="okta-payments"))[0] == 400
    status, made = api.call("POST", BASE, api.new_rotation())
    assert status == 200, made
    rotation = made["secretRotation"]
    assert (rotation["rotationInterval"], rotation["folder"]["path"]) == (14, "/okta")
    assert len(api.simulator.okta_secrets()) == 2
    status, full = api.call(
        "POST", BASE, api.new_rotation(name="third", secretsMapping={"clientId": "A", "clientSecret": "B"})
    )
    assert status == 400
    assert "only a single secret" in full["message"]

    status, changed = api.call("PATCH", f"{BASE}/{rotation['id']}", {"isAutoRotationEnabled": False, "projectId": "x"})
    assert (status, changed["secretRotation"]["nextRotationAt"]) == (200, None)
    assert changed["secretRotation"]["projectId"] == api.project

    assert api.call("DELETE", f"{BASE}/{rotation['id']}", deleteSecrets="yes")[0] == 422
    flags = {"deleteSecrets": "true", "revokeGeneratedCredentials": "true"}
    assert api.call("DELETE", f"{BASE}/{rotation['id']}", **flags)[0] == 200
    assert len(api.simulator.okta_secrets()) == 1
    assert api.call("GET", f"{BASE}/{rotation['id']}")[0] == 404


def test_secrets(simulator: Simulator) -> None:
    api = Api(simulator)
    path = "/api/v4/secrets/OKTA_CLIENT_SECRET"
    status, body = api.call("GET", path, **api.place())
    assert status == 200
    assert body["secret"]["secretValue"] == simulator.okta_secrets()[0]["client_secret"]
    assert (body["secret"]["isRotatedSecret"], body["secret"]["rotationId"]) == (True, api.rotation["id"])
    assert len(api.call("GET", "/api/v4/secrets", **api.place())[1]["secrets"]) == 2
    assert api.call("GET", path, environment="prod")[0] == 422
    assert api.call("GET", path, projectId=api.project)[0] == 400


def test_secrets_that_may_be_seen_and_not_read(simulator: Simulator) -> None:
    api = Api(simulator, without=[["readValue", "secrets"]])
    path = "/api/v4/secrets/OKTA_CLIENT_SECRET"
    status, body = api.call("GET", path, **api.place())
    assert (status, body["secret"]["secretValueHidden"]) == (200, True)
    assert body["secret"]["secretValue"] == "<hidden-by-infisical>"
    simulator.settings(hiddenReads="forbidden")
    assert api.call("GET", path, **api.place())[0] == 403
    assert api.call("GET", path, viewSecretValue="false", **api.place())[0] == 200


def test_projects_and_folders(api: Api) -> None:
    status, project = api.call("GET", "/api/v1/projects/slug/payments")
    assert (status, project["id"]) == (200, api.project)
    assert api.call("GET", "/api/v2/workspace/payments") == (200, project)
    assert api.call("GET", f"/api/v1/projects/{api.project}") == (200, {"project": project})
    assert api.call("GET", "/api/v1/projects") == (200, {"projects": [project]})
    assert api.call("GET", "/api/v1/projects/slug/nobody")[0] == 404
    assert api.call("GET", "/api/v1/projects/slug/No_Slug")[0] == 422
    place = {"projectId": api.project, "environment": "dev"}
    assert api.call("POST", "/api/v2/folders", {**place, "name": "deep", "path": "/okta"})[0] == 200
    assert api.call("POST", "/api/v2/folders", {**place, "name": "deep", "path": "/okta"})[0] == 400
    names = [f["name"] for f in api.call("GET", "/api/v2/folders", **place, path="/")[1]["folders"]]
    assert names == ["okta"]
    deep = api.call("GET", "/api/v2/folders", **place, path="/", recursive="true")[1]["folders"][-1]
    assert deep["relativePath"] == "/okta/deep"
    status, one = api.call("GET", f"/api/v2/folders/{deep['id']}")
    assert (status, one["folder"]["path"]) == (200, "/okta/deep")


def test_connections(api: Api) -> None:
    base = "/api/v1/app-connections/okta"
    api.simulator.add_connection("organisation-wide", projectId=None)
    status, found = api.call("GET", f"{base}/available", projectId=api.project)
    assert (status, [c["name"] for c in found["appConnections"]]) == (200, ["okta-main", "organisation-wide"])
    api.simulator.add_connection("okta-main", projectId=None)
    found = api.call("GET", f"{base}/available", projectId=api.project)[1]["appConnections"]
    assert [c["projectId"] for c in found if c["name"] == "okta-main"] == [None, api.project]
    assert [c["name"] for c in api.call("GET", f"{base}/available")[1]["appConnections"]] == [
        "okta-main",
        "organisation-wide",
    ]
    assert len(api.call("GET", base)[1]["appConnections"]) == 2
    status, one = api.call("GET", f"{base}/connection-name/okta-main", projectId=api.project)
    assert api.call("GET", f"{base}/{one['appConnection']['id']}") == (200, one)
    status, missing = api.call("GET", f"{base}/connection-name/nobody")
    assert (status, missing["message"]) == (
        404,
        "Could not find App Connection with name nobody in organization scope.",
    )
    assert api.call("GET", f"{base}/not-a-uuid")[0] == 422


def test_health_and_the_web_page(api: Api) -> None:
    status, page = api.call("GET", "/secret-rotations")
    assert status == 200
    assert page.startswith("<!doctype html>")
    assert api.call("POST", "/secret-rotations", {})[0] == 404
    assert api.call("GET", "/api/status")[1]["message"] == "Ok"
    api.simulator.settings(standalone=False)
    assert api.call("GET", "/secret-rotations")[0] == 404


def test_moved_time_and_a_missing_date(api: Api) -> None:
    api.simulator.settings(clockOffset=3600, clockFrozen=True)
    before = api.simulator.state()["now"]
    assert api.call("GET", "/api/status")[1]["date"] == before
    api.simulator.settings(sendDate=False)
    connection = http.client.HTTPConnection("127.0.0.1", api.simulator.port, timeout=10)
    connection.request("GET", "/api/status")
    assert connection.getresponse().getheader("Date") is None
    connection.close()
