# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the client makes of exchanges: what is sent, what is sent again, and what a failure says."""

from __future__ import annotations

import json
import ssl
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import urllib3
from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError
from ansible_collections.secretops.infisical.plugins.module_utils._transport import failures
from ansible_collections.secretops.infisical.plugins.module_utils._transport.client import Client
from ansible_collections.secretops.infisical.plugins.module_utils._transport.connection import Connection
from ansible_collections.secretops.infisical.plugins.module_utils._transport.exchange import Broken, Received
from ansible_collections.secretops.infisical.plugins.module_utils._transport.patience import Patience
from ansible_collections.secretops.infisical.plugins.module_utils._transport.redaction import Redactor
from support.scripted_channel import ScriptedChannel

URL = "https://x.example"
OK = Received(200, {}, b"{}")


def error(status: int, kind: str = "BadRequest", message: Any = "No.", **more: Any) -> Received:
    body = {"reqId": "req-4Bx9dKq1LmTz0A", "statusCode": status, "error": kind, "message": message, **more}
    return Received(status, {}, json.dumps({key: value for key, value in body.items() if value is not None}).encode())


def page(status: int, body: bytes = b"<html>", **headers: str) -> Received:
    return Received(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


def client_of(channel: ScriptedChannel) -> Client:
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    client = Client(Connection(URL), Patience(120, lambda: now[0], sleep), Redactor())
    client._channel = channel  # type: ignore[assignment]
    return client


def failed(channel: ScriptedChannel, method: str = "POST") -> InfisicalError:
    client = client_of(channel)
    with pytest.raises(InfisicalError) as caught:
        if method == "GET":
            client.get("/thing", "read it", fresh=True)
        else:
            client.write("POST", "/thing", "do it", {}, resend=False)
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    return caught.value


#: A complete answer, what it leaves open of a request to rotate, and the reason.
ANSWERS: tuple[tuple[Received, str, str], ...] = (
    (error(400), "none", "request_rejected"),
    (error(401, "UnauthorizedError"), "none", "authentication_failed"),
    (error(403, "TokenError"), "none", "authentication_failed"),
    (error(403, "PermissionDenied"), "none", "permission_denied"),
    (error(403, "ForbiddenError", "not from this IP address"), "none", "permission_denied"),
    (error(404, "NotFound"), "none", "not_found"),
    (error(404, "Not Found", "Route POST:/thing not found", reqId=None), "none", "route_not_found"),
    (error(422, "ValidationFailure", [{"path": ["a", 0], "message": "Bad"}, 7]), "none", "request_rejected"),
    (error(422, "ValidationFailure", [{"path": 5, "message": "Bad"}]), "none", "request_rejected"),
    (error(429, "RateLimitExceeded"), "none", "rate_limited"),
    # The server itself, which may have done it all the same.
    (error(500, "InternalServerError", "Something went wrong"), "unknown", "server_error"),
    (error(504, "GatewayTimeoutError"), "unknown", "server_error"),
    # Somebody else, who says nothing about what the server did.
    (error(429, "Too Many Requests", reqId=None), "unknown", "rate_limited"),
    (error(401, reqId=None), "unknown", "invalid_response"),
    (error(404, "Not Found", "No such thing", reqId=None), "unknown", "invalid_response"),
    (error(404, "NotFound", "Route POST:/thing not found", reqId=None), "unknown", "invalid_response"),
    (error(400, statusCode=401), "unknown", "invalid_response"),
    (error(400, error=5), "unknown", "invalid_response"),
    (page(200), "unknown", "invalid_response"),
    (page(200, b"[]"), "unknown", "invalid_response"),
    (page(204, b""), "unknown", "invalid_response"),
    (page(301, Location="https://y.example/thing"), "unknown", "redirected"),
    (page(302, Location="http://[bad"), "unknown", "redirected"),
    (page(303), "unknown", "redirected"),
    (page(400), "unknown", "invalid_response"),
    (page(403), "unknown", "invalid_response"),
    (page(404), "unknown", "invalid_response"),
    (page(407), "unknown", "unreachable"),
    (page(429, Retry_After="3"), "unknown", "rate_limited"),
    (page(502), "unknown", "server_error"),
    (page(599), "unknown", "server_error"),
)


@pytest.mark.parametrize(("answer", "effect", "reason"), ANSWERS)
def test_only_the_server_itself_can_say_that_it_did_nothing(answer: Received, effect: str, reason: str) -> None:
    channel = ScriptedChannel(answer)
    failure = failed(channel)
    assert (failure.effect, failure.reason, failure.http_status) == (effect, reason, answer.status)
    assert len(channel.requests) == 1
    assert failure.result()["outcome"] == ("unknown" if effect == "unknown" else "failed")


@pytest.mark.parametrize(("answer", "_effect", "reason"), ANSWERS)
def test_a_reading_never_has_an_effect(answer: Received, _effect: str, reason: str) -> None:
    channel = ScriptedChannel(answer)
    failure = failed(channel, "GET")
    assert (failure.effect, failure.reason) == ("none", reason)
    again = {"rate_limited": len(channel.requests), "server_error": 3, "unreachable": 3}
    assert len(channel.requests) == again.get(reason, 1)


def wrapped(cause: Exception, outer: Exception) -> Exception:
    outer.__cause__ = cause
    return outer


BROKEN: tuple[tuple[Exception, str, str], ...] = (
    (requests.ConnectionError(), "unreachable", "unreachable"),
    (requests.ReadTimeout(), "unreachable", "unreachable"),
    (wrapped(ssl.SSLEOFError(8, "EOF"), requests.exceptions.SSLError()), "unreachable", "unreachable"),
    (wrapped(ConnectionResetError(104, "reset"), requests.exceptions.SSLError()), "unreachable", "unreachable"),
    (wrapped(ssl.SSLError(1, "alert"), requests.exceptions.SSLError()), "tls_failed", "tls_failed"),
    (requests.exceptions.InvalidURL(), "invalid_arguments", "unreachable"),
    (OSError("Tunnel connection failed: 403 Forbidden"), "unreachable", "unreachable"),
    (urllib3.exceptions.DecodeError("bad"), "unreachable", "invalid_response"),
    (failures.TooLarge(), "invalid_response", "invalid_response"),
    (RuntimeError("a secret"), "internal_error", "unreachable"),
)


@pytest.mark.parametrize(("cause", "reason", "_after"), BROKEN)
def test_what_was_never_sent_did_nothing_whatever_is_raised(cause: Exception, reason: str, _after: str) -> None:
    failure = failed(ScriptedChannel(Broken(cause, sent=False)))
    assert (failure.effect, failure.reason) == ("none", reason)
    assert "a secret" not in failure.message


@pytest.mark.parametrize(("cause", "_before", "reason"), BROKEN)
def test_what_was_sent_leaves_a_doubt_whatever_is_raised(cause: Exception, _before: str, reason: str) -> None:
    failure = failed(ScriptedChannel(Broken(cause, sent=True)))
    assert (failure.effect, failure.reason) == ("unknown", reason)
    assert "a secret" not in failure.message


def test_the_words_of_an_error_decide_nothing() -> None:
    words = OSError("Tunnel connection failed: 407 certificate verify failed no route to host")
    failure = failed(ScriptedChannel(Broken(words, sent=True)))
    assert failure.effect == "unknown"
    assert "proxy refused" not in failure.message


@pytest.mark.parametrize(
    ("code", "hint"), [(10, "renew it"), (9, "clock"), (62, "host name"), (64, "host name"), (18, "ca_path")]
)
def test_a_certificate_that_is_refused_has_its_own_next_step(code: int, hint: str) -> None:
    cause = ssl.SSLCertVerificationError(1, "no")
    cause.verify_code, cause.verify_message = code, "It is so"
    failure = failed(ScriptedChannel(Broken(wrapped(cause, requests.exceptions.SSLError()), sent=False)))
    assert failure.reason == "tls_failed"
    assert "It is so" in failure.message
    assert hint in failure.next_step
    assert ("ca_path" in failure.next_step) is (code == 18)


def test_a_name_that_urllib3_itself_found_wrong() -> None:
    cause = type("CertificateError", (ValueError,), {})("no match")
    failure = failed(ScriptedChannel(Broken(wrapped(cause, requests.exceptions.SSLError()), sent=False)))
    assert failure.reason == "tls_failed"
    assert "Hostname mismatch" in failure.message
    assert "host name" in failure.next_step


def test_tls_with_a_proxy_that_speaks_none_is_the_proxys() -> None:
    cause = wrapped(ssl.SSLError(1, "WRONG_VERSION_NUMBER"), requests.exceptions.ProxyError())
    failure = failed(ScriptedChannel(Broken(wrapped(cause, requests.exceptions.SSLError()), sent=False)))
    assert failure.reason == "tls_failed"
    assert "TLS with the proxy failed" in failure.message
    assert "http://" in failure.next_step


def test_a_reading_that_decides_cannot_be_answered_by_a_cache() -> None:
    channel = ScriptedChannel(OK)
    client = client_of(channel)
    for _unused in range(2):
        client.get("/thing", "read it", params={"a": "b c"}, fresh=True)
    client.get("/thing", "read it")
    keys = [parse_qs(urlsplit(asked.url).query).get("fresh", [""])[0] for asked in channel.requests]
    assert len({key for key in keys[:2] if len(key) == 32}) == 2
    assert keys[2] == ""
    assert parse_qs(urlsplit(channel.requests[0].url).query)["a"] == ["b c"]
    assert {asked.headers["Cache-Control"] for asked in channel.requests} == {"no-cache, no-store"}


def test_a_gateway_that_refuses_the_extra_key_is_told_of_it() -> None:
    assert "query key fresh" in failed(ScriptedChannel(page(400)), "GET").next_step
    assert "query key fresh" not in failed(ScriptedChannel(error(400)), "GET").next_step


@pytest.mark.parametrize(("age", "cached"), [("3600", True), ("1", True), ("0", False), ("", False), ("x", False)])
def test_the_header_age_tells_of_a_cache(age: str, cached: bool) -> None:
    assert client_of(ScriptedChannel(page(200, b"{}", Age=age))).get("/thing", "read it").from_cache is cached


def test_a_page_that_says_what_is_wrong_is_quoted() -> None:
    body = b"<html><title>400 No required\n SSL certificate &amp; \x1b[31mkey</title>"
    message = failed(ScriptedChannel(page(400, body))).message
    assert "a page with the title '400 No required SSL certificate &" in message
    assert "\x1b" not in message


def test_a_token_that_a_proxy_strips() -> None:
    failure = failed(ScriptedChannel(error(401, "UnauthorizedError", "Token missing")))
    assert "Authorization" in failure.next_step


def test_halves_of_characters_are_replaced_everywhere() -> None:
    sent = b'{"a\\ud83d": ["\\ud83d", {"b": "x\\udc00y"}], "n": NaN, "i": Infinity, "f": 1.5}'
    data = client_of(ScriptedChannel(page(200, sent))).get("/thing", "read it").data
    assert data == {"a\ufffd": ["\ufffd", {"b": "x\ufffdy"}], "n": None, "i": None, "f": 1.5}


def test_who_answers_in_the_servers_place_does_not_keep_the_connection() -> None:
    foreign, own = ScriptedChannel(page(502)), ScriptedChannel(error(400))
    failed(foreign)
    failed(own)
    assert (foreign.closed, own.closed) == (2, 1)
