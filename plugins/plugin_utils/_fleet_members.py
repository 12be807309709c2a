# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which rotations a run is about, where each of them is, and by which login. Nothing is sent from here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError, invalid_arguments
from ansible_collections.secretops.infisical.plugins.module_utils._login.credentials import credentials, uuid
from ansible_collections.secretops.infisical.plugins.module_utils._options import (
    AUTHENTICATION,
    CONNECTION,
    ENVIRONMENT,
    defaults,
)
from ansible_collections.secretops.infisical.plugins.module_utils._task import Task
from ansible_collections.secretops.infisical.plugins.module_utils._transport.urls import canonical

Variables = Mapping[str, Any]
Warn = Callable[[str], None]

PREFIX = "infisical_"
_LOGIN = tuple(option for option in AUTHENTICATION if option not in ("login_data", "revoke_token"))
#: Options of a login that say nothing of who logs in.
_HOW = ("organization_slug", "metadata_url", "azure_resource", "aws_region")


@dataclass(frozen=True)
class Host:
    """A host of the fleet: its variables that the spec knows, typed, and those of the inventory."""

    name: str
    options: Variables
    rotation_id: Any
    rotation: Any = None
    inventory: str | None = None


@dataclass
class Login:
    """One login: at a server, with the credentials that its hosts have in common."""

    url: str
    params: dict[str, Any]
    #: Without the credentials where those are another server's.
    environ: Mapping[str, str]
    hosts: list[str] = field(default_factory=list)

    @property
    def connection(self) -> dict[str, Any]:
        """What its hosts set of the connection, beside the URL."""
        options = {option: self.params[option] for option in CONNECTION if option != "url"}
        return {option: value for option, value in options.items() if value is not None}


@dataclass(frozen=True)
class Member:
    """A rotation of the run, by the first host of it. ``login`` is the number of its login."""

    host: str
    login: int
    rotation_id: str
    project_id: str | None
    client_id: str | None


@dataclass(frozen=True)
class Members:
    members: list[Member]
    logins: list[Login]
    #: Hosts that are the same rotation as another, by name.
    same: dict[str, str]
    warnings: list[str]


def members_of(
    hosts: Sequence[Host],
    *,
    environ: Mapping[str, str],
    in_file: Callable[[str], Mapping[str, Any]],
    extra: Iterable[str],
    warn: Warn,
) -> Members:
    """``in_file`` reads an inventory file's options again; ``extra`` names the extra variables."""
    urls = _urls(hosts, environ, warn)
    servers = {canonical(url): url for url in urls}
    too_wide = sorted({f"{PREFIX}{option}" for option in _LOGIN if option not in _HOW}.intersection(extra))
    if len(servers) > 1 and too_wide:
        raise invalid_arguments(
            f"{' and '.join(too_wide)} given as extra variable would go to each of the servers "
            f"{', '.join(servers.values())}: set it in the inventory file, or for groups or hosts."
        )
    logins: dict[tuple[str, str], Login] = {}
    numbers: list[int] = []
    for host, url in zip(hosts, urls, strict=True):
        key = (canonical(url), repr(sorted(host.options.items())) + repr(host.inventory))
        if key not in logins:
            logins[key] = _login(host, url, environ, in_file, alone=len(servers) == 1)
        logins[key].hosts.append(host.name)
        numbers.append(list(logins).index(key))
    merged, position = _merged(list(logins.values()))
    first: dict[tuple[str, str], Member] = {}
    same: dict[str, str] = {}
    for host, url, number in zip(hosts, urls, numbers, strict=True):
        member = _member(host, position[number])
        known = first.setdefault((canonical(url), member.rotation_id), member)
        if known is not member:
            same[host.name] = known.host
    found = list(first.values())
    return Members(found, merged, same, _same_application(found))


def _merged(logins: list[Login]) -> tuple[list[Login], list[int]]:
    """One login where files or variables say the same thing twice; and where each one went."""
    found: list[Login] = []
    position = []
    for login in logins:
        there = next((n for n, other in enumerate(found) if _what(other) == _what(login)), None)
        if there is None:
            there = len(found)
            found.append(login)
        else:
            found[there].hosts.extend(login.hosts)
        position.append(there)
    return found, position


