# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS, client certificates, proxies, redirects, IPv6, and answers meant to do harm."""

from __future__ import annotations

import base64
import gzip
import json
import shutil
import socket
import subprocess
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from ansible_collections.secretops.infisical.plugins.modules import login
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st
from simulator.client import Simulator
from support import peers
from support.server import login as credentials
from support.tasks import Runner

PASSWORD = "pr0xy-p@ss/wörd"
USERINFO = f"robot:{quote(PASSWORD, safe='')}"
BASIC = "Basic " + base64.b64encode(f"robot:{PASSWORD}".encode("latin-1")).decode()


@pytest.fixture(scope="module")
def secure() -> Iterator[Simulator]:
    with Simulator(tls=True) as simulator:
        yield simulator


@pytest.fixture(scope="module")
def strict() -> Iterator[Simulator]:
    with Simulator(client_cert_required=True) as simulator:
        yield simulator


@pytest.fixture
def runner() -> Runner:
    return Runner(login)


@pytest.fixture(autouse=True)
def without_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def trusting(simulator: Simulator) -> dict[str, Any]:
    return {**credentials(simulator), "ca_path": simulator.ca_path}


# -- TLS


def test_an_authority_of_ones_own_is_trusted_by_ca_path(secure: Simulator, runner: Runner) -> None:
    assert runner.run(trusting(secure))["login_data"]
    assert runner.warnings == []


def test_an_unknown_authority_is_refused_with_what_to_do(secure: Simulator, runner: Runner) -> None:
    failure = runner.fail(credentials(secure))
    assert (failure.reason, failure.effect) == ("tls_failed", "none")
    assert "ca_path" in failure.message


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl names the files of such a folder")
def test_a_folder_of_authorities(secure: Simulator, runner: Runner, tmp_path: Path) -> None:
    command = ["openssl", "x509", "-subject_hash", "-noout", "-in", str(secure.ca_path)]
    name = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    (tmp_path / f"{name}.0").write_bytes(Path(str(secure.ca_path)).read_bytes())
    assert runner.run({**credentials(secure), "ca_path": str(tmp_path)})["login_data"]


def test_the_bundle_of_the_environment(secure: Simulator, runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(secure.ca_path))
    assert runner.run(credentials(secure))["login_data"]
    # An option of the task comes before it, and so does the wish for no check at all.
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nonexistent")
    assert runner.run(trusting(secure))["login_data"]
    assert runner.run({**credentials(secure), "validate_certs": False})["login_data"]
    failure = runner.fail(credentials(secure))
    assert failure.reason == "invalid_arguments"
    assert "REQUESTS_CA_BUNDLE" in failure.message


def test_without_a_check_it_warns(secure: Simulator, runner: Runner) -> None:
    assert runner.run({**credentials(secure), "validate_certs": False})["login_data"]
    assert ["validate_certs is false" in warning for warning in runner.warnings] == [True]


def test_plain_http_on_a_tls_port_and_the_other_way_round(
    secure: Simulator, simulator: Simulator, runner: Runner
) -> None:
    plain = runner.fail({**trusting(secure), "url": secure.url.replace("https", "http")})
    assert plain.reason in ("unreachable", "invalid_response")
    assert runner.fail({**trusting(secure), "url": simulator.url.replace("http", "https")}).reason == "tls_failed"


@pytest.mark.parametrize("together", [False, True])
def test_a_client_certificate(strict: Simulator, runner: Runner, tmp_path: Path, together: bool) -> None:
    options = {"client_cert": strict.client_cert, "client_key": strict.client_key}
    if together:
        both = tmp_path / "both.pem"
        both.write_bytes(b"".join(Path(str(path)).read_bytes() for path in options.values()))
        options = {"client_cert": str(both)}
    assert runner.run({**trusting(strict), **options})["login_data"]


