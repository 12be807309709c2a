# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module of the same name, in the controller's process where that is the same thing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ansible_collections.secretops.infisical.plugins.modules import login
from ansible_collections.secretops.infisical.plugins.plugin_utils._in_process import InProcessAction


class ActionModule(InProcessAction):
    module = login

    def intended_secrets(self, result: dict[str, Any]) -> Iterable[str]:
        return login.intended_secrets(result)