def _what(login: Login) -> tuple[str, Mapping[str, Any]]:
    return canonical(login.url), login.params


def _urls(hosts: Sequence[Host], environ: Mapping[str, str], warn: Warn) -> list[str]:
    """The server of each host. Certificates are read and checked once for all hosts that name the same ones."""
    told: dict[str, str] = {}
    found = []
    for host in hosts:
        key = repr(sorted(_given(host.options, CONNECTION).items()))
        if key not in told:
            told[key] = _url(host.options, environ, warn)
        found.append(told[key])
    return found


def _url(options: Variables, environ: Mapping[str, str], warn: Warn) -> str:
    params = {**defaults(CONNECTION), **_given(options, CONNECTION), "login_data": None}
    return Task(params=params, check_mode=False, environ=environ, warn=warn).connection().url


def _given(options: Variables, names: Iterable[str]) -> dict[str, Any]:
    found = {option: options.get(f"{PREFIX}{option}") for option in names}
    return {option: value for option, value in found.items() if value is not None}


def _login(
    host: Host, url: str, environ: Mapping[str, str], in_file: Callable[[str], Mapping[str, Any]], *, alone: bool
) -> Login:
    own = _given(host.options, _LOGIN)
    if host.inventory and not _tells_who(own):
        there = in_file(host.inventory)
        own = {**{option: there[option] for option in _LOGIN if there.get(option)}, **own}
    usable = _of_environment(environ, url, alone=alone)
    params = {
        **defaults(CONNECTION),
        **defaults(AUTHENTICATION),
        **_given(host.options, CONNECTION),
        **own,
        "url": url,
    }
    try:
        credentials(params, usable)
    except InfisicalError as caught:
        failure = caught
    else:
        return Login(url, params, usable)
    if not _tells_who(own) and usable is not environ:
        failure = invalid_arguments(
            f"There are no credentials for {url}, the server of {host.name}: those in the environment are another "
            "server's. Set them in its inventory file, or as group or host variables "
            "(infisical_universal_auth_client_id and so on)."
        )
    raise failure


def _tells_who(own: Mapping[str, Any]) -> bool:
    return any(option not in _HOW for option in own)


def _of_environment(environ: Mapping[str, str], url: str, *, alone: bool) -> Mapping[str, str]:
    """The environment as this server may see it: its credentials are for the server that it names, or the only one."""
    names = any((environ.get(name) or "").strip() for name in ENVIRONMENT["url"])
    of_this = canonical(_url({}, environ, lambda _text: None)) == canonical(url) if names else alone
    if of_this:
        return environ
    credential = {name for option in _LOGIN for name in ENVIRONMENT.get(option, ())}
    return {name: value for name, value in environ.items() if name not in credential}


def _member(host: Host, login: int) -> Member:
    if not isinstance(host.rotation_id, str) or not host.rotation_id.strip():
        raise invalid_arguments(
            f"The host {host.name} has no rotation_id: give hosts of an inventory of rotations only, in rotate_hosts "
            "and --limit."
        )
    rotation = host.rotation if isinstance(host.rotation, Mapping) else {}
    parameters = rotation.get("parameters")
    return Member(
        host.name,
        login,
        uuid(f"rotation_id of {host.name}", host.rotation_id),
        _text(rotation.get("projectId")),
        _text(parameters.get("clientId") if isinstance(parameters, Mapping) else None),
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _same_application(members: Sequence[Member]) -> list[str]:
    """Two rotations of one application delete each other's secrets, wherever they are."""
    by_client: dict[str, list[str]] = {}
    for member in members:
        if member.client_id:
            by_client.setdefault(member.client_id, []).append(member.host)
    return [
        f"{' and '.join(hosts)} are rotations of one Okta application, {client_id}: each deletes what the other made."
        for client_id, hosts in by_client.items()
        if len(hosts) > 1
    ]
