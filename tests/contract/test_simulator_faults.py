# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each fault breaks the answer in its way, and does the work or leaves it."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from contract.wire_client import CLOSED, exchange, parse, request_bytes
from simulator.client import Simulator, SimulatorError
from simulator.faults import Faults
from simulator.mutations import mutate


def rotate(simulator: Simulator) -> tuple[bytes, str]:
    rotation = simulator.rotation()
    path = f"/api/v2/secret-rotations/okta-client-secret/{rotation['id']}/rotate-secrets"
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {simulator.mint_token()}"}
    data = request_bytes("POST", path, headers, b"{}")
    return exchange(simulator.port, [data], idle=2)


SILENT = {
    "reset_before": 0,
    "reset_after": 1,
    "close_before": 0,
    "close_after": 1,
}


@pytest.mark.parametrize("action", SILENT)
def test_no_byte_at_all(simulator: Simulator, action: str) -> None:
    simulator.fault_rotate(action)
    assert rotate(simulator) == (b"", CLOSED)
    assert simulator.rotations_done() == SILENT[action]
    (entry,) = simulator.log(method="POST")
    assert (entry["fault"], entry["status"]) == (action, None)
    assert entry["workStatus"] == (200 if SILENT[action] else None)


@pytest.mark.parametrize(("work", "done"), [(True, 1), (False, 0)])
@pytest.mark.parametrize("action", ["half_header", "half_body"])
def test_half_an_answer(simulator: Simulator, action: str, work: bool, done: int) -> None:
    simulator.fault_rotate(action, work=work)
    raw, ending = rotate(simulator)
    assert ending == CLOSED
    assert raw.startswith(b"HTTP/1.1 200")
    assert (b"\r\n\r\n" in raw) == (action == "half_body")
    assert simulator.rotations_done() == done


def test_silence_and_trickle(simulator: Simulator) -> None:
    simulator.fault_rotate("silence", seconds=0.05, work=False)
    simulator.fault("trickle", path="/api/status", seconds=0)
    assert rotate(simulator) == (b"", CLOSED)
    raw, _unused = exchange(simulator.port, [request_bytes("GET", "/api/status", {}, None)], idle=2)
    assert parse(raw, ["GET"])[0].body["message"] == "Ok"


ANSWERS: dict[str, tuple[dict[str, Any], int, int, str]] = {
    "status": ({"status": 502, "body": "<h1>Bad Gateway</h1>", "contentType": "text/html"}, 502, 0, "Bad Gateway"),
    "html_200": ({}, 200, 0, "<!doctype html>"),
    "empty_200": ({}, 200, 1, ""),
    "not_json": ({}, 200, 1, "cut off"),
    "redirect": ({"status": 307, "location": "http://127.0.0.1:1/"}, 307, 0, ""),
    "reflect": ({"status": 400}, 400, 0, "authorization"),
    "rate_limit": ({"headers": {"retry-after": "7"}}, 429, 0, "Rate limit exceeded"),
    "token_error": ({}, 403, 0, "TokenError"),
    "unauthorized": ({}, 401, 0, "revoked"),
    "delay": ({"seconds": 0.01}, 200, 1, "secretRotation"),
}


@pytest.mark.parametrize("action", ANSWERS)
def test_other_answers(simulator: Simulator, action: str) -> None:
    params, status, done, words = ANSWERS[action]
    simulator.fault_rotate(action, **params)
    raw, _unused = rotate(simulator)
    (reply,) = parse(raw, ["POST"])
    assert reply.status == status
    assert words in reply.text
    assert simulator.rotations_done() == done
    if action == "redirect":
        assert reply.headers["location"] == params["location"]
    if action == "rate_limit":
        assert reply.headers["retry-after"] == "7"
        assert "x-ratelimit-limit" not in reply.headers


@pytest.mark.parametrize(("work", "done"), [("before", 1), ("after", 1), ("none", 0)])
def test_an_error_status_with_the_work_before_after_or_not(simulator: Simulator, work: str, done: int) -> None:
    simulator.fault_rotate("status", status=503, work=work)
    rotate(simulator)
    assert simulator.rotations_done() == done


def test_a_huge_answer_is_not_kept_in_memory(simulator: Simulator) -> None:
    simulator.fault_rotate("huge", megabytes=2)
    raw, ending = rotate(simulator)
    assert ending == CLOSED
    assert len(raw) > 2 * 1024 * 1024


def test_mutations() -> None:
    document = {"secretRotation": {"id": "1", "folder": {"path": "/"}}}
    changed = mutate(document, {"set": {"secretRotation.folder.path": "/x"}, "null": ["secretRotation.id"]})
    assert changed == {"secretRotation": {"id": None, "folder": {"path": "/x"}}}
    assert mutate(document, {"delete": ["secretRotation.id"], "wrap": "data"}) == {
        "data": {"secretRotation": {"folder": {"path": "/"}}}
    }
    assert mutate(document, {"replace": []}) == []
    assert document["secretRotation"]["id"] == "1"


