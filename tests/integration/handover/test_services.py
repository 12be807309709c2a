# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The services of demo and tests: they change a secret without losing a request, and the load on them can fail."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from services.account import fingerprint
from services.load import Load
from services.services import UNITS, Services
from services.token_endpoint import CLIENT, NEW, OLD, Okta
from simulator.client import Simulator
from support.ansible import COLLECTION, Workspace
from support.processes import PATIENCE, until

pytestmark = pytest.mark.run_once

#: An owner that ends as the demo does.
OWNER = """
import os, pathlib, signal
from services.services import UNITS, Services
from services.token_endpoint import CLIENT, OLD

def end(number, frame):
    raise SystemExit(128 + number)
signal.signal(signal.SIGTERM, end)
with Services(pathlib.Path(os.environ["FOLDER"]), os.environ["OKTA"]) as services:
    for unit in UNITS:
        services.write_settings(unit, CLIENT, OLD)
    services.start()
    print("started", flush=True)
    signal.pause()
"""


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


@pytest.mark.before_release
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


@pytest.mark.before_release
def test_what_was_let_in_is_answered_before_the_service_ends(services: Services, okta: Okta) -> None:
    place = ("127.0.0.1", services.port("billing@1"))

    def closed() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(place) != 0

    okta.gate.clear()
    with ThreadPoolExecutor() as pool, socket.create_connection(place, PATIENCE) as late:
        asked = pool.submit(services.ask, "billing@1", "/health")
        until(okta.held.is_set, "Okta is asked for a token")
        stopped = pool.submit(services.systemctl, "stop", "billing@1")
        until(closed, "the service lets nobody in")
        late.sendall(b"GET /settings HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert late.recv(15) == b"HTTP/1.1 200 OK"
        assert not stopped.done()
        okta.gate.set()
        assert asked.result() == (200, {"ok": True})
        assert stopped.result().returncode == 0


@pytest.mark.before_release
def test_a_service_that_is_down_is_seen_by_the_load(services: Services) -> None:
    with Load([services.url("billing@1"), services.url("reporting")]) as load:
        services.systemctl("stop", "billing@1")
        load.wait()
        assert services.systemctl("is-active", "billing@1").stdout == "inactive\n"
        services.systemctl("start", "billing@1")
    assert "ConnectionRefusedError" in load.summary()
    assert {failure.url for failure in load.failures} == {services.url("billing@1")}


@pytest.mark.before_release
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


@pytest.mark.before_release
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


@pytest.mark.before_release
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


@pytest.mark.before_release
def test_the_simulated_okta_gives_tokens_and_refuses_them(simulator: Simulator, tmp_path: Path) -> None:
    served = simulator.rotation()["mappedSecrets"]
    client_id, secret = served["OKTA_CLIENT_ID"]["value"], served["OKTA_CLIENT_SECRET"]["value"]
    with Services(tmp_path / "host", simulator.okta_url) as services:
        for unit in UNITS:
            services.write_settings(unit, client_id, secret)
        services.start()
        services.write_settings("billing@1", client_id, "another")
        services.write_settings("billing@2", "another", secret)
        assert services.systemctl("reload", "billing@1", "billing@2").returncode == 0
        assert services.ask("reporting", "/work") == services.ask("reporting", "/health") == (200, {"ok": True})
        for unit in ("billing@1", "billing@2"):
            assert services.ask(unit, "/work") == (502, {"ok": False, "error": "token refused: invalid_client"})


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
