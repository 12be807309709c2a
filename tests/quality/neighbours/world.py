# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a row: its neighbour between the module and a server, and what the server says afterwards."""

from __future__ import annotations

import contextlib
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError
from ansible_collections.secretops.infisical.plugins.module_utils._transport.patience import Patience
from ansible_collections.secretops.infisical.plugins.modules import okta_client_secret_rotation
from simulator.client import Simulator
from simulator.tls import Certificates
from support.ansible import Workspace
from support.server import login
from support.tasks import Runner, TestTask

from .daemon import Daemon, find, folder, free_port
from .gate import Gate, gate
from .rows import Neighbour, Row

_PATIENCE = 20
#: The longest that a pause really takes, where it takes any time.
_LONGEST_PAUSE = 1.2
_OPTIONS = {"timeout": 15, "wait_timeout": 60}


@dataclass
class Seen:
    """What the tasks said, and what the server knows."""

    results: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    moved: list[bool] = field(default_factory=list)
    posts: int = 0
    rotations: int = 0

    @property
    def ends(self) -> tuple[str, ...]:
        return tuple(result.get("reason") or result["outcome"] for result in self.results)

    @property
    def changed(self) -> list[bool]:
        return [result["changed"] for result in self.results]

    @property
    def said(self) -> str:
        return "\n".join([self.results[-1]["msg"], *self.warnings])


class VirtualTask(TestTask):
    """Its pauses end at once and still count."""

    def patience(self) -> Patience:
        ahead = 0.0

        def pass_by(seconds: float) -> None:
            nonlocal ahead
            ahead += seconds
            self.sleep(seconds)

        return Patience(self.params["wait_timeout"], clock=lambda: time.monotonic() + ahead, sleep=pass_by)


