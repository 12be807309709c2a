# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The login methods, their refusals, and the lockout, without a network."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import pytest
from simulator.clock import Clock
from simulator.errors import ApiError
from simulator.logins import FAILURES, Logins
from simulator.metadata import AZURE_PATH, GCP_PATH, Metadata
from simulator.router import Context, Router
from simulator.store import Store
from simulator.tokens import Tokens

JWT_METHODS = ("oidc-auth", "jwt-auth", "kubernetes-auth", "gcp-auth", "azure-auth")


class World:
    def __init__(self) -> None:
        self.clock = Clock()
        self.clock.freeze(1_800_000_000)
        self.store = Store(self.clock)
        self.identity = self.store.add_identity(clientSecret="right")
        self.tokens = Tokens(self.store)
        self.router = Router()
        Logins(self.store, self.tokens).register(self.router)

    def login(self, method: str, **body: Any) -> dict[str, Any]:
        path = f"/api/v1/auth/{method}/login"
        found = self.router.find("POST", path)
        assert found is not None
        body.setdefault("identityId", self.identity.id)
        context = Context("POST", path, {}, {}, {}, body, "127.0.0.1")
        answer: dict[str, Any] = asyncio.run(found[0].handler(context))  # type: ignore[arg-type]
        return answer

    def refusal(self, method: str, **body: Any) -> tuple[int, str]:
        with pytest.raises(ApiError) as caught:
            self.login(method, **body)
        return caught.value.status, str(caught.value.message)

    def universal(self, secret: str) -> dict[str, Any]:
        return self.login("universal-auth", clientId=self.identity.clientId, clientSecret=secret)

    def wrong(self, secret: str = "") -> str:
        return self.refusal("universal-auth", clientId=self.identity.clientId, clientSecret=secret)[1]


@pytest.fixture
def world() -> World:
    return World()


def test_three_wrong_logins_lock_even_the_right_secret_out_for_five_minutes(world: World) -> None:
    assert [world.wrong() for _unused in range(3)] == ["Invalid credentials"] * 3
    assert "temporarily locked" in world.wrong("right")
    world.clock.advance(299)
    assert "temporarily locked" in world.wrong("right")
    world.clock.advance(1)
    assert world.universal("right")["expiresIn"] == 2_592_000


def test_the_count_of_wrong_logins_is_forgotten_after_a_right_one_or_half_a_minute(world: World) -> None:
    for _unused in range(2):
        world.wrong()
    world.universal("right")
    for _unused in range(2):
        world.wrong()
    world.clock.advance(30)
    for _unused in range(2):
        world.wrong()
    assert world.universal("right")["tokenType"] == "Bearer"


def test_used_up_and_expired_client_secrets_are_revoked(world: World) -> None:
    secret = world.identity.clientSecrets[0]
    secret.numUsesLimit = 1
    world.universal("right")
    assert "usage limit" in world.wrong("right")
    assert world.wrong("right") == "Invalid credentials"
    secret.revoked, secret.numUsesLimit, secret.ttl = False, 0, 10
    world.clock.advance(10)
    assert "expired client secret" in world.wrong("right")


def test_unknown_client_id_and_contention(world: World) -> None:
    assert world.refusal("universal-auth", clientId="nobody", clientSecret="x") == (401, "Invalid credentials")
    world.store.settings.loginLockContention = True
    assert world.refusal("universal-auth", clientId=world.identity.clientId, clientSecret="x")[0] == 429


@pytest.mark.parametrize("method", JWT_METHODS)
def test_jwt_methods(world: World, method: str) -> None:
    assert world.refusal(method, jwt="a.b.c")[0] == 404
    world.identity.methods[method] = {"jwts": ["a.b.c"]}
    assert world.login(method, jwt=" a.b.c ")["accessToken"]
    assert world.refusal(method, jwt="x.y.z") == (
        FAILURES[method]["default"].status,
        FAILURES[method]["default"].message,
    )
    identity = "42210cf5-4315-4ae1-ace5-f025901610f4"
    assert world.refusal(method, identityId=identity, jwt="a.b.c") == (401, "Identity not found")
    for name, failure in FAILURES[method].items():
        world.identity.methods[method]["failure"] = name
        assert world.refusal(method, jwt="a.b.c") == (failure.status, failure.message)


