# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module of the same name, in the controller's process where that is the same thing."""

from __future__ import annotations

from ansible_collections.secretops.infisical.plugins.modules import okta_client_secret_check
from ansible_collections.secretops.infisical.plugins.plugin_utils._in_process import InProcessAction


class ActionModule(InProcessAction):
    module = okta_client_secret_check