class Servers:
    """The simulators, one for each kind of server."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self._stack = stack
        self._lock = threading.Lock()
        self._started: dict[str, Simulator] = {}

    def of(self, kind: str) -> Simulator:
        with self._lock:
            if kind not in self._started:
                made = self._stack.enter_context(Simulator(tls=kind == "tls"))
                if kind == "okta_fails":
                    made.settings(okta={"listError": 0})
                if kind == "slow":
                    made.settings(rotationSeconds=2)
                self._started[kind] = made
            return self._started[kind]


class Scene:
    """One row, set up."""

    def __init__(self, row: Row, simulator: Simulator, daemon: Daemon, gate: Gate, places: dict[str, str]) -> None:
        self.row = row
        self._simulator = simulator
        self._daemon = daemon
        self._gate = gate
        self._places = places
        self._settled = threading.Event()
        self._over = threading.Event()
        self.rotation: dict[str, Any] = simulator.add_rotation(name=f"neighbour-{places['port']}")
        if row.fault:
            simulator.fault(method="POST", path=f"{self.rotation['id']}/rotate-secrets$", **row.fault)

    def _now(self) -> dict[str, Any]:
        return self._simulator.rotation(self.rotation["id"])

    def _options(self) -> dict[str, Any]:
        scheme = "https" if self.row.tls else "http"
        options = {**login(self._simulator), "rotation_id": self.rotation["id"], **_OPTIONS}
        options["url"] = fill(self.row.url or f"{scheme}://127.0.0.1:@port@", self._places)
        if self.row.tls or self.row.server == "tls":
            options["ca_path"] = (
                str(Path(self._places["folder"]) / "ca.pem") if self.row.tls else self._simulator.ca_path
            )
        for name, value in self.row.options.items():
            options[name] = fill(value, self._places) if isinstance(value, str) else value
        if not self.row.may_rotate:
            identity = self._simulator.add_identity(without=[["rotate-secrets", "secret-rotation"]])
            token = self._simulator.mint_token(identityId=identity["id"])
            options = {name: value for name, value in options.items() if not name.startswith("universal")}
            options["token"] = token
        return options

    def play(self, workspace: Callable[[], Workspace]) -> Seen:
        seen = Seen()
        options = self._options()
        if self.row.before:
            self._get(options["url"] + self.row.before)
        if self.row.keeps:
            self._make_sure_that_it_keeps(options["url"])
        with self._meanwhile():
            for _unused in self.row.ends:
                before = self._now()["lastRotatedAt"]
                if self.row.environment:
                    self._by_command(options, workspace(), seen)
                else:
                    self._in_process(options, seen)
                self._gate.release()
                seen.moved.append(self._now()["lastRotatedAt"] > before)
        seen.rotations = self._now()["completed"]
        seen.posts = len(self._simulator.log(f"{self.rotation['id']}/rotate-secrets$", "POST"))
        return seen

    def _get(self, url: str) -> None:
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {self._simulator.mint_token()}"})
        with contextlib.suppress(urllib.error.HTTPError):
            urllib.request.urlopen(request, timeout=10).close()

    def _make_sure_that_it_keeps(self, base: str) -> None:
        """By a reading of another rotation."""
        other = self._simulator.add_rotation(name=f"{self.rotation['name']}-probe")["id"]
        for _unused in range(2):
            self._get(f"{base}/api/v2/secret-rotations/okta-client-secret/{other}")
        asked = len(self._simulator.log(other))
        assert asked == 1, f"what was asked for twice reached the server {asked} times"

    def _in_process(self, options: dict[str, Any], seen: Seen) -> None:
        runner = Runner(okta_client_secret_rotation)
        task = VirtualTask(
            params=runner.params(options), check_mode=False, environ={}, warn=seen.warnings.append, sleep=self._sleep
        )
        try:
            seen.results.append(okta_client_secret_rotation.execute(task))
        except InfisicalError as failure:
            seen.results.append(failure.result())

    def _by_command(self, options: dict[str, Any], workspace: Workspace, seen: Seen) -> None:
        environment = {name: fill(value, self._places) for name, value in self.row.environment.items()}
        run = workspace.adhoc(options, env=environment)
        seen.results.append(run.only.result)
        seen.warnings += run.only.result.get("warnings", [])

    def _sleep(self, seconds: float) -> None:
        """What has to happen while a task waits."""
        if self.row.hold == "request":
            self._gate.release()
        if self.row.hold == "request" or self.row.server == "slow":
            self._until(lambda: bool(self._now()["completed"]))
        if self.row.meanwhile and self._gate.arrived.is_set():
            assert self._settled.wait(_PATIENCE), f"{self._daemon.name} did not obey"
            # From a thread that lasts, for a daemon ends with the thread that started it.
            if self.row.meanwhile == "restart" and not self._daemon.running:
                self._daemon.start()
        if self.row.real_pauses:
            time.sleep(min(seconds, _LONGEST_PAUSE))

    @contextlib.contextmanager
    def _meanwhile(self) -> Iterator[None]:
        if not self.row.meanwhile:
            yield
            return
        problems: list[BaseException] = []

        def act() -> None:
            try:
                self._act()
            except Exception as problem:  # noqa: BLE001 - raised in the thread that judges
                problems.append(problem)
            finally:
                self._gate.release()
                self._settled.set()

        thread = threading.Thread(target=act)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            self._gate.arrived.set()
            thread.join()
        if problems:
            raise problems[0]

    def _act(self) -> None:
        """While the server's answer to the request to rotate is held."""
        self._gate.arrived.wait()
        assert not self._over.is_set(), "no request to rotate came"
        self._until(lambda: bool(self._now()["completed"]))
        if self.row.meanwhile == "restart":
            self._daemon.stop()
        else:
            self._daemon.order(self.row.meanwhile)

    @staticmethod
    def _until(condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _PATIENCE
        while not condition():
            assert time.monotonic() < deadline, "the server did not rotate"
            time.sleep(0.02)


def fill(text: str, places: dict[str, str]) -> str:
    for name, value in places.items():
        text = text.replace(f"@{name}@", value)
    return text


def run(neighbour: Neighbour, row: Row, servers: Servers, workspace: Callable[[], Workspace]) -> Seen:
    simulator = servers.of(row.server)
    with folder() as where, gate(simulator.port, row.hold, row.added) as between:
        port = free_port()
        places = {"port": str(port), "server": str(between.port), "folder": str(where)}
        Certificates(where)
        for name, text in row.files.items():
            (where / name).write_text(text, encoding="utf-8")
        listen = (neighbour.tls if row.tls else "") + row.listen
        text = neighbour.config.replace("@row@", row.config).replace("@listen@", listen)
        (where / "config").write_text(fill(text, places), encoding="utf-8")
        program = find(neighbour.program)
        assert program, neighbour.program
        command = [program, *(fill(part, places) for part in neighbour.command)]
        orders = {
            name: (fill(how, places) if isinstance(how, str) else how, words)
            for name, (how, words) in neighbour.orders.items()
        }
        with Daemon(neighbour.name, command, where, port, orders) as daemon:
            try:
                return Scene(row, simulator, daemon, between, places).play(workspace)
            except AssertionError as problem:
                raise AssertionError(f"{problem}\n{daemon.log()}") from problem
