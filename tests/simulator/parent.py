# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ends the server when the process that started it is gone, also when that was killed."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import Callable

PR_SET_PDEATHSIG = 1
INTERVAL = 0.25


def watch(parent: int, ended: Callable[[], None]) -> asyncio.Task[None]:
    """The parent is the caller's word: one that died while this process was starting is not ours to ask for."""

    def check() -> None:
        if os.getppid() != parent:
            ended()

    if sys.platform == "linux":
        # The kernel sends this when the *thread* that started us ends, so the signal only makes us look.
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, check)
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGHUP, 0, 0, 0)

    async def poll() -> None:
        while True:
            check()
            await asyncio.sleep(INTERVAL)

    return asyncio.ensure_future(poll())
