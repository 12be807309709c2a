# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of a task as ansible-core hands them over, and how they are refused."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError
from ansible_collections.secretops.infisical.plugins.module_utils._options import (
    AUTHENTICATION,
    CONNECTION,
    ROTATION,
    merged,
)

ID = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
UNIVERSAL = {"universal_auth_client_id": "id", "universal_auth_client_secret": "secret"}
UNIVERSAL_ENV = {"INFISICAL_UNIVERSAL_AUTH_CLIENT_ID": "env-id", "INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET": "env-secret"}
#: What login returns for the first of them.
SHARED = {"url": "https://x.example", "access_token": "t", "auth_method": "universal_auth", "identity": "id"}


def params(**given: Any) -> dict[str, Any]:
    spec = merged(ROTATION, CONNECTION, AUTHENTICATION)
    return {option: given.get(option, details.get("default")) for option, details in spec.items()}


def refused(call: Any) -> str:
    """Why, before anything is sent."""
    with pytest.raises(InfisicalError) as caught:
        call()
    assert caught.value.reason == "invalid_arguments"
    assert caught.value.effect == "none"
    return caught.value.message