def test_without_the_client_certificate_it_says_so(strict: Simulator, runner: Runner) -> None:
    failure = runner.fail(trusting(strict))
    assert failure.reason in ("tls_failed", "unreachable")
    assert "client certificate" in failure.message


def test_a_key_that_does_not_fit_is_named_before_anything_is_sent(
    strict: Simulator, runner: Runner, tmp_path: Path
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    encryptions = {"belongs to it": serialization.NoEncryption(), "is encrypted": _encryption()}
    certificate = Path(str(strict.client_cert)).read_bytes()
    for said, encryption in encryptions.items():
        path = tmp_path / "key.pem"
        path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption))
        together = tmp_path / "both.pem"
        together.write_bytes(certificate + path.read_bytes())
        for options in (
            {"client_cert": strict.client_cert, "client_key": str(path)},
            {"client_cert": str(together)},
        ):
            failure = runner.fail({**trusting(strict), **options})
            assert failure.reason == "invalid_arguments"
            assert said in failure.message


def _encryption() -> serialization.KeySerializationEncryption:
    return serialization.BestAvailableEncryption(b"pass phrase")


def test_an_ipv6_literal(runner: Runner) -> None:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        pytest.skip("nothing can listen on ::1 here")
    with Simulator(host="::1", tls=True) as simulator:
        assert simulator.url.startswith("https://[::1]:")
        assert runner.run(trusting(simulator))["login_data"]["url"] == simulator.url


# -- proxies


