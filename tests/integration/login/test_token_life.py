# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tokens that end: while a task waits, after so many uses, and when they are revoked."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.secretops.infisical.plugins.modules import login, logout, okta_client_secret_rotation
from simulator.client import Simulator
from support.server import login as credentials
from support.server import tokens_left
from support.tasks import Runner

LIFETIME = 2592000


@pytest.fixture
def rotate() -> Runner:
    return Runner(okta_client_secret_rotation)


def requests(simulator: Simulator) -> list[str]:
    return [f"{entry['method']} {entry['path'].rpartition('/')[2]}" for entry in simulator.log()]


def test_a_token_that_ends_while_the_task_waits_is_replaced(simulator: Simulator, rotate: Runner) -> None:
    rotation_id = simulator.rotation()["id"]
    simulator.rival(rotation_id, seconds=60)
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            simulator.settings(clockAdvance=LIFETIME + 1)
        if len(pauses) == 3:
            simulator.change_rotation(rotation_id, lastRotatedAt=0)

    result = rotate.run({**credentials(simulator), "rotation_id": rotation_id}, sleep=sleep)
    assert result["outcome"] == "rotated_by_another"
    assert len(simulator.log("universal-auth/login")) == 2
    assert [entry["status"] for entry in simulator.log(rotation_id, "GET")] == [200, 200, 200, 403, 200, 200]
    # The old token has ended by itself: only the new one is there to be revoked.
    assert len(simulator.log("token/revoke")) == 1
    assert simulator.posts() == 1


@pytest.mark.parametrize("generation", ["old", "new"])
def test_a_token_is_replaced_when_its_uses_are_up(simulator: Simulator, rotate: Runner, generation: str) -> None:
    simulator.settings(generation=generation)
    identity = simulator.add_identity(accessTokenNumUsesLimit=1)
    options = {
        "url": simulator.url,
        "universal_auth_client_id": identity["clientId"],
        "universal_auth_client_secret": identity["clientSecret"],
    }
    result = rotate.run({**options, "rotation_id": simulator.rotation()["id"]})
    assert result["changed"]
    assert len(simulator.log("universal-auth/login")) == 2
    assert simulator.rotations_done() == 1


def test_the_number_of_requests(simulator: Simulator, rotate: Runner) -> None:
    rotation_id = simulator.rotation()["id"]
    rotate.run({**credentials(simulator), "rotation_id": rotation_id})
    assert requests(simulator) == ["POST login", f"GET {rotation_id}", "POST rotate-secrets", "POST revoke"]
    simulator.clear_log()
    token = simulator.mint_token(numUsesLimit=2)
    rotate.run({"url": simulator.url, "token": token, "rotation_id": rotation_id, "min_age": "0"})
    assert requests(simulator) == [f"GET {rotation_id}", "POST rotate-secrets"]
    assert simulator.rotations_done() == 2


@pytest.mark.parametrize(
    ("minted", "said"),
    [
        ({"numUsesLimit": 1}, "use limit"),
        ({"expired": True}, "has expired: get a new one, or give the credentials too"),
        ({"revoked": True}, "no longer good"),
    ],
)
def test_a_given_token_that_ends_fails_with_what_to_do(
    simulator: Simulator, rotate: Runner, minted: dict[str, Any], said: str
) -> None:
    options = {"url": simulator.url, "token": simulator.mint_token(**minted)}
    failure = rotate.fail({**options, "rotation_id": simulator.rotation()["id"]})
    assert failure.reason == "authentication_failed"
    assert said in failure.message
    assert simulator.rotations_done() == 0


def shared(simulator: Simulator, **minted: Any) -> dict[str, Any]:
    """login_data as login returns it, of a token with another life."""
    login_data = Runner(login).run(credentials(simulator))["login_data"]
    simulator.clear_log()
    return {**login_data, "access_token": simulator.mint_token(**minted)}


@pytest.mark.parametrize("generation", ["old", "new"])
@pytest.mark.parametrize(
    ("minted", "expected"),
    [
        ({"expired": True}, ["GET", "POST login", "GET", "POST rotate-secrets", "POST revoke"]),
        ({"numUsesLimit": 1}, ["GET", "POST rotate-secrets", "POST login", "POST rotate-secrets", "POST revoke"]),
    ],
    ids=["expired", "used up"],
)
@pytest.mark.parametrize("where", ["options", "environment"])
def test_a_shared_token_that_ended_is_replaced(
    simulator: Simulator, rotate: Runner, generation: str, minted: dict[str, Any], expected: list[str], where: str
) -> None:
    simulator.settings(generation=generation)
    login_data = shared(simulator, **minted)
    own = {key: value for key, value in credentials(simulator).items() if key != "url"}
    if where == "environment":
        rotate.environ = {f"INFISICAL_{option.upper()}": value for option, value in own.items()}
    options = own if where == "options" else {}
    before = set(tokens_left(simulator))
    rotation_id = simulator.rotation()["id"]
    assert rotate.run({"login_data": login_data, **options, "rotation_id": rotation_id})["outcome"] == "rotated"
    assert [request.replace(f" {rotation_id}", "") for request in requests(simulator)] == expected
    assert simulator.rotations_done() == 1
    assert set(tokens_left(simulator)) <= before, "the task revokes the token that it made, and no other"


