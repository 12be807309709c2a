# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""uv, which installs in a tenth of pip's time. The first use puts it into an environment of its own."""

from __future__ import annotations

import ast
import functools
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
REQUIREMENTS = Path(__file__).resolve().parent / "requirements"
VENVS = CHECKOUT / ".venvs"

#: What uv calls the settings by which pip reaches a package index, and what stands between two values. It reads none
#: of pip's.
_SETTINGS = {
    "index-url": ("UV_DEFAULT_INDEX", " "),
    "extra-index-url": ("UV_INDEX", " "),
    "find-links": ("UV_FIND_LINKS", ","),
    "trusted-host": ("UV_INSECURE_HOST", " "),
    "constraint": ("UV_CONSTRAINT", " "),
    "cert": ("SSL_CERT_FILE", " "),
    "timeout": ("UV_HTTP_TIMEOUT", " "),
    "default-timeout": ("UV_HTTP_TIMEOUT", " "),
}
#: What pip and uv say when there is no way to the package index, which is not a finding.
_NO_INDEX = re.compile(
    r"NewConnectionError|NameResolutionError|ConnectTimeoutError|ProxyError|Temporary failure in name resolution"
    r"|client error \(Connect\)|operation timed out"
)
_ENVIRONMENT = VENVS / "uv"
_PYTHON = _ENVIRONMENT / "bin" / "python"
UV = _ENVIRONMENT / "bin" / "uv"
_lock = threading.Lock()


class NoIndex(Exception):
    """The package index cannot be reached."""


def install(log: Path, python: Path, folder: Path, *arguments: str | Path) -> None:
    """A new environment with what the arguments name. Raises NoIndex, or CalledProcessError."""
    with _lock:
        _ready(log)
    _run(log, UV, "venv", "--quiet", "--clear", "--python", python, folder, **variables())
    _run(log, UV, "pip", "install", "--quiet", "--python", folder, *arguments, **variables())


@functools.cache
def variables() -> dict[str, str]:
    """What uv has to know on this machine, once it is there. It writes into the checkout only."""
    listed = subprocess.run([_PYTHON, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True).stdout
    found = {
        "UV_CACHE_DIR": str(CHECKOUT / ".cache" / "uv"),
        # As pip does.
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_NO_CONFIG": "1",
        "UV_PYTHON_DOWNLOADS": "never",
    }
    # What pip finds in the environment comes first, and counts more than what it finds in files.
    for line in reversed(listed.splitlines()):
        key, _unused, value = line.partition("=")
        name, between = _SETTINGS.get(key.rpartition(".")[2], ("", ""))
        if name:
            found[name] = between.join(str(ast.literal_eval(value)).split())
    return found


def _ready(log: Path) -> None:
    requirements = REQUIREMENTS / "uv.txt"
    stamp = _ENVIRONMENT / ".ready"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == requirements.read_text(encoding="utf-8"):
        return
    _run(log, sys.executable, "-m", "venv", "--clear", _ENVIRONMENT)
    _run(log, _PYTHON, "-m", "pip", "install", "--quiet", "-r", requirements)
    stamp.write_text(requirements.read_text(encoding="utf-8"), encoding="utf-8")


def _run(log: Path, *command: str | Path, **variables: str) -> None:
    done = subprocess.run(
        command,
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return
    with log.open("a", encoding="utf-8") as file:
        file.write(f"$ {' '.join(map(str, command))}\n{done.stdout}")
    if _NO_INDEX.search(done.stdout):
        raise NoIndex("the package index cannot be reached")
    done.check_returncode()
