# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked of Okta, and what each answer means: only Okta's own word is a yes or a no."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import parse_qs

import pytest
from ansible_collections.secretops.infisical.plugins.module_utils import _okta
from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError
from ansible_collections.secretops.infisical.plugins.module_utils._transport import client
from ansible_collections.secretops.infisical.plugins.module_utils._transport.exchange import Broken, Received
from ansible_collections.secretops.infisical.plugins.module_utils._transport.patience import Patience
from support.scripted_channel import ScriptedChannel

URL = "https://company.okta.com"
SECRET = "kW3-very_secret_kW3"
OPTIONS: dict[str, Any] = {"okta_url": URL, "client_id": "0oa1", "client_secret": SECRET}
WRONG_SECRET = "The client secret supplied for a confidential client is invalid."
EITHER = "Client authentication failed. Either the client or the client credentials are invalid."
DATE = "Thu, 12 Mar 2026 09:30:00 GMT"
#: The same moment, by hand.
SECOND = 1773307800


class Asker:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._patch = monkeypatch
        self.channel = ScriptedChannel()
        self.warnings: list[str] = []
        self.pauses: list[float] = []

    def ask(self, *answers: Received | Exception, wait: float = 0, **options: Any) -> bool:
        self.channel = ScriptedChannel(*answers)
        self._patch.setattr(client, "Channel", lambda _connection: self.channel)
        patience = Patience(wait, lambda: sum(self.pauses), self.pauses.append)
        asked = _okta.question({**OPTIONS, **options})
        return _okta.accepts(asked, patience, self.warnings.append, {"https_proxy": "http://robot:pr0xy-pass@p"})

    def fail(self, *answers: Received | Exception, **more: Any) -> InfisicalError:
        with pytest.raises(InfisicalError) as caught:
            self.ask(*answers, **more)
        assert (caught.value.__cause__, caught.value.__context__) == (None, None)
        return caught.value


@pytest.fixture
def asker(monkeypatch: pytest.MonkeyPatch) -> Asker:
    return Asker(monkeypatch)


def said(status: int, body: Any, **headers: str) -> Received:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Received(status, named, json.dumps(body).encode())


def oauth(status: int, description: Any, error: Any = "invalid_client") -> Received:
    return said(status, {"error": error, "error_description": description}, X_Okta_Request_Id="reqOkta1")


def okta(status: int, code: str, summary: str) -> Received:
    body = {"errorCode": code, "errorSummary": summary, "errorLink": code, "errorId": "oae1", "errorCauses": []}
    return said(status, body, X_Okta_Request_Id="reqOkta1")


def page(status: int, title: str = "Blocked by policy", **headers: str) -> Received:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Received(status, named, f"<html><title>{title}</title></html>".encode())


