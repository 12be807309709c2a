# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo, the tests and the simulator leave nothing in the temporary folder, however they end.

The demo to its end is a step of `make quality`, in two environments.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from simulator.client import Simulator
from support.ansible import COLLECTION
from support.processes import PATIENCE, until

TESTS = COLLECTION / "tests"
DEMO = [sys.executable, str(TESTS / "demo" / "demo.py")]
TOWER = [sys.executable, str(TESTS / "demo" / "tower.py")]
ENDING = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty temporary folder. Not in the test's own: the path of a socket below it may be too long."""
    with tempfile.TemporaryDirectory(prefix="n-") as name:
        monkeypatch.setenv("TMPDIR", name)
        monkeypatch.setattr(tempfile, "tempdir", name)
        yield Path(name)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("ANSIBLE_HOME", raising=False)
    return home


def left(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def _heeding_signals() -> None:
    """As from a terminal: what a shell starts in the background, or under nohup, ignores some of them."""
    for number in ENDING:
        signal.signal(number, signal.SIG_DFL)


@contextlib.contextmanager
def started(command: list[str], told: str) -> Iterator[subprocess.Popen[str]]:
    """A running command that has just printed ``told``."""
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=_heeding_signals,  # noqa: PLW1509 - no other thread holds a lock that it would need
    ) as process:
        assert process.stdout is not None
        seen = []
        for line in process.stdout:
            seen.append(line)
            if told in line:
                break
        else:
            pytest.fail("".join(seen))
        try:
            yield process
        finally:
            process.kill()


def ended(process: subprocess.Popen[str], number: signal.Signals) -> int:
    process.send_signal(number)
    process.communicate(timeout=PATIENCE)
    return process.returncode


@pytest.mark.before_release
@pytest.mark.parametrize("end", ["stop", "kill", "fault"])
@pytest.mark.parametrize("options", [{}, {"tls": True}, {"keep_state": True}], ids=str)
def test_a_simulator(temporary: Path, end: str, options: dict[str, Any]) -> None:
    with Simulator(**options) as simulator:
        if end == "fault":
            simulator.fault("kill")
            asking = simulator._connection()
            asking.request("GET", "/api/status")
            simulator.wait()
            asking.close()
        else:
            getattr(simulator, end)()
    assert left(temporary) == []


@pytest.mark.before_release
@pytest.mark.parametrize("number", [*ENDING, signal.SIGKILL])
def test_a_simulator_whose_starter_is_ended(temporary: Path, number: signal.Signals) -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(TESTS)!r}); from simulator.client import Simulator; import signal;"
        "simulator = Simulator(); print('started', simulator.pid, flush=True); signal.pause()"
    )
    with started([sys.executable, "-c", code], "started") as process:
        own = {int(pid) for pid in os.listdir("/proc") if pid.isdigit() and _parent(int(pid)) == process.pid}
        assert own
        assert ended(process, number) != 0
    until(lambda: not any(_parent(pid) is not None for pid in own), "the simulator ended")
    assert left(temporary) == []


def _parent(pid: int) -> int | None:
    """None when it is gone, or is only waiting to be buried."""
    try:
        state, parent = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[:2]
    except OSError:
        return None
    return None if state == "Z" else int(parent)


def shown(command: list[str]) -> str:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.before_release
@pytest.mark.run_once
def test_the_job_templates_of_tower(temporary: Path, home: Path) -> None:
    output = shown(TOWER)
    assert output.count("\nsuccessful: ") == 4
    assert (output.count("\nyes  "), output.count("\nNO ")) == (5, 0)
    assert (left(temporary), left(home)) == ([], [])
    (page,) = re.findall(r"published it: (.+)$", output, re.MULTILINE)
    assert "okta-billing" in Path(page).read_text(encoding="utf-8")
    assert Path(page).is_relative_to(COLLECTION / ".cache")


@pytest.mark.before_release
@pytest.mark.run_once
def test_the_report_in_one_command(temporary: Path, home: Path) -> None:
    (page,) = re.findall(r"^Open (.+)$", shown([*TOWER, "report"]), re.MULTILINE)
    assert "okta-search" in Path(page).read_text(encoding="utf-8")
    assert {path.name for path in Path(page).parent.iterdir()} == {
        "index.html",
        "report.csv",
        "report.json",
        "report.prom",
    }
    assert (left(temporary), left(home)) == ([], [])


@pytest.mark.before_release
@pytest.mark.run_once
@pytest.mark.parametrize(
    ("number", "told"),
    [
        (signal.SIGINT, "TASK ["),
        *(pytest.param(number, "TASK [", marks=pytest.mark.weekly) for number in ENDING[1:]),
        pytest.param(signal.SIGTERM, "changed: [reporting] Restart", marks=pytest.mark.weekly),
    ],
)
def test_a_demo_that_is_interrupted(temporary: Path, home: Path, number: signal.Signals, told: str) -> None:
    with started(DEMO, told) as process:
        assert ended(process, number) == 128 + number
    assert (left(temporary), left(home)) == ([], [])
    until(lambda: not mentioning(temporary), "what the demo started ended with it")


def mentioning(folder: Path) -> list[str]:
    """The command lines of processes that name something in the folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    return [command for command in found if f"{folder}/" in command]


TRACES = """
import signal
import tempfile
from pathlib import Path

def test_traces(tmp_path, simulator, workspace):
    for folder in (tempfile.gettempdir(), tmp_path, workspace.tmp):
        (Path(folder) / "left").touch()

def test_pause(tmp_path, simulator, workspace):
    test_traces(tmp_path, simulator, workspace)
    print("It pauses.", flush=True)
    signal.pause()
"""


@pytest.fixture
def run_of_tests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The command for a run of two tests that leave much, with what all tests share."""
    file = tmp_path / "test_run.py"
    file.write_text(TRACES, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(TESTS))
    settings = ["-c", os.devnull, "--rootdir", str(tmp_path), "-p", "no:cacheprovider", "-p", "conftest"]
    return [sys.executable, "-m", "pytest", *settings, str(file)]


@pytest.mark.before_release
def test_the_tests(temporary: Path, run_of_tests: list[str]) -> None:
    command = [*run_of_tests, "-n", "1", "-k", "traces"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False)
    assert "1 passed" in done.stdout, done.stdout + done.stderr
    assert left(temporary) == []


@pytest.mark.before_release
@pytest.mark.parametrize("number", ENDING)
def test_tests_that_are_interrupted(temporary: Path, run_of_tests: list[str], number: signal.Signals) -> None:
    with started([*run_of_tests, "-s", "-k", "pause"], "It pauses.") as process:
        assert left(temporary)
        assert ended(process, number) != 0
    assert left(temporary) == []
