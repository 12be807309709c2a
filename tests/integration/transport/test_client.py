# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP client against the simulator: what it sends again, what it never does, and how it reads answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError
from ansible_collections.secretops.infisical.plugins.module_utils._transport.client import Answer, Client
from ansible_collections.secretops.infisical.plugins.module_utils._transport.connection import Connection
from ansible_collections.secretops.infisical.plugins.module_utils._transport.exchange import Channel
from ansible_collections.secretops.infisical.plugins.module_utils._transport.patience import Patience
from ansible_collections.secretops.infisical.plugins.module_utils._transport.redaction import Redactor
from simulator.client import Simulator

STATUS = "/api/status"
ROTATION = "/api/v2/secret-rotations/okta-client-secret"


class Opened:
    """A client with a clock that only its own pauses move."""

    def __init__(self, url: str, seconds: float = 120, timeout: float = 10) -> None:
        self.now = 0.0
        self.pauses: list[float] = []
        patience = Patience(seconds, lambda: self.now, self._sleep)
        connection = Connection(url, timeout=timeout)
        self.client = Client(connection, patience, Redactor())
        self.client._channel = Channel(connection, clock=lambda: self.now)

    def _sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    def get(self, path: str = STATUS) -> Answer:
        return self.client.get(path, "read the status")

    def fail(self, call: Callable[[], Any]) -> InfisicalError:
        with pytest.raises(InfisicalError) as caught:
            call()
        return caught.value


@pytest.fixture
def opened(simulator: Simulator) -> Opened:
    return Opened(simulator.url)


def test_one_connection_serves_all_requests(simulator: Simulator, opened: Opened) -> None:
    for _unused in range(3):
        assert opened.get().data["message"] == "Ok"
    assert len({entry["connection"] for entry in simulator.log(STATUS)}) == 1


def test_a_connection_that_idled_is_not_used_again(simulator: Simulator, opened: Opened) -> None:
    opened.get()
    opened.now += 5
    opened.get()
    assert len({entry["connection"] for entry in simulator.log(STATUS)}) == 2


def test_the_answer_tells_the_servers_time(simulator: Simulator, opened: Opened) -> None:
    simulator.settings(clockOffset=86400 * 365)
    moment = opened.get().server_time
    assert moment is not None
    assert moment.isoformat()[:4] == simulator.state()["now"][:4]


def test_a_reading_is_sent_again_after_a_fault(simulator: Simulator, opened: Opened) -> None:
    simulator.fault("reset_before", path=STATUS)
    simulator.fault("status", path=STATUS, status=502)
    assert opened.get().data["message"] == "Ok"
    assert opened.pauses == [1.0, 2.0]


def test_a_reading_is_given_up_after_three_faults(simulator: Simulator, opened: Opened) -> None:
    simulator.fault("status", path=STATUS, status=503, times=0)
    failure = opened.fail(opened.get)
    assert (failure.reason, failure.http_status) == ("server_error", 503)
    assert len(simulator.log(STATUS)) == 3


@pytest.mark.parametrize(
    ("action", "params"),
    [
        ("reset_before", {}),
        ("reset_after", {}),
        ("close_before", {}),
        ("half_header", {}),
        ("half_body", {}),
        ("status", {"status": 500}),
        ("status", {"status": 503, "body": "<html>", "contentType": "text/html"}),
        ("html_200", {}),
        ("empty_200", {}),
        ("not_json", {}),
    ],
)
def test_a_write_with_an_unclear_end_is_never_sent_again(
    simulator: Simulator, opened: Opened, action: str, params: dict[str, Any]
) -> None:
    simulator.fault(action, path="/rotate-secrets", times=0, **params)
    path = f"{ROTATION}/{simulator.rotation()['id']}/rotate-secrets"
    failure = opened.fail(lambda: opened.client.write("POST", path, "rotate", {}, token=simulator.mint_token()))
    assert failure.effect == "unknown"
    assert opened.pauses == []
    assert simulator.posts() == 1


def test_a_write_that_reached_nobody_is_sent_again() -> None:
    opened = Opened("http://127.0.0.1:1")
    failure = opened.fail(lambda: opened.client.write("POST", STATUS, "write", {}))
    assert (failure.reason, failure.effect) == ("unreachable", "none")
    assert opened.pauses == [1.0, 2.0]


@pytest.mark.parametrize(
    ("params", "pause"),
    [
        ({"seconds": 7}, 7),
        ({"headers": {"x-ratelimit-reset": "9"}}, 9),
        ({"headers": {}, "message": "Rate limit exceeded. Please try again in 11 seconds"}, 11),
        ({"headers": {}, "message": "Failed to acquire lock: rate limit exceeded"}, 5),
        ({"headers": {"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, "message": "Later"}, 5),
        ({"headers": {"retry-after": "0"}}, 1),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_rate_limit_is_waited_out(
    simulator: Simulator, opened: Opened, method: str, params: dict[str, Any], pause: float
) -> None:
    path = f"{ROTATION}/{simulator.rotation()['id']}" + ("/rotate-secrets" if method == "POST" else "")
    simulator.fault("rate_limit", path=path, **params)
    token = simulator.mint_token()
    if method == "GET":
        opened.client.get(path, "read", token=token)
    else:
        opened.client.write("POST", path, "rotate", {}, token=token)
    assert opened.pauses == [pause]


def test_a_rate_limit_that_does_not_end_is_given_up_in_time(simulator: Simulator) -> None:
    simulator.fault("rate_limit", path=STATUS, seconds=20, times=0)
    opened = Opened(simulator.url, seconds=50)
    failure = opened.fail(opened.get)
    assert (failure.reason, failure.retry_after, opened.now) == ("rate_limited", 20, 40)


@pytest.mark.parametrize(
    ("action", "params", "reason"),
    [
        ("huge", {"megabytes": 33}, "invalid_response"),
        ("html_200", {}, "invalid_response"),
        ("not_json", {"body": "[1, 2]"}, "invalid_response"),
        ("not_json", {"body": "[" * 100_000}, "invalid_response"),
        ("empty_200", {}, "invalid_response"),
        ("redirect", {"status": 302, "location": "https://u:p@x.example/login?token=abc"}, "redirected"),
    ],
)
def test_what_is_no_answer_of_infisical_is_refused(
    simulator: Simulator, opened: Opened, action: str, params: dict[str, Any], reason: str
) -> None:
    simulator.fault(action, path=STATUS, **params)
    failure = opened.fail(opened.get)
    assert failure.reason == reason
    assert opened.pauses == []
    assert "u:p" not in failure.message
    assert "abc" not in failure.message


def test_a_fault_of_our_own_is_not_taken_for_the_networks(simulator: Simulator, opened: Opened) -> None:
    with pytest.raises(TypeError):
        opened.client.write("POST", STATUS, "write", {"not JSON": object()})
    assert simulator.log(STATUS) == []