#: Answers, and what each means: true, false, or the reason of the failure and a word of its next step.
WORDS: tuple[tuple[Received, bool], ...] = (
    (said(200, {"active": False}), True),
    (said(200, {"active": True, "client_id": "0oa1"}), True),
    (oauth(401, WRONG_SECRET), False),
    (oauth(401, "Client secret expired."), False),
)
FAILURES: tuple[tuple[Received, str, str], ...] = (
    # Okta's own, about something else than the secret.
    (okta(401, "invalid_client", "Invalid value for 'client_id' parameter."), "not_found", "is active"),
    (okta(400, "invalid_client", "Invalid value for 'client_id' parameter."), "not_found", "client_id"),
    (oauth(401, "Invalid value for 'client_id' parameter."), "not_found", "client_id"),
    (oauth(401, "No client credentials found."), "authentication_failed", "proxies"),
    (oauth(401, EITHER), "authentication_failed", "client_auth_method"),
    (oauth(401, "Something that nobody has read before."), "authentication_failed", "client_auth_method"),
    (okta(401, "E0000011", "Invalid token provided"), "authentication_failed", "okta_url"),
    (okta(403, "E0000006", "You do not have permission to perform the requested action"), "permission_denied", "zone"),
    (okta(404, "E0000007", "Not found: Resource not found: x (AuthorizationServer)"), "not_found", "authorization_s"),
    (okta(404, "E0000007", "Not found: Resource not found: /x (Path)"), "route_not_found", "okta_url"),
    (oauth(400, "The 'token' parameter is missing.", "invalid_request"), "request_rejected", "options"),
    (okta(429, "E0000047", "API call exceeded rate limit due to too many requests."), "rate_limited", "fewer forks"),
    (okta(500, "E0000009", "Internal Server Error"), "server_error", "status.okta.com"),
    # Almost a yes or a no.
    (oauth(400, WRONG_SECRET), "authentication_failed", "client_auth_method"),
    (oauth(403, WRONG_SECRET), "authentication_failed", "client_auth_method"),
    (oauth(200, WRONG_SECRET), "invalid_response", "proxies"),
    (oauth(401, None), "invalid_response", "proxies"),
    (oauth(401, [WRONG_SECRET]), "invalid_response", "proxies"),
    (oauth(401, WRONG_SECRET, "invalid_token"), "authentication_failed", "client_id"),
    (said(401, {"error": "invalid_client"}), "invalid_response", "proxies"),
    (said(401, [{"error": "invalid_client", "error_description": WRONG_SECRET}]), "invalid_response", "proxies"),
    (said(401, f"invalid_client {WRONG_SECRET}"), "invalid_response", "proxies"),
    (said(200, {}), "invalid_response", "proxies"),
    (said(200, {"active": None}), "invalid_response", "proxies"),
    (said(200, {"active": "false"}), "invalid_response", "proxies"),
    (said(200, {"active": 0}), "invalid_response", "proxies"),
    (said(200, [{"active": False}]), "invalid_response", "proxies"),
    (said(201, {"active": False}), "invalid_response", "proxies"),
    (said(401, {"active": False}), "invalid_response", "proxies"),
    (Received(200, {}, b'{"active": false'), "invalid_response", "proxies"),
    (Received(200, {}, b""), "invalid_response", "proxies"),
    (Received(204, {}, b""), "invalid_response", "proxies"),
    # Somebody else's.
    (page(200), "invalid_response", "proxies"),
    (page(401), "invalid_response", "proxies"),
    (page(403), "invalid_response", "proxies"),
    (page(404), "invalid_response", "proxies"),
    (page(407), "unreachable", "HTTPS_PROXY"),
    (page(429), "rate_limited", "fewer forks"),
    (page(502), "server_error", "proxies"),
    (page(301, Location="https://login.example/?secret"), "redirected", "to login.example,"),
    (page(302, Location="/login"), "redirected", "Redirects are not followed"),
    (page(307, Location="http://[bad"), "redirected", "Redirects are not followed"),
    (page(308), "redirected", "Redirects are not followed"),
)


@pytest.mark.parametrize(("answer", "word"), WORDS)
def test_oktas_own_word(asker: Asker, answer: Received, word: bool) -> None:
    assert asker.ask(answer) is word
    assert len(asker.channel.requests) == 1
    assert asker.channel.closed
    assert asker.warnings == []


@pytest.mark.parametrize(("answer", "reason", "hint"), FAILURES)
def test_everything_else_is_a_failure(asker: Asker, answer: Received, reason: str, hint: str) -> None:
    failure = asker.fail(answer)
    assert (failure.reason, failure.http_status, failure.effect) == (reason, answer.status, "none")
    assert hint in failure.next_step
    assert "0oa1" in failure.message
    assert URL in failure.message
    assert f"HTTP {answer.status}" in failure.message
    assert "secret" not in failure.next_step.replace("no secret", "").replace("client_secret", "")
    assert failure.result()["outcome"] == "failed"


def test_a_failure_names_the_request_and_quotes_okta(asker: Asker) -> None:
    failure = asker.fail(oauth(401, EITHER))
    assert failure.request_id == "reqOkta1"
    assert f"HTTP 401 invalid_client: {EITHER[:-1]} (request reqOkta1)." in failure.problem


def test_a_page_is_named_by_its_title(asker: Asker) -> None:
    failure = asker.fail(page(403))
    assert "a page with the title 'Blocked by policy', in a form that is not Okta's." in failure.problem
    assert failure.request_id is None


@pytest.mark.parametrize(
    "answer",
    [
        oauth(400, f"You sent {SECRET}\x1b[31m"),
        okta(401, f"E {SECRET}", f"{base64.b64encode(f'0oa1:{SECRET}'.encode()).decode()}"),
        page(403, f"Sorry {SECRET}"),
        page(302, Location=f"https://{SECRET}.example/{SECRET}"),
        said(401, {"errorCode": "x", "errorSummary": "pr0xy-pass"}, X_Okta_Request_Id=SECRET),
    ],
)
def test_what_shows_the_secret_back_is_not_shown(asker: Asker, answer: Received) -> None:
    failure = asker.fail(answer)
    for hidden in (SECRET, SECRET.lower(), base64.b64encode(f"0oa1:{SECRET}".encode()).decode(), "pr0xy-pass", "\x1b"):
        assert hidden not in json.dumps(failure.result())
    assert SECRET not in repr(_okta.question(OPTIONS))


# -- the request


