# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a module's own ``execute`` in the controller's process where the task would run on this machine anyway.

Starting a module costs many times what it does. Everything that a module's process would see, and everything
that ansible-core would do with what it prints, is the same here; where it could not be, the module runs.
"""

from __future__ import annotations

import os
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from ansible import constants
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import remove_values
from ansible.module_utils.errors import UnsupportedError
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError, invalid_arguments
from ansible_collections.secretops.infisical.plugins.module_utils._options import secret_values
from ansible_collections.secretops.infisical.plugins.module_utils._task import Task
from ansible_collections.secretops.infisical.plugins.module_utils._transport import exchange
from ansible_collections.secretops.infisical.plugins.plugin_utils import _data, _surroundings

#: Set to 0, every task runs as a module.
SWITCH = "SECRETOPS_INFISICAL_IN_PROCESS"
_UNDECIDED = ("", "auto", "auto_silent", "auto_legacy", "auto_legacy_silent")

#: Here and not at the first request: a strategy loads this once, and its workers inherit it.
_HAS_REQUESTS = exchange.preload()

display = Display()


class Module(Protocol):
    """What a module of this collection offers."""

    ARGUMENT_SPEC: dict[str, dict[str, Any]]

    def execute(self, task: Task, /) -> dict[str, Any]:
        """Its work. Raises InfisicalError."""


class InProcessAction(ActionBase):  # type: ignore[misc]
    """The base of the action plugins: each says only which module it stands for."""

    _supports_async = True
    _supports_check_mode = True
    module: Module

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        variables = task_vars or {}
        environment: dict[str, Any] = {}
        self._compute_environment_string(environment)
        environment = {str(name): str(value) for name, value in environment.items()}
        hindrance = self.hindrance(variables, environment)
        if hindrance:
            display.vvv(f"{self._task.action} runs as a module: {hindrance}.")
            as_module: dict[str, Any] = self._execute_module(task_vars=variables, wrap_async=self._task.async_val)
            return as_module
        display.vvv(f"{self._task.action} runs in the process of the controller.")
        with _surroundings.interruptible(), _surroundings.applied(environment, self._loader.get_basedir()):
            result = self._executed(variables)
        return self._received(result)

    def shown(self, result: dict[str, Any]) -> Iterable[str]:  # noqa: ARG002 - for those that have some
        """Secrets that are what the result is for, as ``_module.run`` has them."""
        return ()

    def hindrance(self, variables: Mapping[str, Any], environment: Mapping[str, str]) -> str:
        """Why it would not be the same thing in this process; empty when it is."""
        foreign = _surroundings.only_at_start(environment)
        interpreter = self._interpreter(variables)
        hindrances = {
            f"{SWITCH} is 0": os.environ.get(SWITCH) == "0",
            f"its connection is {self._connection.transport}": self._connection.transport != "local",
            "it has become": bool(self._connection.become),
            "it is async": bool(self._task.async_val),
            "requests in a forked process crashes on macOS": sys.platform == "darwin",
            "the controller cannot import requests": not _HAS_REQUESTS,
            f"its interpreter is {interpreter}": not _is_own(interpreter),
            f"its environment sets {', '.join(foreign)}": bool(foreign),
            "this is not the main thread": threading.current_thread() is not threading.main_thread(),
        }
        return next((hindrance for hindrance, there in hindrances.items() if there), "")

    def _interpreter(self, variables: Mapping[str, Any]) -> str:
        """The Python that a module would be given; 'auto' and the like when nobody asked for one."""
        if self._task.delegate_to:
            variables = variables.get("ansible_delegated_vars", {}).get(self._task.delegate_to, variables)
        configured = constants.config.get_config_value("INTERPRETER_PYTHON", variables=variables)
        return str(self._templar.template(configured) or "").strip()

    def _executed(self, variables: dict[str, Any]) -> dict[str, Any]:
        """What the module would print, as data."""
        parameters = _data.plain(self._task.args)
        internals: dict[str, Any] = {}
        self._update_module_args(self._task.action, internals, variables)
        validated = ArgumentSpecValidator(self.module.ARGUMENT_SPEC).validate(parameters)
        parameters.update(validated.validated_parameters)
        warnings = [
            f"Both option {item['option']} and its alias {item['alias']} are set." for item in validated._warnings
        ]
        secrets = set(validated._no_log_values)
        if validated.error_messages:
            # At a malformed option ansible-core stops collecting what it is to censor.
            secrets |= secret_values(self.module.ARGUMENT_SPEC, parameters)
        result: dict[str, Any]
        try:
            if validated.error_messages:
                raise invalid_arguments(_argument_error(validated.errors, self._task.action))
            result = self.module.execute(
                Task(
                    params=parameters,
                    check_mode=bool(self._task.check_mode),
                    environ=os.environ,
                    warn=_appender(warnings),
                )
            )
            purposes = set(self.shown(result))
        except InfisicalError as failure:
            result, purposes = {"failed": True, **failure.result()}, set()
            if not _data.TAGS_DATA and internals["_ansible_verbosity"] >= 3:  # pragma: no cover - before 2.19
                result["exception"] = "".join(traceback.format_tb(failure.__traceback__))
        if internals.get("_ansible_inject_invocation", True):
            result["invocation"] = {"module_args": remove_values(parameters, secrets)}
        if warnings:
            result["warnings"] = warnings
        if validated._deprecations:
            result["deprecations"] = [
                {key: item[key] for key in ("msg", "version", "date", "collection_name") if key in item}
                for item in validated._deprecations
            ]
        kept = {key: value for key, value in result.items() if value is None or isinstance(value, bool)}
        censored: dict[str, Any] = remove_values(result, secrets - purposes)
        return {**censored, **kept}

    def _received(self, result: dict[str, Any]) -> dict[str, Any]:
        """What ansible-core makes of a module's output: data that nobody may take for a template."""
        return _received(self, result)


def _received(action: Any, result: dict[str, Any]) -> dict[str, Any]:
    printed = {"stdout": _data.as_printed(result), "stderr": "", "rc": 0}
    profile = [_data.PROFILE] if _data.TAGS_DATA else []
    parsed = ActionBase._parse_returned_data(action, printed, *profile)
    if not isinstance(parsed, dict):  # pragma: no branch - before 2.21 it is one
        parsed = parsed.as_result_dict(for_round_trip=True)
    return _data.untrusted(parsed)


# ansible-core works out at the first result what it needs for every one: here, workers inherit that as well.
_received(None, {"changed": False})


def _is_own(interpreter: str) -> bool:
    """Whether that Python is the one that runs this, or nobody asked for one."""
    if interpreter in (*_UNDECIDED, sys.executable):
        return True
    # Names of one interpreter in one folder share what is installed; a link from elsewhere does not.
    same_folder = os.path.dirname(os.path.abspath(interpreter)) == os.path.dirname(sys.executable)
    return same_folder and os.path.realpath(interpreter) == os.path.realpath(sys.executable)


def _argument_error(errors: Any, action: str) -> str:
    """The first error, in AnsibleModule's words."""
    if isinstance(errors[0], UnsupportedError):
        return f"Unsupported parameters for ({action}) module: {errors.msg}"
    return str(errors.msg)


def _appender(warnings: list[str]) -> Callable[[str], None]:
    def warn(text: str) -> None:
        if text not in warnings:
            warnings.append(text)

    return warn
