# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a task's work to its result, the same in a module's process and in the controller's."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ._errors import InfisicalError, invalid_arguments, unforeseen
from ._login.session import Gate, no_gate
from ._options import secret_values
from ._settings import sources
from ._task import Task
from ._transport.patience import Waits
from ._transport.redaction import whole

Execute = Callable[[Task], dict[str, Any]]
#: Tells which secrets are what a result is for.
IntendedSecrets = Callable[[dict[str, Any]], Iterable[str]]

_WHOLE, _PART = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER", "********"


class Results:
    """Makes the result of one task: its keys, what of it is censored, what was warned of.

    ``hidden`` is what must not be read in the result that was made last.
    """

    def __init__(
        self,
        spec: dict[str, dict[str, Any]],
        params: Mapping[str, Any],
        no_log_values: Iterable[str],
        warnings: Iterable[str] = (),
    ) -> None:
        self._spec = spec
        self._params = params
        self._secrets = set(no_log_values)
        self._warnings = list(warnings)
        #: For those who ask ansible-core for it with -vvv.
        self._sources: dict[str, Any] = {}
        self.hidden = self._secrets.copy()

    def of(
        self,
        execute: Execute,
        intended_secrets: IntendedSecrets,
        check_mode: bool,
        gate: Gate = no_gate,
        waits: Waits | None = None,
    ) -> dict[str, Any]:
        """What the work returned, or how it failed. Only what asks the process to end passes.

        ``waits`` tells that the task waits, while it does.
        """
        waits = waits or Waits()
        task = Task(
            params=self._params, check_mode=check_mode, environ=os.environ, warn=self._warn, gate=gate, waits=waits
        )
        try:
            if "login_data" in self._spec:
                self._sources["sources"] = sources(self._params, os.environ)
            result = execute(task)
            return self._made(_timed(result, waits), intended_secrets(result))
        except InfisicalError as failure:
            return self._failed(failure, waits)
        except Exception as fault:  # noqa: BLE001 - a traceback would quote what the server echoed
            return self._failed(unforeseen(fault, "finish the task"), waits)
        except BaseException as end:
            # What it interrupted may hold a secret, and whoever prints the one prints the other.
            end.__cause__ = end.__context__ = None
            raise

    def refused(self, problem: str) -> dict[str, Any]:
        """For arguments that ansible-core itself found wrong."""
        # At a malformed option it stops collecting what it is to censor.
        self._secrets |= secret_values(self._spec, self._params)
        return self._failed(invalid_arguments(problem), Waits())

    def _warn(self, text: str) -> None:
        if text not in self._warnings:
            self._warnings.append(text)

    def _failed(self, failure: InfisicalError, waits: Waits) -> dict[str, Any]:
        return self._made(_timed({"failed": True, **failure.result()}, waits), ())

    def _made(self, result: dict[str, Any], purposes: Iterable[str]) -> dict[str, Any]:
        self.hidden = self._secrets.difference(purposes)
        # What came in stays censored where it came in.
        invocation = censored({"module_args": self._params, **self._sources}, self._secrets)
        told = {**result, **({"warnings": self._warnings} if self._warnings else {})}
        return {**whole(censored(told, self.hidden)), "invocation": whole(invocation)}


def _timed(result: dict[str, Any], waits: Waits) -> dict[str, Any]:
    """A module that nobody can watch says at the end what took so long."""
    return {**result, "msg": result["msg"] + waits.sentence} if waits.sentence else result


def censored(value: Any, secrets: set[str]) -> Any:
    """As ansible-core does it, which has no function for it that it promises to keep."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Mapping):
        return {key: censored(item, secrets) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [censored(item, secrets) for item in value]
    text = str(value)
    if text in secrets:
        return _WHOLE
    if not isinstance(value, str):
        return _WHOLE if any(secret in text for secret in secrets) else value
    # One secret may begin with another.
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, _PART)
    return text
