# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tokens from the metadata service of a machine at Google Cloud or Azure."""

from __future__ import annotations

import json
from collections.abc import Mapping

from .._errors import InfisicalError
from .._transport.client import Client
from .._transport.connection import Connection
from .._transport.patience import Patience
from .._transport.redaction import Redactor

#: The service is on the same machine: it answers in milliseconds, or there is none.
TIMEOUT = 5
#: For its own rate limit, which many forks on one machine reach together.
PATIENCE = 3

_GOOGLE = "/computeMetadata/v1/instance/service-accounts/default/identity"
_AZURE = "/metadata/identity/oauth2/token"


def google_identity_token(url: str, audience: str) -> str:
    params = {"audience": audience, "format": "full"}
    return _fetched(url, _GOOGLE, "gcp_auth", {"Metadata-Flavor": "Google"}, params)


def azure_access_token(url: str, resource: str) -> str:
    params = {"api-version": "2018-02-01", "resource": resource}
    answer = _fetched(url, _AZURE, "azure_auth", {"Metadata": "true"}, params)
    try:
        return str(json.loads(answer)["access_token"])
    except (ValueError, TypeError, KeyError, RecursionError):
        # What is no token is refused by the caller, who knows how to say it.
        return ""


def _fetched(url: str, path: str, method: str, headers: Mapping[str, str], params: Mapping[str, str]) -> str:
    what = f"get a token for {method} from the metadata service"
    client = Client(Connection(url, timeout=TIMEOUT, environment=False), Patience(PATIENCE), Redactor())
    try:
        return client.get_text(path, what, headers=headers, params=params)
    except InfisicalError as failure:
        if failure.http_status is not None:
            failure.reason = "authentication_failed"
            failure.problem = f"Could not {what} at {url}: HTTP {failure.http_status}."
        failure.next_step = (
            f"{method} without jwt or jwt_path needs a virtual machine of that cloud with an identity attached to it: "
            "run the task there, give the token yourself, or set metadata_url."
        )
        raise
    finally:
        client.close()
