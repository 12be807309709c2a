# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Okta is asked whether it accepts a secret: in plays and ad hoc, at an Okta that answers and at one that does not."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.secretops.infisical.plugins.modules import okta_client_secret_check
from simulator.client import Simulator
from support import peers
from support.ansible import AS_MODULE, Workspace
from support.ansible import MODULE as ROTATION
from support.machine import SURROUNDINGS
from support.okta import CHECK, IN_BODY, INTROSPECTION, application, task
from support.server import environment
from support.tasks import Runner


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch) -> Runner:
    for name in SURROUNDINGS:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return Runner(okta_client_secret_check)


@pytest.fixture(scope="module")
def secure() -> Iterator[Simulator]:
    with Simulator(tls=True) as simulator:
        yield simulator


def page(status: int, title: str, **more: Any) -> dict[str, Any]:
    body = f"<html><head><title>{title}</title></head><body>No.</body></html>"
    return {"status": status, "body": body, "contentType": "text/html", **more}


# -- an Okta that answers


@pytest.mark.before_release
def test_a_play_follows_the_secrets_of_a_rotation(workspace: Workspace, simulator: Simulator) -> None:
    rotate = {ROTATION: {"rotation_id": simulator.rotation()["id"], "min_age": 0}}
    first = application(simulator)
    assert workspace.tasks([{"name": "rotate", **rotate}], env=environment(simulator)).only["changed"]
    assert simulator.okta_secrets()[0]["client_secret"] == first["client_secret"]
    second = application(simulator, 1)
    run = workspace.tasks(
        [
            task("the older", first),
            task("the newer", second),
            task("in the body", {**first, **IN_BODY}),
            task("custom server", {**second, "authorization_server": "default"}),
            task("custom server, in the body", {**second, **IN_BODY, "authorization_server": "default"}),
            task("check mode", first, check_mode=True),
            task("wrong", {**first, "client_secret": "not-this-one"}),
            {"name": "rotate again", **rotate},
            task("deleted", first),
            task("deleted, in the body", {**first, **IN_BODY}),
            task("deleted, in check mode", first, check_mode=True),
            task("still there", second),
        ],
        env=environment(simulator),
    )
    assert run.returncode == 0, run.output
    ended = {
        each.task: (each["outcome"], each["accepted"], each["changed"]) for each in run.results if each.action == CHECK
    }
    refused = ("wrong", "deleted", "deleted, in the body", "deleted, in check mode")
    assert len(ended) == 11
    for name, told in ended.items():
        assert told == (("refused", False, False) if name in refused else ("accepted", True, False)), name
    asked = [(entry["path"], entry["hasAuthorization"]) for entry in simulator.log("^/okta/", "POST")]
    assert asked.count(("/okta/oauth2/default/v1/introspect", False)) == 1
    assert len(asked) == 11
    message = run.named("deleted")["msg"]
    assert message.endswith("it is wrong, deactivated or deleted.")
    assert first["client_id"] in message
    assert first["client_secret"] not in json.dumps([each.result for each in run.results])


def test_an_ad_hoc_command(workspace: Workspace, simulator: Simulator) -> None:
    options = json.dumps(application(simulator))
    run = workspace.command(["ansible", "localhost", "-m", CHECK, "-a", options])
    assert run.returncode == 0, run.output
    assert (run.only["outcome"], run.only["changed"]) == ("accepted", False)


@pytest.mark.before_release
@pytest.mark.counted
def test_it_runs_as_a_module_too(workspace: Workspace, simulator: Simulator) -> None:
    given = application(simulator)
    run = workspace.tasks(
        [task("accepted", given), task("background", given, **{"async": 30, "poll": 1})],
        env=AS_MODULE,
    )
    assert [each["outcome"] for each in run.results] == ["accepted", "accepted"], run.output


def test_the_defaults_of_the_action_group_are_not_for_it(workspace: Workspace, simulator: Simulator) -> None:
    defaults = {"group/secretops.infisical.all": {"url": simulator.url, "token": "x"}}
    run = workspace.tasks([task("ask", application(simulator))], module_defaults=defaults)
    assert run.only["outcome"] == "accepted", run.output


# -- everything else


