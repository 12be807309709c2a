# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every login method logs in, is refused once and never tries again, and sends nothing when something is missing."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.secretops.infisical.plugins.module_utils._login import metadata as metadata_service
from ansible_collections.secretops.infisical.plugins.module_utils._login.methods import METHODS
from ansible_collections.secretops.infisical.plugins.module_utils._options import ENVIRONMENT
from ansible_collections.secretops.infisical.plugins.modules import login, okta_client_secret_rotation
from simulator.client import Simulator
from support.tasks import Runner

IDENTITY = "0f6f2f0e-2a0c-4a5c-9a0e-6d2f3b1c7e55"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjaSJ9.c2lnbmF0dXJl"
ACCESS_KEY = "AKIAIOSFODNN7EXAMPLE"
SECRET_KEY = "wJalrXUtnFEMI/K7MDENG"
LOGIN = r"/api/v1/auth/.*login$"


@dataclass(frozen=True)
class Case:
    """How an identity is set up at the server, and the options that then log in."""

    method: str
    configured: dict[str, Any]
    options: Callable[[Simulator, Path], dict[str, Any]]


def of_jwt(method: str) -> list[Case]:
    configured = {method.replace("_", "-"): {"jwts": [JWT]}}
    return [
        Case(method, configured, lambda simulator, folder: {"jwt": JWT}),
        Case(method, configured, lambda simulator, folder: {"jwt_path": token_file(folder)}),
    ]


def token_file(folder: Path) -> str:
    path = folder / "token"
    path.write_text(f"{JWT}\n", encoding="utf-8")
    return str(path)


def metadata(simulator: Simulator, folder: Path) -> dict[str, Any]:
    return {"metadata_url": f"{simulator.url}/_metadata"}


LDAP = {"ldap_username": "robot", "ldap_password": 'pässwörd "quoted"'}
CASES = [
    *of_jwt("oidc_auth"),
    *of_jwt("jwt_auth"),
    *of_jwt("kubernetes_auth"),
    *of_jwt("gcp_auth"),
    *of_jwt("azure_auth"),
    Case("gcp_auth", {"gcp-auth": {}}, metadata),
    Case("azure_auth", {"azure-auth": {}}, metadata),
    Case(
        "azure_auth",
        {"azure-auth": {"resource": "api://infisical"}},
        lambda s, f: {**metadata(s, f), "azure_resource": "api://infisical"},
    ),
    Case("ldap_auth", {"ldap-auth": {"users": {"robot": LDAP["ldap_password"]}}}, lambda simulator, folder: LDAP),
    Case("aws_auth", {"aws-auth": {"accessKeys": {ACCESS_KEY: SECRET_KEY}}}, lambda simulator, folder: {}),
    Case(
        "aws_auth", {"aws-auth": {"accessKeys": {ACCESS_KEY: SECRET_KEY}}}, lambda s, f: {"aws_region": "eu-central-1"}
    ),
]
IDS = [f"{case.method}-{number}" for number, case in enumerate(CASES)]


@pytest.fixture
def runner() -> Runner:
    return Runner(login)


