# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a module's ``execute`` as an Ansible module."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable
from types import FrameType
from typing import Any, NoReturn

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.parameters import remove_values

from ._errors import InfisicalError
from ._options import secret_values
from ._task import Task

#: What ends a process: Ctrl-C, a service manager, and a terminal or an SSH connection that goes away.
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _Module(AnsibleModule):  # type: ignore[misc]
    def fail_json(self, msg: str, **kwargs: Any) -> NoReturn:
        """Failures of ansible-core's own argument checks get the keys that all others have."""
        # At a malformed option it stops collecting what it is to censor.
        self.no_log_values |= secret_values(self.argument_spec, self.params)
        super().fail_json(msg, **{"reason": "invalid_arguments", "status": None, "request_id": None, **kwargs})
        raise SystemExit(1)  # pragma: no cover - it never returns, but ansible-core does not say so


def run(
    execute: Callable[[Task], dict[str, Any]],
    argument_spec: dict[str, dict[str, Any]],
    shown: Callable[[dict[str, Any]], Iterable[str]] | None = None,
) -> None:
    """Read the arguments, execute, print the result.

    ``shown`` tells which secrets are what the result is for. ansible-core would censor those that came in as options.
    """
    module = _Module(argument_spec=argument_spec, supports_check_mode=True)
    for number in _ENDING:
        # Whoever started it under nohup, or in the background, wants it to stay.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _exit)
    task = Task(params=module.params, check_mode=module.check_mode, environ=os.environ, warn=module.warn)
    try:
        result = execute(task)
    except InfisicalError as failure:
        module.fail_json(failure.message, **{key: value for key, value in failure.result().items() if key != "msg"})
    purposes = set(shown(result) if shown else ())
    if purposes & module.no_log_values:
        # What came in stays censored where it came in.
        result["invocation"] = {"module_args": remove_values(module.params, module.no_log_values)}
        module.no_log_values -= purposes
    module.exit_json(**result)


def _exit(number: int, _frame: FrameType | None) -> NoReturn:
    """Raising unwinds the stack, so that the session revokes its token and the lock's file goes."""
    for each in _ENDING:
        # Ctrl-C reaches the process from the terminal and from ansible-core: the second one would stop the clean-up.
        signal.signal(each, signal.SIG_IGN)
    raise SystemExit(128 + number)
