# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the options of a task and its environment to checked settings. Nothing is sent from here."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from ._errors import InfisicalError, invalid_arguments
from ._login.credentials import credentials, uuid
from ._options import (
    AUTHENTICATION,
    CONNECTION,
    DEFAULT,
    DEFAULTS,
    ENVIRONMENT,
    LOGIN_DATA,
    OPTION,
    Given,
    given,
    is_blank,
)
from ._rotations.finding import Target
from ._timestamps import parse_timestamp
from ._transport import urls
from ._transport.certificates import check_authorities, check_certificate
from ._transport.connection import Connection

_A_DAY = 86400
_PLACE = ("name", "project_id", "project_slug", "environment", "secret_path")
_TRUE = frozenset({"y", "yes", "on", "1", "true", "t", "1.0"})
_FALSE = frozenset({"n", "no", "off", "0", "false", "f", "0.0"})
_NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)
#: Control characters, and what ansible-core makes of bytes that are no UTF-8.
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def connection(params: Mapping[str, Any], environ: Mapping[str, str], warn: Callable[[str], None]) -> Connection:
    """Where the server is and how to reach it: the task's word, else that of ``login_data`` or the environment."""
    login_data = params["login_data"] or {}
    found = _connection(params, environ)
    url = urls.server_url(found["url"].name("url"), found["url"].value)
    if login_data and urls.canonical(urls.server_url("login_data.url", login_data["url"])) != urls.canonical(url):
        raise invalid_arguments(f"url is {url}, but login_data was made at {login_data['url']}: give only one of them.")
    validate_certs = _boolean("validate_certs", found["validate_certs"])
    if not validate_certs:
        name = found["validate_certs"].name("validate_certs")
        warn(f"{name} is false: whoever is on the network path can read the credentials.")
    if urls.is_unprotected(url):
        warn(f"url is {url}: credentials and token travel unencrypted. Use https.")
    if "ca_path" in found:
        check_authorities(found["ca_path"].name("ca_path"), found["ca_path"].value)
    pair = [found.get(option) for option in ("client_cert", "client_key")]
    cert, key = (each.value if each else None for each in pair)
    names = [
        each.name(option) if each else option for option, each in zip(("client_cert", "client_key"), pair, strict=True)
    ]
    check_certificate(cert, key, (names[0], names[1]))
    return Connection(
        url=url,
        validate_certs=validate_certs,
        ca_path=found["ca_path"].value if "ca_path" in found else None,
        client_cert=cert,
        client_key=key,
        timeout=_timeout(found["timeout"]),
    )


def _connection(params: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, Given]:
    """What was given of each option of the connection, unchecked but for the url."""
    found = {option: there for option in CONNECTION if (there := given(option, params, environ))}
    found["url"] = _url(params, environ)
    cert, key = found.get("client_cert"), found.get("client_key")
    if cert and key and cert.source == OPTION != key.source:
        # The environment's key belongs to the environment's certificate.
        del found["client_key"]
    return found


def _url(params: Mapping[str, Any], environ: Mapping[str, str]) -> Given:
    if not is_blank(params["url"]):
        return Given(params["url"], OPTION)
    if not is_blank((params["login_data"] or {}).get("url")):
        return Given(params["login_data"]["url"], LOGIN_DATA)
    there = urls.environment_url(environ)
    if there:
        return Given(*there)
    if params["url"] is not None or any(name in environ for name in ENVIRONMENT["url"]):
        # The credentials of a server of one's own would go to that of the vendor.
        raise invalid_arguments("url is empty: give the address of the server, or leave url and INFISICAL_URL out.")
    return Given(DEFAULTS["url"], DEFAULT)


def _boolean(option: str, found: Given) -> bool:
    """The words are ansible-core's."""
    word = str(found.value).strip().lower()
    if word not in _TRUE | _FALSE:
        raise invalid_arguments(f"{found.name(option)} is {found.value!r}, which is no boolean: give true or false.")
    return word in _TRUE


def _timeout(found: Given) -> int:
    name = found.name("timeout")
    if isinstance(found.value, str) and not _NUMBER.fullmatch(found.value.strip()):
        raise invalid_arguments(f"{name} is {found.value!r}: give 1 to {_A_DAY} seconds.")
    return seconds(name, int(found.value), least=1)


def sources(params: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, str]:
    """Where the value of each option of connection and login came from, never the value. It raises nothing."""
    try:
        found = {option: each.source for option, each in _connection(params, environ).items()}
    except InfisicalError:
        # What contradicts is told by the failure.
        found = {}
    try:
        return {**found, **credentials(params, environ).sources}
    except InfisicalError:
        known = {option: given(option, params, environ) for option in AUTHENTICATION if option != "revoke_token"}
        return {**found, **{option: each.source for option, each in known.items() if each}}


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
    place = {option: params[option] for option in _PLACE if not is_blank(params[option])}
    if not is_blank(params["rotation_id"]):
        if place:
            raise invalid_arguments(
                f"rotation_id and {', '.join(place)} contradict each other: give the id, or name with project_id, "
                "environment and secret_path."
            )
        return Target(rotation_id=uuid("rotation_id", params["rotation_id"]))
    missing = [option for option in ("name", "environment") if option not in place]
    if not {"project_id", "project_slug"} & place.keys():
        missing.insert(1 if "name" in missing else 0, "project_id or project_slug")
    if missing:
        alone = "" if place else "rotation_id, or "
        raise invalid_arguments(f"Which rotation is meant? {alone}{', '.join(missing)} is missing.")
    return _place(place)


def project(params: Mapping[str, Any]) -> tuple[str, str]:
    """The project's id and slug, one of which is empty."""
    place = {option: params[option] for option in ("project_id", "project_slug") if not is_blank(params[option])}
    if not place:
        raise invalid_arguments("project_id or project_slug is missing.")
    target = _place({"name": "", "environment": "", **place})
    return target.project_id, target.project_slug


def _place(place: Mapping[str, str]) -> Target:
    if {"project_id", "project_slug"} <= place.keys():
        raise invalid_arguments("project_id and project_slug contradict each other: give only one of them.")
    for option, value in place.items():
        if CONTROL.search(value) or value != value.strip() or len(value) > 1024:
            raise invalid_arguments(f"{option} is {value!r}: it may not hold control characters or outer blanks.")
    name, path = place["name"], place.get("secret_path", "/")
    if name in (".", "..") or "/" in name or len(name) > 64:
        raise invalid_arguments(f"name is {name!r}: give a rotation's name, at most 64 characters, no path.")
    if not path.startswith("/") or ".." in path.split("/"):
        raise invalid_arguments(f"secret_path is {path!r}: give it from the root, as /okta.")
    found = {**place, "secret_path": path.rstrip("/") or "/"}
    return Target(**found, path_given="secret_path" in place)