def test_faults_are_used_up_in_order() -> None:
    faults = Faults({"delay", "kill", "huge"})
    faults.add(
        [
            {"action": "delay", "path": "/a", "after": 1},
            {"action": "kill", "method": "post", "times": 2},
            {"action": "huge", "times": 0},
        ]
    )
    taken = [faults.take(*request) for request in (("GET", "/a"), ("POST", "/a"), ("POST", "/a"), ("POST", "/b"))]
    assert [fault.action for fault in taken if fault] == ["huge", "delay", "kill", "kill"]
    assert [fault.action for fault in [faults.take("POST", "/b")] if fault] == ["huge"]
    with pytest.raises(ValueError, match="unknown action"):
        faults.add([{"action": "explode"}])


def test_the_silent_cut_lets_the_work_go_on(simulator: Simulator) -> None:
    simulator.settings(silenceLimit=0.4, rotationSeconds=0.8)
    assert rotate(simulator) == (b"", CLOSED)
    deadline = time.monotonic() + 5
    while not simulator.rotations_done() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert simulator.rotations_done() == 1


def test_a_rival_holds_the_lock_and_then_has_rotated(simulator: Simulator) -> None:
    rotation = simulator.rotation()
    simulator.rival(rotation["id"], seconds=0.2)
    (reply,) = parse(rotate(simulator)[0], ["POST"])
    assert (reply.status, reply.body["message"][:10]) == (400, "A rotation")
    deadline = time.monotonic() + 5
    while simulator.state()["locks"] and time.monotonic() < deadline:
        time.sleep(0.02)
    assert simulator.rotation()["lastRotatedAt"] > rotation["lastRotatedAt"]


def test_kept_connections_are_counted_and_can_be_cut(simulator: Simulator) -> None:
    before = simulator.state()["connections"]["total"]
    connection = http.client.HTTPConnection("127.0.0.1", simulator.port, timeout=5)
    for _unused in range(3):
        connection.request("GET", "/api/status")
        connection.getresponse().read()
    found = simulator.state()["connections"]
    assert found["total"] == before + 1
    assert [kept["requests"] for kept in found["open"]] == [3]
    assert len({entry["connection"] for entry in simulator.log()}) == 1
    assert simulator.close_idle() == 1
    assert connection.sock.recv(1) == b""
    connection.close()


def test_kill_in_the_middle_and_a_restart_that_remembers() -> None:
    with Simulator(keep_state=True) as simulator:
        port, token = simulator.port, simulator.mint_token()
        simulator.fault_rotate("kill", work=True)
        assert rotate(simulator) == (b"", CLOSED)
        assert simulator.wait() == 137
        simulator.restart()
        assert simulator.port == port
        assert simulator.rotations_done() == 1
        assert token in [known["accessToken"] for known in simulator.state()["tokens"]]


@pytest.mark.parametrize("client_cert", [False, True])
def test_tls_and_client_certificates(client_cert: bool) -> None:
    with Simulator(tls=True, client_cert_required=client_cert) as simulator:
        assert simulator.url.startswith("https://127.0.0.1:")
        assert simulator.state()["project"]["slug"] == "payments"
        assert simulator.client_key


def test_ipv6_and_rate_limits_from_the_command_line() -> None:
    with Simulator(host="::1", rate_limit_window=2) as simulator:
        assert simulator.url.startswith("http://[::1]:")
        assert simulator.state()["settings"]["rateLimits"]["window"] == 2


PARENT = """
import sys
from simulator.client import Simulator
simulator = Simulator()
print(simulator.pid, simulator.port, flush=True)
sys.stdin.read()
"""


def test_the_server_dies_with_a_killed_parent() -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True
    )
    assert parent.stdout is not None
    port = int(parent.stdout.readline().split()[1])
    parent.kill()
    parent.communicate()
    deadline = time.monotonic() + 5
    alive = True
    while alive and time.monotonic() < deadline:
        try:
            exchange(port, [b"GET /api/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"], idle=0.05)
        except ConnectionRefusedError:
            alive = False
        except ConnectionError:
            continue  # it is about to die
    assert not alive


def test_orders_that_make_no_sense_are_refused(simulator: Simulator) -> None:
    for method, path, body in (
        ("POST", "settings", {"unknown": 1}),
        ("POST", "settings", {"okta": {"explode": 1}}),
        ("POST", "identities", {"unknown": 1}),
        ("POST", "tokens", {"unknown": 1}),
        ("POST", "faults", [{"action": "explode"}]),
        ("GET", "nowhere", None),
    ):
        with pytest.raises(SimulatorError):
            simulator.control(method, path, body)
    assert json.dumps(simulator.log()) == "[]"
