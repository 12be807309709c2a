# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which login a task asks for, with what, and by what it is replaced."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.secretops.infisical.plugins.module_utils._login.credentials import credentials
from support.options import ID, SHARED, UNIVERSAL, UNIVERSAL_ENV, params, refused


@pytest.mark.parametrize(
    ("given", "environ", "method"),
    [
        (UNIVERSAL, {}, "universal_auth"),
        ({"token": "t"}, {}, "token_auth"),
        ({"identity_id": ID, "jwt": "j"}, {}, "oidc_auth"),
        ({"identity_id": ID, "ldap_username": "u", "ldap_password": "p"}, {}, "ldap_auth"),
        ({}, UNIVERSAL_ENV, "universal_auth"),
        ({}, {"INFISICAL_TOKEN": "t"}, "token_auth"),
        ({}, {"INFISICAL_TOKEN": "", **UNIVERSAL_ENV}, "universal_auth"),
        ({"identity_id": ID}, {"INFISICAL_OIDC_AUTH_JWT": "j"}, "oidc_auth"),
        # What the task says comes before what the environment says, without a contradiction.
        ({"token": "t"}, UNIVERSAL_ENV, "token_auth"),
        ({"token": "t"}, {"INFISICAL_AUTH_METHOD": "universal_auth", **UNIVERSAL_ENV}, "token_auth"),
        ({"auth_method": "universal_auth"}, {"INFISICAL_TOKEN": "t", **UNIVERSAL_ENV}, "universal_auth"),
        ({}, {"INFISICAL_AUTH_METHOD": "token_auth", "INFISICAL_TOKEN": "t", **UNIVERSAL_ENV}, "token_auth"),
        ({"token": ""}, UNIVERSAL_ENV, "universal_auth"),
        # A JWT alone is taken for that of oidc_auth, unless the environment names another method that takes one.
        ({"identity_id": ID, "jwt": "j"}, {"INFISICAL_AUTH_METHOD": "jwt_auth"}, "jwt_auth"),
        ({"identity_id": ID, "jwt": "j"}, {"INFISICAL_AUTH_METHOD": "ldap_auth"}, "oidc_auth"),
        ({"identity_id": ID, "jwt_path": __file__}, {}, "oidc_auth"),
        ({"identity_id": ID}, {"INFISICAL_JWT_PATH": __file__}, "oidc_auth"),
        ({"auth_method": "gcp_auth", "identity_id": ID}, {}, "gcp_auth"),
        ({"auth_method": "azure_auth", "identity_id": ID}, {}, "azure_auth"),
        ({"auth_method": "aws_auth", "identity_id": ID}, {}, "aws_auth"),
        ({}, {"INFISICAL_AUTH_METHOD": "aws_auth", "INFISICAL_MACHINE_IDENTITY_ID": ID}, "aws_auth"),
        # A region or a metadata service says nothing about the method.
        ({}, {"AWS_REGION": "eu-west-1", "INFISICAL_METADATA_URL": "http://x", **UNIVERSAL_ENV}, "universal_auth"),
    ],
)
def test_the_login_follows_from_what_was_given(given: dict[str, Any], environ: dict[str, str], method: str) -> None:
    assert credentials(params(**given), environ).method == method


def test_of_two_names_of_a_variable_the_last_wins() -> None:
    environ = {**UNIVERSAL_ENV, "UNIVERSAL_AUTH_MACHINE_IDENTITY_CLIENT_ID": "last"}
    values = credentials(params(), environ).values
    assert values == {"universal_auth_client_id": "last", "universal_auth_client_secret": "env-secret"}


