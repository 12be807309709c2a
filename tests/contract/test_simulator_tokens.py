# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the running simulator answers to kinds of tokens and to addresses, and that it ends with who started it."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from simulator.client import Simulator

FOLDER = Path(__file__).resolve().parent.parent
IP = "You are not allowed to access this resource from the current IP address"
DEFAULT = "You are not allowed to access this resource"


def call(
    simulator: Simulator, method: str, path: str, token: str | None = None, body: Any = None, address: str | None = None
) -> tuple[int, str, str]:
    headers = {"Content-Type": "application/json"} if body is not None else {}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    if address is not None:
        headers["X-Forwarded-For"] = address
    connection = http.client.HTTPConnection("127.0.0.1", simulator.port, timeout=10)
    try:
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        found = json.loads(answer.read())
    finally:
        connection.close()
    return answer.status, str(found.get("error", "")), str(found.get("message", ""))


def revoke(simulator: Simulator, token: str, address: str | None = None) -> tuple[int, str, str]:
    return call(simulator, "POST", "/api/v1/auth/token/revoke", None, {"accessToken": token}, address)


def test_an_address_that_the_identity_refuses(simulator: Simulator) -> None:
    identity = simulator.add_identity(accessTokenTrustedIps=["10.0.0.0/8"])
    token = simulator.mint_token(identityId=identity["id"])
    refused = (403, "ForbiddenError", IP)
    assert call(simulator, "GET", "/api/status", token) == refused
    assert call(simulator, "GET", "/api/v1/projects", token) == refused
    assert call(simulator, "GET", "/api/status", token, address="10.1.2.3")[0] == 200
    assert call(simulator, "GET", "/api/status", simulator.mint_token())[0] == 200
    assert revoke(simulator, token) == (200, "", "Successfully revoked access token")


@pytest.mark.parametrize("path", ["/api/v1/projects", "/api/v2/secret-rotations/okta-client-secret?projectId=x"])
def test_a_service_token_is_refused_by_routes_and_by_revoke(simulator: Simulator, path: str) -> None:
    token = simulator.mint_token(service=True)
    assert token.startswith("st.")
    assert call(simulator, "GET", path, token) == (403, f"Forbidden access to {path}", DEFAULT)
    assert revoke(simulator, token) == (401, "UnauthorizedError", "Only identity access tokens can be revoked")
    assert call(simulator, "GET", "/api/status", token)[0] == 200


def test_a_service_token_that_nobody_made_is_not_found(simulator: Simulator) -> None:
    assert call(simulator, "GET", "/api/status", "st.x.y") == (404, "NotFound", "Service token with ID 'x' not found")


def test_a_user_s_jwt_is_not_revoked_and_goes_on_working(simulator: Simulator) -> None:
    token = simulator.mint_token(user=True)
    assert revoke(simulator, token) == (401, "UnauthorizedError", "Only identity access tokens can be revoked")
    assert call(simulator, "GET", "/api/v1/projects", token)[0] == 200


def test_a_sub_organisation_is_made_by_order(simulator: Simulator) -> None:
    simulator.add_organization("payments-eu")
    identity = simulator.add_identity(subOrganizations=["payments-eu"])
    body = {key: identity[key] for key in ("clientId", "clientSecret")}
    path = "/api/v1/auth/universal-auth/login"
    assert call(simulator, "POST", path, None, {**body, "organizationSlug": "payments-eu"})[0] == 200
    assert simulator.state()["tokens"][-1]["organization"] == "payments-eu"


def test_a_server_whose_parent_died_before_it_had_started_ends() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    command = [sys.executable, "-m", "simulator", "--parent", str(gone.pid)]
    environment = {**os.environ, "PYTHONPATH": str(FOLDER)}
    assert subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, timeout=60, check=False).returncode == 0
