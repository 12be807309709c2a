# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the variables of consumers to checked settings of a handover. A variable that is blank counts as left out."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.secretops.infisical.plugins.module_utils import _settings
from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError, invalid_arguments
from ansible_collections.secretops.infisical.plugins.module_utils._login.credentials import uuid
from ansible_collections.secretops.infisical.plugins.module_utils._options import (
    AUTHENTICATION,
    CONNECTION,
    defaults,
    is_blank,
)
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.durations import parse_duration
from ansible_collections.secretops.infisical.plugins.plugin_utils import _run_settings
from ansible_collections.secretops.infisical.plugins.plugin_utils._handover_rule import Settings

#: What is of each consumer; everything else is of the whole run.
OF_CONSUMER = ("handover_rotation_id", "handover_take", "handover_restart", "handover_check")
_FILES = ("env_file", "template", "systemd")
#: All workers of a run have this one, and no file holds it.
_KEY = bytes(multiprocessing.current_process().authkey)[:64]
#: Okta's ids have 20 characters. Its secrets have 40 or 64, not all of them with a sign that no id has.
_SECRET_ID = re.compile(r"[A-Za-z0-9]{1,32}", re.ASCII)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*", re.ASCII)
#: systemd overlooks an assignment to another one.
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_KUBERNETES = re.compile(r"[A-Za-z0-9._-]{1,253}", re.ASCII)
Typed = Mapping[str, Any]


def digests(typed: Typed) -> dict[str, str]:
    """Of each setting of the whole run, some of which are secrets, something that can be compared by this run only."""
    return {
        name: hashlib.blake2b(json.dumps(value, default=str).encode(), key=_KEY).hexdigest()
        for name, value in typed.items()
        if name not in OF_CONSUMER
    }


def check_shared(owns: Mapping[str, Mapping[str, Any]]) -> None:
    """That all consumers have told their variables, and share the settings of the run."""
    silent = [host for host, own in owns.items() if "shared" not in own]
    if silent:
        raise invalid_arguments(
            f"The variables of {', '.join(silent)} are wrong, as its task said, or it could not be reached. Nothing "
            "was delivered or rotated."
        )
    first, wanted = next(iter(owns.items()))
    for host, own in owns.items():
        differing = [name for name, digest in wanted["shared"].items() if own["shared"].get(name) != digest]
        if differing:
            raise invalid_arguments(
                f"{' and '.join(differing)} of {host} and {first} differ: they are settings of the whole run. Hand "
                "over what differs in a run of its own, or set them for all consumers."
            )


def checked(given: Typed, environ: Mapping[str, str]) -> dict[str, Any]:
    """The settings of the run that its steps need, without secrets. ``given`` has its types already."""
    if given["handover_leaked_secret"] and not given["handover_leaked_secret_id"]:
        raise invalid_arguments("handover_leaked_secret is of no use without handover_leaked_secret_id: give the id.")
    if given["handover_cut_off"] and not given["handover_leaked_secret_id"]:
        raise invalid_arguments(
            "handover_cut_off names consumers that may be cut off, which is for a leaked secret only: give "
            "handover_leaked_secret_id, or leave it out."
        )
    count = given["handover_consumers_count"]
    if count is not None and count < 1:
        raise invalid_arguments(f"handover_consumers_count is {count}: give the number of consumers, 1 or more.")
    return {
        "rotate": given["handover_rotate"],
        "min_age": parse_duration("handover_min_age", given["handover_min_age"]),
        "window": parse_duration("handover_window", given["handover_window"]),
        "count": count,
        "serial": _run_settings.batches(given["handover_serial"], "handover_serial"),
        "require": given["handover_require"],
        "restore": given["handover_restore"],
        "leaked_secret_id": _secret_id(given["handover_leaked_secret_id"]),
        "cut_off": list(given["handover_cut_off"]),
        "report": _run_settings.report_path(given["handover_report"], environ, "handover_report"),
    }


def why_deliver_only(run: Mapping[str, Any], rotation: Mapping[str, Any]) -> str:
    """Why this run must not rotate, whatever anybody holds; empty where it may."""
    if not run["rotate"]:
        return "handover_rotate is false."
    missing = [name for name in rotation["listed"] if name not in (*rotation["hosts"], *run["cut_off"])]
    if missing:
        return (
            f"{', '.join(missing)} takes the same secret and is not in this run, by --limit, a retry file or a slice. "
            "A rotation would cut off whoever was not brought up to date: run over all of them."
        )
    if run["count"] is not None and run["count"] != run["total"]:
        return (
            f"handover_consumers_count is {run['count']}, and the inventory has {run['total']}: an inventory that is a "
            "slice or incomplete. Run over all of them, or correct the number."
        )
    return ""


def rule_settings(run: Mapping[str, Any]) -> Settings:
    return Settings(
        min_age=run["min_age"],
        window=run["window"],
        require=run["require"],
        leaked_secret_id=run["leaked_secret_id"],
        cut_off=run["cut_off"],
    )


def _secret_id(value: str | None) -> str:
    text = (value or "").strip()
    if text and not _SECRET_ID.fullmatch(text):
        # Not quoted: it may be the secret itself, given by mistake.
        raise invalid_arguments(
            "handover_leaked_secret_id is no id of an Okta secret: give the id, as ocs1a2b3c4d5e6f7g8h9, which the "
            "Okta admin console and the lookup okta_client_credentials with all=true show, and not the secret."
        )
    return text


