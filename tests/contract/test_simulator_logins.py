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
from simulator.logins import Logins
from simulator.metadata import AZURE_PATH, GCP_PATH, Metadata
from simulator.proofs import FAILURES, signed
from simulator.router import Context, Router
from simulator.store import Store
from simulator.tokens import Tokens

UNKNOWN = "42210cf5-4315-4ae1-ace5-f025901610f4"
GENERIC = (500, "Something went wrong")
NOT_ALLOWED = "You are not allowed to access this resource from the current IP address"
# Of {"alg":"HS256"} and {"sub":"ci"}: one that the server's libraries can take apart, but nobody here signed.
FOREIGN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjaSJ9.c2lnbmF0dXJl"
AZURE = "https://management.azure.com/"
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

    def login(self, method: str, address: str = "127.0.0.1", **body: Any) -> dict[str, Any]:
        path = f"/api/v1/auth/{method}/login"
        found = self.router.find("POST", path)
        assert found is not None
        body.setdefault("identityId", self.identity.id)
        context = Context("POST", path, {}, {}, {}, body, address)
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
    world.identity.methods[method] = {"jwts": ["a.b.c"]}
    assert world.login(method, jwt=" a.b.c ")["accessToken"]
    default = FAILURES[method]["default"]
    assert world.refusal(method, jwt=FOREIGN) == (default.status, default.message)
    for name, failure in FAILURES[method].items():
        world.identity.methods[method]["failure"] = name
        assert world.refusal(method, jwt="a.b.c") == (failure.status, failure.message)


NOT_SET_UP = {
    "oidc-auth": "OIDC auth method not found for identity, did you configure OIDC auth?",
    "jwt-auth": "JWT auth method not found for identity, did you configure JWT auth?",
    "kubernetes-auth": "Kubernetes auth method not found for identity, did you configure Kubernetes auth?",
    "gcp-auth": "GCP auth method not found for identity, did you configure GCP auth?",
    "azure-auth": "Azure auth method not found for identity, did you configure Azure Auth?",
    "aws-auth": "AWS auth method not found for identity, did you configure AWS auth?",
}


@pytest.mark.parametrize("method", NOT_SET_UP)
def test_an_identity_that_is_unknown_or_has_not_this_method_is_a_404(world: World, method: str) -> None:
    proof = _aws() if method == "aws-auth" else {"jwt": FOREIGN}
    expected = (404, NOT_SET_UP[method])
    assert [world.refusal(method, identityId=i, **proof) for i in (UNKNOWN, world.identity.id)] == [expected] * 2


@pytest.mark.parametrize("text", ["garbage", "x.y.z", "e30.e30"])
def test_what_is_no_jwt_is_refused_in_each_method_s_own_way(world: World, text: str) -> None:
    world.identity.methods.update({method: {} for method in JWT_METHODS})
    answers = {method: world.refusal(method, jwt=text) for method in JWT_METHODS if method != "kubernetes-auth"}
    invalid = (401, "Invalid JWT")
    assert answers == {"oidc-auth": invalid, "jwt-auth": invalid, "gcp-auth": GENERIC, "azure-auth": GENERIC}


def _aws(key: str = "AKIAEXAMPLE", action: str = "GetCallerIdentity", **headers: str) -> dict[str, str]:
    credential = f"{key}/20270115/us-east-1/sts/aws4_request"
    sent = {
        "Authorization": f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host;x-amz-date, Signature=00",
        "Host": "sts.us-east-1.amazonaws.com",
        "X-Amz-Date": "20270115T080000Z",
        **headers,
    }
    return {
        "iamHttpRequestMethod": "POST",
        "iamRequestBody": base64.b64encode(f"Action={action}&Version=2011-06-15".encode()).decode(),
        "iamRequestHeaders": base64.b64encode(json.dumps(sent).encode()).decode(),
    }


