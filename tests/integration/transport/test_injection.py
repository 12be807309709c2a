# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""No option can make another request than the one that was meant: it is refused, or quoted."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
import requests
from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError
from ansible_collections.secretops.infisical.plugins.module_utils._login import metadata
from ansible_collections.secretops.infisical.plugins.modules import login, logout, okta_client_secret_rotation
from hypothesis import given, settings
from hypothesis import strategies as st
from support.tasks import Runner

URL = "https://infisical.example/prefix"
ID = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
BY_NAME = "/prefix/api/v2/secret-rotations/okta-client-secret/rotation-name/"
HEADERS = {
    *("User-Agent", "Accept-Encoding", "Accept", "Connection", "Content-Type", "Content-Length", "Authorization"),
    *("Metadata-Flavor", "Metadata", "Cache-Control", "Pragma"),
}
PIECES = [
    *(
        "..",
        "/",
        "\\",
        "%2e",
        "%0d%0a",
        "%",
        "\r\n",
        "\n",
        " ",
        "\t",
        "\0",
        "?",
        "#",
        "&",
        "=",
        "@",
        ":",
        ";",
        "[",
        "]",
    ),
    *("a", "prod", "é", "\u2028", "\u2025", "\uff0f", "\x85", "\x1b", "\udc80", "https://", "evil.example", "{}", '"'),
]
NASTY = st.one_of(st.text(max_size=20), st.lists(st.sampled_from(PIECES), max_size=8).map("".join))

Sent = list[requests.PreparedRequest]


@contextmanager
def recorded() -> Iterator[Sent]:
    """Requests end here, ready to be written to a connection. Each is answered as a login would be."""
    sent: Sent = []

    def send(self: Any, request: requests.PreparedRequest, **settings: Any) -> requests.Response:
        sent.append(request)
        response = requests.Response()
        response.status_code = 200
        response.request = request
        response.raw = Raw()
        return response

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(requests.adapters.HTTPAdapter, "send", send)
        yield sent


class Raw:
    """The body of an answer, in one piece."""

    def __init__(self) -> None:
        self._left = [b'{"accessToken": "token", "expiresIn": 1, "access_token": "token"}']

    def read1(self, size: int) -> bytes:
        return self._left.pop() if self._left else b""

    def release_conn(self) -> None:
        pass


def outcome(module: ModuleType, options: dict[str, Any]) -> InfisicalError | None:
    try:
        Runner(module).run({"url": URL, **options})
    except InfisicalError as failure:
        return failure
    return None