def test_the_header_carries_the_credentials(asker: Asker) -> None:
    asker.ask(WORDS[0][0])
    ((method, url, headers, content),) = asker.channel.requests
    assert (method, url) == ("POST", "https://company.okta.com/oauth2/v1/introspect")
    assert headers["Authorization"] == "Basic MG9hMTprVzMtdmVyeV9zZWNyZXRfa1cz"
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    fields = parse_qs(content.decode())
    assert fields.keys() == {"token", "token_type_hint"}
    assert fields["token_type_hint"] == ["access_token"]


def test_the_body_carries_the_credentials(asker: Asker) -> None:
    asker.ask(WORDS[0][0], client_auth_method="client_secret_post", client_secret="a&b=c +é")
    ((_method, _url, headers, content),) = asker.channel.requests
    assert "Authorization" not in headers
    fields = parse_qs(content.decode())
    assert (fields["client_id"], fields["client_secret"]) == (["0oa1"], ["a&b=c +é"])


@pytest.mark.parametrize(
    ("server", "path"),
    [
        (None, "/oauth2/v1/introspect"),
        ("", "/oauth2/v1/introspect"),
        (" ", "/oauth2/v1/introspect"),
        ("default", "/oauth2/default/v1/introspect"),
        ("aus_9-x", "/oauth2/aus_9-x/v1/introspect"),
    ],
)
def test_the_authorization_server_is_a_part_of_the_path(asker: Asker, server: str | None, path: str) -> None:
    asker.ask(WORDS[0][0], authorization_server=server)
    assert asker.channel.requests[0][1] == f"https://company.okta.com{path}"


# -- asking again


TRANSIENT = (
    page(502),
    okta(503, "E0000010", "Service is in read only mode"),
    Broken(ConnectionResetError(104, "reset"), sent=True),
    Broken(ConnectionRefusedError(111, "refused"), sent=False),
)


@pytest.mark.parametrize("broken", TRANSIENT)
def test_it_asks_again_for_that_does_no_harm(asker: Asker, broken: Received | Exception) -> None:
    assert asker.ask(broken, broken, said(200, {"active": False}), wait=10) is True
    assert asker.pauses == [1.0, 2.0]
    asker.pauses.clear()
    failure = asker.fail(broken, wait=10)
    assert len(asker.channel.requests) == 3
    assert failure.result()["outcome"] == "failed"


@pytest.mark.parametrize(
    ("headers", "pause"),
    [
        ({"Date": DATE, "X-Rate-Limit-Reset": str(SECOND + 42)}, 42.0),
        ({"Date": DATE, "X-Rate-Limit-Reset": str(SECOND - 42)}, 1.0),
        ({"X-Rate-Limit-Reset": str(SECOND)}, 5.0),
        ({"Date": DATE, "X-Rate-Limit-Reset": "soon"}, 5.0),
        ({"Date": DATE, "X-Rate-Limit-Reset": str(SECOND + 42), "Retry-After": "7"}, 7.0),
        ({}, 5.0),
    ],
)
def test_a_rate_limit_is_waited_for_by_oktas_clock(asker: Asker, headers: dict[str, str], pause: float) -> None:
    refused = Received(429, headers, b'{"errorCode": "E0000047", "errorSummary": "Too many."}')
    assert asker.ask(refused, said(200, {"active": False}), wait=60) is True
    assert asker.pauses == [pause]
    asker.pauses.clear()
    assert asker.fail(refused, wait=0.5).reason == "rate_limited"
    assert asker.pauses == []


def test_a_refusal_is_not_asked_again(asker: Asker) -> None:
    assert asker.ask(oauth(401, WRONG_SECRET), said(200, {"active": False}), wait=60) is False
    assert asker.pauses == []


def test_advice_on_a_connection_names_the_option_of_this_module(asker: Asker) -> None:
    failure = asker.fail(Broken(ConnectionRefusedError(111, "Connection refused"), sent=False))
    assert failure.reason == "unreachable"
    assert failure.next_step.startswith("Check okta_url, the network")
    garbled = type("BadStatusLine", (Exception,), {})()
    failure = asker.fail(Broken(garbled, sent=True))
    assert (failure.reason, failure.next_step) == (
        "invalid_response",
        "Check that okta_url is Okta's address, and the proxies before it.",
    )


# -- warnings


def test_what_is_unsafe_is_warned_of(asker: Asker) -> None:
    asker.ask(WORDS[0][0], okta_url="http://company.okta.com", validate_certs=False)
    assert asker.warnings == [
        "validate_certs is false: whoever is on the network path can read the client secret.",
        "okta_url is http://company.okta.com: the client secret travels unencrypted. Use https.",
    ]


def test_a_server_of_this_machine_is_not_warned_of(asker: Asker) -> None:
    asker.ask(WORDS[0][0], okta_url="http://127.0.0.1:8080/okta")
    assert asker.warnings == []
