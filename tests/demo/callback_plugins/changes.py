# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What changed, on a line each; failures as ever. The many tasks that only choose or look would hide it."""

from __future__ import annotations

from typing import Any

from ansible import constants as C  # noqa: N812 - its own name for it
from ansible.plugins.callback.default import CallbackModule as Default

DOCUMENTATION = """
name: changes
type: stdout
short_description: Changes on a line each
description: For the demo of this collection.
extends_documentation_fragment: [default_callback, result_format_callback]
"""


class CallbackModule(Default):  # type: ignore[misc]
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "changes"

    def v2_runner_on_ok(self, result: Any) -> None:
        if result._result.get("changed"):
            task = result._task.get_name().rpartition(" : ")[2]
            self._display.display(f"changed: [{result._host.get_name()}] {task}", color=C.COLOR_CHANGED)
