# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which login a task asks for, and with what. Nothing is sent from here."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .._errors import InfisicalError, invalid_arguments
from .._options import ENVIRONMENT
from .._transport import urls
from .methods import METHODS, Method
from .proofs import fit_for_header

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
#: What Python makes of bytes that are no text, and what is a character only together with another.
_HALF = re.compile(r"[\ud800-\udfff]")


@dataclass(frozen=True, repr=False)
class Credentials:
    """A method with the values of its options."""

    method: str
    values: Mapping[str, str]


def from_environment(option: str, environ: Mapping[str, str]) -> str | None:
    """The value of the option's environment variable. An empty one counts as not set."""
    values = [environ[name] for name in ENVIRONMENT.get(option, ()) if environ.get(name)]
    return values[-1] if values else None


def credentials(params: Mapping[str, Any], environ: Mapping[str, str]) -> Credentials:
    """The login that the task asks for: its options first, the environment for what they leave out."""
    own = sorted({option for method in METHODS.values() for option in method.options})
    given = {option: params[option] for option in own if params[option]}
    if params["login_data"]:
        if given or params["auth_method"]:
            raise _contradiction(["login_data", *(["auth_method"] if params["auth_method"] else []), *given])
        token = fit_for_header("login_data.access_token", params["login_data"]["access_token"])
        return Credentials("token_auth", {"token": token})
    set_there = {option: value for option in own if (value := from_environment(option, environ))}
    name = _method(params["auth_method"], given, set_there, from_environment("auth_method", environ))
    method = METHODS[name]
    foreign = [option for option in given if option not in method.options]
    if foreign:
        same = [option for option in given if option not in foreign]
        raise _contradiction([*foreign, *(same or ["auth_method"])], f"The method is {name}.")
    chosen = _one_of_either(name, method, given, set_there)
    values = {**chosen, **{option: value for option, value in given.items() if option not in method.either}}
    for option in (*method.needed, *method.optional):
        value = values.get(option) or set_there.get(option) or method.defaults.get(option)
        if value:
            values[option] = value
        elif option in method.needed:
            raise _missing(name, [option])
    return Credentials(name, {option: _checked(option, value) for option, value in values.items()})


def _method(asked: str | None, given: Mapping[str, str], set_there: Mapping[str, str], there: str | None) -> str:
    """The method asked for, or the environment's where it takes all that the task gives, or what that tells."""
    takes_all = there in METHODS and all(option in METHODS[there].options for option in given)
    method = asked or (there if takes_all else None) or _inferred(given) or there
    method = method or _inferred({**set_there, **given})
    if not method:
        raise invalid_arguments(
            "No credentials were given: set universal_auth_client_id and universal_auth_client_secret, or token, or "
            "login_data, or auth_method with the options of another method, or their environment variables."
        )
    if method not in METHODS:
        raise invalid_arguments(f"INFISICAL_AUTH_METHOD is {method!r}: give one of {', '.join(METHODS)}.")
    return method


def _inferred(given: Mapping[str, str]) -> str | None:
    """The method whose own options were given; ``identity_id`` alone tells nothing."""
    methods = [name for name, method in METHODS.items() if any(option in given for option in method.identifying)]
    if len(methods) > 1:
        raise _contradiction(
            [option for name in methods for option in METHODS[name].identifying if option in given],
            "Set auth_method to say which one is meant, or give only one kind of credentials.",
        )
    return methods[0] if methods else None


def _one_of_either(name: str, method: Method, given: Mapping[str, str], set_there: Mapping[str, str]) -> dict[str, str]:
    """The one of the alternatives that is given: by the task, else by the environment, else by default."""
    for values in (given, set_there, method.defaults):
        found = {option: values[option] for option in method.either if option in values}
        if len(found) > 1:
            names = [" or ".join(ENVIRONMENT[option]) for option in found] if values is set_there else list(found)
            raise invalid_arguments(f"{' and '.join(names)} contradict each other: give only one of them.")
        if found:
            return found
    if method.either:
        raise _missing(name, method.either)
    return {}


def _missing(name: str, options: Iterable[str]) -> InfisicalError:
    variables = " or ".join(variable for option in options for variable in ENVIRONMENT[option])
    return invalid_arguments(f"auth_method {name} needs {' or '.join(options)}: set the option, or {variables}.")


def _contradiction(options: list[str], more: str = "") -> InfisicalError:
    problem = f"{' and '.join(options)} contradict each other: they belong to different logins."
    return invalid_arguments(f"{problem} {more}".strip())


def _checked(option: str, value: str) -> str:
    if _HALF.search(value):
        raise invalid_arguments(f"{option} is not valid Unicode text.")
    if option in ("token", "jwt"):
        return fit_for_header(option, value)
    if option == "metadata_url":
        return urls.base_url(option, value, example="http://169.254.169.254")
    if option == "jwt_path" and not os.path.isfile(value):
        raise invalid_arguments(
            f"jwt_path is {value}, which is no file on the host that runs the task. A pod has its service account's "
            "token there; elsewhere give jwt, or the path of a file that holds it."
        )
    if option in ("azure_resource", "aws_region", "identity_id") and _CONTROL.search(value):
        raise invalid_arguments(f"{option} is {value!r}: it may not hold control characters.")
    return value
