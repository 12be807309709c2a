# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The argument specs, stated once and merged by each module, and the environment variables behind them.

Environment variables are not ``fallback`` entries of the specs: ansible-core takes an empty variable for
a value, and can't tell an option of the task from a variable of the environment, which never contradicts
an option. ``_settings`` applies them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

#: No default of the option ``url``: it gives way to the environment, which an option of the task does not.
DEFAULT_URL = "https://us.infisical.com"

CONNECTION: dict[str, dict[str, Any]] = {
    "url": {"type": "str"},
    "validate_certs": {"type": "bool", "default": True},
    "ca_path": {"type": "path"},
    "client_cert": {"type": "path"},
    "client_key": {"type": "path", "no_log": False},
    "timeout": {"type": "int", "default": 90},
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
    "login_data": {
        "type": "dict",
        # Suboptions, so that only the token is censored and not the URL everywhere in the output.
        "options": {
            "url": {"type": "str", "required": True},
            "access_token": {"type": "str", "required": True, "no_log": True},
            "expires_in": {"type": "int"},
        },
    },
    "revoke_token": {"type": "bool", "default": True, "no_log": False},
}

ROTATION: dict[str, dict[str, Any]] = {
    "rotation_id": {"type": "str"},
    "name": {"type": "str"},
    "project_id": {"type": "str"},
    "environment": {"type": "str"},
    "secret_path": {"type": "str", "default": "/", "no_log": False},
}

#: Every text would be full of gaps.
_TOO_SHORT_TO_CENSOR = 8

#: Where two names are listed and both are set, the last one wins, as in ansible-core's plugins.
ENVIRONMENT: dict[str, tuple[str, ...]] = {
    "url": ("INFISICAL_URL",),
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
    "aws_region": ("AWS_DEFAULT_REGION", "AWS_REGION"),
}


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


def merged(*specs: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """One argument spec of several. An option stated twice is a programming error."""
    result: dict[str, dict[str, Any]] = {}
    for spec in specs:
        twice = result.keys() & spec.keys()
        if twice:
            raise ValueError(f"options stated twice: {sorted(twice)}")
        result.update(spec)
    return result
