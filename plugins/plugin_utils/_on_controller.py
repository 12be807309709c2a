# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The base of actions whose work is the controller's own: no module does it elsewhere."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase
from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError, unforeseen
from ansible_collections.secretops.infisical.plugins.module_utils._task import Task
from ansible_collections.secretops.infisical.plugins.plugin_utils import _refused
from ansible_collections.secretops.infisical.plugins.plugin_utils._announcing import announcing
from ansible_collections.secretops.infisical.plugins.plugin_utils._data import plain, untrusted
from ansible_collections.secretops.infisical.plugins.plugin_utils._foreign import templated
from ansible_collections.secretops.infisical.plugins.plugin_utils._surroundings import interruptible


class ControllerAction(ActionBase):  # type: ignore[misc]
    """``what`` is done, in words that follow "could not"."""

    _supports_check_mode = True
    what: str

    @abstractmethod
    def work(self, given: dict[str, Any]) -> dict[str, Any]:
        """The result for the arguments of the task. Raises InfisicalError."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        self._variables = task_vars or {}
        self._warnings: list[str] = []
        given = plain(self._task.args)
        what = self.what.format(step=given.get("step"))
        try:
            with interruptible():
                result = self.work(given)
        except AnsibleConnectionFailure:
            raise
        except InfisicalError as failure:
            result = {"failed": True, **failure.result()}
        except Exception as fault:  # noqa: BLE001 - a traceback would quote what was given, echoed or written
            result = {"failed": True, **unforeseen(fault, what).result()}
        told = {"warnings": self._warnings} if self._warnings else {}
        return untrusted({"changed": False, **result, **told})

    def templated(self, names: Iterable[str]) -> dict[str, Any]:
        """The variables of this task that are there."""
        return {
            name: templated(f"The variable {name}", partial(self._templar.template, self._variables[name]))
            for name in names
            if name in self._variables
        }

    def task_with(self, params: Mapping[str, Any], of: str, environ: Mapping[str, str] | None = None) -> Task:
        """``of`` says who waits, without a secret."""
        return Task(
            params=params,
            check_mode=False,
            environ=os.environ if environ is None else environ,
            warn=self.warn,
            gate=_refused.gate,
            waits=announcing(of),
        )

    def warn(self, text: str) -> None:
        if text not in self._warnings:
            self._warnings.append(text)
