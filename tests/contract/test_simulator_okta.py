# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Okta's OAuth endpoints of the simulator: RFC 6749, RFC 7662, and Okta's own words."""

from __future__ import annotations

import base64
import http.client
import json
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from simulator.client import Simulator, SimulatorError

ORGANISATION, DEFAULT = "/oauth2/v1", "/oauth2/default/v1"
WRONG_SECRET = {
    "error": "invalid_client",
    "error_description": "The client secret supplied for a confidential client is invalid.",
}
NO_CREDENTIALS = {"error": "invalid_client", "error_description": "No client credentials found."}
EITHER = {
    "error": "invalid_client",
    "error_description": "Client authentication failed. Either the client or the client credentials are invalid.",
}
Told = tuple[int, dict[str, Any]]


class Application:
    """An application of Okta's with two secrets."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        made = simulator.add_application("0oaApplication", secrets=2)
        self.client_id = made["clientId"]
        self.secrets = [secret["client_secret"] for secret in made["secrets"]]
        self.headers: dict[str, str] = {}

    def basic(self, secret: str | None = None, client_id: str = "") -> dict[str, str]:
        pair = f"{client_id or self.client_id}:{self.secrets[0] if secret is None else secret}"
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}

    def form(self, secret: str | None = None) -> dict[str, str]:
        return {"client_id": self.client_id, "client_secret": secret or self.secrets[0]}

    def post(self, path: str, fields: Any, headers: dict[str, str], method: str = "POST") -> Told:
        address = urlsplit(self.simulator.okta_url)
        connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=10)
        kind = {"Content-Type": "application/x-www-form-urlencoded", **headers}
        connection.request(method, address.path + path, urlencode(fields), kind)
        answer = connection.getresponse()
        body = json.loads(answer.read())
        connection.close()
        self.headers = {name.lower(): value for name, value in answer.getheaders()}
        assert self.headers["x-okta-request-id"]
        assert self.headers["content-type"] == "application/json"
        return answer.status, body

    def token(self, server: str = ORGANISATION, **fields: str) -> Told:
        return self.post(f"{server}/token", {"grant_type": "client_credentials", **fields}, self.basic())

    def introspect(self, token: str, server: str = ORGANISATION, headers: dict[str, str] | None = None) -> Told:
        return self.post(f"{server}/introspect", {"token": token}, self.basic() if headers is None else headers)


@pytest.fixture
def application(simulator: Simulator) -> Application:
    return Application(simulator)


@pytest.mark.parametrize("server", [ORGANISATION, DEFAULT])
@pytest.mark.parametrize("number", [0, 1])
def test_every_active_secret_is_taken_in_either_way(application: Application, server: str, number: int) -> None:
    secret = application.secrets[number]
    asked = {"token": "none", "token_type_hint": "access_token"}
    assert application.post(f"{server}/introspect", asked, application.basic(secret)) == (200, {"active": False})
    assert application.post(f"{server}/introspect", {**asked, **application.form(secret)}, {}) == (
        200,
        {"active": False},
    )
    grant = {"grant_type": "client_credentials"}
    assert application.post(f"{server}/token", grant, application.basic(secret))[0] == 200
    assert application.post(f"{server}/token", {**grant, **application.form(secret)}, {})[0] == 200


@pytest.mark.parametrize("endpoint", ["token", "introspect"])
def test_what_proves_no_client(application: Application, endpoint: str) -> None:
    path = f"{ORGANISATION}/{endpoint}"
    fields = {"token": "none", "grant_type": "client_credentials"}
    broken = {"Authorization": "Basic ###"}
    without_colon = {"Authorization": f"Basic {base64.b64encode(b'0oaApplication').decode()}"}
    for headers in ({}, {"Authorization": "Bearer x"}, broken, without_colon):
        assert application.post(path, fields, headers) == (401, NO_CREDENTIALS)
    assert application.post(path, fields, application.basic("wrong")) == (401, WRONG_SECRET)
    assert application.headers["www-authenticate"].startswith("Basic ")
    assert application.post(path, {**fields, **application.form("wrong")}, {}) == (401, WRONG_SECRET)
    assert application.post(path, {**fields, "client_id": application.client_id}, {}) == (401, EITHER)
    status, both = application.post(path, {**fields, **application.form()}, application.basic())
    assert (status, both["error"]) == (400, "invalid_request")
    status, unknown = application.post(path, fields, application.basic(client_id="0oaNobody"))
    assert (status, unknown["errorCode"]) == (401, "invalid_client")
    assert unknown["errorSummary"] == "Invalid value for 'client_id' parameter."
    assert unknown["errorId"].startswith("oae")


def test_an_inactive_application_and_one_with_a_method_of_its_own(application: Application) -> None:
    change = application.simulator.change_application
    assert change(application.client_id, status="INACTIVE")["status"] == "INACTIVE"
    status, inactive = application.introspect("none")
    assert (status, inactive["errorSummary"]) == (401, "Invalid value for 'client_id' parameter.")
    change(application.client_id, status="ACTIVE", authMethod="client_secret_post")
    assert application.introspect("none") == (401, EITHER)
    asked = {"token": "none", **application.form()}
    assert application.post(f"{ORGANISATION}/introspect", asked, {}) == (200, {"active": False})
    change(application.client_id, authMethod="private_key_jwt")
    assert application.post(f"{ORGANISATION}/introspect", asked, {}) == (401, EITHER)
    with pytest.raises(SimulatorError):
        change(application.client_id, clientId="other")
    with pytest.raises(SimulatorError):
        change("0oaNobody", status="ACTIVE")


def test_a_secret_that_was_removed_is_refused(application: Application) -> None:
    made = application.simulator.state()["okta"][application.client_id]["secrets"]
    order = {"clientId": application.client_id, "action": "remove", "secretId": made[0]["id"]}
    application.simulator.control("POST", "orphan", order)
    first, second = application.secrets
    assert application.introspect("none", headers=application.basic(first)) == (401, WRONG_SECRET)
    assert application.introspect("none", headers=application.basic(second)) == (200, {"active": False})


def test_a_token_is_active_while_it_lives_at_its_own_server(application: Application) -> None:
    application.simulator.settings(clockFrozen=True, oktaTokenLifetime=60)
    status, issued = application.token(DEFAULT, scope="payments.read")
    assert (status, application.headers["cache-control"]) == (200, "no-cache, no-store")
    assert (issued["token_type"], issued["expires_in"], issued["scope"]) == ("Bearer", 60, "payments.read")
    status, seen = application.introspect(issued["access_token"], DEFAULT)
    assert (status, seen["active"], seen["client_id"]) == (200, True, application.client_id)
    assert (seen["scope"], seen["exp"] - seen["iat"]) == ("payments.read", 60)
    assert application.introspect(issued["access_token"]) == (200, {"active": False})
    application.simulator.settings(clockAdvance=60)
    assert application.introspect(issued["access_token"], DEFAULT) == (200, {"active": False})


def test_a_token_without_a_scope_lives_an_hour(application: Application) -> None:
    _status, issued = application.token()
    assert (issued["expires_in"], issued["scope"]) == (3600, "")
    assert application.token()[1]["access_token"] != issued["access_token"]
    application.simulator.reset()
    again = Application(application.simulator)
    assert again.introspect(issued["access_token"]) == (200, {"active": False})


def test_what_is_no_valid_request(application: Application) -> None:
    basic = application.basic()
    status, grant = application.token(grant_type="password")
    assert (status, grant["error"]) == (400, "unsupported_grant_type")
    invalid: list[tuple[str, Any, dict[str, str]]] = [
        ("token", {}, basic),
        ("token", {"grant_type": ""}, basic),
        ("introspect", {}, basic),
        ("introspect", [("token", "a"), ("token", "b")], basic),
        ("introspect", {"token": "a"}, {**basic, "Content-Type": "application/json"}),
    ]
    for endpoint, fields, headers in invalid:
        status, body = application.post(f"{ORGANISATION}/{endpoint}", fields, headers)
        assert (status, body["error"]) == (400, "invalid_request")


def test_unknown_places(application: Application) -> None:
    asked = {"token": "none"}
    status, server = application.introspect("none", "/oauth2/ausOther/v1")
    assert (status, server["errorCode"]) == (404, "E0000007")
    assert server["errorSummary"] == "Not found: Resource not found: ausOther (AuthorizationServer)"
    for path in ("/oauth2/v1/authorize", "/oauth2/default/introspect", "/oauth2/v2/token", "/api/v1/apps"):
        assert application.post(path, asked, application.basic())[0] == 404
    assert application.post(f"{ORGANISATION}/introspect", asked, application.basic(), "GET")[0] == 405
    application.simulator.settings(oktaAuthorizationServers=["ausOther"])
    assert application.introspect("none", "/oauth2/ausOther/v1") == (200, {"active": False})


def test_requests_are_logged_and_meet_faults(application: Application) -> None:
    application.simulator.fault("status", path="/okta/.*introspect", status=503, body={"busy": True})
    with pytest.raises(KeyError, match="x-okta-request-id"):
        application.post(f"{ORGANISATION}/introspect", {}, {})
    application.introspect("none", DEFAULT)
    (failed, answered) = application.simulator.log("^/okta/", "POST")
    assert (failed["path"], failed["status"], failed["fault"]) == ("/okta/oauth2/v1/introspect", 503, "status")
    assert (answered["path"], answered["status"]) == ("/okta/oauth2/default/v1/introspect", 200)


def test_applications_and_tokens_outlive_a_restart() -> None:
    with Simulator(keep_state=True) as simulator:
        application = Application(simulator)
        _status, issued = application.token()
        simulator.save()
        simulator.restart()
        status, seen = application.introspect(issued["access_token"])
        assert (status, seen["active"]) == (200, True)
