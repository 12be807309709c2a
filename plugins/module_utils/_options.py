# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The argument specs, stated once and merged by each module, and the environment variables behind them.

Environment variables are not ``fallback`` entries of the specs: ansible-core takes an empty variable for
a value, and can't tell an option of the task from a variable of the environment, which never contradicts
an option. ``_settings`` applies them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

#: No defaults of the specs: they give way to the environment, which an option of the task does not.
DEFAULTS: dict[str, Any] = {"url": "https://us.infisical.com", "validate_certs": True, "timeout": 90}

CONNECTION: dict[str, dict[str, Any]] = {
    "url": {"type": "str"},
    "validate_certs": {"type": "bool"},
    "ca_path": {"type": "path"},
    "client_cert": {"type": "path"},
    "client_key": {"type": "path", "no_log": False},
    "timeout": {"type": "int"},
}

AUTHENTICATION: dict[str, dict[str, Any]] = {
    "auth_method": {
        "type": "str",
        "choices": [
            "universal_auth",
            "token_auth",
            "oidc_auth",
            "jwt_auth",
            "ldap_auth",
            "kubernetes_auth",
            "gcp_auth",
            "azure_auth",
            "aws_auth",
        ],
    },
    "universal_auth_client_id": {"type": "str"},
    "universal_auth_client_secret": {"type": "str", "no_log": True},
    "token": {"type": "str", "no_log": True},
    "identity_id": {"type": "str"},
    "jwt": {"type": "str", "no_log": True},
    "jwt_path": {"type": "path"},
    "ldap_username": {"type": "str"},
    "ldap_password": {"type": "str", "no_log": True},
    "metadata_url": {"type": "str"},
    "azure_resource": {"type": "str"},
    "aws_region": {"type": "str"},
    "organization_slug": {"type": "str"},
    "login_data": {
        "type": "dict",
        # Suboptions, so that only the token is censored and not the URL everywhere in the output.
        "options": {
            "url": {"type": "str", "required": True},
            "access_token": {"type": "str", "required": True, "no_log": True},
            "expires_in": {"type": "int"},
            "auth_method": {"type": "str"},
            "identity": {"type": "str"},
        },
    },
    "revoke_token": {"type": "bool", "default": True, "no_log": False},
}

ROTATION: dict[str, dict[str, Any]] = {
    "rotation_id": {"type": "str"},
    "name": {"type": "str"},
    "project_id": {"type": "str"},
    "project_slug": {"type": "str"},
    "environment": {"type": "str"},
    "secret_path": {"type": "str", "no_log": False},
}

#: Which rotations of many are wanted.
FILTERS: dict[str, dict[str, Any]] = {
    "environment": {"type": "list", "elements": "str"},
    "secret_path": {"type": "list", "elements": "str", "no_log": False},
    "status": {"type": "list", "elements": "str", "choices": ["success", "failed"]},
    "older_than": {"type": "str"},
    "due": {"type": "str"},
}

#: Every text would be full of gaps.
_TOO_SHORT_TO_CENSOR = 8

#: Where two names are listed and both are set, the last one wins, as in ansible-core's plugins. Those of ``url`` may
#: not name different servers.
ENVIRONMENT: dict[str, tuple[str, ...]] = {
    "url": ("INFISICAL_URL", "INFISICAL_DOMAIN", "INFISICAL_API_URL"),
    "validate_certs": ("INFISICAL_VALIDATE_CERTS",),
    "ca_path": ("INFISICAL_CA_PATH",),
    "client_cert": ("INFISICAL_CLIENT_CERT",),
    "client_key": ("INFISICAL_CLIENT_KEY",),
    "timeout": ("INFISICAL_TIMEOUT",),
    "auth_method": ("INFISICAL_AUTH_METHOD",),
    "universal_auth_client_id": (
        "INFISICAL_UNIVERSAL_AUTH_CLIENT_ID",
        "UNIVERSAL_AUTH_MACHINE_IDENTITY_CLIENT_ID",
    ),
    "universal_auth_client_secret": (
        "INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET",
        "UNIVERSAL_AUTH_MACHINE_IDENTITY_CLIENT_SECRET",
    ),
    "token": ("INFISICAL_TOKEN",),
    "identity_id": ("INFISICAL_MACHINE_IDENTITY_ID",),
    "jwt": ("INFISICAL_JWT", "INFISICAL_OIDC_AUTH_JWT"),
    "ldap_username": ("INFISICAL_LDAP_USERNAME",),
    "ldap_password": ("INFISICAL_LDAP_PASSWORD",),
    "jwt_path": ("INFISICAL_JWT_PATH",),
    "metadata_url": ("INFISICAL_METADATA_URL",),
    "azure_resource": ("INFISICAL_AZURE_RESOURCE",),
    "aws_region": ("AWS_DEFAULT_REGION", "AWS_REGION", "INFISICAL_AWS_REGION"),
    "organization_slug": ("INFISICAL_AUTH_ORGANIZATION_SLUG",),
}

#: Where a value may come from besides a variable of the environment, which is named itself.
OPTION, LOGIN_DATA, DEFAULT = "option", "login_data", "default"


class Given(NamedTuple):
    """A value, and where it came from."""

    value: Any
    source: str

    def name(self, option: str) -> str:
        """What an error has to blame."""
        return option if self.source in (OPTION, DEFAULT) else self.source


def is_blank(value: Any) -> bool:
    """Whether it counts as not given."""
    return value is None or (isinstance(value, str) and not value.strip())


def from_environment(option: str, environ: Mapping[str, str]) -> Given | None:
    """The value of the option's environment variable."""
    found = [Given(environ[name], name) for name in ENVIRONMENT.get(option, ()) if not is_blank(environ.get(name))]
    return found[-1] if found else None


def given(option: str, params: Mapping[str, Any], environ: Mapping[str, str]) -> Given | None:
    """The value of the task, else of the environment, else by default."""
    if not is_blank(params.get(option)):
        return Given(params[option], OPTION)
    there = from_environment(option, environ)
    if there or option not in DEFAULTS:
        return there
    return Given(DEFAULTS[option], DEFAULT)


def secret_values(spec: dict[str, dict[str, Any]], params: Mapping[str, Any]) -> set[str]:
    """Every secret among the options of a task, also where ansible-core stops looking because one is malformed.

    What stands under a name that no option has may be a secret with a misspelt name.
    """
    found: set[str] = set()
    for name, value in params.items():
        details = spec.get(name)
        if details is None:
            found |= {leaf for leaf in _leaves(value) if len(leaf) >= _TOO_SHORT_TO_CENSOR}
        elif details.get("no_log") or ("options" in details and not isinstance(value, Mapping)):
            found |= set(_leaves(value))
        elif "options" in details:
            found |= secret_values(details["options"], value)
    return found


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _leaves(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _leaves(item)
    elif value is not None and not isinstance(value, bool) and str(value):
        yield str(value)


def defaults(spec: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What a task has whose options are all left out."""
    return {option: details.get("default") for option, details in spec.items()}


def merged(*specs: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """One argument spec of several. An option stated twice is a programming error."""
    result: dict[str, dict[str, Any]] = {}
    for spec in specs:
        twice = result.keys() & spec.keys()
        if twice:
            raise ValueError(f"options stated twice: {sorted(twice)}")
        result.update(spec)
    return result
