# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the options of a task and its environment to checked settings. Nothing is sent from here."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ._errors import invalid_arguments
from ._login.credentials import from_environment
from ._options import DEFAULT_URL, ENVIRONMENT, ROTATION
from ._timestamps import parse_timestamp
from ._transport.certificates import check_authorities, check_certificate
from ._transport.connection import Connection
from ._transport.urls import base_url, canonical, is_unprotected

_A_DAY = 86400
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
#: Control characters, and what ansible-core makes of bytes that are no UTF-8.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


class Target(NamedTuple):
    """Which rotation: by ``rotation_id``, or by the other four."""

    rotation_id: str | None = None
    name: str = ""
    project_id: str = ""
    environment: str = ""
    secret_path: str = "/"


def connection(params: Mapping[str, Any], environ: Mapping[str, str], warn: Callable[[str], None]) -> Connection:
    """Where the server is: the task's ``url``, or that of ``login_data``, or the environment's."""
    login_data = params["login_data"] or {}
    url = _url(params["url"], login_data.get("url"), environ)
    if login_data and canonical(_base_url(login_data["url"])) != canonical(url):
        raise invalid_arguments(f"url is {url}, but login_data was made at {login_data['url']}: give only one of them.")
    if not params["validate_certs"]:
        warn("validate_certs is false: whoever is on the network path can read the credentials.")
    if is_unprotected(url):
        warn(f"url is {url}: credentials and token travel unencrypted. Use https.")
    if params["ca_path"]:
        check_authorities("ca_path", params["ca_path"])
    check_certificate(params["client_cert"] or None, params["client_key"] or None)
    return Connection(
        url=url,
        validate_certs=params["validate_certs"],
        ca_path=params["ca_path"] or None,
        client_cert=params["client_cert"] or None,
        client_key=params["client_key"] or None,
        timeout=seconds("timeout", params["timeout"], least=1),
    )


def _url(given: str | None, of_login_data: str | None, environ: Mapping[str, str]) -> str:
    there = from_environment("url", environ)
    known = next((url for url in (given, of_login_data, there) if url and url.strip()), None)
    blank = given is not None or any(name in environ for name in ENVIRONMENT["url"])
    if known is None and blank:
        # The credentials of a server of one's own would go to that of the vendor.
        raise invalid_arguments("url is empty: give the address of the server, or leave url and INFISICAL_URL out.")
    return _base_url(known or DEFAULT_URL)


def _base_url(value: str) -> str:
    """The server's URL without the ``/api`` that people copy along."""
    url = base_url("url", value, example="https://host")
    return base_url("url", url.removesuffix("/api"), example="https://host")


def seconds(option: str, value: int, *, least: int) -> int:
    """A time to wait. No operating system can wait for any number of seconds."""
    if not least <= value <= _A_DAY:
        raise invalid_arguments(f"{option} is {value}: give {least} to {_A_DAY} seconds.")
    return value


def moment(option: str, value: str | None) -> str | None:
    """A timestamp as the server writes it; a blank one counts as not given."""
    text = (value or "").strip()
    if not text:
        return None
    try:
        parse_timestamp(text)
    except ValueError:
        fault = f"{option} is {text!r}: give a lastRotatedAt as the server writes it, as 2026-03-12T09:30:01.000Z."
    else:
        return text
    raise invalid_arguments(fault)


def target(params: Mapping[str, Any]) -> Target:
    """Which rotation the task means."""
    by_name = {option: params[option] for option in ("name", "project_id", "environment") if params[option]}
    path = params["secret_path"] or ROTATION["secret_path"]["default"]
    if params["rotation_id"]:
        if path != ROTATION["secret_path"]["default"]:
            by_name["secret_path"] = path
        if by_name:
            raise invalid_arguments(
                f"rotation_id and {', '.join(by_name)} contradict each other: give the id, or name with project_id, "
                "environment and secret_path."
            )
        return Target(rotation_id=uuid("rotation_id", params["rotation_id"]))
    missing = [option for option in ("name", "project_id", "environment") if option not in by_name]
    if missing:
        alone = "" if by_name else "rotation_id, or "
        raise invalid_arguments(f"Which rotation is meant? {alone}{', '.join(missing)} is missing.")
    for option, value in {**by_name, "secret_path": path}.items():
        if _CONTROL.search(value) or value != value.strip() or len(value) > 1024:
            raise invalid_arguments(f"{option} is {value!r}: it may not hold control characters or outer blanks.")
    if by_name["name"] in (".", "..") or "/" in by_name["name"] or len(by_name["name"]) > 64:
        raise invalid_arguments(f"name is {params['name']!r}: give a rotation's name, at most 64 characters, no path.")
    if not path.startswith("/") or ".." in path.split("/"):
        raise invalid_arguments(f"secret_path is {path!r}: give it from the root, as /okta.")
    return Target(secret_path=path.rstrip("/") or "/", **by_name)


def uuid(option: str, value: str) -> str:
    if not _UUID.fullmatch(value.strip()):
        raise invalid_arguments(f"{option} is {value!r}, which is not a UUID.")
    return value.strip().lower()
