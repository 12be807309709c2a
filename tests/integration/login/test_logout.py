# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What logout says about a token, and what became of the token."""

from __future__ import annotations

import jwt
import pytest
from ansible_collections.secretops.infisical.plugins.modules import logout
from simulator.client import Simulator
from support.tasks import Runner


def asked(simulator: Simulator) -> list[str]:
    return [f"{entry['method']} {entry['path'].rpartition('/')[2]}" for entry in simulator.log()]


def is_revoked(simulator: Simulator, token: str) -> bool:
    (found,) = [each for each in simulator.state()["tokens"] if each["accessToken"] == token]
    return bool(found["revoked"])


@pytest.fixture
def runner() -> Runner:
    return Runner(logout)


def test_a_token_of_a_user_goes_on_working_and_that_is_a_failure(simulator: Simulator, runner: Runner) -> None:
    options = {"url": simulator.url, "token": simulator.mint_token(user=True)}
    failure = runner.fail(options)
    assert (failure.reason, failure.http_status, failure.effect) == ("authentication_failed", 401, "none")
    assert "goes on working" in failure.message
    assert not is_revoked(simulator, options["token"])


@pytest.mark.parametrize("check_mode", [True, False])
def test_a_service_token_is_refused_before_anything_is_sent(
    simulator: Simulator, runner: Runner, check_mode: bool
) -> None:
    options = {"url": simulator.url, "token": simulator.mint_token(service=True)}
    failure = runner.fail(options, check_mode=check_mode)
    assert failure.reason == "invalid_arguments"
    assert "goes on working" in failure.message
    assert options["token"] not in failure.message
    assert not is_revoked(simulator, options["token"])
    assert simulator.log() == []


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize(
    "garbage", ["{{token}}", "changeme", jwt.encode({"authTokenType": "identityAccessToken"}, "x" * 32)]
)
def test_what_is_no_token_of_the_server_does_not_look_like_success(
    simulator: Simulator, runner: Runner, garbage: str, check_mode: bool
) -> None:
    failure = runner.fail({"url": simulator.url, "token": garbage}, check_mode=check_mode)
    assert (failure.reason, failure.http_status) == ("authentication_failed", 403)
    assert "check url, and the variable" in failure.message
    assert asked(simulator) == ["GET status"]


@pytest.mark.parametrize("generation", ["old", "new"])
@pytest.mark.parametrize("ended", ["expired", "revoked"])
def test_a_token_that_ended_before_is_no_change(
    simulator: Simulator, runner: Runner, generation: str, ended: str
) -> None:
    simulator.settings(generation=generation)
    result = runner.run({"url": simulator.url, "token": simulator.mint_token(**{ended: True})})
    assert (result["changed"], result["outcome"]) == (False, "nothing_to_revoke")
    assert asked(simulator) == ["GET status"]


def test_a_token_whose_uses_are_up_is_revoked_where_its_uses_could_come_back(
    simulator: Simulator, runner: Runner
) -> None:
    simulator.settings(generation="new")
    options = {"url": simulator.url, "token": simulator.mint_token(numUsesLimit=1)}
    assert runner.run(options, check_mode=True)["outcome"] == "would_revoke"
    assert runner.run(options)["outcome"] == "revoked"
    assert [entry["status"] for entry in simulator.log()] == [200, 401, 200]
    assert is_revoked(simulator, options["token"])


def test_an_address_that_the_identity_refuses_does_not_keep_a_token_alive(simulator: Simulator, runner: Runner) -> None:
    identity = simulator.add_identity(accessTokenTrustedIps=["192.0.2.7"])
    options = {"url": simulator.url, "token": simulator.mint_token(identityId=identity["id"])}
    result = runner.run(options)
    assert (result["changed"], result["outcome"]) == (True, "revoked")
    assert is_revoked(simulator, options["token"])


def test_a_lost_answer_is_settled_by_one_more_question(simulator: Simulator, runner: Runner) -> None:
    options = {"url": simulator.url, "token": simulator.mint_token()}
    simulator.fault("close_after", path="revoke")
    result = runner.run(options)
    assert (result["changed"], result["outcome"]) == (True, "revoked")
    assert asked(simulator) == ["GET status", "POST revoke", "GET status"]
    assert is_revoked(simulator, options["token"])


def test_a_request_that_is_lost_is_no_revocation(simulator: Simulator, runner: Runner) -> None:
    options = {"url": simulator.url, "token": simulator.mint_token()}
    simulator.fault("close_before", path="revoke", times=0)
    failure = runner.fail({**options, "wait_timeout": 0})
    assert (failure.reason, failure.effect) == ("unreachable", "unknown")
    assert asked(simulator).count("POST revoke") == 1
    assert not is_revoked(simulator, options["token"])


def test_where_nothing_settles_it_the_outcome_is_unknown(simulator: Simulator, runner: Runner) -> None:
    options = {"url": simulator.url, "token": simulator.mint_token()}
    simulator.fault("close_after", path="revoke")
    simulator.fault("status", path="status", status=503, after=1, times=0)
    failure = runner.fail({**options, "wait_timeout": 0})
    assert (failure.reason, failure.effect) == ("unreachable", "unknown")


def test_a_server_that_fails_the_question_is_not_asked_to_revoke(simulator: Simulator, runner: Runner) -> None:
    simulator.fault("status", path="status", status=503, times=0)
    failure = runner.fail({"url": simulator.url, "token": simulator.mint_token(), "wait_timeout": 0})
    assert failure.reason == "server_error"
    assert asked(simulator) == ["GET status"]


def test_a_token_that_somebody_revoked_in_between_is_no_change(simulator: Simulator, runner: Runner) -> None:
    gone = {"reqId": "r", "statusCode": 401, "error": "UnauthorizedError", "message": "No identity access token found"}
    simulator.fault("status", path="revoke", status=401, body=gone)
    result = runner.run({"url": simulator.url, "token": simulator.mint_token()})
    assert (result["changed"], result["outcome"]) == (False, "nothing_to_revoke")
    assert asked(simulator) == ["GET status", "POST revoke"]
