# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulator's Okta, as tests and demo ask it about secrets."""

from __future__ import annotations

from typing import Any

import requests
from simulator.client import Simulator

CHECK = "secretops.infisical.okta_client_secret_check"
#: The end of the path that is asked.
INTROSPECTION = "introspect$"
IN_BODY = {"client_auth_method": "client_secret_post"}


def application(simulator: Simulator, number: int = 0) -> dict[str, Any]:
    """Options for one of the secrets of the rotation's application."""
    return {
        "okta_url": simulator.okta_url,
        "client_id": simulator.rotation()["parameters"]["clientId"],
        "client_secret": simulator.okta_secrets()[number]["client_secret"],
    }


def credentials(simulator: Simulator, rotation_id: str | None = None) -> list[dict[str, str]]:
    """What Infisical holds, the active one first."""
    rotation = simulator.rotation(rotation_id)
    found = list(rotation["generatedCredentials"])
    return [found.pop(rotation["activeIndex"]), *found]


def slots(simulator: Simulator, rotation_id: str) -> dict[str, str]:
    """The same by the ids that the secrets have at Okta."""
    return {each["secretId"]: each["clientSecret"] for each in credentials(simulator, rotation_id)}


def token_status(simulator: Simulator, client_id: str, secret: str) -> int:
    """What Okta answers to whoever asks for a token with the secret."""
    url = f"{simulator.okta_url}/oauth2/default/v1/token"
    return requests.post(url, {"grant_type": "client_credentials"}, auth=(client_id, secret), timeout=30).status_code


def task(name: str, options: dict[str, Any], **keywords: Any) -> dict[str, Any]:
    return {"name": name, CHECK: options, **keywords}
