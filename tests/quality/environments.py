# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Interpreters of this machine, and virtual environments in the checkout that are made when first needed."""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

from .installer import CHECKOUT, VENVS, install

CACHE = CHECKOUT / ".cache" / "quality"
#: What make quality runs on, as the everyday environment does: the newest of this machine.
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
VERSIONS = ("3.10", "3.11", "3.12", "3.13", "3.14")


@functools.cache
def interpreters() -> dict[str, Path]:
    """The newest of each Python version that really runs: a version manager's stand-in on PATH may not."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = {}
    for version in VERSIONS:
        on_path = shutil.which(f"python{version}")
        candidates = [
            *([Path(on_path)] if on_path else []),
            *sorted(pyenv.glob(f"{version}.*/bin/python{version}"), reverse=True),
            Path(f"/usr/bin/python{version}"),
        ]
        for candidate in candidates:
            if _runs(candidate):
                found[version] = candidate
                break
    return found


def _runs(python: Path) -> bool:
    if not python.exists():
        return False
    check = [str(python), "-c", "import ensurepip, ssl, venv"]
    return subprocess.run(check, capture_output=True, check=False).returncode == 0


@dataclass(frozen=True)
class Environment:
    """A virtual environment: what is installed, on which Python."""

    name: str
    python: str
    requirements: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()
    #: Whose version the table shows, where that is not the tool's own.
    distribution: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock, compare=False, repr=False)

    @property
    def folder(self) -> Path:
        return VENVS / self.name

    @property
    def bin(self) -> Path:
        return self.folder / "bin"

    @property
    def home(self) -> Path:
        """HOME of the tools. It outlives the run, because ansible-test keeps its own environments in there."""
        return CACHE / "home" / self.name

    def make(self, log: Path) -> None:
        """Make it unless it is there already with just this content. Raises NoIndex, or CalledProcessError."""
        with self._lock:
            stamp = self.folder / ".ready"
            content = self._content()
            if stamp.exists() and stamp.read_text(encoding="utf-8") == content:
                return
            shutil.rmtree(self.home, ignore_errors=True)
            files = [argument for file in self.files for argument in ("-r", file)]
            install(log, interpreters()[self.python], self.folder, *self.requirements, *files)
            self.home.mkdir(parents=True)
            stamp.write_text(content, encoding="utf-8")

    def version(self, distribution: str) -> str:
        """Of something that is installed here."""
        code = f"from importlib.metadata import version; print(version({distribution!r}))"
        command = [str(self.bin / "python"), "-c", code]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    def _content(self) -> str:
        read = set(self.files) | {CHECKOUT / "tests" / "requirements.txt"}
        text = "\n".join([*self.requirements, *(file.read_text(encoding="utf-8") for file in sorted(read))])
        return f"{interpreters()[self.python]} {hashlib.sha256(text.encode()).hexdigest()}"
