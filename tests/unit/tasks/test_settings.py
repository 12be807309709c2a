# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the options of a task and its environment to settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.secretops.infisical.plugins.module_utils import _settings
from ansible_collections.secretops.infisical.plugins.module_utils._transport import urls
from support.options import ID, SHARED, UNIVERSAL, params, refused


def url_of(environ: dict[str, str] | None = None, **given: Any) -> str:
    return _settings.connection(params(**given), environ or {}, lambda warning: None).url


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("https://x.example", "https://x.example"),
        ("https://x.example/", "https://x.example"),
        ("https://x.example/api", "https://x.example"),
        ("https://x.example/api/", "https://x.example"),
        ("https://x.example:8443/infisical/api/", "https://x.example:8443/infisical"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        (" https://x.example\n", "https://x.example"),
    ],
)
def test_a_url_forgives_its_end(given: str, used: str) -> None:
    assert url_of(url=given) == used


@pytest.mark.parametrize(
    "given",
    [
        "x.example",
        "ftp://x.example",
        "https://",
        "https://user:pw@x.example",
        "https://x.example/?a=b",
        "https://x.example/#a",
        "https://x.example/a b",
        "https://x.example/../y",
        "https://x.example/%2e%2e/y",
        "https://x.example:99999",
        "https://x\r\nHost: y",
        "https://x.example\\@y",
        "https://[::1",
        "https://x.example/./y",
        "https://ex%61mple.com",
        "https://[fe80::1%25eth0]",
        "user:pw@x.example",
        "https://x.example\u2028/y",
    ],
)
def test_a_url_that_is_none_is_refused(given: str) -> None:
    message = refused(lambda: url_of(url=given))
    assert message.startswith("url ")
    assert "pw" not in message


def test_the_url_comes_from_the_task_then_login_data_then_environment_then_default() -> None:
    login_data = {"url": "https://login.example/api", "access_token": "t", "expires_in": None}
    environ = {"INFISICAL_URL": "https://env.example"}
    assert url_of(environ, url="https://task.example") == "https://task.example"
    assert url_of(environ, login_data=login_data) == "https://login.example"
    assert url_of(environ) == "https://env.example"
    assert url_of({}) == "https://us.infisical.com"
    assert url_of(environ, url=" ") == "https://env.example"
    assert url_of({"INFISICAL_URL": ""}, login_data=login_data) == "https://login.example"
    assert "login_data" in refused(lambda: url_of(url="https://task.example", login_data=login_data))


@pytest.mark.parametrize("environ", [{}, {"INFISICAL_URL": ""}, {"INFISICAL_URL": " "}])
def test_a_blank_url_does_not_send_the_credentials_to_the_vendors_server(environ: dict[str, str]) -> None:
    assert refused(lambda: url_of(environ, url="")).startswith("url is empty")


def test_a_blank_variable_alone_does_not_either() -> None:
    assert refused(lambda: url_of({"INFISICAL_URL": ""})).startswith("url is empty")


def test_login_data_of_the_same_server_may_write_its_url_in_another_way() -> None:
    login_data = {"url": "HTTPS://Login.example:443/", "access_token": "t", "expires_in": None}
    assert url_of(url="https://login.example", login_data=login_data) == "https://login.example"


@pytest.mark.parametrize(("option", "value"), [("timeout", 0), ("timeout", 9_999_999_999), ("wait_timeout", 86401)])
def test_a_time_that_nobody_can_wait_is_refused(option: str, value: int) -> None:
    said = refused(lambda: _settings.seconds(option, value, least=1))
    assert said.startswith(f"{option} is {value}: give 1 to 86400")


@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_blank_moment_is_none(value: str | None) -> None:
    assert _settings.moment("only_if_last_rotated_at", value) is None


def test_a_moment_is_one_of_the_servers() -> None:
    assert _settings.moment("x", " 2026-03-12T09:30:01.000Z ") == "2026-03-12T09:30:01.000Z"
    assert "only_if_last_rotated_at is 'yesterday'" in refused(
        lambda: _settings.moment("only_if_last_rotated_at", "yesterday")
    )


def test_what_weakens_the_connection_is_warned_of() -> None:
    warnings: list[str] = []
    _settings.connection(params(url="http://x.example", validate_certs=False), {}, warnings.append)
    assert ["unencrypted" in " ".join(warnings), "validate_certs" in " ".join(warnings)] == [True, True]
    for loopback in ("http://localhost:1", "http://127.0.0.1", "http://[::1]:8080"):
        warnings.clear()
        _settings.connection(params(url=loopback), {}, warnings.append)
        assert warnings == []


