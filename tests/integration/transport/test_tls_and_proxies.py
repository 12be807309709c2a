# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections that do not come about: nothing was sent, it is said why, and what to do about just that."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from integration.transport.relay import RESET, certificate, handshakes, relay
from simulator.client import Simulator
from support.machine import Machine, ended
from support.server import login, tokens_left
from support.stale_front import front, stripping

DAY = timedelta(1)


@pytest.fixture(scope="module")
def running() -> Iterator[Simulator]:
    with Simulator(tls=True) as simulator:
        yield simulator


@pytest.fixture
def secure(running: Simulator) -> Simulator:
    running.reset()
    return running


@pytest.fixture
def machine(secure: Simulator, tmp_path: Path) -> Machine:
    """It logs in, and trusts the server."""
    options = {**login(secure), "rotation_id": secure.rotation()["id"], "ca_path": secure.ca_path}
    return Machine(tmp_path / "tmp", options)


# -- what was certainly not sent


def refused(status: str) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode()


#: What becomes of the handshake, and of CONNECT at a proxy.
HANDSHAKES = {"ended": b"", "reset": RESET}
CONNECTS = {**HANDSHAKES, "502": refused("502 Bad Gateway"), "503": refused("503 Busy"), "407": refused("407 Login")}
TROUBLES = [
    *[pytest.param(False, bad, id=f"handshake {name}") for name, bad in HANDSHAKES.items()],
    *[pytest.param(True, bad, id=f"CONNECT {name}") for name, bad in CONNECTS.items()],
]


def at_the_request(simulator: Simulator, bad: bytes, times: int) -> Callable[[], bytes | None]:
    """The connection after a reading is that of the request to rotate."""
    given: list[bytes] = []

    def trouble() -> bytes | None:
        if len(given) >= min(times, len(simulator.log("/okta-client-secret/", "GET"))):
            return None
        given.append(bad)
        return bad

    return trouble


def at_first(bad: bytes, times: int) -> Callable[[], bytes | None]:
    bads = iter([bad] * times)
    return lambda: next(bads, None)


def through(machine: Machine, port: int, connects: bool) -> dict[str, Any]:
    """Options by which a task goes that way."""
    if not connects:
        return {"url": f"https://127.0.0.1:{port}"}
    machine.environ = {"https_proxy": f"http://127.0.0.1:{port}"}
    return {}


@pytest.mark.parametrize(("connects", "bad"), TROUBLES)
def test_a_request_that_was_never_sent_is_sent_again_at_once(
    secure: Simulator, machine: Machine, connects: bool, bad: bytes
) -> None:
    with relay(secure.port, at_the_request(secure, bad, 1), connects=connects) as way:
        result = machine.run(**through(machine, way.port, connects))
    assert ended(result) == ("rotated", True)
    assert bad in way.given
    assert machine.clock.pauses == [1.0]
    assert secure.posts() == secure.rotations_done() == 1
    assert [entry["method"] for entry in secure.log("/okta-client-secret/")] == ["GET", "GET", "POST"]


@pytest.mark.parametrize(("connects", "bad"), TROUBLES)
def test_a_request_that_never_gets_out_is_no_unknown_outcome(
    secure: Simulator, machine: Machine, connects: bool, bad: bytes
) -> None:
    with relay(secure.port, at_the_request(secure, bad, 100), connects=connects) as way:
        result = machine.run(**through(machine, way.port, connects))
    assert ended(result) == ("unreachable", False)
    assert (result["outcome"], result["http_status"], result["request_id"]) == ("failed", None, None)
    assert way.given.count(bad) == 3
    assert machine.clock.pauses == [1.0, 2.0]
    assert secure.posts() == 0
    assert tokens_left(secure) == []
    assert machine.notes == [], "the next task need not wait for anything"


