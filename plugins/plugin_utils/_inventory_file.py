# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of an inventory file: templated first and typed afterwards, and nothing in it that is not understood."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.secretops.infisical.plugins.module_utils._errors import invalid_arguments
from ansible_collections.secretops.infisical.plugins.module_utils._options import (
    AUTHENTICATION,
    CONNECTION,
    FILTERS,
    merged,
)
from ansible_collections.secretops.infisical.plugins.plugin_utils import _data

NAME = "secretops.infisical.okta_client_secret_rotations"

#: What is templated for each host, with its rotation. Types of what ansible-core makes of them.
PER_HOST: dict[str, type] = {"compose": dict, "groups": dict, "keyed_groups": list, "host_name": str}

#: ansible-core's own. No defaults, for what is left out may stand in its configuration.
CORE: dict[str, dict[str, Any]] = {
    "plugin": {"type": "str", "required": True},
    "cache": {"type": "bool"},
    "cache_plugin": {"type": "str"},
    "cache_timeout": {"type": "int"},
    "cache_connection": {"type": "str"},
    "cache_prefix": {"type": "str"},
    "strict": {"type": "bool"},
    "use_extra_vars": {"type": "bool"},
    "leading_separator": {"type": "bool"},
}

SPEC = merged(
    CORE,
    CONNECTION,
    AUTHENTICATION,
    FILTERS,
    {"projects": {"type": "dict", "required": True}, "wait_timeout": {"type": "int", "default": 120}},
)

_SECRET = {key for key, details in SPEC.items() if details.get("no_log") or "options" in details}

_SLUG = re.compile(r"[a-z0-9]+([-_][a-z0-9]+)*", re.ASCII | re.IGNORECASE)
_ID = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


def read(path: str, loader: Any, templar: Any) -> dict[str, Any]:
    """All options of the file. Those of PER_HOST are left as they stand there."""
    config = _loaded(path, loader)
    for key in config:
        if key not in SPEC and key not in PER_HOST:
            near = difflib.get_close_matches(str(key), [*SPEC, *PER_HOST], 1)
            raise invalid_arguments(
                f"{path} has the key {str(key)!r}, which is no option of {NAME}"
                + (f": {near[0]} is meant?" if near else ".")
            )
    per_host = {key: config[key] for key in PER_HOST if config.get(key) is not None}
    for key, value in per_host.items():
        if not isinstance(value, PER_HOST[key]):
            raise invalid_arguments(f"{key} is no {PER_HOST[key].__name__}.")
    own = _data.plain({key: _templated(key, config[key], templar) for key in config if key in SPEC})
    given = {key: value for key, value in own.items() if not _is_left_out(key, value)}
    for key, value in given.items():
        _check_texts(key, value)
    validated = ArgumentSpecValidator(SPEC).validate(given)
    if validated.error_messages:
        raise invalid_arguments(f"{path}: {validated.errors.msg}.")
    options = dict(validated.validated_parameters)
    for slug in options["environment"] or ():
        if not _SLUG.fullmatch(slug):
            raise invalid_arguments(f"environment is {slug!r}, which is no slug of an environment, as prod.")
    _check_projects(options["projects"])
    return {**options, **{key: per_host.get(key) for key in PER_HOST}}


def _loaded(path: str, loader: Any) -> Mapping[str, Any]:
    trusted = {"trusted_as_template": True} if _data.TAGS_DATA else {}
    config, fault = None, ""
    try:
        config = loader.load_from_file(path, cache="none" if _data.TAGS_DATA else False, **trusted)
    except AnsibleError as error:
        # Up to ansible-core 2.18 what follows quotes the file, in which secrets may stand.
        fault = str(error).partition("\n")[0]
    if fault:
        raise invalid_arguments(f"{path} cannot be read: {fault}")
    if not isinstance(config, Mapping):
        raise invalid_arguments(f"{path} holds no options: begin with plugin: {NAME}.")
    if config.get("plugin") != NAME:
        raise invalid_arguments(f"{path} is not for {NAME}: its plugin is {config.get('plugin')!r}.")
    return config


def _templated(key: str, value: Any, templar: Any) -> Any:
    try:
        return templar.template(value)
    except AnsibleError as error:
        # What the template of a secret says of itself may hold it.
        fault = type(error).__name__ if key in _SECRET else f"{type(error).__name__}, {error}"
    raise invalid_arguments(f"{key} cannot be templated: {fault}")


def _is_left_out(key: str, value: Any) -> bool:
    """A blank value counts as left out, but for what it would widen: a filter, or the server that is meant."""
    if value is not None and (not isinstance(value, str) or value.strip() or key == "url"):
        return False
    if key in FILTERS:
        raise invalid_arguments(f"{key} is blank: leave it out where it should filter nothing.")
    return True


def _check_texts(key: str, value: Any) -> None:
    """What the validator would take as the text of a list, a dictionary or a truth value."""
    kind = SPEC[key]["type"]
    if kind in ("str", "path") and (isinstance(value, bool) or not isinstance(value, (str, int, float))):
        raise invalid_arguments(f"{key} is no text, but {type(value).__name__}.")
    if kind == "list":
        if isinstance(value, list) and not value:
            raise invalid_arguments(f"{key} is empty: leave it out where it should filter nothing.")
        for item in value if isinstance(value, list) else [value]:
            if not isinstance(item, str) or not item.strip():
                raise invalid_arguments(f"{key} holds {item!r}: give texts that are not blank, in one list.")


def _check_projects(projects: Mapping[str, Any]) -> None:
    if not projects:
        raise invalid_arguments("projects is empty: give the id of a project at least, with a name before it.")
    for name, project_id in projects.items():
        if not isinstance(project_id, str) or not _ID.fullmatch(project_id):
            raise invalid_arguments(f"projects.{name} is {project_id!r}, which is no id of a project.")