@pytest.mark.before_release
def test_what_is_no_answer_of_oktas_is_a_failure(workspace: Workspace, simulator: Simulator) -> None:
    """All cases in one play; each has a server of its own, whose path a fault knows."""
    inactive = simulator.add_application("0oaInactive")
    simulator.change_application("0oaInactive", status="INACTIVE")
    keys = simulator.add_application("0oaPrivateKey")
    simulator.change_application("0oaPrivateKey", authMethod="private_key_jwt")
    faults: dict[str, tuple[str, dict[str, Any], str, int | None]] = {
        "html200": ("status", page(200, "Log in to the network"), "invalid_response", 200),
        "html401": ("status", page(401, "Who are you?"), "invalid_response", 401),
        "html403": ("status", page(403, "Blocked by policy"), "invalid_response", 403),
        "html502": ("status", page(502, "Bad gateway"), "server_error", 502),
        "redirect": ("redirect", {"location": "https://login.example/sso?x=1"}, "redirected", 302),
        "silence": ("silence", {"work": False, "seconds": 5}, "unreachable", None),
        "cut": ("half_body", {}, "unreachable", None),
        "limit": (
            "status",
            {"status": 429, "body": {"errorCode": "E0000047", "errorSummary": "x"}},
            "rate_limited",
            429,
        ),
    }
    right = application(simulator)
    cases = [(name, {**right, "authorization_server": name}, *case[2:]) for name, case in faults.items()]
    for name, (action, params, _reason, _status) in faults.items():
        simulator.fault(action, path=f"/{name}/", times=0, **params)
    simulator.settings(oktaAuthorizationServers=list(faults))
    by_hand = inactive["secrets"][0]["client_secret"], keys["secrets"][0]["client_secret"]
    cases += [
        ("inactive", {**right, "client_id": "0oaInactive", "client_secret": by_hand[0]}, "not_found", 401),
        (
            "private key",
            {**right, "client_id": "0oaPrivateKey", "client_secret": by_hand[1]},
            "authentication_failed",
            401,
        ),
        ("unknown id", {**right, "client_id": "0oaNobody"}, "not_found", 401),
        ("unknown server", {**right, "authorization_server": "ausNobody"}, "not_found", 404),
        ("no network", {**right, "okta_url": "http://127.0.0.1:9"}, "unreachable", None),
        ("no name", {**right, "okta_url": "http://okta.invalid"}, "unreachable", None),
        ("no Okta", {**right, "okta_url": simulator.url}, "invalid_response", 404),
        ("an issuer", {**right, "okta_url": f"{simulator.okta_url}/oauth2/default"}, "invalid_arguments", None),
        ("blank", {**right, "client_secret": ""}, "invalid_arguments", None),
        ("missing", {"okta_url": simulator.okta_url}, "invalid_arguments", None),
    ]
    quick = {"timeout": 1, "wait_timeout": 0}
    run = workspace.tasks([task(name, {**given, **quick}, ignore_errors=True) for name, given, *_told in cases])
    assert len(run.results) == len(cases), run.output
    for name, _given, reason, status in cases:
        ended = run.named(name)
        told = (ended.status, ended["reason"], ended["http_status"], ended["outcome"], ended["changed"])
        assert told == ("failed", reason, status, "failed", False), (name, ended.result)
        assert "accepted" not in ended.result
        assert right["client_secret"] not in ended["msg"]
    assert "'Blocked by policy'" in run.named("html403")["msg"]
    assert "login.example" in run.named("redirect")["msg"]
    request_id = run.named("inactive")["request_id"]
    assert request_id
    assert request_id in run.named("inactive")["msg"]


def test_a_short_failure_is_outlived(simulator: Simulator, runner: Runner) -> None:
    pauses: list[float] = []
    simulator.fault("status", path=INTROSPECTION, **page(503, "Maintenance"))
    simulator.fault("close_before", path=INTROSPECTION)
    assert runner.run(application(simulator), sleep=pauses.append)["accepted"]
    assert pauses == [1.0, 2.0]
    assert len(simulator.log(INTROSPECTION)) == 3


def test_a_rate_limit_is_waited_for(simulator: Simulator, runner: Runner) -> None:
    pauses: list[float] = []
    headers = {"X-Rate-Limit-Reset": "1", "X-Okta-Request-Id": "reqOkta1"}
    body = {"errorCode": "E0000047", "errorSummary": "API call exceeded rate limit due to too many requests."}
    simulator.fault("status", path=INTROSPECTION, status=429, body=body, headers=headers, times=0)
    failure = runner.fail({**application(simulator), "wait_timeout": 3}, sleep=pauses.append)
    assert (failure.reason, failure.request_id) == ("rate_limited", "reqOkta1")
    assert set(pauses) == {1.0}
    simulator.clear_faults()
    assert runner.run(application(simulator))["accepted"]


def test_an_okta_that_takes_the_connection_and_says_nothing(runner: Runner) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        failure = runner.fail(
            {"okta_url": url, "client_id": "i", "client_secret": "s", "timeout": 1, "wait_timeout": 0}
        )
    assert (failure.reason, failure.effect) == ("unreachable", "none")
    assert "within 1 seconds" in failure.message


# -- the connection


@pytest.mark.before_release
def test_a_switch_for_infisical_does_not_weaken_oktas_certificate(
    secure: Simulator, runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("INFISICAL_VALIDATE_CERTS", "false"), ("INFISICAL_CA_PATH", str(secure.ca_path))):
        runner.environ[name] = value
        monkeypatch.setenv(name, value)
    failure = runner.fail({**application(secure), "wait_timeout": 0})
    assert failure.reason == "tls_failed"
    assert secure.log() == []
    assert runner.run({**application(secure), "ca_path": secure.ca_path})["accepted"]
    assert runner.warnings == []
    assert runner.run({**application(secure), "validate_certs": False})["accepted"]
    assert len(runner.warnings) == 1
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(secure.ca_path))
    assert runner.run(application(secure))["accepted"]


def test_the_proxy_of_the_environment(simulator: Simulator, runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {**application(simulator), "wait_timeout": 0}
    with peers.proxy() as proxy:
        monkeypatch.setenv("http_proxy", f"http://{proxy.host}")
        assert runner.run(given)["accepted"]
        assert len(proxy.heads) == 1
    with peers.proxy("Basic other") as proxy:
        monkeypatch.setenv("http_proxy", f"http://robot:hunter22@{proxy.host}")
        failure = runner.fail(given)
    assert (failure.reason, failure.http_status) == ("unreachable", 407)
    assert "HTTPS_PROXY" in failure.message
