# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The services of a host: ``reporting`` reloads its settings; ``billing`` are two instances that are restarted."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from .systemctl import Call, forget_calls, install, recorded
from .units import Units

UNITS = ("reporting", "billing@1", "billing@2")
_BILLING = UNITS[1:]
_PATIENCE = 30
#: Daemons are not on every user's PATH.
_PLACES = "/usr/sbin:/usr/local/sbin"

# The first request that an instance refuses takes it out until a check finds it back, up to a second later. The other
# one may end before that: so both are there once more as backups, which count as up always.
_HAPROXY = """
global
  hard-stop-after 5s
defaults
  mode http
  timeout connect 2s
  timeout client 15s
  timeout server 15s
  retries 3
  option redispatch 1
  retry-on conn-failure empty-response
listen billing
  bind 127.0.0.1:{billing}
  balance roundrobin
  option httpchk GET /settings
  option allbackups
  default-server inter 1s fall 1 rise 1 observe layer4 error-limit 1 on-error mark-down
  server one 127.0.0.1:{billing@1} check
  server two 127.0.0.1:{billing@2} check
  server one-unchecked 127.0.0.1:{billing@1} backup
  server two-unchecked 127.0.0.1:{billing@2} backup
"""


class Services:
    """In a folder that it makes, and removes at the end. ``balanced``: HAProxy is installed, and before ``billing``."""

    def __init__(self, folder: Path, okta_url: str, *, authorization_server: str = "default") -> None:
        self.folder = folder
        self._okta = ["--okta-url", okta_url, "--authorization-server", authorization_server]
        self._state = folder / "units"
        self._haproxy = shutil.which("haproxy", path=f"{os.environ.get('PATH', '')}:{_PLACES}")
        self._ports: dict[str, int] = {}
        self._closing = contextlib.ExitStack()
        self.units = Units(self._state)
        self.balanced = self._haproxy is not None
        self.path_folder = folder / "bin"

    def __enter__(self) -> Services:
        with contextlib.ExitStack() as stack:
            self.folder.mkdir(mode=0o700)
            stack.callback(shutil.rmtree, self.folder)
            self._state.mkdir()
            self.path_folder.mkdir()
            install(self.path_folder / "systemctl", self._state)
            for name in (*UNITS, *(["billing"] if self.balanced else [])):
                self._ports[name] = self._reserve(stack)
            stack.callback(self._stop)
            for unit in UNITS:
                place = ["--settings", str(self.settings_path(unit)), "--port", str(self.port(unit))]
                last = ["--parent", str(os.getpid())]
                self.units.add(unit, [sys.executable, "-m", "services.service", *place, *self._okta, *last])
            self._closing = stack.pop_all()
        return self

    def __exit__(self, *_unused: object) -> None:
        self._closing.close()

    def write_settings(self, unit: str, client_id: str, client_secret: str) -> None:
        path = self.settings_path(unit)
        new = path.with_suffix(".new")
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(f"OKTA_CLIENT_ID={client_id}\nOKTA_CLIENT_SECRET={client_secret}\n")
        new.replace(path)

    def start(self) -> None:
        """All of them, when their settings are written. Their start is none of the recorded calls."""
        # By a process of its own, as later: services are nobody's children that could be forgotten.
        done = self.systemctl("start", *UNITS)
        assert done.returncode == 0, done.stderr
        forget_calls(self._state)
        if self._haproxy:
            self._balance(self._haproxy)

    def systemctl(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(self.path_folder / "systemctl"), *arguments]
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)

    def calls(self) -> list[Call]:
        """Of ``systemctl``, in their order."""
        return recorded(self._state)

    def settings_path(self, unit: str) -> Path:
        return self.folder / f"{unit}.env"

    def port(self, name: str) -> int:
        """Of a unit, or of ``billing`` where it is balanced."""
        return self._ports[name]

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.port(name)}"

    @property
    def steady_urls(self) -> list[str]:
        """Of those whose work no change of a secret is to interrupt."""
        return [self.url("reporting"), *([self.url("billing")] if self.balanced else [])]

    def ask(self, name: str, path: str) -> tuple[int, dict[str, Any]]:
        """The status and the answer of /work, /health or /settings."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port(name), timeout=15)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def held(self, unit: str) -> str:
        """The fingerprint of the secret that the unit has in memory."""
        return str(self.ask(unit, "/settings")[1]["secret_sha256"])

    def _reserve(self, stack: contextlib.ExitStack) -> int:
        """A port that nobody else gets, though nobody may listen on it between two starts of a service."""
        holder = stack.enter_context(socket.socket())
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        holder.bind(("127.0.0.1", 0))
        return int(holder.getsockname()[1])

    def _balance(self, haproxy: str) -> None:
        config = self.folder / "haproxy.cfg"
        config.write_text(_HAPROXY.format(**self._ports), encoding="utf-8")
        log = self._closing.enter_context((self.folder / "haproxy.log").open("w+b"))
        # Ends with the thread that started it, should that be killed.
        command = ["setpriv", "--pdeathsig", "TERM", haproxy, "-db", "-f", str(config)]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        self._closing.callback(process.wait)
        self._closing.callback(process.terminate)
        deadline = time.monotonic() + _PATIENCE
        while not self._listens("billing"):
            running = process.poll() is None and time.monotonic() < deadline
            assert running, f"HAProxy does not start:\n{(self.folder / 'haproxy.log').read_text(encoding='utf-8')}"
            time.sleep(0.02)

    def _listens(self, name: str) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port(name))) == 0

    def _stop(self) -> None:
        for unit in self.units.names():
            self.units.stop(unit)
