# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Base URLs as people write them, checked before anything is appended to them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from .._errors import invalid_arguments
from .._options import ENVIRONMENT, is_blank

_BLANK_OR_CONTROL = re.compile(r"[\s\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_LOOPBACK = re.compile(r"localhost|127(\.\d{1,3}){3}|::1")


def base_url(option: str, value: str, *, example: str) -> str:
    """The URL without a trailing slash. ``option`` names it in the error."""
    url = value.strip().rstrip("/")
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if "@" in url:
        # Not quoted in the error, for a password would be.
        raise invalid_arguments(f"{option} holds a user name or password: give only scheme, host, port and path.")
    if not valid or set("?#\\") & set(url) or _BLANK_OR_CONTROL.search(url):
        raise invalid_arguments(f"{option} is {value!r}: give it as {example}, with port or path prefix if it has one.")
    if {".", ".."} & set(parts.path.split("/")) or "%" in url:
        raise invalid_arguments(f"{option} is {value!r}: it may not hold '..' or percent signs.")
    return url


def server_url(name: str, value: str) -> str:
    """The server's URL without the ``/api`` that people copy along."""
    url = base_url(name, value, example="https://host")
    return base_url(name, url.removesuffix("/api"), example="https://host")


def environment_url(environ: Mapping[str, str]) -> tuple[str, str] | None:
    """The server that the environment names, and the first variable that does."""
    found = {name: server_url(name, environ[name]) for name in ENVIRONMENT["url"] if not is_blank(environ.get(name))}
    if len({canonical(url) for url in found.values()}) > 1:
        told = " and ".join(f"{name} ({url})" for name, url in found.items())
        raise invalid_arguments(f"{told} contradict each other: they name different servers. Set only one of them.")
    return next(((url, name) for name, url in found.items()), None)


def is_unprotected(url: str) -> bool:
    """Whether what is sent there can be read on the way."""
    parts = urlsplit(url)
    return parts.scheme == "http" and not _LOOPBACK.fullmatch(parts.hostname or "")


def canonical(url: str) -> str:
    """One spelling for all base URLs that name the same server and path. Two names of one server stay two."""
    parts = urlsplit(url)
    host = _canonical_host(parts.hostname or "")
    port = "" if parts.port in (None, _DEFAULT_PORTS.get(parts.scheme)) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}{parts.path.rstrip('/')}"


def _canonical_host(host: str) -> str:
    """As the resolver takes it: an IPv6 address in its shortest form, a name in ASCII and without the root's dot."""
    try:
        if ":" in host:
            from ipaddress import IPv6Address

            return f"[{IPv6Address(host).compressed}]"
        return host.removesuffix(".").encode("idna").decode()
    except ValueError:
        return host
