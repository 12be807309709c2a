# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the tests' tasks ask the simulator's Okta about a secret."""

from __future__ import annotations

from typing import Any

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


def task(name: str, options: dict[str, Any], **keywords: Any) -> dict[str, Any]:
    return {"name": name, CHECK: options, **keywords}
