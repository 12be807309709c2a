# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What proves an identity when it is not one of the options itself: a file's content, a cloud's word.

Code for one cloud is imported only by a login that needs it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from .._errors import InfisicalError, invalid_arguments

#: A token of any provider is far smaller; a device or a log file given by mistake must not be read whole.
_MAX_FILE_BYTES = 1024 * 1024
_BLANK_OR_CONTROL = re.compile(r"[\s\x00-\x1f\x7f-\x9f]")

#: What ansible-core and infisical.vault put in the place of a token that is not there.
_PLACEHOLDERS = {
    "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER": (
        "the login that made it was given a token, and ansible-core censored it: give that token in option token, or "
        "log in with secretops.infisical.login, which passes it on"
    ),
    "<check_mode_token>": (
        "infisical.vault.login does not log in under check mode: use secretops.infisical.login, which does"
    ),
    "********": "ansible-core censored it: give the token itself in option token",
}


@dataclass(frozen=True, repr=False)
class Proof:
    """Fields for the body of a login, and what in them nobody may read."""

    fields: Mapping[str, str]
    secrets: tuple[str, ...]


def fit_for_header(option: str, value: str) -> str:
    """A token that can be sent. Files and command output often end in a new line, which is forgiven."""
    value = value.strip()
    if value in _PLACEHOLDERS:
        raise invalid_arguments(f"{option} is a placeholder, no token: {_PLACEHOLDERS[value]}.")
    if not is_token(value):
        raise invalid_arguments(f"{option} is no token: it is empty or holds blanks, control or non-ASCII characters.")
    return value


def is_token(value: str) -> bool:
    """Whether it could be one: anything else in a header would split or garble the request."""
    return bool(value) and value.isascii() and not _BLANK_OR_CONTROL.search(value)


def jwt(values: Mapping[str, str]) -> Proof:
    return _of_token(values["jwt"] if "jwt" in values else _from_file(values["jwt_path"]))


def gcp(values: Mapping[str, str]) -> Proof:
    if "metadata_url" not in values:
        return jwt(values)
    from . import metadata

    token = metadata.google_identity_token(values["metadata_url"], values["identity_id"])
    return _of_token(_from_cloud(token, values["metadata_url"]))


def azure(values: Mapping[str, str]) -> Proof:
    if "metadata_url" not in values:
        return jwt(values)
    from . import metadata

    token = metadata.azure_access_token(values["metadata_url"], values["azure_resource"])
    return _of_token(_from_cloud(token, values["metadata_url"]))


def aws(values: Mapping[str, str]) -> Proof:
    from . import aws

    return Proof(*aws.signed_request(values.get("aws_region")))


def _of_token(token: str) -> Proof:
    return Proof({"jwt": token}, (token,))


def _from_file(path: str) -> str:
    """Read at each login: Kubernetes and others replace the file long before its token ends."""
    content, fault = _text(path)
    if fault:
        raise invalid_arguments(f"jwt_path is {path}, which could not be read: {fault}.")
    return fit_for_header(f"The content of jwt_path {path}", content)


def _text(path: str) -> tuple[str, str]:
    """What the file holds, or why that is not known."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read(_MAX_FILE_BYTES), ""
    except (OSError, UnicodeError) as cause:
        return "", getattr(cause, "strerror", None) or "it is not text"


def _from_cloud(token: str, url: str) -> str:
    token = token.strip()
    if not is_token(token):
        raise InfisicalError(
            "invalid_response",
            f"Could not get a token from the metadata service at {url}: it answered with something that is no token.",
            "Check metadata_url.",
        )
    return token