@pytest.mark.parametrize(
    ("given", "environ", "named"),
    [
        ({"token": "t", **UNIVERSAL}, {}, ["token", "universal_auth_client_id", "universal_auth_client_secret"]),
        ({"auth_method": "token_auth", **UNIVERSAL}, {}, ["auth_method", "universal_auth_client_id", "token_auth"]),
        ({"auth_method": "oidc_auth", "token": "t", "jwt": "j"}, {}, ["token", "jwt"]),
        ({"token": "t", "login_data": {"url": "https://x", "access_token": "a"}}, {}, ["login_data", "token"]),
        (
            {},
            {"INFISICAL_TOKEN": "t", **UNIVERSAL_ENV},
            ["INFISICAL_TOKEN", "INFISICAL_UNIVERSAL_AUTH_CLIENT_ID", "auth_method"],
        ),
        ({"universal_auth_client_id": "id"}, {}, ["universal_auth_client_secret", "INFISICAL_UNIVERSAL_AUTH_CLIENT_S"]),
        ({"auth_method": "ldap_auth"}, {}, ["identity_id", "INFISICAL_MACHINE_IDENTITY_ID"]),
        ({}, {}, ["universal_auth_client_id", "token", "login_data"]),
        ({}, {"INFISICAL_AUTH_METHOD": "magic"}, ["INFISICAL_AUTH_METHOD", "universal_auth"]),
        ({"token": "two words"}, {}, ["token is no token"]),
        ({"token": "t\r\nX-Evil: 1"}, {}, ["token is no token"]),
        ({"token": "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"}, {}, ["placeholder", "option token"]),
        ({"login_data": {"url": "https://x", "access_token": "<check_mode_token>"}}, {}, ["secretops.infisical.login"]),
        ({"token": "********"}, {}, ["placeholder", "option token"]),
        ({"identity_id": ID, "jwt": "j", "jwt_path": __file__}, {}, ["jwt and jwt_path contradict", "only one"]),
        (
            {"auth_method": "jwt_auth", "identity_id": ID},
            {"INFISICAL_JWT": "j", "INFISICAL_JWT_PATH": __file__},
            ["INFISICAL_JWT and INFISICAL_JWT_PATH contradict"],
        ),
        ({"auth_method": "jwt_auth", "identity_id": ID}, {}, ["needs jwt or jwt_path", "INFISICAL_JWT_PATH"]),
        ({"auth_method": "gcp_auth"}, {}, ["needs identity_id", "INFISICAL_MACHINE_IDENTITY_ID"]),
        ({"auth_method": "kubernetes_auth", "identity_id": ID}, {}, ["/var/run/secrets", "no file", "jwt"]),
        ({"identity_id": ID, "jwt_path": "/nonexistent"}, {}, ["jwt_path is /nonexistent"]),
        ({"auth_method": "aws_auth", "identity_id": ID, "jwt": "j"}, {}, ["jwt and identity_id", "aws_auth"]),
        ({"auth_method": "oidc_auth", "identity_id": ID, "metadata_url": "http://x"}, {}, ["metadata_url"]),
        (
            {"auth_method": "gcp_auth", "identity_id": ID, "metadata_url": "http://u:pw@x"},
            {},
            ["metadata_url holds a user name or password"],
        ),
        ({"auth_method": "azure_auth", "identity_id": ID, "azure_resource": "a\nb"}, {}, ["azure_resource"]),
        ({"identity_id": ID, "jwt": "two words"}, {}, ["jwt is no token"]),
        ({**UNIVERSAL, "universal_auth_client_secret": "\udc80"}, {}, ["universal_auth_client_secret is not valid"]),
    ],
)
def test_contradictions_and_gaps_are_named(given: dict[str, Any], environ: dict[str, str], named: list[str]) -> None:
    message = refused(lambda: credentials(params(**given), environ))
    assert [name for name in named if name not in message] == []


def test_an_option_of_the_task_comes_before_an_alternative_of_the_environment() -> None:
    environ = {"INFISICAL_JWT": "env", "INFISICAL_METADATA_URL": "http://x"}
    options = {"auth_method": "gcp_auth", "identity_id": ID}
    assert credentials(params(**options, jwt="task"), environ).values == {"identity_id": ID, "jwt": "task"}
    values = credentials(params(**options, metadata_url="http://y/"), environ).values
    assert values == {"identity_id": ID, "metadata_url": "http://y"}
    assert credentials(params(**options), {}).values["metadata_url"] == "http://metadata.google.internal"


def test_a_token_may_end_in_a_new_line() -> None:
    assert credentials(params(token="t\n"), {}).values == {"token": "t"}


def test_credentials_do_not_show_in_a_representation() -> None:
    given = {**UNIVERSAL, "universal_auth_client_secret": "hunter22"}
    assert "hunter22" not in repr(credentials(params(**given), {}))


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"INFISICAL_TOKEN": "two words"}, "INFISICAL_TOKEN is no token"),
        ({"INFISICAL_JWT": "two words", "INFISICAL_MACHINE_IDENTITY_ID": ID}, "INFISICAL_JWT is no token"),
        ({"INFISICAL_JWT": "j", "INFISICAL_MACHINE_IDENTITY_ID": "42"}, "INFISICAL_MACHINE_IDENTITY_ID is '42'"),
        ({"INFISICAL_JWT_PATH": "/none", "INFISICAL_MACHINE_IDENTITY_ID": ID}, "INFISICAL_JWT_PATH is /none"),
        (
            {"INFISICAL_METADATA_URL": "x", "INFISICAL_MACHINE_IDENTITY_ID": ID, "INFISICAL_AUTH_METHOD": "gcp_auth"},
            "INFISICAL_METADATA_URL is 'x'",
        ),
        ({**UNIVERSAL_ENV, "INFISICAL_AUTH_ORGANIZATION_SLUG": "A B"}, "INFISICAL_AUTH_ORGANIZATION_SLUG is 'A B'"),
        (
            {**UNIVERSAL_ENV, "INFISICAL_UNIVERSAL_AUTH_CLIENT_ID": "\udc80"},
            "INFISICAL_UNIVERSAL_AUTH_CLIENT_ID is not",
        ),
    ],
)
def test_a_value_of_the_environment_is_blamed_by_its_variable(environ: dict[str, str], named: str) -> None:
    assert refused(lambda: credentials(params(), environ)).startswith(named)


