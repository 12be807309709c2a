# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A daemon of the distribution in a temporary folder, on a free loopback port, as a user without rights."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

_PLACES = "/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin"
_PATIENCE = 30
#: After how many seconds an order that was not heard is given again.
_REPEAT = 5
_NOBODY = ("--reuid=nobody", "--regid=nogroup", "--clear-groups")
#: Below those that the kernel gives to whoever asks for any port, so that nobody else gets them meanwhile.
_ports = itertools.cycle(range(12000 + os.getpid() * 50 % 18000, 32000))
_ports_lock = threading.Lock()


def find(program: str) -> str | None:
    """Where the program is. Daemons are not on every user's PATH."""
    return shutil.which(program, path=f"{_PLACES}:{os.environ.get('PATH', '')}")


def free_port() -> int:
    with _ports_lock:
        for port in _ports:
            with socket.socket() as free, contextlib.suppress(OSError):
                free.bind(("127.0.0.1", port))
                return port
    raise AssertionError("unreachable")


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """A temporary folder that the daemons' user can reach."""
    # root's own may stand below one that is closed to others; as root, daemons run as nobody.
    place = "/tmp" if os.geteuid() == 0 else None  # noqa: S108
    path = Path(tempfile.mkdtemp(prefix="neighbour-", dir=place))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


class Daemon:
    """Started again, it listens on the same port."""

    def __init__(
        self, name: str, command: Sequence[str], where: Path, port: int, orders: Mapping[str, tuple[int | str, str]]
    ) -> None:
        self.name = name
        self._where = where
        self._port = port
        self._orders = orders
        self._log = where / "log"
        # Ends with the thread that started it, should that be killed.
        rights = _NOBODY if os.geteuid() == 0 else ()
        self._command = ["setpriv", *rights, "--pdeathsig", "TERM", *command]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Daemon:
        # Made here, so that a daemon may open it once more.
        self._log.touch()
        if os.geteuid() == 0:
            for path in (self._where, *self._where.rglob("*")):
                shutil.chown(path, "nobody", "nogroup")
        self.start()
        return self

    def __exit__(self, *_unused: object) -> None:
        self.stop()

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._where,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={"PATH": _PLACES, "HOME": str(self._where), "TMPDIR": str(self._where), "LC_ALL": "C.UTF-8"},
                start_new_session=True,
            )
        deadline = time.monotonic() + _PATIENCE
        while not self._listens():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise AssertionError(f"{self.name} does not start:\n{self.log()}")
            time.sleep(0.02)

    @property
    def running(self) -> bool:
        return self._process is not None

    def _listens(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex(("127.0.0.1", self._port)) == 0

    def log(self, after: int = 0) -> str:
        """The end of what it wrote, or what it wrote after so many bytes."""
        return self._log.read_bytes()[after:].decode("utf-8", "replace")[-4000:]

    def order(self, what: str) -> None:
        """Returns when the daemon's log says that it was heard, and to quit when all of its processes obey."""
        assert self._process is not None
        how, words = self._orders[what]
        earlier = self._log.stat().st_size
        deadline = time.monotonic() + _PATIENCE
        repeat = 0.0
        while not re.search(words, self.log(earlier)) or (what == "quit" and self._listens()):
            assert time.monotonic() < deadline, f"{self.name} does not hear {what}:\n{self.log()}"
            if time.monotonic() > repeat:
                # For some milliseconds after it listens, and says that it does, HAProxy heeds no signal.
                repeat = time.monotonic() + _REPEAT
                self._tell(how)
            time.sleep(0.02)

    def _tell(self, how: int | str) -> None:
        assert self._process is not None
        if isinstance(how, str):
            subprocess.run(["sh", "-c", how], check=True, capture_output=True, timeout=_PATIENCE)
        else:
            self._process.send_signal(how)

    def wait(self) -> None:
        """For one that was told to end."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_PATIENCE)
        # Its workers have ended too, unless something is wrong with them.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        """At once, in the middle of whatever it does."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self.wait()
