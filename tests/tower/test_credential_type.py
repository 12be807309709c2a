# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The credential type as AWX renders it: whatever is blank, what reaches the job is what was meant."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.secretops.infisical.plugins.module_utils._login.credentials import credentials
from ansible_collections.secretops.infisical.plugins.module_utils._options import (
    AUTHENTICATION,
    CONNECTION,
    ENVIRONMENT,
)
from ansible_collections.secretops.infisical.plugins.module_utils._settings import connection
from awx_plugins.interfaces._temporary_private_api import ManagedCredentialType
from awx_plugins.interfaces._temporary_private_credential_api import Credential
from awx_plugins.interfaces._temporary_private_inject_api import inject_credential
from simulator.client import Simulator
from support.ansible import Workspace

from .awx_rules import check_credential_type
from .setting_up import data

TYPE = data()["tower_setup_credential_type"]
FIELDS = {field["id"]: field for field in TYPE["inputs"]["fields"]}
IDENTITY = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln"
URL = "https://infisical.example.com"

#: What somebody fills in, the login that is meant, and the values that it takes.
LOGINS: list[tuple[dict[str, Any], str, dict[str, str]]] = [
    (
        {"client_id": "an-id", "client_secret": "a secret"},
        "universal_auth",
        {"universal_auth_client_id": "an-id", "universal_auth_client_secret": "a secret"},
    ),
    (
        {"client_id": "an-id", "client_secret": "a secret", "auth_method": "universal_auth"},
        "universal_auth",
        {"universal_auth_client_id": "an-id", "universal_auth_client_secret": "a secret"},
    ),
    ({"token": "a-token"}, "token_auth", {"token": "a-token"}),
    ({"jwt": JWT, "identity_id": IDENTITY}, "oidc_auth", {"jwt": JWT, "identity_id": IDENTITY}),
    (
        {"jwt": JWT, "identity_id": IDENTITY, "auth_method": "jwt_auth"},
        "jwt_auth",
        {"jwt": JWT, "identity_id": IDENTITY},
    ),
    (
        {"jwt": JWT, "identity_id": IDENTITY, "auth_method": "kubernetes_auth"},
        "kubernetes_auth",
        {"jwt": JWT, "identity_id": IDENTITY},
    ),
    (
        {"identity_id": IDENTITY, "ldap_username": "robot", "ldap_password": 'pässwörd "{{ x }}"'},
        "ldap_auth",
        {"identity_id": IDENTITY, "ldap_username": "robot", "ldap_password": 'pässwörd "{{ x }}"'},
    ),
    (
        {"identity_id": IDENTITY, "auth_method": "gcp_auth"},
        "gcp_auth",
        {"identity_id": IDENTITY, "metadata_url": "http://metadata.google.internal"},
    ),
    (
        {"identity_id": IDENTITY, "auth_method": "azure_auth"},
        "azure_auth",
        {
            "identity_id": IDENTITY,
            "metadata_url": "http://169.254.169.254",
            "azure_resource": "https://management.azure.com/",
        },
    ),
    (
        {"identity_id": IDENTITY, "auth_method": "azure_auth", "azure_resource": "api://infisical"},
        "azure_auth",
        {"identity_id": IDENTITY, "metadata_url": "http://169.254.169.254", "azure_resource": "api://infisical"},
    ),
    ({"identity_id": IDENTITY, "auth_method": "aws_auth"}, "aws_auth", {"identity_id": IDENTITY}),
    (
        {"identity_id": IDENTITY, "auth_method": "aws_auth", "aws_region": "eu-central-1"},
        "aws_auth",
        {"identity_id": IDENTITY, "aws_region": "eu-central-1"},
    ),
]


def rendered(inputs: dict[str, Any], folder: Path) -> tuple[dict[str, str], dict[str, str]]:
    """The environment of the job and what Tower shows of it. Files are where the job's container has them."""
    (folder / "env").mkdir(parents=True, exist_ok=True)
    kind = ManagedCredentialType("infisical", "Infisical", "cloud", TYPE["inputs"], TYPE["injectors"])
    env: dict[str, Any] = {}
    shown: dict[str, Any] = {}
    arguments: list[str] = []
    inject_credential(kind, Credential(inputs), env, shown, arguments, str(folder))
    assert arguments == [], "inventory updates get no extra variables"
    return {name: value.replace("/runner/", f"{folder}/") for name, value in env.items()}, shown


