# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The login methods, their refusals, and the lockout, without a network."""

from __future__ import annotations

import pytest
from contract.login_world import FOREIGN, GENERIC, World, aws_request
from simulator.errors import ApiError
from simulator.proofs import FAILURES

UNKNOWN = "42210cf5-4315-4ae1-ace5-f025901610f4"
NOT_ALLOWED = "You are not allowed to access this resource from the current IP address"
JWT_METHODS = ("oidc-auth", "jwt-auth", "kubernetes-auth", "gcp-auth", "azure-auth")


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
    proof = aws_request() if method == "aws-auth" else {"jwt": FOREIGN}
    expected = (404, NOT_SET_UP[method])
    assert [world.refusal(method, identityId=i, **proof) for i in (UNKNOWN, world.identity.id)] == [expected] * 2


@pytest.mark.parametrize("text", ["garbage", "x.y.z", "e30.e30"])
def test_what_is_no_jwt_is_refused_in_each_method_s_own_way(world: World, text: str) -> None:
    world.identity.methods.update({method: {} for method in JWT_METHODS})
    answers = {method: world.refusal(method, jwt=text) for method in JWT_METHODS if method != "kubernetes-auth"}
    invalid = (401, "Invalid JWT")
    assert answers == {"oidc-auth": invalid, "jwt-auth": invalid, "gcp-auth": GENERIC, "azure-auth": GENERIC}


def test_ldap_locks_out_by_user_name(world: World) -> None:
    assert world.refusal("ldap-auth", username="ann", password="x") == (401, "LDAP configuration not found")
    world.identity.methods["ldap-auth"] = {"users": {"ann": "right", "bob": "right"}}
    for _unused in range(3):
        assert world.refusal("ldap-auth", username="ann", password="x")[1] == "LDAP authentication failed"
    assert "temporarily locked" in world.refusal("ldap-auth", username="ann", password="right")[1]
    assert world.login("ldap-auth", username="bob", password="right")["accessToken"]


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