def test_aws(world: World) -> None:
    world.identity.methods["aws-auth"] = {"accessKeys": {"AKIAEXAMPLE": "secret"}}
    for body in (
        _aws(),
        _aws("AKIAOTHER"),
        _aws(action="ListUsers"),
        _aws(Authorization="Bearer x"),
        {**_aws(), "iamRequestBody": "?"},
        {**_aws(), "iamRequestHeaders": base64.b64encode(b"[]").decode()},
    ):
        assert world.refusal("aws-auth", **body) == GENERIC
    world.identity.methods["aws-auth"]["failure"] = "arn"
    assert world.refusal("aws-auth", **_aws())[0] == 401


def test_an_aws_signature_is_the_one_that_aws_publishes() -> None:
    """ "post-vanilla" of the test suite for signature version 4."""
    headers = {
        "host": "example.amazonaws.com",
        "x-amz-date": "20150830T123600Z",
        "authorization": "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        "SignedHeaders=host;x-amz-date, Signature=5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
    }
    secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
    assert signed("POST", headers, "", {"AKIDEXAMPLE": secret})
    assert not signed("POST", headers, "", {"AKIDEXAMPLE": secret.lower()})
    assert not signed("POST", headers, "", {"AKIDOTHER": secret})
    assert not signed("POST", headers, "body", {"AKIDEXAMPLE": secret})
    assert not signed("POST", {**headers, "x-amz-date": "20150830T123601Z"}, "", {"AKIDEXAMPLE": secret})


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

    query = {"api-version": "2018-02-01", "resource": AZURE}
    assert metadata.answer(AZURE_PATH, query, {})[0] == 400
    status, _unused, body = metadata.answer(AZURE_PATH, query, {"metadata": "true"})
    assert status == 200
    assert world.login("azure-auth", jwt=body["access_token"])["accessToken"]


def _google(world: World, audience: str) -> str:
    return str(Metadata(world.store).answer(GCP_PATH, {"audience": audience}, {"metadata-flavor": "Google"})[2])


def _azure(world: World, resource: str) -> str:
    query = {"api-version": "2018-02-01", "resource": resource}
    return str(Metadata(world.store).answer(AZURE_PATH, query, {"metadata": "true"})[2]["access_token"])


def test_gcp_answers_a_bare_500_to_every_token_that_is_not_good(world: World) -> None:
    world.identity.methods["gcp-auth"] = {}
    own = _google(world, world.identity.id)
    for text in (_google(world, "x"), _azure(world, world.identity.id), f"{own}x"):
        assert world.refusal("gcp-auth", jwt=text) == GENERIC
    world.clock.advance(3600)
    assert world.refusal("gcp-auth", jwt=own) == GENERIC


def test_azure_tells_what_is_wrong_with_a_token_as_a_token_error(world: World) -> None:
    world.identity.methods["azure-auth"] = {}
    good = _azure(world, AZURE)
    cases = {
        _azure(world, "api://infisical"): f"jwt audience invalid. expected: {AZURE}",
        _google(world, AZURE): "jwt issuer invalid. expected: https://sts.windows.net/",
        FOREIGN: "invalid signature",
    }
    for text, message in cases.items():
        assert world.refusal("azure-auth", jwt=text) == (403, message)
    world.clock.advance(3600)
    assert world.refusal("azure-auth", jwt=good) == (403, "Your token has expired. Please re-authenticate.")
    with pytest.raises(ApiError) as caught:
        world.login("azure-auth", jwt=good)
    assert caught.value.error == "TokenError"


def test_azure_wants_the_resource_that_the_identity_is_set_up_with(world: World) -> None:
    world.identity.methods["azure-auth"] = {"resource": "api://infisical"}
    assert world.login("azure-auth", jwt=_azure(world, "api://infisical"))["accessToken"]
    assert world.refusal("azure-auth", jwt=_azure(world, AZURE))[0] == 403


def test_a_client_secret_is_good_from_its_own_addresses_only(world: World) -> None:
    world.identity.clientSecretTrustedIps = ["10.0.0.0/8", "fd00::/8"]
    body = {"clientId": world.identity.clientId, "clientSecret": "right"}
    assert world.refusal("universal-auth", **body) == (403, NOT_ALLOWED)
    for address in ("10.1.2.3", "fd00::1"):
        assert world.login("universal-auth", address, **body)["accessToken"]
    # It comes before the lockout: three refused addresses lock nobody.
    for _unused in range(3):
        world.refusal("universal-auth", **body)
    assert world.login("universal-auth", "10.1.2.3", **body)["accessToken"]