def checked(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Nothing in it ends a line or a word where none should end."""
    assert request.url is not None
    assert request.url.isascii()
    assert not set(request.url) & set(' \t\r\n\0\\"<>')
    assert set(request.headers) <= HEADERS
    for value in request.headers.values():
        assert not set(str(value)) & set("\r\n\0")
    return request


def parts(request: requests.PreparedRequest) -> tuple[str, str, str, dict[str, str]]:
    split = urlsplit(str(request.url))
    return split.scheme, split.netloc, split.path, dict(parse_qsl(split.query, keep_blank_values=True))


@pytest.mark.before_release
@given(st.sampled_from(["name", "project_id", "environment", "secret_path"]), NASTY)
@settings(deadline=None, max_examples=300)
def test_a_rotation_by_name(option: str, text: str) -> None:
    options = {"name": "okta", "project_id": "p", "environment": "prod", "secret_path": "/"}
    options[option] = f"/{text}" if option == "secret_path" else text
    with recorded() as sent:
        failure = outcome(okta_client_secret_rotation, {"token": "t", **options})
    assert failure is not None
    if not sent:
        assert failure.reason == "invalid_arguments"
        return
    [request] = [checked(request) for request in sent]
    scheme, host, path, query = parts(request)
    assert (scheme, host) == ("https", "infisical.example")
    assert path.startswith(BY_NAME)
    assert "/" not in path.removeprefix(BY_NAME)
    assert unquote(path.removeprefix(BY_NAME)) == options["name"]
    assert query.pop("secretPath") == (options["secret_path"].rstrip("/") or "/")
    assert re.fullmatch(r"[0-9a-f]{32}", query.pop("fresh"))
    assert query == {"projectId": options["project_id"], "environment": options["environment"]}


@given(NASTY)
@settings(deadline=None)
def test_a_rotation_by_id(text: str) -> None:
    for rotation_id in (text, f"{ID}{text}", f"{text}{ID}"):
        with recorded() as sent:
            failure = outcome(okta_client_secret_rotation, {"token": "t", "rotation_id": rotation_id})
        assert failure is not None
        paths = [parts(checked(request))[2] for request in sent]
        assert set(paths) <= {f"/prefix/api/v2/secret-rotations/okta-client-secret/{ID}"}
        assert paths or failure.reason == "invalid_arguments"


@given(st.sampled_from(["https://{}", "https://infisical.example{}", "https://infisical.example/{}", "{}"]), NASTY)
@settings(deadline=None)
def test_a_url(form: str, text: str) -> None:
    url = form.format(text)
    with recorded() as sent:
        failure = outcome(login, {"url": url, "identity_id": "0f6f2f0e-2a0c-4a5c-9a0e-6d2f3b1c7e55", "jwt": "j"})
    if not sent:
        assert failure is None or failure.reason == "invalid_arguments"
        return
    [request] = [checked(request) for request in sent]
    scheme, host, path, query = parts(request)
    assert scheme in ("http", "https")
    assert path.endswith("/api/v1/auth/oidc-auth/login")
    assert not query
    assert not {".", ".."} & set(path.split("/"))
    if form.startswith("https://infisical.example/"):
        assert host == "infisical.example"


@pytest.mark.before_release
@given(NASTY)
@settings(deadline=None)
def test_a_token(text: str) -> None:
    for options in ({"token": text}, {"login_data": {"url": URL, "access_token": f"t{text}"}}):
        with recorded() as sent:
            outcome(logout, options)
        for request in sent:
            value = checked(request).headers.get("Authorization")
            if value is not None:
                assert value == f"Bearer {str(value)[7:]}"
                assert " " not in str(value)[7:]


@given(st.sampled_from(["universal_auth", "ldap_auth", "jwt_auth"]), NASTY, NASTY)
@settings(deadline=None)
def test_credentials(method: str, first: str, second: str) -> None:
    options = {
        "universal_auth": {"universal_auth_client_id": first, "universal_auth_client_secret": second},
        "ldap_auth": {"identity_id": first, "ldap_username": first, "ldap_password": second},
        "jwt_auth": {"identity_id": first, "jwt": second},
    }[method]
    with recorded() as sent:
        failure = outcome(login, {"auth_method": method, **options})
    if not sent:
        assert failure is not None
        assert failure.reason == "invalid_arguments"
        return
    [request] = [checked(request) for request in sent]
    assert "Authorization" not in request.headers
    body = json.loads(request.body or b"")
    assert set(body.values()) <= {first, second, second.strip()}


@given(NASTY)
@settings(deadline=None)
def test_what_a_metadata_service_is_asked(text: str) -> None:
    for option in ("identity_id", "azure_resource", "metadata_url"):
        method = "azure_auth" if option == "azure_resource" else "gcp_auth"
        options = {
            "identity_id": "0f6f2f0e-2a0c-4a5c-9a0e-6d2f3b1c7e55",
            "metadata_url": "http://169.254.169.254",
            option: text,
        }
        with recorded() as sent:
            failure = outcome(login, {"auth_method": method, **options})
        if not sent:
            assert failure is not None
            assert failure.reason == "invalid_arguments"
            continue
        _scheme, host, path, query = parts(checked(sent[0]))
        if option == "metadata_url":
            # A blank one counts as left out.
            assert path.endswith(metadata._GOOGLE)
        else:
            assert host == "169.254.169.254"
            assert query.get("audience", query.get("resource")) == (
                text if text.strip() else "https://management.azure.com/"
            )