def test_a_shared_token_that_was_revoked_is_not_replaced(simulator: Simulator, rotate: Runner) -> None:
    login_data = shared(simulator, revoked=True)
    failure = rotate.fail(
        {"login_data": login_data, **credentials(simulator), "rotation_id": simulator.rotation()["id"]}
    )
    assert (failure.reason, failure.http_status) == ("authentication_failed", 401)
    assert simulator.log("/login") == []


@pytest.mark.parametrize(
    "changed",
    [
        {"identity": "another"},
        {"auth_method": "ldap_auth"},
        {"identity": None, "auth_method": None},
    ],
    ids=str,
)
def test_a_shared_token_is_replaced_by_its_own_identity_alone(
    simulator: Simulator, rotate: Runner, changed: dict[str, Any]
) -> None:
    login_data = {**shared(simulator, expired=True), **changed}
    own = {key: value for key, value in credentials(simulator).items() if key != "url"}
    rotate.environ = {f"INFISICAL_{option.upper()}": value for option, value in own.items()}
    failure = rotate.fail({"login_data": login_data, "rotation_id": simulator.rotation()["id"]})
    assert "they are of the same identity and server" in failure.next_step
    assert simulator.log("/login") == []


def test_login_tells_how_long_the_token_lives(simulator: Simulator) -> None:
    for lifetime, said in ((3600, "good for 1 hour"), (0, "tells no end")):
        simulator.change_identity(simulator.state()["identity"]["id"], accessTokenTTL=lifetime)
        result = Runner(login).run(credentials(simulator))
        assert result["login_data"]["expires_in"] == lifetime
        assert said in result["msg"]


@pytest.mark.parametrize("odd", ["3600", None, -1, True, 1e400])
def test_a_lifetime_that_is_no_number_of_seconds_is_unknown(simulator: Simulator, odd: Any) -> None:
    simulator.fault("mutate", path="login", set={"expiresIn": odd})
    assert Runner(login).run(credentials(simulator))["login_data"]["expires_in"] in (0, 1)


@pytest.mark.parametrize("generation", ["old", "new"])
def test_logout_revokes_once_and_predicts_it(simulator: Simulator, generation: str) -> None:
    simulator.settings(generation=generation)
    login_data = Runner(login).run(credentials(simulator))["login_data"]
    simulator.clear_log()
    # What a vendor's login returns has no third key.
    vendors = {key: login_data[key] for key in ("url", "access_token")}
    predicted = Runner(logout).run({"login_data": vendors}, check_mode=True)
    assert (predicted["changed"], predicted["msg"]) == (True, "Would revoke the token.")
    assert len(tokens_left(simulator)) == 1
    assert Runner(logout).run({"login_data": vendors})["changed"]
    assert tokens_left(simulator) == []
    for check_mode in (True, False):
        again = Runner(logout).run({"login_data": vendors}, check_mode=check_mode)
        assert (again["changed"], again["msg"]) == (False, "The token was no longer good; nothing was revoked.")
    assert requests(simulator) == ["GET status", "GET status", "POST revoke", "GET status", "GET status"]


def test_logout_takes_a_token_and_leaves_that_of_the_environment(simulator: Simulator) -> None:
    token = simulator.mint_token()
    failure = Runner(logout, environ={"INFISICAL_TOKEN": token}).fail({"url": simulator.url})
    assert failure.reason == "invalid_arguments"
    assert simulator.log() == []
    assert Runner(logout).run({"url": simulator.url, "token": token})["changed"]


def test_a_revocation_that_another_one_overtook_is_no_change(simulator: Simulator) -> None:
    simulator.fault("unauthorized", path="revoke")
    token = simulator.mint_token()
    assert not Runner(logout).run({"url": simulator.url, "token": token})["changed"]


def test_a_logout_that_fails_says_so(simulator: Simulator) -> None:
    options = {"url": simulator.url, "token": simulator.mint_token()}
    for path in ("status", "revoke"):
        simulator.fault("status", path=path, status=503)
        failure = Runner(logout).fail({**options, "wait_timeout": 0})
        assert (failure.reason, failure.http_status) == ("server_error", 503)