METHODS_OF_ORGANIZATIONS = {
    "universal-auth": {"clientId": "client", "clientSecret": "right"},
    "oidc-auth": {"jwt": FOREIGN},
    "ldap-auth": {"username": "ann", "password": "right"},
}


@pytest.mark.parametrize("method", METHODS_OF_ORGANIZATIONS)
@pytest.mark.parametrize(
    ("generation", "field", "word"), [("new", "organizationSlug", "slug"), ("old", "subOrganizationName", "name")]
)
def test_a_login_may_name_a_sub_organisation(world: World, method: str, generation: str, field: str, word: str) -> None:
    world.store.settings.generation = generation
    world.identity.clientId = "client"
    world.identity.methods.update({"oidc-auth": {"jwts": [FOREIGN]}, "ldap-auth": {"users": {"ann": "right"}}})
    world.store.data.subOrganizations = ["mine", "theirs"]
    world.identity.subOrganizations = ["mine"]
    body = METHODS_OF_ORGANIZATIONS[method]
    world.login(method, **body, **{field: "mine"})
    world.login(method, **body)
    assert [token.organization for token in world.store.data.tokens.values()] == ["mine", None]
    unauthorized = (401, "Identity not authorized to access sub organization theirs")
    assert world.refusal(method, **body, **{field: "theirs"}) == unauthorized
    assert world.refusal(method, **body, **{field: "none"}) == (404, f"Sub organization with {word} none not found")
    for text in ("No Slug", ""):
        assert world.refusal(method, **body, **{field: text})[0] == 422


def test_the_newer_server_takes_the_organisation_s_own_slug(world: World) -> None:
    body = {"clientId": world.identity.clientId, "clientSecret": "right"}
    assert world.login("universal-auth", **body, organizationSlug=world.store.data.orgSlug)["accessToken"]
    world.store.settings.generation = "old"
    assert world.refusal("universal-auth", **body, subOrganizationName=world.store.data.orgSlug)[0] == 404


def test_a_user_or_a_revoked_token_cannot_be_renewed(world: World) -> None:
    user = world.tokens.issue(world.identity, "user", kind="accessToken")
    with pytest.raises(ApiError, match="not an identity access token"):
        world.tokens.renew(user.accessToken)
    token = world.tokens.issue(world.identity, "token-auth")
    for _unused in range(2):
        assert world.tokens.revoke(token.accessToken)["message"] == "Successfully revoked access token"
    with pytest.raises(ApiError, match="Cannot renew: token has been revoked"):
        world.tokens.renew(token.accessToken)


def test_the_older_server_does_not_know_a_token_that_was_revoked(world: World) -> None:
    world.store.settings.generation = "old"
    token = world.tokens.issue(world.identity, "token-auth")
    assert world.tokens.revoke(token.accessToken)["message"] == "Successfully revoked access token"
    with pytest.raises(ApiError, match="No identity access token found") as caught:
        world.tokens.revoke(token.accessToken)
    assert caught.value.status == 401


@pytest.mark.parametrize("kind", ["accessToken", "serviceToken"])
def test_a_token_that_is_no_identity_s_cannot_be_revoked_and_goes_on_working(world: World, kind: str) -> None:
    token = world.tokens.issue(world.identity, "token-auth", kind=kind)
    with pytest.raises(ApiError, match="Only identity access tokens can be revoked") as caught:
        world.tokens.revoke(token.accessToken)
    assert caught.value.status == 401
    caller = world.tokens.caller(f"Bearer {token.accessToken}")
    assert caller is not None
    assert caller.token is token


def test_ttl_zero_is_capped_by_the_newer_server_only(world: World) -> None:
    world.identity.accessTokenTTL = world.identity.accessTokenMaxTTL = 0
    newer = world.tokens.issue(world.identity, "universal-auth")
    assert world.tokens.claims(newer.accessToken)["exp"] == 1_800_000_000 + 7_776_000
    world.store.settings.generation = "old"
    older = world.tokens.issue(world.identity, "universal-auth")
    assert "exp" not in world.tokens.claims(older.accessToken)
