# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The handle that tests and demonstrations hold on a running simulator."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import ssl
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, final

ROTATE_PATH = r"/rotate-secrets/?$"
_START_TIMEOUT = 20
_ANSWER_TIMEOUT = 30
#: Of ten thousand rotations, which a slow machine makes in a minute or more.
_MANY_TIMEOUT = 600


class SimulatorError(Exception):
    """The simulator refused an order, or did not start."""


@final
class Simulator:
    """Starts a server of its own; as a context manager it also ends it."""

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: bool = False,
        client_cert_required: bool = False,
        rate_limit_window: float | None = None,
        keep_state: bool = False,
        python: str = sys.executable,
    ) -> None:
        tls = tls or client_cert_required
        # Ours and not the server's, for that is killed now and then.
        self._directory = tempfile.TemporaryDirectory(prefix="simulator-") if tls or keep_state else None
        self._options = ["--host", host]
        if self._directory is not None and tls:
            self._options += ["--tls", self._directory.name]
        if self._directory is not None and keep_state:
            self._options += ["--state", str(Path(self._directory.name) / "state.json")]
        if client_cert_required:
            self._options.append("--client-cert-required")
        if rate_limit_window is not None:
            self._options += ["--rate-limit-window", str(rate_limit_window)]
        self._host = host
        self._python = python
        self._port = port
        self._process: subprocess.Popen[str] | None = None
        self.url = ""
        self.port = 0
        self.ca_path: str | None = None
        self.client_cert: str | None = None
        self.client_key: str | None = None
        self.start()

    def __enter__(self) -> Simulator:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        if self._directory is not None:
            self._directory.cleanup()

    @property
    def okta_url(self) -> str:
        """Okta's address, as applications have it."""
        return f"{self.url}/okta"

    # -- the process

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        last = ["--port", str(self._port), "--parent", str(os.getpid())]
        command = [self._python, "-m", "simulator", *self._options, *last]
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parent.parent)}
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.stdout.close()
            raise SimulatorError(f"did not start, exit status {self._process.wait(_START_TIMEOUT)}")
        started = json.loads(line)
        self.url = started["url"]
        self.port = self._port = started["port"]
        self.ca_path = started["ca_path"]
        self.client_cert = started["client_cert"]
        self.client_key = started["client_key"]

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.poll() is None:
            process.send_signal(number)
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()

    def wait(self, timeout: float = 5) -> int:
        """Waits for a server that ends by itself (the fault `kill`)."""
        assert self._process is not None
        return self._process.wait(timeout)

    def restart(self) -> None:
        """On the same port; with `keep_state` it still knows everything."""
        self.stop()
        self.start()

    # -- orders

    def _connection(self, timeout: float = _ANSWER_TIMEOUT) -> http.client.HTTPConnection:
        """Straight to the server, whatever proxies the environment names."""
        if self.ca_path is None:
            return http.client.HTTPConnection(self._host, self.port, timeout=timeout)
        context = ssl.create_default_context(cafile=self.ca_path)
        if self.client_cert and self.client_key:
            context.load_cert_chain(self.client_cert, self.client_key)
        return http.client.HTTPSConnection(self._host, self.port, timeout=timeout, context=context)

    def control(self, method: str, path: str, body: Any = None, timeout: float = _ANSWER_TIMEOUT) -> Any:
        data = None if body is None else json.dumps(body)
        connection = self._connection(timeout)
        try:
            connection.request(method, f"/_control/{path}", data, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        if answer.status != 200:
            raise SimulatorError(f"{method} {path}: {text}")
        return json.loads(text)

    def _told(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        told: dict[str, Any] = self.control(method, path, body)
        return told

    def state(self) -> dict[str, Any]:
        return self._told("GET", "state")

    def reset(self) -> dict[str, Any]:
        return self._told("POST", "reset", {})

    def save(self) -> None:
        self.control("POST", "save", {})

    def settings(self, **changes: Any) -> dict[str, Any]:
        return self._told("POST", "settings", changes)

    def fault(self, action: str, *, path: str = "", method: str | None = None, **params: Any) -> None:
        """`times`, `after` and the action's own params are given by name."""
        order = {"action": action, "path": path, **params}
        if method is not None:
            order["method"] = method
        self.control("POST", "faults", [order])

    def fault_rotate(self, action: str, **params: Any) -> None:
        self.fault(action, path=ROTATE_PATH, method="POST", **params)

    def clear_faults(self) -> None:
        self.control("DELETE", "faults")

    def close_idle(self) -> int:
        return int(self.control("POST", "close-idle", {})["closed"])

    def add_rotation(self, **wanted: Any) -> dict[str, Any]:
        return self._told("POST", "rotations", wanted)

    def add_rotations(self, count: int, **wanted: Any) -> list[dict[str, Any]]:
        return list(self.control("POST", "rotations", {**wanted, "count": count}, _MANY_TIMEOUT)["rotations"])

    def change_rotation(self, rotation_id: str, **changes: Any) -> dict[str, Any]:
        return self._told("PATCH", f"rotations/{rotation_id}", changes)

    def rival(self, rotation_id: str, *, seconds: float = 0, failure: bool | str = False, hidden: bool = False) -> None:
        order = {"seconds": seconds, "failure": failure, "hidden": hidden}
        self.control("POST", f"rotations/{rotation_id}/rival", order)

    def orphan(self, rotation_id: str | None = None) -> dict[str, Any]:
        return self._told("POST", "orphan", {"rotationId": rotation_id})

    def add_application(self, client_id: str, *, secrets: int = 1) -> dict[str, Any]:
        """At Okta, with that many secrets that were made by hand."""
        return self._told("POST", "applications", {"clientId": client_id, "secrets": secrets})

    def change_application(self, client_id: str, **changes: Any) -> dict[str, Any]:
        """`status` "INACTIVE" takes its credentials from it, `authMethod` leaves it only one."""
        return self._told("PATCH", f"applications/{client_id}", changes)

    def add_secret(self, name: str, value: str = "by hand", **place: Any) -> dict[str, Any]:
        return self._told("POST", "secrets", {"secretKey": name, "secretValue": value, **place})

    def due(self, rotation_id: str) -> None:
        """The time of a queued rotation has come."""
        self.control("POST", f"rotations/{rotation_id}/due")

    def add_identity(self, **wanted: Any) -> dict[str, Any]:
        """Besides its fields: `clientSecretTrustedIps` and `accessTokenTrustedIps` refuse other addresses."""
        return self._told("POST", "identities", wanted)

    def change_identity(self, identity_id: str, **changes: Any) -> dict[str, Any]:
        return self._told("PATCH", f"identities/{identity_id}", changes)

    def mint_token(self, **wanted: Any) -> str:
        """An identity's token, or a user's JWT (`user`) or a service token (`service`), of no login."""
        return str(self.mint(**wanted)["accessToken"])

    def mint(self, **wanted: Any) -> dict[str, Any]:
        return self._told("POST", "tokens", wanted)

    def change_token(self, token_id: str, **changes: Any) -> dict[str, Any]:
        return self._told("PATCH", f"tokens/{token_id}", changes)

    def add_organization(self, slug: str) -> None:
        """A sub-organisation; an identity is a member of those in its `subOrganizations`."""
        self.control("POST", "organizations", {"slug": slug})

    def add_project(self, slug: str, **wanted: Any) -> dict[str, Any]:
        return self._told("POST", "projects", {"slug": slug, **wanted})

    def add_connection(self, name: str, **wanted: Any) -> dict[str, Any]:
        return self._told("POST", "connections", {"name": name, **wanted})

    # -- what happened

    def log(self, path_regex: str | None = None, method: str | None = None) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = self.control("GET", "log")["requests"]
        return [
            entry
            for entry in entries
            if (path_regex is None or re.search(path_regex, entry["path"]))
            and (method is None or entry["method"] == method)
        ]

    def clear_log(self) -> None:
        self.control("DELETE", "log")

    def posts(self) -> int:
        """Rotate requests that arrived, whatever became of them."""
        return len(self.log(ROTATE_PATH, "POST"))

    def rotation(self, rotation_id: str | None = None) -> dict[str, Any]:
        """The given rotation, or the one that is there after a start."""
        found: list[dict[str, Any]] = self.state()["rotations"]
        return next(rotation for rotation in found if rotation_id in (None, rotation["id"]))

    def rotations_done(self, rotation_id: str | None = None) -> int:
        return int(self.rotation(rotation_id)["completed"])

    def okta_secrets(self, rotation_id: str | None = None) -> list[dict[str, Any]]:
        client_id = self.rotation(rotation_id)["parameters"]["clientId"]
        return list(self.state()["okta"][client_id]["secrets"])