def test_a_missing_file_or_an_impossible_timeout_is_refused() -> None:
    assert refused(lambda: url_of(client_cert="/nonexistent")).startswith("client_cert is /nonexistent")
    assert refused(lambda: url_of(client_cert=__file__, client_key="/nonexistent")).startswith("client_key is /nonexis")
    assert refused(lambda: url_of(client_key=__file__)).startswith("client_key is given without client_cert")
    assert "no certificate" in refused(lambda: url_of(ca_path=__file__))
    assert "PEM form" in refused(lambda: url_of(client_cert=__file__))
    assert refused(lambda: url_of(ca_path="/nonexistent")).startswith("ca_path is /nonexistent")
    assert refused(lambda: url_of(timeout=0)).startswith("timeout is 0")


def test_a_rotation_is_meant_by_id_or_by_name() -> None:
    assert _settings.target(params(rotation_id=ID.upper())).rotation_id == ID
    by_name = {"name": "okta", "project_id": "legacy-24-hex", "environment": "prod"}
    assert _settings.target(params(**by_name)).secret_path == "/"
    assert _settings.target(params(**by_name, secret_path="/okta/")).secret_path == "/okta"
    assert _settings.target(params(**by_name, secret_path="")).secret_path == "/"


BY_NAME = {"name": "okta", "project_id": "p", "environment": "prod"}


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({}, ["rotation_id", "name", "project_id", "environment"]),
        ({"rotation_id": ""}, ["rotation_id"]),
        ({"name": "okta"}, ["project_id", "environment"]),
        ({"rotation_id": "42"}, ["rotation_id is '42'", "UUID"]),
        ({"rotation_id": ID + "/../x"}, ["UUID"]),
        ({"rotation_id": ID, "name": "okta"}, ["rotation_id", "name", "contradict"]),
        ({"rotation_id": ID, "environment": "dev"}, ["rotation_id", "environment", "contradict"]),
        ({"rotation_id": ID, "secret_path": "/okta"}, ["rotation_id", "secret_path", "contradict"]),
        ({**BY_NAME, "project_slug": "payments"}, ["project_id and project_slug", "contradict"]),
        ({"name": "okta", "environment": "prod"}, ["project_id or project_slug"]),
        ({**BY_NAME, "name": ".."}, ["name is '..'"]),
        ({**BY_NAME, "name": "a/b"}, ["name is 'a/b'"]),
        ({**BY_NAME, "name": "a" * 65}, ["at most 64"]),
        ({**BY_NAME, "environment": "prod\n"}, ["environment is", "control"]),
        ({**BY_NAME, "secret_path": "okta"}, ["secret_path is 'okta'", "from the root"]),
        ({**BY_NAME, "secret_path": "/a/../b"}, ["secret_path"]),
    ],
)
def test_a_rotation_that_is_not_clear_is_refused(given: dict[str, Any], named: list[str]) -> None:
    message = refused(lambda: _settings.target(params(**given)))
    assert [name for name in named if name not in message] == []


@pytest.mark.parametrize("name", ["INFISICAL_URL", "INFISICAL_DOMAIN", "INFISICAL_API_URL"])
def test_each_variable_of_the_url_names_the_server(name: str) -> None:
    assert url_of({name: "https://x.example/api"}) == "https://x.example"
    assert url_of({"INFISICAL_URL": " ", "INFISICAL_DOMAIN": "", name: "https://x.example"}) == "https://x.example"
    assert urls.environment_url({name: "https://x.example/api/"}) == ("https://x.example", name)
    assert refused(lambda: url_of({name: "x.example"})).startswith(f"{name} is 'x.example'")


def test_variables_that_name_different_servers_are_refused() -> None:
    environ = {"INFISICAL_URL": "https://a.example", "INFISICAL_API_URL": "https://b.example/api"}
    message = refused(lambda: url_of(environ))
    assert "INFISICAL_URL (https://a.example) and INFISICAL_API_URL (https://b.example) contradict" in message
    assert url_of(environ, url="https://c.example") == "https://c.example"
    same = {"INFISICAL_URL": "https://A.example:443", "INFISICAL_API_URL": "https://a.example/api"}
    assert url_of(same) == "https://A.example:443"
    assert urls.environment_url({}) is None


@pytest.mark.parametrize(
    ("text", "checked"), [("false", False), (" No ", False), ("0", False), ("yes", True), ("TRUE", True), (" ", True)]
)
def test_the_environment_says_whether_certificates_are_checked(text: str, checked: bool) -> None:
    environ = {"INFISICAL_VALIDATE_CERTS": text}
    assert _settings.connection(params(), environ, lambda warning: None).validate_certs is checked
    assert _settings.connection(params(validate_certs=True), environ, lambda warning: None).validate_certs is True
    assert _settings.connection(params(validate_certs=False), environ, lambda warning: None).validate_certs is False