def task_params(given: Mapping[str, Any]) -> dict[str, Any]:
    """The options of connection and login for a task, out of the variables ``infisical_...``."""
    spec = {**CONNECTION, **AUTHENTICATION}
    told = {option: given.get(f"infisical_{option}") for option in spec}
    return {
        **defaults(spec),
        **{option: value for option, value in told.items() if not is_blank(value)},
        "wait_timeout": _settings.seconds("handover_wait_timeout", given["handover_wait_timeout"], least=0),
    }


def consumer(host: str, typed: Typed, folder: str) -> dict[str, Any]:
    """How a consumer takes, begins to use, and shows that it uses, the secret. Relative paths begin at ``folder``."""
    try:
        return _consumer(host, typed, folder)
    except InfisicalError as failure:
        failure.problem = f"{host}: {failure.problem}"
        raise


def _consumer(host: str, typed: Typed, folder: str) -> dict[str, Any]:
    take, check = dict(typed["handover_take"]), dict(typed["handover_check"])
    way = take["way"]
    if way == "systemd":
        take["path"] = _systemd_path(take)
    names = {"kubernetes_secret": _KUBERNETES, "systemd": _VARIABLE}.get(way, _NAME)
    for option in ("client_id_key", "client_secret_key"):
        if take[option] and not names.fullmatch(take[option]):
            raise invalid_arguments(f"handover_take.{option} is {take[option]!r}, which is no name that it can have.")
    if way in _FILES and not take["note"]:
        take["note"] = f"{take['path']}.handover"
    for option in ("path", "note"):
        if take[option] and not take[option].startswith("/"):
            raise invalid_arguments(f"handover_take.{option} is {take[option]!r}: give the path from the root on.")
    for name, options, option in (
        ("handover_take", take, "src"),
        ("handover_take", take, "file"),
        ("handover_check", check, "file"),
    ):
        if options[option]:
            options[option] = _on_controller(f"{name}.{option}", options[option], folder)
    if check["way"] == "okta":
        _check_okta(check, take)
    elif check["way"] == "http" and not check["url"].startswith(("http://", "https://")):
        raise invalid_arguments(f"handover_check.url is {check['url']!r}: begin it with http:// or https://.")
    return {
        "rotation_id": uuid(f"handover_rotation_id of {host}", typed["handover_rotation_id"]),
        "take": take,
        "restart": _restart(typed["handover_restart"], take),
        "check": check,
    }


def _systemd_path(take: Mapping[str, Any]) -> str:
    if take["path"]:
        raise invalid_arguments(
            "handover_take.path is of no use for the way systemd: credential_directory or drop_in_directory says where "
            "the file is."
        )
    if take["credential"]:
        return f"{take['credential_directory'].rstrip('/')}/{take['credential']}"
    if not take["client_secret_key"]:
        raise invalid_arguments(
            "handover_take of the way systemd needs credential, the name of what the unit loads, or client_secret_key, "
            "the variable that a drop-in sets."
        )
    directory = take["drop_in_directory"] or f"/etc/systemd/system/{take['unit']}.d"
    return f"{directory.rstrip('/')}/okta-client-secret.conf"


def _restart(given: Mapping[str, Any] | None, take: Mapping[str, Any]) -> dict[str, Any] | None:
    """None where nobody said how the consumer begins to use what was written."""
    if given is None:
        if take["way"] == "systemd":
            return {"unit": take["unit"], "method": "restart", "argv": None}
        # A job reads its credential when it starts.
        return {"unit": None, "method": "none", "argv": None} if take["way"] == "awx_credential" else None
    if given["unit"] and given["argv"]:
        raise invalid_arguments("handover_restart has unit and argv: give only one of them.")
    if not (given["unit"] or given["argv"]) and given["method"] != "none":
        unit = take["unit"] if take["way"] == "systemd" else None
        if not unit:
            raise invalid_arguments(
                "handover_restart needs unit or argv, or method none where the consumer reads the secret each time."
            )
        return {**given, "unit": unit}
    return dict(given)


def _check_okta(check: dict[str, Any], take: Mapping[str, Any]) -> None:
    if check["fetches_token"]:
        raise invalid_arguments(
            "handover_check of the way okta reads a file and makes nobody fetch a token: leave fetches_token out, and "
            "use http or command for a consumer that must be proven."
        )
    check["path"] = check["path"] or take["path"]
    if not check["path"]:
        raise invalid_arguments("handover_check of the way okta needs path: handover_take writes no file.")
    if check["pattern"]:
        groups = _groups(check["pattern"])
        if groups != 1:
            raise invalid_arguments(f"handover_check.pattern has {groups} groups: give one, around the value.")
    elif not check["key"]:
        check["key"] = None if take["credential"] else take["client_secret_key"]
        if take["way"] == "template":
            raise invalid_arguments("handover_check of the way okta needs key or pattern for what a template writes.")


def _groups(pattern: str) -> int:
    try:
        return re.compile(pattern).groups
    except re.error as error:
        fault = str(error)
    raise invalid_arguments(f"handover_check.pattern is no regular expression: {fault}.")


def _on_controller(name: str, value: str, folder: str) -> str:
    path = os.path.join(folder, os.path.expanduser(value))
    if not os.path.isfile(path):
        raise invalid_arguments(f"{name} is {value!r}: there is no file {path} on the controller.")
    return path


def check_cut_off(names: Sequence[str], listed: Sequence[str]) -> None:
    strangers = [name for name in names if name not in listed]
    if strangers:
        raise invalid_arguments(f"handover_cut_off names {', '.join(strangers)}, which is no listed consumer.")