def _aws(key: str = "AKIAEXAMPLE", action: str = "GetCallerIdentity", **headers: str) -> dict[str, str]:
    signed = {
        "Authorization": f"AWS4-HMAC-SHA256 Credential={key}/20270115/us-east-1/sts/aws4_request, Signature=0",
        "Host": "sts.us-east-1.amazonaws.com",
        "X-Amz-Date": "20270115T080000Z",
        **headers,
    }
    return {
        "iamHttpRequestMethod": "POST",
        "iamRequestBody": base64.b64encode(f"Action={action}&Version=2011-06-15".encode()).decode(),
        "iamRequestHeaders": base64.b64encode(json.dumps(signed).encode()).decode(),
    }


def test_aws(world: World) -> None:
    world.identity.methods["aws-auth"] = {"accessKeyIds": ["AKIAEXAMPLE"]}
    assert world.login("aws-auth", **_aws())["accessToken"]
    for body in (
        _aws("AKIAOTHER"),
        _aws(action="ListUsers"),
        _aws(Authorization="Bearer x"),
        {**_aws(), "iamRequestBody": "?"},
        {**_aws(), "iamRequestHeaders": base64.b64encode(b"[]").decode()},
    ):
        assert world.refusal("aws-auth", **body) == (500, "Something went wrong")
    world.identity.methods["aws-auth"]["failure"] = "arn"
    assert world.refusal("aws-auth", **_aws())[0] == 401


def test_ldap_locks_out_by_user_name(world: World) -> None:
    assert world.refusal("ldap-auth", username="ann", password="x") == (401, "LDAP configuration not found")
    world.identity.methods["ldap-auth"] = {"users": {"ann": "right", "bob": "right"}}
    for _unused in range(3):
        assert world.refusal("ldap-auth", username="ann", password="x")[1] == "LDAP authentication failed"
    assert "temporarily locked" in world.refusal("ldap-auth", username="ann", password="right")[1]
    assert world.login("ldap-auth", username="bob", password="right")["accessToken"]


def test_the_metadata_service_gives_tokens_that_the_logins_accept(world: World) -> None:
    metadata = Metadata(world.store)
    world.identity.methods.update({"gcp-auth": {}, "azure-auth": {}})
    audience = {"audience": world.identity.id, "format": "full"}
    assert metadata.answer(GCP_PATH, audience, {})[0] == 403
    status, _unused, token = metadata.answer(GCP_PATH, audience, {"metadata-flavor": "Google"})
    assert status == 200
    assert world.login("gcp-auth", jwt=token)["accessToken"]
    other = metadata.answer(GCP_PATH, {"audience": "x"}, {"metadata-flavor": "Google"})[2]
    assert world.refusal("gcp-auth", jwt=other)[0] == 401

    query = {"api-version": "2018-02-01", "resource": "https://management.azure.com/"}
    assert metadata.answer(AZURE_PATH, query, {})[0] == 400
    status, _unused, body = metadata.answer(AZURE_PATH, query, {"metadata": "true"})
    assert status == 200
    assert world.login("azure-auth", jwt=body["access_token"])["accessToken"]
    assert world.refusal("gcp-auth", jwt=body["access_token"])[0] == 401
    world.clock.advance(3600)
    assert world.refusal("azure-auth", jwt=body["access_token"])[0] == 401


def test_a_user_or_a_revoked_token_cannot_be_renewed(world: World) -> None:
    user = world.tokens.issue(world.identity, "user", kind="accessToken")
    with pytest.raises(ApiError, match="not an identity access token"):
        world.tokens.renew(user.accessToken)
    token = world.tokens.issue(world.identity, "token-auth")
    for _unused in range(2):
        assert world.tokens.revoke(token.accessToken)["message"] == "Successfully revoked access token"
    with pytest.raises(ApiError, match="Cannot renew: token has been revoked"):
        world.tokens.renew(token.accessToken)


def test_ttl_zero_is_capped_by_the_newer_server_only(world: World) -> None:
    world.identity.accessTokenTTL = world.identity.accessTokenMaxTTL = 0
    newer = world.tokens.issue(world.identity, "universal-auth")
    assert world.tokens.claims(newer.accessToken)["exp"] == 1_800_000_000 + 7_776_000
    world.store.settings.generation = "old"
    older = world.tokens.issue(world.identity, "universal-auth")
    assert "exp" not in world.tokens.claims(older.accessToken)
