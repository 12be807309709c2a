# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playground does what it says: its commands are taken from what it prints, and run as a person pastes them."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from support.ansible import COLLECTION

pytestmark = pytest.mark.run_once

PLAYGROUND = [sys.executable, str(COLLECTION / "tests" / "demo" / "playground.py")]
FOLDER = COLLECTION / ".cache" / "playground"
#: For each command: what it is said to show, the exit status, and what shows it.
PROMISES = (
    ("overdue, failed, or rotated by hand", 0, r'" 40 days  overdue  prod    okta-payments  success'),
    ("would_rotate", 0, r'"outcome": "would_rotate"'),
    ("rotated, once", 0, r'"outcome": "rotated"'),
    ("not_found", 2, r'"reason": "not_found"'),
    ("rotated_by_another", 0, r'"outcome": "rotated_by_another"'),
    ("its answer is always lost", 0, r'"changed": true,\s+"msg": "Rotated, confirmed by reading lastRotatedAt'),
    ("begins with 0oa", 0, r'"msg": "0oa\w+"'),
    ("group overdue", 0, r"--@overdue:\n(  \|  \|--\S+\n)*  \|  \|--okta-orphan.okta.prod.payments\n"),
    ("how many would be rotated", 0, r"Check mode: 4 would be rotated, 8 not due, 0 failed"),
    ("report.html", 0, r"12 rotations in 1 project: 1 overdue, 1 failed, the oldest okta-wiki with 400 days"),
)


@dataclass(frozen=True)
class Playground:
    process: subprocess.Popen[str]
    exports: list[str]
    #: What each is said to do, and the command.
    commands: list[tuple[str, str]]
    home: Path

    @classmethod
    def start(cls, home: Path) -> Playground:
        process = subprocess.Popen(PLAYGROUND, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        text = ""
        for line in process.stdout:
            if line.startswith("time "):
                break
            text += line
        exports = re.findall(r"^export .*$", text, re.MULTILINE)
        commands = re.findall(r"^\d+\. ((?:.|\n)*?)\n\$ (.*)$", text, re.MULTILINE)
        return cls(process, exports, [(" ".join(said.split()), command) for said, command in commands], home)

    def paste(self, command: str) -> subprocess.CompletedProcess[str]:
        """In a second terminal, in the checkout, with the exports."""
        script = "\n".join([*self.exports, command])
        # What the exports put before it is missing where make quality runs the tests, in a copy without .venv.
        path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
        env = {"PATH": path, "HOME": str(self.home), "LC_ALL": "C.UTF-8", "ANSIBLE_NOCOLOR": "1"}
        return subprocess.run(
            ["sh", "-c", script], cwd=COLLECTION, env=env, capture_output=True, text=True, check=False, timeout=120
        )

    def state(self) -> dict[str, Any]:
        url = self.paste("echo $INFISICAL_URL").stdout.strip()
        state: dict[str, Any] = requests.get(f"{url}/_control/state", timeout=30).json()
        return state

    def end(self) -> str:
        """As Ctrl-C does. What was shown of requests."""
        self.process.send_signal(signal.SIGINT)
        shown, _nothing = self.process.communicate(timeout=30)
        return shown


@pytest.fixture
def playground(tmp_path: Path) -> Iterator[Playground]:
    made = Playground.start(tmp_path)
    yield made
    made.process.kill()
    made.process.communicate()


def secrets(state: dict[str, Any]) -> list[str]:
    found = [each["client_secret"] for application in state["okta"].values() for each in application["secrets"]]
    return [*found, *(token["accessToken"] for token in state["tokens"]), state["identity"]["clientSecret"]]


@pytest.mark.before_release
def test_every_command_does_what_is_said_of_it(playground: Playground) -> None:
    assert len(playground.commands) == len(PROMISES) == 10
    temporary = Path(playground.paste("echo $TMPDIR").stdout.strip())
    assert temporary.is_dir()
    for (said, command), (promise, status, shows) in zip(playground.commands, PROMISES, strict=True):
        assert promise in said
        done = playground.paste(command)
        assert (done.returncode, bool(re.search(shows, done.stdout))) == (status, True), done.stdout + done.stderr
    twice = playground.paste(playground.commands[2][1])
    assert '"outcome": "not_due"' in twice.stdout
    assert (FOLDER / "report.html").exists()
    state = playground.state()
    assert all(token["revoked"] for token in state["tokens"])
    shown = playground.end()
    assert playground.process.returncode == 0
    rotations = re.findall(r"POST +(\S+) +\d+  rotation-robot  \S+/rotate-secrets  => (\w+[\w ,-]*)", shown)
    assert rotations == [
        ("200", "rotated okta-payments of prod"),
        ("400", "refused, for okta-busy of prod is being rotated by another party"),
        ("lost", "rotated okta-lost of prod"),
    ]
    assert "the other party has rotated okta-busy" in shown
    logins, ends = (len(re.findall(f" 200 .* rotation-robot .*/{end}\n", shown)) for end in ("login", "token/revoke"))
    assert logins == ends >= len(PROMISES)
    assert [secret for secret in secrets(state) if secret in shown] == []
    assert os.listdir(playground.home) == []
    assert not temporary.exists()


def test_a_failure_and_a_stranger_are_shown(playground: Playground) -> None:
    """Without Ansible, and with what no client of ours sends."""
    state = playground.state()
    (orphan,) = (each for each in state["rotations"] if each["name"] == "okta-orphan")
    url = playground.paste("echo $INFISICAL_URL").stdout.strip()
    identity = {name: state["identity"][name] for name in ("clientId", "clientSecret")}
    login = requests.post(f"{url}/api/v1/auth/universal-auth/login", json=identity, timeout=30).json()
    headers = {"Authorization": f"Bearer {login['accessToken']}"}
    rotate = f"{url}/api/v2/secret-rotations/okta-client-secret/{{}}/rotate-secrets"
    assert requests.post(rotate.format(orphan["id"]), json={}, headers=headers, timeout=30).status_code == 500
    assert requests.post(rotate.format("nobody"), json={}, headers=headers, timeout=30).status_code == 422
    assert requests.post(rotate.format(orphan["id"]), json={}, timeout=30).status_code == 401
    requests.get(f"{url}/api/{login['accessToken']}?token={login['accessToken']}", timeout=30)
    shown = playground.end()
    assert re.search(r"POST +500 .* => failed: .*You must have only a single secret", shown)
    assert re.search(r"POST +422 .*/nobody/rotate-secrets  => there is no such rotation", shown)
    assert re.search(r"POST +401 +\d+  unknown .* => okta-orphan of prod was not rotated", shown)
    assert [secret for secret in [*secrets(state), login["accessToken"]] if secret in shown] == []


def test_a_port_that_is_taken_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        run = subprocess.run(
            [*PLAYGROUND, "--port", str(port)], capture_output=True, text=True, check=False, timeout=60
        )
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr == (
        f"Another program has port {port}. Choose another one, or none: make playground PORT={port + 1}\n"
    )


def test_make_hands_on_the_port() -> None:
    told = subprocess.run(
        ["make", "--dry-run", "playground", "PORT=8900"], cwd=COLLECTION, capture_output=True, text=True, check=False
    )
    assert "tests/demo/playground.py --port 8900" in told.stdout
