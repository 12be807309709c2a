# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task in the controller's process takes of ansible-core that ansible-core promises to nobody.

All of it is here. Where an ansible-core lacks some of it, the task runs as a module.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from ansible_collections.secretops.infisical.plugins.plugin_utils import _data

_LACKING = (AttributeError, ImportError, LookupError, TypeError)
#: The form in which a Python module of this collection prints its result.
_PROFILE = "legacy"

try:
    from ansible import constants
    from ansible.errors import AnsibleError
    from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
    from ansible.module_utils.errors import UnsupportedError
    from ansible.plugins.action import ActionBase

    if _data.TAGS_DATA:
        from ansible.module_utils.common.json import Direction, get_module_encoder
except ImportError as error:
    _not_there = str(error)
else:
    _not_there = ""


class Elsewhere(Exception):
    """Why a task can't run in this process. Nothing of its work was begun."""


@contextmanager
def used() -> Iterator[None]:
    """Around everything that uses them, before the work begins."""
    try:
        if _not_there:
            raise ImportError(_not_there)
        yield
    except _LACKING as error:
        raise Elsewhere(f"this ansible-core lacks what else it takes, {type(error).__name__}: {error}") from None


@dataclass(frozen=True)
class Arguments:
    """What ansible-core made of a task's arguments. ``refusal`` says what is wrong with them."""

    parameters: dict[str, Any]
    no_log_values: set[str]
    warnings: list[str]
    deprecations: list[dict[str, Any]]
    refusal: str
    show_invocation: bool


def play_of(task: Any) -> Any:
    """The play of the task; None where an ansible-core keeps it elsewhere."""
    above = task
    while above is not None and getattr(above, "_play", None) is None:
        above = getattr(above, "_parent", None)
    return getattr(above, "_play", None)


def environment(action: Any) -> dict[str, str]:
    """The task's, merged from everywhere and templated."""
    found: dict[str, Any] = {}
    action._compute_environment_string(found)
    return {str(name): str(value) for name, value in found.items()}


def interpreter(action: Any, variables: Mapping[str, Any]) -> str:
    """The Python that a module would be given; 'auto' and the like when nobody asked for one."""
    if action._task.delegate_to:
        variables = variables.get("ansible_delegated_vars", {}).get(action._task.delegate_to, variables)
    configured = constants.config.get_config_value("INTERPRETER_PYTHON", variables=variables)
    if configured == _data.PYTHON_OF_CONTROLLER:
        # It would be compiled in each worker again.
        return sys.executable
    return str(action._templar.template(configured) or "").strip()


def arguments(action: Any, spec: dict[str, dict[str, Any]], variables: Mapping[str, Any]) -> Arguments:
    """As AnsibleModule checks and completes them."""
    # Where the task ran as a module before, as with until, ansible-core has left keys of its own among them.
    own = {name: value for name, value in action._task.args.items() if not str(name).startswith("_ansible_")}
    parameters = _data.plain(own)
    validated = ArgumentSpecValidator(spec).validate(parameters)
    return Arguments(
        parameters={**parameters, **validated.validated_parameters},
        no_log_values=set(validated._no_log_values),
        warnings=[
            f"Both option {item['option']} and its alias {item['alias']} are set." for item in validated._warnings
        ],
        deprecations=[
            {key: item[key] for key in ("msg", "version", "date", "collection_name") if key in item}
            for item in validated._deprecations
        ],
        refusal=_refusal(validated.errors, action._task.action) if validated.error_messages else "",
        show_invocation=_shows_invocation(variables),
    )


def _refusal(errors: Any, action: str) -> str:
    """The first error, in AnsibleModule's words."""
    if isinstance(errors[0], UnsupportedError):
        return f"Unsupported parameters for ({action}) module: {errors.msg}"
    return str(errors.msg)


def _shows_invocation(variables: Mapping[str, Any]) -> bool:
    try:
        return bool(constants.config.get_config_value("INJECT_INVOCATION", variables=variables))
    except AnsibleError:
        # Older ones show it always.
        return True


def received(action: Any, result: Mapping[str, Any]) -> dict[str, Any]:
    """What ansible-core makes of a module's output: data that nobody may take for a template."""
    parsed = _parsed(action, result)
    if not isinstance(parsed, dict):  # pragma: no branch - before 2.21 it is one
        parsed = parsed.as_result_dict(for_round_trip=True)
    return _data.untrusted(parsed)


def _parsed(action: Any, result: Mapping[str, Any]) -> Any:
    encoder = get_module_encoder(_PROFILE, Direction.MODULE_TO_CONTROLLER) if _data.TAGS_DATA else None
    printed = {"stdout": json.dumps(result, cls=encoder), "stderr": "", "rc": 0}
    return ActionBase._parse_returned_data(action, printed, *([_PROFILE] if _data.TAGS_DATA else []))


def prepare() -> None:
    """Let ansible-core work out what it needs for every template and every result of an action.

    It does so at the first one, which is in each worker again; done where workers are forked from, they inherit it.
    """
    # Whatever is not there is worked out later, as without this.
    with suppress(Exception):
        from ansible.template import Templar  # noqa: PLC0415 - nothing here needs it

        Templar(loader=None).template(_data.template("{{ 0 }}"))
    with suppress(Exception):
        type(_parsed(None, {})).from_action_result_dict({})


def lacking() -> str:
    """Why no task can run in this process; empty where they can.

    What is done with a result is tried out, for afterwards it would be too late.
    """
    try:
        with used():
            received(None, {"changed": False})
    except Elsewhere as reason:
        return str(reason)
    return ""
