# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a step works: a copy of the collection, an environment, a home that is nobody's, a log."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from .environments import Environment
from .installer import CHECKOUT

#: One that hangs must not hang the run. The longest takes a third of it, and three times as long on a slow machine.
TIMEOUT = 2400


#: What says how a package index is reached from this machine.
_REGISTRIES = re.compile(r"PIP_.+|npm_config_.+|NODE_EXTRA_CA_CERTS|.+_proxy", re.IGNORECASE)


class Failed(Exception):
    """The check found something."""


class Skipped(Exception):
    """The check cannot run on this machine."""


class Room:
    """One step's surroundings. Whatever it does in here, neither the checkout nor the user's home changes.

    The copy stands outside any git checkout, because ansible-test skips everything inside an ignored folder.
    """

    def __init__(self, folder: Path, environment: Environment, log: Path) -> None:
        self.folder = folder
        self.environment = environment
        self.log = log
        #: For the table, and for below it.
        self.remark = ""
        self.report = ""
        self.collections = folder / "collections"
        self.collection = self.collections / "ansible_collections" / "secretops" / "infisical"
        self.temporary = folder / "tmp"
        self.temporary.mkdir(parents=True)
        copy_checkout(self.collection)

    def run(self, tool: str, *arguments: str | Path, cwd: Path | None = None, **variables: str) -> str:
        """The output of a tool of the environment; Failed when it returns something else than 0."""
        command = [str(self.environment.bin / tool), *map(str, arguments)]
        with self.log.open("a", encoding="utf-8") as log:
            log.write(f"$ {' '.join(command)}\n")
            log.flush()
            start = log.tell()
            try:
                code = subprocess.run(
                    command,
                    cwd=cwd or self.collection,
                    env=self.variables() | variables,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    timeout=TIMEOUT,
                    check=False,
                ).returncode
            except subprocess.TimeoutExpired:
                raise Failed(f"{tool} did not end within {TIMEOUT} seconds") from None
        with self.log.open(encoding="utf-8", errors="replace") as log:
            log.seek(start)
            output = log.read()
        if code:
            raise Failed(f"{tool} returned {code}")
        return output

    def variables(self) -> dict[str, str]:
        """Nothing of the user's, whose PATH may hold interpreters that do not run and whose HOME is not ours."""
        kept = {key: value for key, value in os.environ.items() if _REGISTRIES.match(key)}
        return {
            **kept,
            "PATH": f"{self.environment.bin}:/usr/bin:/bin",
            "HOME": str(self.environment.home),
            "TMPDIR": str(self.temporary),
            "ANSIBLE_HOME": str(self.environment.home / ".ansible"),
            "ANSIBLE_COLLECTIONS_PATH": str(self.collections),
            "PYTHONPATH": str(self.collections),
            "PYTHONPYCACHEPREFIX": str(self.folder.parent / "pycache"),
            "NO_COLOR": "1",
            "ANSIBLE_NOCOLOR": "1",
            "LC_ALL": "C.UTF-8",
        }


def run_pytest(room: Room, *arguments: str, under: Sequence[str] = (), **variables: str) -> None:
    """The everyday tests' environment links to one copy of the collection: no other step may share it.

    ``under`` is how Python runs what runs pytest.
    """
    room.run("python", "tests/tools/link_collection.py")
    # A short path, because ansible-core puts sockets below it and the name of a socket has 107 bytes at most.
    pytest = ("-m", "pytest", f"--basetemp={room.folder / 't'}")
    # As in the everyday environment, for some tests have a PYTHONPATH of their own.
    output = room.run("python", *under, *pytest, *arguments, cwd=None, **{"PYTHONPATH": "", **variables})
    if " passed" not in output:
        raise Failed("no test ran")


def copy_checkout(target: Path) -> None:
    """What is or could be committed: neither ignored files nor those that were just deleted."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in sorted(filter(None, listed.stdout.split("\0"))):
        source = CHECKOUT / name
        if source.is_symlink() or source.is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / name, follow_symlinks=False)
