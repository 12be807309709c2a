# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The services of demo and tests: they change a secret without losing a request, and the load on them can fail."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from services.account import fingerprint
from services.load import Load
from services.services import UNITS, Services
from support.ansible import COLLECTION, Workspace
from support.processes import PATIENCE, until

CLIENT = "0oaclient"
OLD = "the old secret"
NEW = "the new secret"
#: An owner that ends as the demo does.
OWNER = """
import os, pathlib, signal
from services.services import UNITS, Services
def end(number, frame):
    raise SystemExit(128 + number)
signal.signal(signal.SIGTERM, end)
with Services(pathlib.Path(os.environ["FOLDER"]), os.environ["OKTA"]) as services:
    for unit in UNITS:
        services.write_settings(unit, "0oaclient", "the old secret")
    services.start()
    print("started", flush=True)
    signal.pause()
"""


class Okta(ThreadingHTTPServer):
    """A token endpoint and nothing else. ``good`` are the secrets that it takes."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Endpoint)
        self.good = {OLD, NEW}
        self.url = f"http://127.0.0.1:{self.server_address[1]}/okta"


class _Endpoint(BaseHTTPRequestHandler):
    server: Okta

    def do_POST(self) -> None:
        form = self.rfile.read(int(self.headers["Content-Length"]))
        given = base64.b64decode(self.headers["Authorization"].removeprefix("Basic ")).decode()
        asked = self.path == "/okta/oauth2/default/v1/token" and b"grant_type=client_credentials" in form
        good = asked and given in {f"{CLIENT}:{secret}" for secret in self.server.good}
        answer = {"access_token": "t", "token_type": "Bearer", "expires_in": 1} if good else {"error": "invalid_client"}
        body = json.dumps(answer).encode()
        self.send_response(200 if good else 401)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


@pytest.fixture
def okta() -> Iterator[Okta]:
    with Okta() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def services(okta: Okta, tmp_path: Path) -> Iterator[Services]:
    folder = tmp_path / "host"
    with Services(folder, okta.url) as started:
        for unit in UNITS:
            started.write_settings(unit, CLIENT, OLD)
        started.start()
        yield started
    assert not folder.exists()
    assert not processes_of(folder)


def processes_of(folder: Path) -> dict[int, str]:
    """Those whose command line names something in the folder."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if f"{folder}/" in command:
            found[int(path.parent.name)] = command
    return found


def told(services: Services) -> list[list[str]]:
    """What ``systemctl`` was called for, apart from questions."""
    return [call.argv for call in services.calls() if call.argv[0] not in {"show", "is-active", "is-enabled"}]


def balanced(services: Services) -> None:
    if not services.balanced:
        pytest.skip("HAPROXY IS NOT INSTALLED: that a restart loses no request was not tested")


def test_a_reload_takes_the_new_secret_and_loses_no_request(services: Services, okta: Okta) -> None:
    with Load([services.url("reporting")]) as load:
        load.wait()
        services.write_settings("reporting", CLIENT, NEW)
        assert services.held("reporting") == fingerprint(OLD)
        assert services.systemctl("reload", "reporting").returncode == 0
        assert services.held("reporting") == fingerprint(NEW)
        okta.good = {NEW}
        load.wait()
    assert load.failures == []
    assert load.requests >= 40
    assert load.summary() == f"{load.requests} requests, 0 failures"


def test_restarts_behind_the_balancer_lose_no_request(services: Services, okta: Okta) -> None:
    balanced(services)
    with Load([services.url("billing")], threads=6, per_second=60) as load:
        load.wait()
        for unit in ("billing@1", "billing@2"):
            services.write_settings(unit, CLIENT, NEW)
            assert services.systemctl("restart", unit).returncode == 0
            assert services.held(unit) == fingerprint(NEW)
        okta.good = {NEW}
        load.wait()
    assert load.failures == []
    assert told(services) == [["restart", "billing@1"], ["restart", "billing@2"]]


def test_what_was_let_in_is_answered_before_the_service_ends(services: Services) -> None:
    """Without a balancer a request finds nobody between two starts, but none is cut off in its middle."""
    with Load([services.url("billing@1")], threads=6, per_second=60) as load:
        load.wait()
        services.systemctl("restart", "billing@1")
        load.wait()
    assert {failure.what for failure in load.failures} <= {"ConnectionRefusedError", "ConnectionResetError"}