@pytest.fixture(autouse=True)
def of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """AWS credentials where botocore looks for them, and a netrc that a login must not use."""
    home = tmp_path / "home"
    home.mkdir()
    (home / ".netrc").write_text("default login robot password of-netrc\n", encoding="utf-8")
    (home / ".netrc").chmod(0o600)
    values = {"HOME": str(home), "AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}
    for name, value in {**values, "AWS_SESSION_TOKEN": "session", "AWS_EC2_METADATA_DISABLED": "true"}.items():
        monkeypatch.setenv(name, value)


def prepared(simulator: Simulator, case: Case, folder: Path) -> dict[str, Any]:
    identity = simulator.add_identity(methods=case.configured)
    return {"auth_method": case.method, "identity_id": identity["id"], **case.options(simulator, folder)}


def assert_logged_in(simulator: Simulator, result: dict[str, Any]) -> None:
    issued = {token["accessToken"] for token in simulator.state()["tokens"] if not token["revoked"]}
    assert result["login_data"]["access_token"] in issued
    assert result["login_data"] == {**result["login_data"], "url": simulator.url, "expires_in": 2592000}
    assert result["changed"] is False
    assert [entry["hasAuthorization"] for entry in simulator.log(LOGIN)] == [False]


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_a_method_logs_in(simulator: Simulator, runner: Runner, tmp_path: Path, case: Case) -> None:
    options = prepared(simulator, case, tmp_path)
    assert_logged_in(simulator, runner.run({"url": simulator.url, **options}))


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_a_method_logs_in_from_the_environment(
    simulator: Simulator, runner: Runner, tmp_path: Path, case: Case
) -> None:
    options = {"url": simulator.url, **prepared(simulator, case, tmp_path)}
    runner.environ = {ENVIRONMENT[option][-1]: value for option, value in options.items()}
    assert_logged_in(simulator, runner.run({}))


def test_universal_auth_logs_in_under_check_mode_too(simulator: Simulator, runner: Runner) -> None:
    identity = simulator.state()["identity"]
    secrets = {name: identity[key] for name, key in (("id", "clientId"), ("secret", "clientSecret"))}
    options = {f"universal_auth_client_{name}": value for name, value in secrets.items()}
    assert_logged_in(simulator, runner.run({"url": simulator.url, **options}, check_mode=True))


def test_a_given_token_is_passed_on_without_a_request(simulator: Simulator, runner: Runner) -> None:
    result = runner.run({"url": simulator.url, "token": "given"})
    unknown = {"auth_method": "token_auth", "identity": ""}
    assert result["login_data"] == {"url": simulator.url, "access_token": "given", "expires_in": 0, **unknown}
    known = {"auth_method": "oidc_auth", "identity": "me"}
    login_data = {"url": simulator.url, "access_token": "other", "expires_in": 60, **known}
    assert runner.run({"login_data": login_data})["login_data"] == login_data
    assert simulator.log() == []


def test_a_pod_uses_the_token_of_its_service_account(
    simulator: Simulator, runner: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert METHODS["kubernetes_auth"].defaults["jwt_path"] == "/var/run/secrets/kubernetes.io/serviceaccount/token"
    monkeypatch.setitem(METHODS["kubernetes_auth"].defaults, "jwt_path", token_file(tmp_path))
    identity = simulator.add_identity(methods={"kubernetes-auth": {"jwts": [JWT]}})
    options = {"url": simulator.url, "auth_method": "kubernetes_auth", "identity_id": identity["id"]}
    assert_logged_in(simulator, runner.run(options))


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_a_refused_login_is_not_repeated_and_says_why_not(
    simulator: Simulator, runner: Runner, tmp_path: Path, case: Case
) -> None:
    failures = {"aws_auth": "arn", "gcp_auth": "zone", "azure_auth": "tenant"}
    failing = {"failure": failures[case.method]} if case.method in failures else {}
    configured = dict.fromkeys(case.configured, failing)
    options = prepared(simulator, Case(case.method, configured, case.options), tmp_path)
    failure = runner.fail({"url": simulator.url, **options})
    assert failure.reason == "authentication_failed"
    assert failure.http_status == 401
    counted = case.method in ("universal_auth", "ldap_auth")
    assert ("three refused logins lock the identity for five minutes" in failure.message) == counted
    assert len(simulator.log(LOGIN)) == 1
    assert JWT not in failure.message
    assert LDAP["ldap_password"] not in failure.message


@pytest.mark.parametrize("method", [name for name in METHODS if name not in ("universal_auth", "token_auth")])
def test_a_method_that_is_not_set_up_for_the_identity(
    simulator: Simulator, runner: Runner, tmp_path: Path, method: str
) -> None:
    case = next(case for case in CASES if case.method == method)
    failure = runner.fail({"url": simulator.url, **prepared(simulator, Case(method, {}, case.options), tmp_path)})
    assert failure.reason == "authentication_failed"
    assert "set up for the identity" in failure.message
    assert len(simulator.log(LOGIN)) == 1


def test_what_a_refused_aws_signature_may_mean_is_said(simulator: Simulator, runner: Runner) -> None:
    identity = simulator.add_identity(methods={"aws-auth": {}})
    failure = runner.fail({"url": simulator.url, "auth_method": "aws_auth", "identity_id": identity["id"]})
    assert (failure.reason, failure.http_status) == ("server_error", 500)
    assert "AWS refuses the signature" in failure.message
    assert len(simulator.log(LOGIN)) == 1


def test_a_locked_identity_is_told_apart(simulator: Simulator, runner: Runner) -> None:
    options = {"url": simulator.url, "universal_auth_client_id": simulator.state()["identity"]["clientId"]}
    failures = [runner.fail({**options, "universal_auth_client_secret": "wrong"}) for _unused in range(4)]
    assert "wait that long" not in failures[0].message
    assert "wait that long" in failures[3].message
    assert len(simulator.log(LOGIN)) == 4


def test_an_address_that_is_not_trusted_is_told_apart(simulator: Simulator, runner: Runner) -> None:
    simulator.settings(ipRefused=True)
    options = {"universal_auth_client_id": simulator.state()["identity"]["clientId"]}
    failure = runner.fail({"url": simulator.url, **options, "universal_auth_client_secret": "x"})
    assert failure.reason == "permission_denied"
    assert "trusted addresses" in failure.message


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("method", ["gcp_auth", "azure_auth"])
@pytest.mark.parametrize(
    ("answer", "reason"), [("refuses", "unreachable"), ("404", "authentication_failed"), ("html", "invalid_response")]
)
def test_a_metadata_service_that_gives_no_token(
    simulator: Simulator, runner: Runner, monkeypatch: pytest.MonkeyPatch, method: str, answer: str, reason: str
) -> None:
    monkeypatch.setattr(metadata_service, "PATIENCE", 0)
    url = f"http://127.0.0.1:{closed_port()}" if answer == "refuses" else f"{simulator.url}/_metadata"
    if answer == "404":
        url += "/elsewhere"
    if answer == "html":
        simulator.fault("html_200", path="_metadata")
    options = {"auth_method": method, "identity_id": IDENTITY, "metadata_url": url}
    failure = runner.fail({"url": simulator.url, **options})
    assert failure.reason == reason
    assert "metadata" in failure.message
    assert simulator.log(LOGIN) == []


def test_the_metadata_service_is_asked_without_the_proxy(
    simulator: Simulator, runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{closed_port()}")
    token = metadata_service.google_identity_token(f"{simulator.url}/_metadata", "audience")
    assert token.count(".") == 2
    [asked] = simulator.log("computeMetadata")
    assert asked["query"] == {"audience": "audience", "format": "full"}
    assert not asked["hasAuthorization"]


def test_without_botocore_it_says_how_to_install_it(
    simulator: Simulator, runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "botocore.auth", None)
    failure = runner.fail({"url": simulator.url, "auth_method": "aws_auth", "identity_id": IDENTITY})
    assert failure.reason == "missing_dependency"
    assert "pip install botocore" in failure.message
    assert sys.executable in failure.message
    assert simulator.log() == []


@pytest.mark.parametrize(
    ("environment", "options", "said"),
    [
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, {}, "AWS_ACCESS_KEY_ID"),
        ({"AWS_PROFILE": "of-nobody"}, {}, "ProfileNotFound"),
        ({}, {"aws_region": "evil.example/#"}, "aws_region"),
        ({}, {"aws_region": "eu-west-1\r\n"}, "aws_region"),
    ],
)
def test_without_aws_credentials_or_with_an_odd_region_nothing_is_sent(
    simulator: Simulator,
    runner: Runner,
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    options: dict[str, str],
    said: str,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    failure = runner.fail({"url": simulator.url, "auth_method": "aws_auth", "identity_id": IDENTITY, **options})
    assert failure.reason == "invalid_arguments"
    assert said in failure.message
    assert simulator.log() == []


def test_a_token_file_that_is_none_is_named(simulator: Simulator, runner: Runner, tmp_path: Path) -> None:
    for content, said in ((b"\xff\xfe", "not text"), (b"two words", "no token"), (b"", "no token")):
        path = tmp_path / "jwt"
        path.write_bytes(content)
        options = {"auth_method": "jwt_auth", "identity_id": IDENTITY, "jwt_path": str(path)}
        failure = runner.fail({"url": simulator.url, **options})
        assert failure.reason == "invalid_arguments"
        assert str(path) in failure.message
        assert said in failure.message
    assert simulator.log() == []


def test_a_login_that_needs_no_cloud_loads_no_code_for_one(simulator: Simulator) -> None:
    """In a process of its own, for here other tests have loaded it all."""
    code = (
        "import sys\n"
        "from ansible_collections.secretops.infisical.plugins.module_utils._login.credentials import credentials\n"
        "from ansible_collections.secretops.infisical.plugins.module_utils._login.methods import METHODS\n"
        "METHODS['oidc_auth'].proof({'jwt': 'x'})\n"
        "print([name for name in sys.modules if name.startswith('botocore') or name.endswith(('_metadata', '_aws'))])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert [name for name in done.stdout.strip("[]\n").split(", ") if "secretops" in name or "botocore" in name] == []


@pytest.mark.parametrize("word", ["secret", "rotation", "okta", "prod", "2", "Z"])
def test_a_password_that_every_answer_holds_misleads_nobody(simulator: Simulator, word: str) -> None:
    """It is taken out of what is shown, after the decisions are made."""
    identity = simulator.add_identity(methods={"ldap-auth": {"users": {"robot": word}}})
    one = simulator.rotation()
    simulator.fault_rotate("status", status=502, body="Bad gateway", contentType="text/html", work="before")
    options = {
        "url": simulator.url,
        "identity_id": identity["id"],
        "ldap_username": "robot",
        "ldap_password": word,
        "name": one["name"],
        "project_id": one["projectId"],
        "environment": one["environment"]["slug"],
        "secret_path": one["folder"]["path"],
    }
    result = Runner(okta_client_secret_rotation).run(options)
    assert (result["outcome"], result["changed"]) == ("rotated", True)
    assert simulator.rotations_done() == simulator.posts() == 1
    shown = [result["msg"], *map(str, result["secretRotation"].values()), str(result["diff"]["after"]["lastRotatedAt"])]
    assert not [text for text in shown if word in text]
    refused = Runner(okta_client_secret_rotation).fail({**options, "environment": "dev"})
    assert refused.reason == "not_found"
    assert word not in refused.problem
