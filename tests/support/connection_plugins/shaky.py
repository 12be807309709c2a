# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""This machine, which cannot be reached any more after so many commands: SHAKY_FILE counts them by host."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.connection.local import Connection as Local

DOCUMENTATION = """
name: shaky
short_description: This machine, for so many commands
description: For the tests of this collection.
options:
  commands:
    description: How many commands reach it.
    type: int
    vars:
      - name: shaky_commands
  pipelining:
    description: As the connection local has it.
    default: false
    type: bool
"""


class Connection(Local):  # type: ignore[misc]
    transport = "shaky"

    def exec_command(self, *given: Any, **more: Any) -> Any:
        counter = Path(os.environ["SHAKY_FILE"])
        done = len(counter.read_text(encoding="utf-8")) if counter.exists() else 0
        if done >= self.get_option("commands"):
            raise AnsibleConnectionFailure("the network is gone")
        with counter.open("a", encoding="utf-8") as file:
            file.write(".")
        return super().exec_command(*given, **more)
