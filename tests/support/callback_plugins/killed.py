# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kills ansible-playbook with its workers right after a task changed something: the KILLED_AT-th that did.

KILLED_TASK, a part of a task's name, counts only those. The name of the last one goes into the file KILLED_FILE.
Modules are not killed: on a host of its own nobody would kill them either.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: killed
type: aggregate
short_description: Kills the run
description: For the tests of this collection.
"""


class CallbackModule(CallbackBase):  # type: ignore[misc]
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "killed"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._left = int(os.environ["KILLED_AT"])

    def v2_runner_on_ok(self, result: Any) -> None:
        name = result._task.get_name()
        if not result._result.get("changed") or os.environ["KILLED_TASK"] not in name:
            return
        self._left -= 1
        if self._left == 0:
            Path(os.environ["KILLED_FILE"]).write_text(name, encoding="utf-8")
            for worker in multiprocessing.active_children():
                worker.kill()
            os.kill(os.getpid(), signal.SIGKILL)
