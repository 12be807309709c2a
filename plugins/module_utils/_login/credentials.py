# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which login a task asks for, and with what. Nothing is sent from here."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .._errors import InfisicalError, invalid_arguments
from .._options import DEFAULT, ENVIRONMENT, LOGIN_DATA, OPTION, Given, from_environment, is_blank
from .._transport import urls
from .methods import METHODS, Method
from .proofs import fit_for_header

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
#: As the server takes it.
_SLUG = re.compile(r"(?=.{1,64}\Z)[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)
#: What Python makes of bytes that are no text, and what is a character only together with another.
_HALF = re.compile(r"[\ud800-\udfff]")


_OWN = sorted({option for method in METHODS.values() for option in method.options})
#: Says which method is meant where neither task nor environment name it.
_DERIVED = "derived from the credentials"


@dataclass(frozen=True, repr=False)
class Credentials:
    """A method with the values of its options, and where each came from.

    ``replacement`` are credentials of the same identity, for when a token of ``login_data`` ends.
    """

    method: str
    values: Mapping[str, str]
    sources: Mapping[str, str] = field(default_factory=dict)
    replacement: Credentials | None = None

    @property
    def identity(self) -> str:
        """What names the identity in these credentials; empty for a token, which names none."""
        if self.method == "universal_auth":
            return self.values["universal_auth_client_id"]
        if self.method == "ldap_auth":
            return f"{self.values['identity_id']}/{self.values['ldap_username']}"
        return self.values.get("identity_id", "")


def credentials(params: Mapping[str, Any], environ: Mapping[str, str]) -> Credentials:
    """The login that the task asks for: its options first, the environment for what they leave out."""
    if not params["login_data"]:
        return _own(params, environ)
    token = fit_for_header("login_data.access_token", params["login_data"]["access_token"])
    replacement = _replacement(params, environ)
    beside = [option for option in ("auth_method", *_OWN) if not is_blank(params[option])]
    if beside and not replacement:
        raise _contradiction(
            ["login_data", *beside],
            "Beside it, only credentials of the identity that login_data names are taken, to replace its token.",
        )
    return Credentials("token_auth", {"token": token}, {"login_data": OPTION, "token": LOGIN_DATA}, replacement)


def _replacement(params: Mapping[str, Any], environ: Mapping[str, str]) -> Credentials | None:
    """The credentials of the identity that made ``login_data``, where the task or the environment has them."""
    login_data = params["login_data"]
    if is_blank(login_data.get("auth_method")) or is_blank(login_data.get("identity")):
        return None
    try:
        found = _own(params, environ)
        there = urls.environment_url(environ)
    except InfisicalError:
        # Whatever is wrong there is not what the task asked for.
        return None
    foreign = there and urls.canonical(there[0]) != urls.canonical(urls.server_url("url", login_data["url"]))
    if foreign and not set(found.sources.values()) <= {OPTION, DEFAULT, _DERIVED}:
        return None
    same = (found.method, found.identity) == (login_data["auth_method"], login_data["identity"])
    return found if same else None


def _own(params: Mapping[str, Any], environ: Mapping[str, str]) -> Credentials:
    given = {option: Given(params[option], OPTION) for option in _OWN if not is_blank(params[option])}
    set_there = {option: value for option in _OWN if (value := from_environment(option, environ))}
    asked = None if is_blank(params["auth_method"]) else Given(params["auth_method"], OPTION)
    chosen = _method(asked, given, set_there, from_environment("auth_method", environ))
    name = chosen.value
    method = METHODS[name]
    foreign = [option for option in given if option not in method.options]
    if foreign:
        same = [option for option in given if option not in foreign]
        raise _contradiction([*foreign, *(same or ["auth_method"])], f"The method is {name}.")
    defaults = {option: Given(value, DEFAULT) for option, value in method.defaults.items()}
    found = _one_of_either(name, method, given, set_there, defaults)
    for option in (*method.needed, *method.optional):
        value = given.get(option) or set_there.get(option) or defaults.get(option)
        if value:
            found[option] = value
        elif option in method.needed:
            raise _missing(name, [option])
    values = {option: _checked(option, each) for option, each in found.items()}
    origins = {"auth_method": chosen.source, **{option: each.source for option, each in found.items()}}
    return Credentials(name, values, origins)


def _method(
    asked: Given | None, given: Mapping[str, Given], set_there: Mapping[str, Given], there: Given | None
) -> Given:
    """The method asked for, or the environment's where it takes all that the task gives, or what that tells."""
    method = there and METHODS.get(there.value.strip())
    takes_all = method and all(option in method.options for option in given)
    chosen = asked or (there if takes_all else None) or _inferred(given) or there
    chosen = chosen or _inferred({**set_there, **given})
    if not chosen:
        raise invalid_arguments(
            "No credentials were given: set universal_auth_client_id and universal_auth_client_secret, or token, or "
            "login_data, or auth_method with the options of another method, or their environment variables."
        )
    name = chosen.value.strip()
    if name not in METHODS:
        raise invalid_arguments(f"{chosen.name('auth_method')} is {chosen.value!r}: give one of {', '.join(METHODS)}.")
    return Given(name, chosen.source)


def _inferred(found: Mapping[str, Given]) -> Given | None:
    """The method whose own options were given; ``identity_id`` alone tells nothing."""
    methods = [name for name, method in METHODS.items() if any(option in found for option in method.identifying)]
    if len(methods) > 1:
        raise _contradiction(
            [found[option].name(option) for name in methods for option in METHODS[name].identifying if option in found],
            "Set auth_method to say which one is meant, or give only one kind of credentials.",
        )
    return Given(methods[0], _DERIVED) if methods else None


def _one_of_either(name: str, method: Method, *ranks: Mapping[str, Given]) -> dict[str, Given]:
    """The one of the alternatives that is given: by the task, else by the environment, else by default."""
    for values in ranks:
        found = {option: values[option] for option in method.either if option in values}
        if len(found) > 1:
            names = [each.name(option) for option, each in found.items()]
            raise invalid_arguments(f"{' and '.join(names)} contradict each other: give only one of them.")
        if found:
            return found
    if method.either:
        raise _missing(name, method.either)
    return {}


def _missing(name: str, options: Iterable[str]) -> InfisicalError:
    variables = " or ".join(variable for option in options for variable in ENVIRONMENT[option])
    return invalid_arguments(f"auth_method {name} needs {' or '.join(options)}: set the option, or {variables}.")


def _contradiction(names: list[str], more: str = "") -> InfisicalError:
    problem = f"{' and '.join(names)} contradict each other: they belong to different logins."
    return invalid_arguments(f"{problem} {more}".strip())


def _checked(option: str, found: Given) -> str:
    value, name = str(found.value), found.name(option)
    if _HALF.search(value):
        raise invalid_arguments(f"{name} is not valid Unicode text.")
    if option in ("token", "jwt"):
        return fit_for_header(name, value)
    if option == "identity_id":
        return uuid(name, value)
    if option == "organization_slug":
        return _slug(name, value.strip())
    if option == "metadata_url":
        return urls.base_url(name, value, example="http://169.254.169.254")
    if option == "jwt_path" and not os.path.isfile(value):
        raise invalid_arguments(
            f"{name} is {value}, which is no file on the host that runs the task. A pod has its service account's "
            "token there; elsewhere give jwt, or the path of a file that holds it."
        )
    if option in ("azure_resource", "aws_region") and _CONTROL.search(value):
        raise invalid_arguments(f"{name} is {value!r}: it may not hold control characters.")
    return value


def _slug(name: str, value: str) -> str:
    if not _SLUG.fullmatch(value):
        raise invalid_arguments(
            f"{name} is {value!r}, which is no slug: give small letters, digits and single hyphens, 64 at most."
        )
    return value


def uuid(name: str, value: str) -> str:
    """In the server's spelling."""
    if not UUID.fullmatch(value.strip()):
        raise invalid_arguments(f"{name} is {value!r}, which is not a UUID.")
    return value.strip().lower()
