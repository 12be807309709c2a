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
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, NoReturn, Protocol

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError
from ansible_collections.secretops.infisical.plugins.module_utils._results import Execute, Results, censored
from ansible_collections.secretops.infisical.plugins.module_utils._task import Task
from ansible_collections.secretops.infisical.plugins.module_utils._transport import exchange
from ansible_collections.secretops.infisical.plugins.module_utils._transport.patience import Waits
from ansible_collections.secretops.infisical.plugins.plugin_utils import _data, _internals, _refused, _surroundings
from ansible_collections.secretops.infisical.plugins.plugin_utils._announcing import say

#: Set to 0, every task runs as a module.
SWITCH = "SECRETOPS_INFISICAL_IN_PROCESS"
_UNDECIDED = ("", "auto", "auto_silent", "auto_legacy", "auto_legacy_silent")

#: Here and not at the first request: a strategy loads this once, and its workers inherit it.
_HAS_REQUESTS = exchange.preload()
_LACKING = _internals.lacking()
_internals.prepare()

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
        self._host = variables.get("inventory_hostname")
        try:
            return self._here(variables)
        except _internals.Elsewhere as why_as_module:
            display.vvv(f"{self._task.action} runs as a module: {why_as_module}.")
        return self._elsewhere(variables)

    def _elsewhere(self, variables: dict[str, Any]) -> dict[str, Any]:
        """The module's own result, unless the server refused its login before."""
        login = None
        with suppress(_internals.Elsewhere), _internals.used():
            given = _internals.arguments(self, self.module.ARGUMENT_SPEC, variables)
            environment = _internals.environment(self)
            here = self._connection.transport == "local"
            login = _refused.login_of(given.parameters, {**(os.environ if here else {}), **environment}, here=here)
        run: Callable[[], dict[str, Any]] = partial(
            self._execute_module, task_vars=variables, wrap_async=self._task.async_val
        )
        if not login:
            return run()
        try:
            return _refused.attempted(*login, run, ends=not self._task.async_val)
        except InfisicalError as refusal:
            return self._received(self._result(given, bool(self._task.check_mode), _raising(refusal)))

    def intended_secrets(self, result: dict[str, Any]) -> Iterable[str]:  # noqa: ARG002 - for those that have some
        """Secrets that are what the result is for, as ``_module.run`` has them."""
        return ()

    def _here(self, variables: dict[str, Any]) -> dict[str, Any]:
        """The result of the work in this process. Raises Elsewhere before it begins, where a module has to do it."""
        if _LACKING:
            raise _internals.Elsewhere(_LACKING)
        with _internals.used():
            environment = _internals.environment(self)
            why_as_module = self.why_as_module(variables, environment)
            folder = self._loader.get_basedir()
        if why_as_module:
            raise _internals.Elsewhere(why_as_module)
        with _surroundings.interruptible(), _surroundings.applied(environment, folder):
            with _internals.used():
                # Paths in options depend on environment and folder.
                given = _internals.arguments(self, self.module.ARGUMENT_SPEC, variables)
                check_mode = bool(self._task.check_mode)
            display.vvv(f"{self._task.action} runs in the process of the controller.")
            result = self._result(given, check_mode)
        return self._received(result)

    def _received(self, result: dict[str, Any]) -> dict[str, Any]:
        try:
            return _internals.received(self, result)
        except Exception:  # noqa: BLE001 - nothing may overturn what was done, and an action may return plain data
            return _data.untrusted(result)

    def why_as_module(self, variables: Mapping[str, Any], environment: Mapping[str, str]) -> str:
        """Why it would not be the same thing in this process; empty when it is."""
        foreign = _surroundings.only_at_start(environment)
        interpreter = _internals.interpreter(self, variables)
        reasons = {
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
        return next((reason for reason, there in reasons.items() if there), "")

    def _result(self, given: _internals.Arguments, check_mode: bool, execute: Execute | None = None) -> dict[str, Any]:
        """What the module would print, as data."""
        results = Results(self.module.ARGUMENT_SPEC, given.parameters, given.no_log_values, given.warnings)
        if given.refusal:
            result = results.refused(given.refusal)
        else:
            waits = Waits(partial(self._say, given))
            result = results.of(execute or self.module.execute, self.intended_secrets, check_mode, _refused.gate, waits)
        if not given.show_invocation:
            del result["invocation"]
        return {**result, "deprecations": given.deprecations} if given.deprecations else result

    def _say(self, given: _internals.Arguments, text: str) -> None:
        options = {} if self._task.no_log else given.parameters
        of = options.get("name") or options.get("rotation_id") or self._task.action
        say(f"[{self._host}] {censored(str(of), given.no_log_values)}", text)


def _raising(failure: InfisicalError) -> Execute:
    def execute(_task: Task) -> NoReturn:
        raise failure

    return execute


def _is_own(interpreter: str) -> bool:
    """Whether that Python is the one that runs this, or nobody asked for one."""
    if interpreter in (*_UNDECIDED, sys.executable):
        return True
    # Names of one interpreter in one folder share what is installed; a link from elsewhere does not.
    same_folder = os.path.dirname(os.path.abspath(interpreter)) == os.path.dirname(sys.executable)
    return same_folder and os.path.realpath(interpreter) == os.path.realpath(sys.executable)
