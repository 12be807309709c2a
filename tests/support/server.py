# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the tests' tasks reach the simulator."""

from __future__ import annotations

from typing import Any

from simulator.client import Simulator


def login(simulator: Simulator) -> dict[str, Any]:
    """Options of a task that logs in as the machine identity of the simulator's seed."""
    identity = simulator.state()["identity"]
    return {
        "url": simulator.url,
        "universal_auth_client_id": identity["clientId"],
        "universal_auth_client_secret": identity["clientSecret"],
    }


def environment(simulator: Simulator) -> dict[str, str]:
    """The same as environment variables."""
    options = login(simulator)
    return {
        "INFISICAL_URL": options["url"],
        "INFISICAL_UNIVERSAL_AUTH_CLIENT_ID": options["universal_auth_client_id"],
        "INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET": options["universal_auth_client_secret"],
    }


def tokens_left(simulator: Simulator) -> list[str]:
    """The ids of tokens from logins that were not revoked."""
    return [
        token["id"] for token in simulator.state()["tokens"] if token["method"] != "token-auth" and not token["revoked"]
    ]