@pytest.mark.parametrize(
    "bad",
    [b"\x15\x03\x03\x00\x02\x02\x28", refused("400 Bad Request"), b"SSH-2.0-OpenSSH_9.2\r\n"],
    ids=["alert", "HTTP", "SSH"],
)
def test_a_handshake_that_is_refused_at_the_request_is_no_unknown_outcome_either(
    secure: Simulator, machine: Machine, bad: bytes
) -> None:
    with relay(secure.port, at_the_request(secure, bad, 1)) as way:
        result = machine.run(**through(machine, way.port, connects=False))
    assert ended(result) == ("tls_failed", False)
    assert result["outcome"] == "failed"
    assert machine.clock.pauses == []
    assert secure.posts() == 0


@pytest.mark.parametrize(("connects", "bad"), TROUBLES)
@pytest.mark.parametrize("gives_token", [False, True], ids=["logging in", "reading"])
def test_what_comes_first_is_tried_again_too(
    secure: Simulator, machine: Machine, connects: bool, bad: bytes, gives_token: bool
) -> None:
    if gives_token:
        machine.options = {name: machine.options[name] for name in ("url", "ca_path", "rotation_id")}
        machine.options["token"] = secure.mint_token()
    with relay(secure.port, at_first(bad, 2), connects=connects) as way:
        result = machine.run(**through(machine, way.port, connects))
    assert ended(result) == ("rotated", True)
    assert machine.clock.pauses == [1.0, 2.0]
    assert secure.posts() == secure.rotations_done() == 1


# -- certificates


CERTIFICATES: dict[str, tuple[dict[str, Any], str, str]] = {
    "expired": ({"begins": -3 * DAY, "ends": -DAY}, "expired", "renew it"),
    "not yet valid": ({"begins": DAY}, "not yet valid", "clock"),
    "wrong name": ({"host": "infisical.example"}, "[Hh]ostname mismatch", "Write url with the host name"),
}


@pytest.mark.parametrize("kind", CERTIFICATES)
def test_a_certificate_that_no_authority_mends(machine: Machine, tmp_path: Path, kind: str) -> None:
    made, problem, next_step = CERTIFICATES[kind]
    served, trusted = certificate(tmp_path, **made)
    with handshakes(served) as port:
        result = machine.run(url=f"https://localhost:{port}", ca_path=str(trusted))
    assert ended(result) == ("tls_failed", False)
    assert re.search(problem, result["msg"])
    assert next_step in result["msg"]
    assert "ca_path" not in result["msg"]
    assert machine.clock.pauses == []


def test_a_certificate_for_another_address(machine: Machine, tmp_path: Path) -> None:
    served, trusted = certificate(tmp_path)
    with handshakes(served) as port:
        result = machine.run(url=f"https://127.0.0.1:{port}", ca_path=str(trusted))
    assert ended(result) == ("tls_failed", False)
    assert "127.0.0.1" in result["msg"]
    assert "Write url with the host name" in result["msg"]
    assert "ca_path" not in result["msg"]


def test_an_authority_that_is_not_known_is_what_ca_path_is_for(machine: Machine, tmp_path: Path) -> None:
    served, _trusted = certificate(tmp_path)
    with handshakes(served) as port:
        result = machine.run(url=f"https://localhost:{port}")
    assert ended(result) == ("tls_failed", False)
    assert "ca_path" in result["msg"]


def no_pem(folder: Path) -> list[Path]:
    """Files that hold no certificate, and one that is not there."""
    paths = [folder / name for name in ("empty.pem", "text.pem", "binary.pem", "cut.pem", "missing.pem")]
    cut = b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
    for path, content in zip(paths, (b"", b"see the wiki\n", b"\x30\x82\x00", cut), strict=False):
        path.write_bytes(content)
    return paths


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_a_bundle_of_the_environment_that_is_none(
    secure: Simulator, machine: Machine, tmp_path: Path, variable: str
) -> None:
    for path in no_pem(tmp_path):
        machine.environ = {variable: str(path)}
        result = machine.run(ca_path=None)
        assert ended(result) == ("invalid_arguments", False)
        assert str(path) in result["msg"]
        assert variable in result["msg"]
        assert "HTTPS" not in result["msg"], "the port has nothing to do with it"
        # Where it is not asked, it does not matter what it is.
        assert ended(machine.run(check_mode=True)) == ("would_rotate", True)
        assert ended(machine.run(check_mode=True, ca_path=None, validate_certs=False)) == ("would_rotate", True)
    assert secure.posts() == 0


