# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands as a user types them, and promises that are held to what was seen."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path
from types import FrameType
from typing import NoReturn

from support import children

HERE = Path(__file__).resolve().parent
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Failed(Exception):
    """A command ended with something else than 0."""


def heed_signals() -> None:
    """However it is ended, what is open is closed, and the temporary folder goes."""
    children.adopt()
    for number in _ENDING:
        signal.signal(number, _end)


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    for each in _ENDING:
        signal.signal(each, signal.SIG_IGN)
    raise SystemExit(128 + number)


def run(title: str, arguments: list[str], environment: dict[str, str]) -> None:
    print(f"\n=== {title}\n$ {' '.join(arguments)}", flush=True)
    # Not subprocess.run, which kills what it runs when it is interrupted.
    process = subprocess.Popen(arguments, env=environment, cwd=HERE)
    if process.wait():
        raise Failed(f"{arguments[0]} ended with {process.returncode}")


def broken(title: str, promises: dict[str, bool]) -> list[str]:
    """Those that were not held."""
    print(f"\n=== {title}")
    for promise, held in promises.items():
        print(f"{'yes' if held else 'NO '}  {promise}")
    return [promise for promise, held in promises.items() if not held]
