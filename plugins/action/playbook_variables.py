# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of a playbook of this collection, checked and typed before anything is sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError, unforeseen
from ansible_collections.secretops.infisical.plugins.module_utils._options import AUTHENTICATION
from ansible_collections.secretops.infisical.plugins.plugin_utils import _run_settings
from ansible_collections.secretops.infisical.plugins.plugin_utils._data import plain, untrusted

#: The folder of the running playbook may be another's, which imports one of these.
_PLAYBOOKS = Path(__file__).resolve().parents[2] / "playbooks"
#: They stay where they are: what a task returns is shown at higher verbosity.
_SECRETS = {f"infisical_{option}" for option, details in AUTHENTICATION.items() if details.get("no_log")}


class ActionModule(ActionBase):  # type: ignore[misc]
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        try:
            found = self._typed(str(plain(self._task.args)["playbook"]), task_vars or {})
            return untrusted({"changed": False, "variables": found})
        except InfisicalError as failure:
            result = failure.result()
        except Exception as fault:  # noqa: BLE001 - a traceback would quote what was given
            result = unforeseen(fault, "check the variables of the playbook").result()
        return untrusted({"changed": False, "failed": True, **result})

    def _typed(self, playbook: str, variables: dict[str, Any]) -> dict[str, Any]:
        meta = self._loader.load_from_file(str(_PLAYBOOKS / f"{playbook}.meta.yml"))
        spec = meta["argument_specs"][playbook]["options"]
        given = plain({name: self._templar.template(variables[name]) for name in spec if name in variables})
        host = variables["inventory_hostname"]
        typed = _run_settings.typed_each(spec, {host: given})[host]
        return {name: value for name, value in typed.items() if value is not None and name not in _SECRETS}