def test_an_option_with_a_bundle_that_is_none(secure: Simulator, machine: Machine, tmp_path: Path) -> None:
    for path in no_pem(tmp_path):
        result = machine.run(ca_path=str(path))
        assert ended(result) == ("invalid_arguments", False)
        assert f"ca_path is {path}" in result["msg"]
    assert secure.log() == []


# -- proxies


@pytest.mark.parametrize("scheme", ["https", "http"])
@pytest.mark.parametrize("bad", [refused("400 Bad Request"), b"garbage"], ids=["400", "garbage"])
def test_tls_is_spoken_with_a_plain_proxy(
    secure: Simulator, simulator: Simulator, machine: Machine, scheme: str, bad: bytes
) -> None:
    """Nothing is wrong with the server's certificate, which nobody has seen."""
    server = secure if scheme == "https" else simulator
    with relay(server.port, lambda: bad) as way:
        machine.environ = {f"{scheme}_proxy": f"https://robot:hunter22@{way.host}"}
        result = machine.run(url=server.url)
    assert ended(result) == ("tls_failed", False)
    assert "proxy" in result["msg"]
    assert "http://" in result["msg"], "how the variable should begin"
    assert "ca_path" not in result["msg"]
    assert server.url not in result["msg"]
    assert "hunter22" not in result["msg"]


def test_the_certificate_of_a_proxy_is_not_that_of_the_server(
    secure: Simulator, machine: Machine, tmp_path: Path
) -> None:
    served, _trusted = certificate(tmp_path)
    with handshakes(served) as port:
        machine.environ = {"https_proxy": f"https://localhost:{port}"}
        result = machine.run()
    assert ended(result) == ("tls_failed", False)
    assert "the certificate of the proxy" in result["msg"]
    assert secure.url not in result["msg"]


@pytest.mark.parametrize("scheme", ["socks5", "socks5h", "socks4", "socks4a"])
@pytest.mark.parametrize("server", ["https", "http"])
def test_a_socks_proxy_needs_a_library(
    simulator: Simulator, machine: Machine, monkeypatch: pytest.MonkeyPatch, scheme: str, server: str
) -> None:
    monkeypatch.setitem(sys.modules, "socks", None)
    machine.environ = {f"{server}_proxy": f"{scheme}://robot:hunter22@127.0.0.1:9"}
    given: dict[str, Any] = {"url": simulator.url} if server == "http" else {}
    result = machine.run(**given)
    assert ended(result) == ("missing_dependency", False)
    assert "PySocks" in result["msg"]
    assert "pip install" in result["msg"]
    assert sys.executable in result["msg"]
    assert "hunter22" not in result["msg"]
    assert simulator.log() == []


@pytest.mark.parametrize("gives_token", [False, True], ids=["after a good login", "with a given token"])
def test_a_proxy_that_keeps_the_header_authorization(simulator: Simulator, tmp_path: Path, gives_token: bool) -> None:
    """The credentials are good, and so is the token."""
    credentials = {"token": simulator.mint_token()} if gives_token else login(simulator)
    with front(simulator.url, stripping) as url:
        options = {**credentials, "rotation_id": simulator.rotation()["id"], "url": url}
        result = Machine(tmp_path / "tmp", options).run()
    assert ended(result) == ("authentication_failed", False)
    assert (result["outcome"], result["http_status"]) == ("failed", 401)
    assert "Authorization" in result["msg"]
    assert "prox" in result["msg"]
    for elsewhere in ("Check the credentials", "get a new", "no longer good"):
        assert elsewhere not in result["msg"]
    assert simulator.posts() == 0
