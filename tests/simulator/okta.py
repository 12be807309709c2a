# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Okta's side: applications with at most two secrets each, unaware of Infisical."""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .clock import iso

MAX_SECRETS = 2
ONLY_ACTIVE = "You can't deactivate the only active client secret."
_ALPHABET = string.ascii_letters + string.digits + "_-"


def random_id(prefix: str, length: int = 17) -> str:
    return prefix + "".join(secrets.choice(string.ascii_letters + string.digits) for _unused in range(length))


@dataclass
class OktaSecret:
    id: str
    client_secret: str
    status: str
    created: float


@dataclass
class OktaApp:
    """``authMethod`` is the only one in which it may prove itself; None allows every one with a secret."""

    clientId: str
    secrets: list[OktaSecret] = field(default_factory=list)
    status: str = "ACTIVE"
    authMethod: str | None = None
    created_count: int = 0
    deleted_count: int = 0

    def find(self, secret_id: str) -> OktaSecret | None:
        return next((secret for secret in self.secrets if secret.id == secret_id), None)

    def accepts(self, client_secret: str) -> bool:
        return any(s.client_secret == client_secret and s.status == "ACTIVE" for s in self.secrets)

    def view(self) -> dict[str, Any]:
        return {
            "clientId": self.clientId,
            "status": self.status,
            "createdCount": self.created_count,
            "deletedCount": self.deleted_count,
            "secrets": [
                {
                    "id": secret.id,
                    "client_secret": secret.client_secret,
                    "status": secret.status,
                    "created": iso(secret.created),
                }
                for secret in self.secrets
            ],
        }


@dataclass
class OktaToken:
    """An opaque access token; ``server`` is None for the organisation's own authorization server."""

    accessToken: str
    clientId: str
    server: str | None
    scope: str
    issuedAt: float
    expiresAt: float


class OktaError(Exception):
    """Okta's refusal: `code` as in its error body (None: no answer came at all)."""

    def __init__(self, code: str | None, cause: str) -> None:
        super().__init__(cause)
        self.code = code
        self.cause = cause


class Okta:
    """`failures` names what goes wrong next: mode to remaining times (0: every time)."""

    def __init__(self, apps: dict[str, OktaApp], failures: dict[str, int], now: Callable[[], float]) -> None:
        self.apps = apps
        self.failures = failures
        self._now = now

    def fails(self, mode: str) -> bool:
        if mode not in self.failures:
            return False
        left = self.failures[mode]
        if left == 1:
            del self.failures[mode]
        elif left > 1:
            self.failures[mode] = left - 1
        return True

    def app(self, client_id: str) -> OktaApp:
        found = self.apps.get(client_id)
        if found is None:
            raise OktaError("E0000007", f"Not found: Resource not found: {client_id} (AppInstance)")
        return found

    def list_secrets(self, client_id: str) -> list[OktaSecret]:
        if self.fails("listError"):
            raise OktaError("E0000011", "Invalid token provided")
        return list(self.app(client_id).secrets)

    def create(self, client_id: str, *, force: bool = False) -> OktaSecret:
        app = self.app(client_id)
        if not force:
            self._refuse_create()
        if len(app.secrets) >= MAX_SECRETS and not force:
            raise OktaError("E0000001", "You've reached the maximum number of client secrets per client.")
        value = "".join(secrets.choice(_ALPHABET) for _unused in range(64))
        made = OktaSecret(random_id("ocs"), value, "ACTIVE", self._now())
        app.secrets.append(made)
        app.created_count += 1
        if not force and self.fails("createdButAnswerLost"):
            raise OktaError(None, "socket hang up")
        return made

    def _refuse_create(self) -> None:
        for mode, code, cause in (
            ("createError", "E0000009", "Internal Server Error"),
            ("validationError", "E0000001", "Api validation failed: client_secret"),
            ("invalidToken", "E0000011", "Invalid token provided"),
            ("rateLimited", "E0000047", "API call exceeded rate limit due to too many requests."),
            ("network", None, "connect ECONNREFUSED 192.0.2.10:443"),
        ):
            if self.fails(mode):
                raise OktaError(code, cause)

    def remove(self, client_id: str, secret_id: str) -> None:
        """Deactivate, then delete; a failure in between leaves an INACTIVE one that still counts."""
        app = self.app(client_id)
        found = app.find(secret_id)
        if found is None:
            raise OktaError("E0000007", f"Not found: Resource not found: {secret_id} (ClientSecret)")
        if found.status == "ACTIVE" and sum(secret.status == "ACTIVE" for secret in app.secrets) == 1:
            raise OktaError("E0000001", ONLY_ACTIVE)
        found.status = "INACTIVE"
        if self.fails("removeError"):
            raise OktaError("E0000009", "Internal Server Error")
        app.secrets.remove(found)
        app.deleted_count += 1
