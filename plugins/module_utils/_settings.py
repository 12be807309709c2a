# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the options of a task and its environment to checked settings. Nothing is sent from here."""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ._errors import invalid_arguments
from ._login.credentials import credentials, from_environment
from ._options import DEFAULT_URL, ROTATION
from ._transport.connection import Connection
from ._transport.urls import base_url, is_unprotected

__all__ = ["Target", "connection", "credentials", "from_environment", "target", "uuid"]

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
    url = _base_url(params["url"] or login_data.get("url") or from_environment("url", environ) or DEFAULT_URL)
    if login_data and _base_url(login_data["url"]) != url:
        raise invalid_arguments(f"url is {url}, but login_data was made at {login_data['url']}: give only one of them.")
    if not params["validate_certs"]:
        warn("validate_certs is false: whoever is on the network path can read the credentials.")
    if is_unprotected(url):
        warn(f"url is {url}: credentials and token travel unencrypted. Use https.")
    if params["ca_path"]:
        _check_authorities(params["ca_path"])
    _check_certificate(params["client_cert"], params["client_key"])
    if params["timeout"] < 1:
        raise invalid_arguments(f"timeout is {params['timeout']}: give at least 1 second.")
    return Connection(
        url=url,
        validate_certs=params["validate_certs"],
        ca_path=params["ca_path"] or None,
        client_cert=params["client_cert"] or None,
        client_key=params["client_key"] or None,
        timeout=params["timeout"],
    )


def _base_url(value: str) -> str:
    """The server's URL without the ``/api`` that people copy along."""
    url = base_url("url", value, example="https://host")
    return base_url("url", url.removesuffix("/api"), example="https://host")


def _check_authorities(path: str) -> None:
    try:
        if os.path.isdir(path):
            # Its certificates are looked up by name only when one of them is needed.
            os.listdir(path)
        else:
            ssl.create_default_context(cafile=path)
    except OSError as cause:
        raise invalid_arguments(
            f"ca_path is {path}, which holds no certificate that could be read on the host that runs the task: "
            f"{_why(cause)}."
        ) from cause


def _check_certificate(certificate: str | None, key: str | None) -> None:
    """Refuse here what would otherwise ask for a pass phrase on the terminal, and what OpenSSL explains in riddles."""
    if key and not certificate:
        raise invalid_arguments("client_key is given without client_cert: give both, or one file that holds both.")
    for option, path in (("client_cert", certificate), ("client_key", key)):
        if path and not os.path.isfile(path):
            raise invalid_arguments(f"{option} is {path}, which is no file on the host that runs the task.")
    if not certificate:
        return
    holder = f"client_key {key}" if key else f"client_cert {certificate}"
    try:
        ssl.create_default_context().load_cert_chain(certificate, key, password=_no_pass_phrase)
    except _Encrypted:
        raise invalid_arguments(f"{holder} is encrypted: give a key without a pass phrase.") from None
    except OSError as cause:
        raise invalid_arguments(
            f"client_cert {certificate} with its key could not be used: {_why(cause)}. Give the certificate and the "
            "key that belongs to it, in PEM form; the key in client_key, or in the same file."
        ) from cause


class _Encrypted(Exception):
    pass


def _no_pass_phrase() -> str:
    raise _Encrypted


def _why(cause: OSError) -> str:
    if isinstance(cause, ssl.SSLError):
        return (cause.reason or "not in PEM form").lower().replace("_", " ")
    return cause.strerror or type(cause).__name__


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