def test_credentials_of_two_kinds_in_the_environment_are_named_as_they_are_set() -> None:
    environ = {"INFISICAL_TOKEN": "t", "UNIVERSAL_AUTH_MACHINE_IDENTITY_CLIENT_ID": "i"}
    message = refused(lambda: credentials(params(), environ))
    assert message.startswith("UNIVERSAL_AUTH_MACHINE_IDENTITY_CLIENT_ID and INFISICAL_TOKEN contradict each other")


@pytest.mark.parametrize("blank", ["", " ", "\t\n"])
def test_what_is_blank_is_not_given(blank: str) -> None:
    given = {"token": blank, "auth_method": blank, "identity_id": blank, "organization_slug": blank}
    environ = {**UNIVERSAL_ENV, "INFISICAL_TOKEN": blank, "INFISICAL_AUTH_METHOD": blank}
    assert set(credentials(params(**given), environ).values) == set(UNIVERSAL)


@pytest.mark.parametrize("method", ["oidc_auth", "jwt_auth", "kubernetes_auth", "gcp_auth", "azure_auth", "aws_auth"])
@pytest.mark.parametrize("value", ["i", "my-identity", ID[:-1], ID + "/x"])
def test_an_identity_id_that_is_no_uuid_is_refused(method: str, value: str) -> None:
    given = {"auth_method": method, "identity_id": value, **({} if method == "aws_auth" else {"jwt": "j"})}
    assert refused(lambda: credentials(params(**given), {})).startswith(f"identity_id is {value!r}")


@pytest.mark.parametrize("value", ["A", "a b", "-a", "a-", "a--b", "a_b", "ä", "a" * 65])
def test_a_sub_organisation_is_a_slug(value: str) -> None:
    assert credentials(params(**UNIVERSAL, organization_slug="a-1 "), {}).values["organization_slug"] == "a-1"
    said = refused(lambda: credentials(params(**UNIVERSAL, organization_slug=value), {}))
    assert said.startswith(f"organization_slug is {value!r}")


@pytest.mark.parametrize(
    ("given", "identity"),
    [
        (UNIVERSAL, "id"),
        ({"token": "t"}, ""),
        ({"identity_id": ID.upper(), "jwt": "j"}, ID),
        ({"identity_id": ID, "ldap_username": "u", "ldap_password": "p"}, f"{ID}/u"),
    ],
)
def test_what_names_the_identity(given: dict[str, str], identity: str) -> None:
    assert credentials(params(**given), {}).identity == identity


OF_SAME_IDENTITY = {**UNIVERSAL_ENV, "INFISICAL_UNIVERSAL_AUTH_CLIENT_ID": "id"}


@pytest.mark.parametrize(
    ("given", "environ", "secret"),
    [
        (UNIVERSAL, {}, "secret"),
        (UNIVERSAL, {"INFISICAL_URL": "https://other.example"}, "secret"),
        ({}, OF_SAME_IDENTITY, "env-secret"),
        ({}, {**OF_SAME_IDENTITY, "INFISICAL_DOMAIN": "https://x.example/api"}, "env-secret"),
        ({"auth_method": "universal_auth"}, OF_SAME_IDENTITY, "env-secret"),
    ],
)
def test_a_shared_login_has_a_replacement(given: dict[str, str], environ: dict[str, str], secret: str) -> None:
    found = credentials(params(**given, login_data=SHARED), environ)
    assert (found.method, found.values) == ("token_auth", {"token": "t"})
    assert found.replacement is not None
    assert found.replacement.values == {"universal_auth_client_id": "id", "universal_auth_client_secret": secret}


@pytest.mark.parametrize(
    ("shared", "environ"),
    [
        (SHARED, {}),
        (SHARED, UNIVERSAL_ENV),
        ({**SHARED, "identity": None}, OF_SAME_IDENTITY),
        ({**SHARED, "auth_method": ""}, OF_SAME_IDENTITY),
        ({**SHARED, "auth_method": "ldap_auth"}, OF_SAME_IDENTITY),
        (SHARED, {**OF_SAME_IDENTITY, "INFISICAL_URL": "https://other.example"}),
        # What is wrong there is none of a task that was given its login.
        (SHARED, {**OF_SAME_IDENTITY, "INFISICAL_URL": "garbage"}),
        (SHARED, {**OF_SAME_IDENTITY, "INFISICAL_TOKEN": "t"}),
    ],
)
def test_a_shared_login_without_credentials_of_its_own_has_none(
    shared: dict[str, Any], environ: dict[str, str]
) -> None:
    assert credentials(params(login_data=shared), environ).replacement is None


@pytest.mark.parametrize(
    "given", [{**UNIVERSAL, "universal_auth_client_id": "other"}, {"token": "t"}, {"auth_method": "universal_auth"}]
)
def test_credentials_of_others_beside_a_shared_login_are_refused(given: dict[str, str]) -> None:
    assert refused(lambda: credentials(params(**given, login_data=SHARED), {})).startswith("login_data and ")
