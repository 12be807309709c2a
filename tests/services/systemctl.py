# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in for systemd's ``systemctl``: it acts on the units of one folder, and records that it was called."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from .units import UnitFailed, Units

_TESTS = Path(__file__).resolve().parents[1]
#: What the units' folder holds besides them.
_CALLS = "calls.jsonl"
_QUESTIONS = ("show", "is-active", "is-enabled")
_ORDERS = ("start", "stop", "restart", "reload")


@dataclass(frozen=True)
class Call:
    """``time`` is that of time.time()."""

    time: float
    argv: list[str]


def install(path: Path, units: Path) -> None:
    """Write the program. It needs nothing of the environment, which Ansible may have changed."""
    words = ["env", f"PYTHONPATH={_TESTS}", sys.executable, "-m", "services.systemctl", str(units)]
    path.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n', encoding="utf-8")
    path.chmod(0o755)


def recorded(units: Path) -> list[Call]:
    path = units / _CALLS
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [Call(**json.loads(line)) for line in lines]


def forget_calls(units: Path) -> None:
    (units / _CALLS).unlink(missing_ok=True)


def _record(units: Path, argv: list[str]) -> None:
    with (units / _CALLS).open("a", encoding="utf-8") as file:
        file.write(json.dumps({"time": time.time(), "argv": argv}) + "\n")


def _properties(units: Units, name: str) -> dict[str, str]:
    if name not in units.names():
        return {"Id": f"{name}.service", "LoadState": "not-found", "ActiveState": "inactive", "SubState": "dead"}
    pid = units.pid(name)
    return {
        "Id": f"{name}.service",
        "Names": f"{name}.service",
        "Type": "notify-reload",
        "LoadState": "loaded",
        "ActiveState": "active" if pid else "inactive",
        "SubState": "running" if pid else "dead",
        "MainPID": str(pid),
        "FragmentPath": str(units.file(name)),
        "UnitFileState": "enabled",
        "CanStart": "yes",
        "CanStop": "yes",
        "CanReload": "yes",
        "NeedDaemonReload": "no",
    }


def _asked(units: Units, verb: str, name: str) -> int:
    properties = _properties(units, name)
    known = properties["LoadState"] == "loaded"
    if verb == "show":
        print("\n".join(f"{key}={value}" for key, value in properties.items()))
        return 0
    if verb == "is-active":
        print(properties["ActiveState"])
        return 0 if properties["ActiveState"] == "active" else 3
    if known:
        print("enabled")
        return 0
    print(f"Failed to get unit file state for {name}.service: No such file or directory", file=sys.stderr)
    return 1


def _told(units: Units, verb: str, name: str) -> int:
    if name not in units.names():
        print(f"Failed to {verb} {name}.service: Unit {name}.service not found.", file=sys.stderr)
        return 5
    try:
        {"start": units.start, "stop": units.stop, "restart": units.restart, "reload": units.reload}[verb](name)
    except UnitFailed as failure:
        print(f"Job for {name}.service failed: {failure}", file=sys.stderr)
        return 1
    return 0


def main(folder: Path, argv: list[str]) -> int:
    _record(folder, argv)
    parser = argparse.ArgumentParser(prog="systemctl", description=__doc__)
    parser.add_argument("--version", action="store_true")
    for taken_for_granted in ("--no-block", "--no-pager", "--force", "--quiet"):
        parser.add_argument(taken_for_granted, action="store_true")
    parser.add_argument("--full", "-l", action="store_true")
    parser.add_argument("verb", nargs="?", default="")
    parser.add_argument("names", nargs="*")
    options = parser.parse_intermixed_args(argv)
    units = Units(folder)
    names = [name.removesuffix(".service") for name in options.names]
    if options.version:
        print("systemd 253 (stand-in)")
        return 0
    if options.verb in {"daemon-reload", "daemon-reexec"}:
        return 0
    if options.verb not in _QUESTIONS + _ORDERS:
        parser.error(f"the stand-in knows no {options.verb!r}")
    act = _asked if options.verb in _QUESTIONS else _told
    return max((act(units, options.verb, name) for name in names), default=1)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
