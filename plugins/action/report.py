# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes a report of rotations, on the controller whatever the task's host: its files are for whoever runs Ansible."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError
from ansible_collections.secretops.infisical.plugins.plugin_utils import _report
from ansible_collections.secretops.infisical.plugins.plugin_utils._data import untrusted
from ansible_collections.secretops.infisical.plugins.plugin_utils._in_process import InProcessAction
from ansible_collections.secretops.infisical.plugins.plugin_utils._run_stats import stats


class ActionModule(InProcessAction):
    _supports_async = False
    module = _report

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        if "stats" not in result:
            failures = {"report": str(result.get("msg"))}
            made = stats("report", "", counts={}, failures=failures, moments={}, check_mode=bool(self._task.check_mode))
            result = {**result, **untrusted({"stats": made})}
        return result

    def why_as_module(self, variables: Mapping[str, Any], environment: Mapping[str, str]) -> str:  # noqa: ARG002
        """It has no module: the files are the controller's."""
        return ""

    def _elsewhere(self, variables: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002 - there is nowhere else
        failure = InfisicalError(
            "missing_dependency",
            "This ansible-core lacks what the report takes of it.",
            "Run with -vvv to see what, and use a supported ansible-core.",
        )
        return untrusted({"failed": True, **failure.result()})
