# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a module's ``execute`` as an Ansible module."""

from __future__ import annotations

import signal
from contextlib import suppress
from types import FrameType
from typing import Any, NoReturn

from ansible.module_utils.basic import AnsibleModule

from ._results import Execute, IntendedSecrets, Results

#: What ends a process: Ctrl-C, a service manager, and a terminal or an SSH connection that goes away.
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _Module(AnsibleModule):  # type: ignore[misc]
    def fail_json(self, msg: str, **_more: Any) -> NoReturn:
        """Where ansible-core's own checks of the arguments end."""
        results = Results(self.argument_spec, self.params, self.no_log_values)
        self.end(results, results.refused(str(msg)))

    def end(self, results: Results, result: dict[str, Any]) -> NoReturn:
        """Print the result, a failure too."""
        # ansible-core keeps warnings of its own beside these.
        for text in result.pop("warnings", ()):
            self.warn(text)
        # It censors once more, and would censor what the result is for.
        self.no_log_values = results.hidden
        with suppress(SystemExit):
            self.exit_json(**result)
        # ansible-core's way to fail would add a traceback.
        raise SystemExit(1 if "failed" in result else 0)


def run(
    execute: Execute, argument_spec: dict[str, dict[str, Any]], intended_secrets: IntendedSecrets = lambda _result: ()
) -> None:
    """Read the arguments, execute, print the result.

    ``intended_secrets`` tells which secrets are what the result is for. Those that came as options would be censored.
    """
    module = _Module(argument_spec=argument_spec, supports_check_mode=True)
    for number in _ENDING:
        # Whoever started it under nohup, or in the background, wants it to stay.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _exit)
    results = Results(argument_spec, module.params, module.no_log_values)
    module.end(results, results.of(execute, intended_secrets, module.check_mode))


def _exit(number: int, _frame: FrameType | None) -> NoReturn:
    """Raising unwinds the stack, so that the session revokes its token and the lock's file goes."""
    for each in _ENDING:
        # Ctrl-C reaches the process from the terminal and from ansible-core: the second one would stop the clean-up.
        signal.signal(each, signal.SIG_IGN)
    raise SystemExit(128 + number)
