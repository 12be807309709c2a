# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the variables of a run over a fleet to checked settings. A variable that is blank counts as left out."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.secretops.infisical.plugins.module_utils._errors import invalid_arguments
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.durations import parse_duration
from ansible_collections.secretops.infisical.plugins.module_utils._settings import seconds
from ansible_collections.secretops.infisical.plugins.plugin_utils._run_hosts import is_blank

Spec = Mapping[str, Mapping[str, Any]]
_COUNT = re.compile(r"0{0,9}[1-9][0-9]{0,8}", re.ASCII)
#: ansible-core knows no fraction of a percent.
_SHARE = re.compile(r"0{0,9}([1-9][0-9]?|100) ?%", re.ASCII)


def typed_each(spec: Spec, hosts: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The variables of each host by their spec, with its defaults."""
    known: dict[str, dict[str, Any]] = {}
    found = {}
    for host, values in hosts.items():
        given = {name: _filled(values[name]) for name in spec if not is_blank(values.get(name))}
        # Those of a whole fleet are the same.
        key = repr(given)
        if key not in known:
            known[key] = _typed(spec, given, host)
        found[host] = known[key]
    return found


def _filled(value: Any) -> Any:
    """Without the blank options of one that has several."""
    return {key: each for key, each in value.items() if not is_blank(each)} if isinstance(value, dict) else value


def _typed(spec: Spec, given: Mapping[str, Any], host: str) -> dict[str, Any]:
    validated = ArgumentSpecValidator(dict(spec)).validate(given)
    if validated.error_messages:
        raise invalid_arguments(f"The variables of {host} are wrong: {'; '.join(validated.error_messages)}")
    return dict(validated.validated_parameters)


def common(typed: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    """The variables ``rotate_...``, which are settings of the whole run."""
    first, wanted = next(iter(typed.items()))
    for host, found in typed.items():
        differing = [name for name in found if name.startswith("rotate_") and found[name] != wanted[name]]
        if differing:
            raise invalid_arguments(
                f"{' and '.join(differing)} of {host} and {first} differ: they are settings of the whole run."
            )
    return wanted


def settings(given: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
    """What the plays need of the variables ``rotate_...``, which have their types already."""
    percentage = given["rotate_max_fail_percentage"]
    if not 0 <= percentage <= 100:
        raise invalid_arguments(f"rotate_max_fail_percentage is {percentage:g}: give 0 to 100.")
    return {
        "min_age": parse_duration("rotate_min_age", given["rotate_min_age"]),
        "serial": batches(given["rotate_serial"]),
        "max_fail_percentage": percentage,
        "wait_timeout": seconds("rotate_wait_timeout", given["rotate_wait_timeout"], least=0),
        "outcome_timeout": seconds("rotate_outcome_timeout", given["rotate_outcome_timeout"], least=0),
        "report": report_path(given["rotate_report"], environ),
    }


def batches(value: Any, name: str = "rotate_serial") -> list[int | str]:
    """As ``serial`` of a play takes them. A survey can give text only. ``name`` is that of the variable."""
    if isinstance(value, str):
        items: Sequence[Any] = value.strip().removeprefix("[").removesuffix("]").split(",")
    else:
        items = value if isinstance(value, (list, tuple)) else [value]
    texts = [str(item).strip().strip("'\"").strip() for item in items]
    if not texts or not all(_COUNT.fullmatch(text) or _SHARE.fullmatch(text) for text in texts):
        raise invalid_arguments(
            f"{name} is {value!r}: give numbers from 1 on and percentages up to 100%, in whole numbers, as 1,10%,100%."
        )
    return [text if "%" in text else int(text) for text in texts]


def report_path(value: str | None, environ: Mapping[str, str], name: str = "rotate_report") -> str | None:
    """The full path, of a file that can be written. ``name`` is that of the variable."""
    if value is None:
        return None
    path = os.path.join(working_folder(environ), os.path.expanduser(value.strip()))
    folder = os.path.dirname(path)
    if os.path.isdir(path):
        fault = "is a folder, not a file"
    elif not os.path.isdir(folder):
        fault = f"cannot be written: there is no folder {folder}"
    elif not os.access(path if os.path.exists(path) else folder, os.W_OK):
        fault = "cannot be written by this user"
    else:
        return path
    raise invalid_arguments(f"{name} is {value!r}, which {fault}.")


def working_folder(environ: Mapping[str, str]) -> str:
    """What a relative path means. ansible-core changes its own; this is the shell's."""
    return environ.get("PWD") or os.getcwd()


def write_report(path: str | None, report: Mapping[str, Any]) -> str:
    """Why the report could not be written; empty where it was, or where none is wanted."""
    if path is None:
        return ""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:
            os.fchmod(descriptor, 0o600)
            file.write(json.dumps(report, indent=4, sort_keys=True) + "\n")
    except OSError as fault:
        return f"The report {path} could not be written: {fault.strerror}."
    return ""