def test_the_warning_names_the_variable_that_weakens() -> None:
    warnings: list[str] = []
    _settings.connection(params(), {"INFISICAL_VALIDATE_CERTS": "no"}, warnings.append)
    assert [text.split()[0] for text in warnings] == ["INFISICAL_VALIDATE_CERTS"]


@pytest.mark.parametrize("text", ["2", "nein", "tru", "{{ yes }}"])
def test_a_variable_that_is_no_boolean_is_refused(text: str) -> None:
    environ = {"INFISICAL_VALIDATE_CERTS": text}
    assert refused(lambda: url_of(environ)).startswith(f"INFISICAL_VALIDATE_CERTS is {text!r}")


def test_the_environment_says_how_long_a_request_may_take() -> None:
    environ = {"INFISICAL_TIMEOUT": " 30 "}
    assert _settings.connection(params(), environ, lambda warning: None).timeout == 30
    assert _settings.connection(params(timeout=5), environ, lambda warning: None).timeout == 5
    assert _settings.connection(params(), {"INFISICAL_TIMEOUT": " "}, lambda warning: None).timeout == 90


@pytest.mark.parametrize("text", ["abc", "0", "-1", "1.5", "99999"])
def test_a_variable_that_is_no_number_of_seconds_is_refused(text: str) -> None:
    message = refused(lambda: url_of({"INFISICAL_TIMEOUT": text}))
    assert message.startswith("INFISICAL_TIMEOUT is ")
    assert message.endswith("give 1 to 86400 seconds.")


@pytest.mark.parametrize("content", ["", " \n"])
def test_a_blank_file_of_authorities_is_told_with_what_names_it(tmp_path: Path, content: str) -> None:
    blank = tmp_path / "ca"
    blank.write_text(content, encoding="utf-8")
    for name, call in {
        "INFISICAL_CA_PATH": lambda: url_of({"INFISICAL_CA_PATH": str(blank)}),
        "ca_path": lambda: url_of(ca_path=str(blank)),
    }.items():
        assert refused(call).startswith(f"{name} is {blank}, which holds no certificate")


def test_files_of_the_environment_are_blamed_by_their_variable() -> None:
    assert refused(lambda: url_of({"INFISICAL_CLIENT_CERT": "/none"})).startswith("INFISICAL_CLIENT_CERT is /none")
    assert refused(lambda: url_of({"INFISICAL_CLIENT_KEY": "/none"})).startswith("INFISICAL_CLIENT_KEY is given with")
    pair = {"INFISICAL_CLIENT_CERT": __file__, "INFISICAL_CLIENT_KEY": "/none"}
    assert refused(lambda: url_of(pair)).startswith("INFISICAL_CLIENT_KEY is /none")
    # The key of the environment is not that of the task's certificate.
    assert refused(lambda: url_of(pair, client_cert=__file__)).startswith(f"client_cert {__file__} with its key")


@pytest.mark.parametrize(
    ("given", "environ", "told"),
    [
        (
            {**UNIVERSAL, "url": "https://x.example"},
            {"INFISICAL_TIMEOUT": "5", "INFISICAL_TOKEN": "t"},
            {
                "url": "option",
                "timeout": "INFISICAL_TIMEOUT",
                "validate_certs": "default",
                "auth_method": "derived from the credentials",
                "universal_auth_client_id": "option",
                "universal_auth_client_secret": "option",
            },
        ),
        (
            {"login_data": SHARED},
            {"INFISICAL_URL": "https://y.example"},
            {
                "url": "login_data",
                "timeout": "default",
                "validate_certs": "default",
                "login_data": "option",
                "token": "login_data",
            },
        ),
        (
            {"auth_method": "gcp_auth", "timeout": 3},
            {"INFISICAL_API_URL": "https://y.example", "INFISICAL_MACHINE_IDENTITY_ID": ID},
            {
                "url": "INFISICAL_API_URL",
                "timeout": "option",
                "validate_certs": "default",
                "auth_method": "option",
                "identity_id": "INFISICAL_MACHINE_IDENTITY_ID",
                "metadata_url": "default",
            },
        ),
        # Where they contradict, all of them are told.
        (
            {},
            {"INFISICAL_URL": "x", "INFISICAL_TOKEN": "t", "INFISICAL_UNIVERSAL_AUTH_CLIENT_ID": "i"},
            {"token": "INFISICAL_TOKEN", "universal_auth_client_id": "INFISICAL_UNIVERSAL_AUTH_CLIENT_ID"},
        ),
    ],
)
def test_where_each_value_came_from(given: dict[str, Any], environ: dict[str, str], told: dict[str, str]) -> None:
    assert _settings.sources(params(**given), environ) == told
