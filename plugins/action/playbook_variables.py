# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of a playbook of this collection, checked and typed before anything is sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.secretops.infisical.plugins.module_utils._options import AUTHENTICATION
from ansible_collections.secretops.infisical.plugins.plugin_utils import _run_settings
from ansible_collections.secretops.infisical.plugins.plugin_utils._data import plain
from ansible_collections.secretops.infisical.plugins.plugin_utils._on_controller import ControllerAction

#: The folder of the running playbook may be another's, which imports one of these.
_PLAYBOOKS = Path(__file__).resolve().parents[2] / "playbooks"
#: They stay where they are: what a task returns is shown at higher verbosity.
_SECRETS = {f"infisical_{option}" for option, details in AUTHENTICATION.items() if details.get("no_log")}


class ActionModule(ControllerAction):
    what = "check the variables of the playbook"

    def work(self, given: dict[str, Any]) -> dict[str, Any]:
        playbook = given["playbook"]
        meta = self._loader.load_from_file(str(_PLAYBOOKS / f"{playbook}.meta.yml"))
        spec = meta["argument_specs"][playbook]["options"]
        host = self._variables["inventory_hostname"]
        typed = _run_settings.typed_each(spec, {host: plain(self.templated(spec))})[host]
        told = {name: value for name, value in typed.items() if value is not None and name not in _SECRETS}
        return {"variables": told}