def test_a_service_that_is_down_is_seen_by_the_load(services: Services) -> None:
    with Load([services.url("billing@1"), services.url("reporting")]) as load:
        services.systemctl("stop", "billing@1")
        load.wait()
        assert services.systemctl("is-active", "billing@1").stdout == "inactive\n"
        services.systemctl("start", "billing@1")
    assert "ConnectionRefusedError" in load.summary()
    assert {failure.url for failure in load.failures} == {services.url("billing@1")}


@pytest.mark.parametrize("unit", ["reporting", "billing@2"])
def test_a_refused_secret_is_seen_by_the_load(services: Services, okta: Okta, unit: str) -> None:
    with Load(services.steady_urls) as load:
        load.wait()
        assert load.failures == []
        okta.good = {OLD}
        services.write_settings(unit, CLIENT, NEW)
        services.systemctl("reload", unit)
        assert services.ask(unit, "/work") == (502, {"ok": False, "error": "token refused: invalid_client"})
        load.wait()
    if unit == "reporting" or services.balanced:
        assert {failure.what for failure in load.failures} == {"502"}
    else:
        assert load.failures == []


def test_a_cached_token_hides_a_revoked_secret_from_work_and_not_from_health(services: Services, okta: Okta) -> None:
    assert services.ask("reporting", "/health") == (200, {"ok": True})
    okta.good = {NEW}
    assert services.ask("reporting", "/health") == (503, {"ok": False, "error": "token refused: invalid_client"})
    # The token lasts a second, of which half is used.
    until(lambda: services.ask("reporting", "/work")[0] == 502, "the cached token ends")


def test_settings_are_private_and_broken_ones_change_nothing(services: Services) -> None:
    path = services.settings_path("reporting")
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_text("OKTA_CLIENT_ID=only\n", encoding="utf-8")
    done = services.systemctl("reload", "reporting")
    assert (done.returncode, services.held("reporting")) == (1, fingerprint(OLD))
    assert "did not read its settings" in done.stderr
    done = services.systemctl("restart", "reporting")
    assert done.returncode == 1
    assert "no settings in" in done.stderr
    assert OLD not in services.units.log("reporting")
    assert services.systemctl("restart", "no-such").returncode == 5


def test_the_module_of_ansible_works_with_the_stand_in(services: Services, workspace: Workspace) -> None:
    path = f"{services.path_folder}:{Path(sys.executable).parent}:/usr/bin:/bin"

    def module(name: str, state: str) -> dict[str, Any]:
        options = json.dumps({"name": name, "state": state, "enabled": True, "daemon_reload": True})
        command = ["ansible", "localhost", "-m", "ansible.builtin.systemd_service", "-a", options]
        return workspace.command(command, {"PATH": path}).only.result

    before = services.units.pid("billing@1"), services.units.pid("reporting")
    services.write_settings("reporting", CLIENT, NEW)
    restarted = module("billing@1", "restarted")
    reloaded = module("reporting.service", "reloaded")
    assert (restarted["changed"], restarted["state"], restarted["enabled"]) == (True, "started", True)
    assert (reloaded["changed"], reloaded["status"]["ActiveState"]) == (True, "active")
    assert services.units.pid("billing@1") not in {0, before[0]}
    assert services.units.pid("reporting") == before[1]
    assert services.held("reporting") == fingerprint(NEW)
    assert services.ask("billing@1", "/work")[0] == 200
    reloading = ["daemon-reload"]
    assert told(services) == [reloading, ["restart", "billing@1"], reloading, ["reload", "reporting.service"]]
    missing = module("no-such", "restarted")
    assert "Could not find the requested service no-such" in missing["msg"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_outlives_the_owner(okta: Okta, tmp_path: Path, number: signal.Signals) -> None:
    folder = tmp_path / "host"
    environment = {"FOLDER": str(folder), "OKTA": okta.url, "PYTHONPATH": str(COLLECTION / "tests")}
    command = [sys.executable, "-c", OWNER]
    with subprocess.Popen(command, env={**os.environ, **environment}, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "started\n"
        assert len(processes_of(folder)) >= len(UNITS)
        owner.send_signal(number)
        owner.wait(PATIENCE)
        if number == signal.SIGTERM:
            assert not folder.exists()
            assert not processes_of(folder)
        until(lambda: not processes_of(folder), "the services end with their owner")