def blanks(filled: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The same with all other fields missing, and with all of them blank, as Tower's form sends them."""
    yield filled
    yield {**{name: "" for name, field in FIELDS.items() if field["type"] == "string"}, **filled}


@pytest.fixture(scope="module")
def pems() -> Iterator[dict[str, str]]:
    with Simulator(client_cert_required=True) as simulator:
        assert simulator.ca_path
        assert simulator.client_cert
        assert simulator.client_key
        yield {
            "ca": Path(simulator.ca_path).read_text(encoding="utf-8"),
            "client_cert": Path(simulator.client_cert).read_text(encoding="utf-8"),
            "client_key": Path(simulator.client_key).read_text(encoding="utf-8"),
        }


def test_awx_takes_the_type() -> None:
    check_credential_type(TYPE["kind"], TYPE["inputs"], TYPE["injectors"])
    assert TYPE["inputs"]["required"] == ["url"]
    assert not [name for name, field in FIELDS.items() if "default" in field], "a default is a decision for everybody"
    assert [name for name, field in FIELDS.items() if not field["help_text"].endswith(".")] == []
    assert {name for name, field in FIELDS.items() if field.get("secret")} == {
        "client_secret",
        "token",
        "ldap_password",
        "jwt",
        "client_key",
    }
    assert [name for name, field in FIELDS.items() if field["type"] == "boolean"] == ["skip_verify"]


def test_every_variable_is_one_that_the_collection_reads() -> None:
    """And no variable of somebody else's is set, which a blank field would empty."""
    assert set(TYPE["injectors"]) == {"env", "file"}
    known = {name: option for option, names in ENVIRONMENT.items() for name in names}
    assert [name for name in TYPE["injectors"]["env"] if name not in known or not name.startswith("INFISICAL_")] == []
    # What Tower cannot hold, and what no team needs to set there.
    assert set(ENVIRONMENT) - {known[name] for name in TYPE["injectors"]["env"]} == {
        "timeout",
        "jwt_path",
        "metadata_url",
    }


@pytest.mark.parametrize(
    "login", LOGINS, ids=[f"{method}-{number}" for number, (_inputs, method, _expected) in enumerate(LOGINS)]
)
def test_every_combination_of_blank_fields(
    login: tuple[dict[str, Any], str, dict[str, str]], pems: dict[str, str], tmp_path: Path
) -> None:
    """Each login with each optional field filled and blank, and the box missing, clear and ticked."""
    filled, method, values = login
    params: dict[str, Any] = dict.fromkeys([*CONNECTION, *AUTHENTICATION])
    optional = itertools.product(({}, {"ca"}, {"client_cert", "client_key"}), (None, False, True), ("", "team-a"))
    for number, (files, skip, organization) in enumerate(optional):
        given = {"url": URL, **filled, **{name: pems[name] for name in files}}
        if skip is not None:
            given["skip_verify"] = skip
        if organization and method != "token_auth":
            given["organization_slug"] = organization
        for style, inputs in enumerate(blanks(given)):
            env, _shown = rendered(inputs, tmp_path / f"{number}-{style}")
            found = credentials(params, env)
            assert found.method == method
            expected = {**values, "organization_slug": "team-a"} if "organization_slug" in given else values
            assert dict(found.values) == expected
            warnings: list[str] = []
            reached = connection(params, env, warnings.append)
            assert (reached.url, reached.timeout) == (URL, 90)
            assert reached.validate_certs is (skip is not True)
            assert len(warnings) == (1 if skip else 0)
            paths = {"ca": reached.ca_path, "client_cert": reached.client_cert, "client_key": reached.client_key}
            assert {name for name, path in paths.items() if path} == set(files)
            for name in files:
                assert Path(str(paths[name])).read_text(encoding="utf-8").strip() == pems[name].strip()


def test_nothing_filled_in_is_no_login(tmp_path: Path) -> None:
    params: dict[str, Any] = dict.fromkeys([*CONNECTION, *AUTHENTICATION])
    for number, inputs in enumerate(blanks({"url": URL})):
        env, _shown = rendered(inputs, tmp_path / str(number))
        with pytest.raises(Exception, match="No credentials were given"):
            credentials(params, env)


def test_what_tower_shows_of_it(tmp_path: Path) -> None:
    """Secrets are hidden in the job's details, the rest is not."""
    inputs = {name: f"of-{name}" for name, field in FIELDS.items() if field["type"] == "string"}
    _env, shown = rendered({**inputs, "skip_verify": True}, tmp_path)
    hidden = "**********"
    files = {name: shown.pop(name) for name in ("INFISICAL_CA_PATH", "INFISICAL_CLIENT_CERT", "INFISICAL_CLIENT_KEY")}
    assert all(path.startswith("/runner/env/") for path in files.values())
    assert shown == {
        "INFISICAL_URL": "of-url",
        "INFISICAL_UNIVERSAL_AUTH_CLIENT_ID": "of-client_id",
        "INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET": hidden,
        "INFISICAL_TOKEN": hidden,
        "INFISICAL_AUTH_METHOD": "of-auth_method",
        "INFISICAL_MACHINE_IDENTITY_ID": "of-identity_id",
        "INFISICAL_LDAP_USERNAME": "of-ldap_username",
        "INFISICAL_LDAP_PASSWORD": hidden,
        "INFISICAL_JWT": hidden,
        "INFISICAL_AZURE_RESOURCE": "of-azure_resource",
        "INFISICAL_AWS_REGION": "of-aws_region",
        "INFISICAL_AUTH_ORGANIZATION_SLUG": "of-organization_slug",
        "INFISICAL_VALIDATE_CERTS": "false",
    }


LDAP = {"ldap_username": "robot", "ldap_password": 'pässwörd "quoted"'}


@pytest.mark.parametrize(
    ("methods", "fields"),
    [
        ({}, {}),
        ({"ldap-auth": {"users": {"robot": LDAP["ldap_password"]}}}, LDAP),
        ({"jwt-auth": {"jwts": [JWT]}}, {"auth_method": "jwt_auth", "jwt": JWT}),
        ({"oidc-auth": {"jwts": [JWT]}}, {"jwt": JWT}),
    ],
    ids=["universal_auth", "ldap_auth", "jwt_auth", "oidc_auth"],
)
def test_a_job_logs_in(
    workspace: Workspace, simulator: Simulator, tmp_path: Path, methods: dict[str, Any], fields: dict[str, str]
) -> None:
    inputs = {"url": simulator.url, **fields}
    if methods:
        inputs["identity_id"] = simulator.add_identity(methods=methods)["id"]
    else:
        identity = simulator.state()["identity"]
        inputs |= {"client_id": identity["clientId"], "client_secret": identity["clientSecret"]}
    assert_logged_in(workspace, list(blanks(inputs))[1], tmp_path)


@pytest.mark.parametrize("by", ["ca", "skip_verify"])
def test_a_job_reaches_a_server_with_an_authority_of_ones_own(
    workspace: Workspace, tmp_path: Path, pems: dict[str, str], by: str
) -> None:
    with Simulator(client_cert_required=True) as simulator:
        files = {"client_cert": simulator.client_cert, "client_key": simulator.client_key}
        if by == "ca":
            files["ca"] = simulator.ca_path
        inputs: dict[str, Any] = {name: Path(str(path)).read_text(encoding="utf-8") for name, path in files.items()}
        inputs |= {"url": simulator.url, "token": simulator.mint_token(), "skip_verify": by == "skip_verify"}
        assert_logged_in(workspace, list(blanks(inputs))[1], tmp_path)


def assert_logged_in(workspace: Workspace, inputs: dict[str, Any], folder: Path) -> None:
    env, _shown = rendered(inputs, folder / "private")
    task = {"name": "Log in", "secretops.infisical.login": {}}
    done = workspace.tasks([task], env=env)
    assert done.returncode == 0, done.output
    assert done.named("Log in")["login_data"]["url"] == inputs["url"]