@pytest.mark.parametrize("variable", ["https_proxy", "HTTPS_PROXY", "ALL_PROXY"])
def test_https_through_a_proxy_with_a_password(
    secure: Simulator, runner: Runner, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    with peers.proxy(BASIC) as proxy:
        monkeypatch.setenv(variable, f"http://{USERINFO}@{proxy.host}")
        options = trusting(secure)
        token = runner.run(options)["login_data"]["access_token"]
    assert [head.partition(b" HTTP")[0] for head in proxy.heads] == [f"CONNECT 127.0.0.1:{secure.port}".encode()]
    for secret in (token, options["universal_auth_client_secret"]):
        assert secret.encode() not in b"".join(proxy.heads)


def test_http_through_a_proxy(simulator: Simulator, runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    with peers.proxy(BASIC) as proxy:
        monkeypatch.setenv("http_proxy", f"http://{USERINFO}@{proxy.host}")
        assert runner.run(credentials(simulator))["login_data"]
        assert len(proxy.heads) == 1


@pytest.mark.parametrize("no_proxy", ["127.0.0.1", "127.0.0.0/8", "localhost,127.0.0.1", "*"])
def test_no_proxy(simulator: Simulator, runner: Runner, monkeypatch: pytest.MonkeyPatch, no_proxy: str) -> None:
    with peers.proxy() as proxy:
        monkeypatch.setenv("http_proxy", f"http://{proxy.host}")
        monkeypatch.setenv("no_proxy", no_proxy)
        assert runner.run(credentials(simulator))["login_data"]
        assert proxy.heads == []


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_refuses_its_password(
    simulator: Simulator, secure: Simulator, runner: Runner, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    with peers.proxy("Basic other") as proxy:
        monkeypatch.setenv(f"{scheme}_proxy", f"http://{USERINFO}@{proxy.host}")
        failure = runner.fail({**(trusting(secure) if scheme == "https" else credentials(simulator))})
    assert (failure.reason, failure.effect) == ("unreachable", "none")
    assert "HTTP 407" in failure.message
    assert "credentials of the proxy" in failure.message
    assert_no_password(failure.message)


def test_a_proxy_that_is_down(secure: Simulator, runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", f"http://{USERINFO}@127.0.0.1:9")
    failure = runner.fail(trusting(secure))
    assert (failure.reason, failure.effect) == ("unreachable", "none")
    assert "through the proxy" in failure.message
    assert_no_password(failure.message)


def assert_no_password(message: str) -> None:
    for form in (PASSWORD, quote(PASSWORD, safe=""), quote(PASSWORD), BASIC.removeprefix("Basic ")):
        assert form not in message


@given(
    scheme=st.sampled_from(["http://", "https://", "", "socks5://", "ftp://", "http:/", "//"]),
    host=st.sampled_from(
        ["127.0.0.1:1", "127.0.0.1:x", "[::1", "a b", "127.0.0.1:99999", "", "x\ny", "ü..", "%zz", "-"]
    ),
)
@settings(max_examples=70, deadline=None)
def test_no_malformed_proxy_shows_its_password(scheme: str, host: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("http_proxy", f"{scheme}robot:hunter22@{host}")
        options = {"url": "http://127.0.0.1:9", "universal_auth_client_id": "i", "universal_auth_client_secret": "s"}
        failure = Runner(login).fail({**options, "timeout": 1, "wait_timeout": 0})
    assert failure.reason in ("invalid_arguments", "unreachable", "tls_failed", "missing_dependency")
    assert "hunter22" not in failure.message
    assert "hunter22" not in repr(failure)


# -- answers


def answer(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


DEEP = b'{"accessToken":' + b"[" * 100_000 + b"]" * 100_000 + b"}"


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (answer(DEEP), "invalid_response"),
        (answer(b'{"a":' * 3000 + b"1" + b"}" * 3000), "invalid_response"),
        (answer(b'{"expiresIn": ' + b"9" * 100_000 + b"}"), "invalid_response"),
        (answer(gzip.compress(b'{"a": "' + b"0" * 20_000_000 + b'"}'), "Content-Encoding: gzip"), "invalid_response"),
        (answer(b"\xff\xfe\x00"), "invalid_response"),
        (answer(b'{"accessToken": "\\ud800"}'), "invalid_response"),
        (answer(b'{"accessToken": "a\\r\\nX-Evil: 1"}'), "invalid_response"),
        (answer(b"{}", *[f"X-{number}: y" for number in range(200)]), "unreachable"),
        (answer(b"{}", "X: " + "y" * 70_000), "invalid_response"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\n{}", "unreachable"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\n{}", "unreachable"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnot hexadecimal\r\n{}", "invalid_response"),
        (b"garbage", "unreachable"),
        (b"garbage\r\n", "invalid_response"),
        (b"", "unreachable"),
        (answer(b"", "Location: https://robot:hunter22@evil.example/\x1b[31m", status="307 Moved"), "redirected"),
    ],
    ids=range(16),
)
def test_an_answer_meant_to_do_harm(runner: Runner, sent: bytes, reason: str) -> None:
    options = {"universal_auth_client_id": "i", "universal_auth_client_secret": "s3cret", "wait_timeout": 0}
    with peers.canned(sent) as peer:
        failure = runner.fail({"url": f"http://{peer.host}", **options})
    assert failure.reason == reason
    assert len(peer.heads) == 1
    for unwanted in ("hunter22", "\x1b", "\r", "\n"):
        assert unwanted not in failure.message


def test_an_endless_answer_does_not_exhaust_memory(simulator: Simulator, runner: Runner) -> None:
    simulator.fault("huge", path="login", megabytes=0)
    tracemalloc.start()
    try:
        failure = runner.fail(credentials(simulator))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert failure.reason == "invalid_response"
    assert "larger than 32 MiB" in failure.message
    assert peak < 80 * 1024 * 1024


def test_a_redirect_that_repeats_the_token_does_not_show_it(simulator: Simulator) -> None:
    from ansible_collections.secretops.infisical.plugins.modules import logout

    token = simulator.mint_token()
    location = f"https://elsewhere.example/{token}?token={token}"
    simulator.fault("redirect", path="status", location=location)
    failure = Runner(logout).fail({"url": simulator.url, "token": token})
    assert failure.reason == "redirected"
    assert "elsewhere.example" in failure.message
    assert token not in json.dumps(failure.result())
