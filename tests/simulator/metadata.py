# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cloud's metadata service, whose tokens the gcp-auth and azure-auth logins accept."""

from __future__ import annotations

from typing import Any

import jwt

from .proofs import AZURE_ISSUER, GCP_ISSUER
from .store import Store

GCP_PATH = "/_metadata/computeMetadata/v1/instance/service-accounts/default/identity"
AZURE_PATH = "/_metadata/metadata/identity/oauth2/token"
LIFETIME = 3600


class Metadata:
    def __init__(self, store: Store) -> None:
        self._store = store

    def _sign(self, issuer: str, audience: str) -> str:
        now = int(self._store.now())
        claims = {"iss": issuer, "aud": audience, "sub": "1234567890", "iat": now, "exp": now + LIFETIME}
        return jwt.encode(claims, self._store.data.signingKey, algorithm="HS256")

    def answer(self, path: str, query: dict[str, Any], headers: dict[str, str]) -> tuple[int, str, Any]:
        """Status, content type and body (text for Google, JSON for Azure)."""
        if path == GCP_PATH:
            if headers.get("metadata-flavor") != "Google":
                return 403, "text/html", "Missing required header: Metadata-Flavor"
            if not query.get("audience"):
                return 400, "text/html", "non-empty audience parameter required"
            return 200, "text/html", self._sign(GCP_ISSUER, str(query["audience"]))
        if path == AZURE_PATH:
            return self._azure(query, headers)
        return 404, "text/html", "Not Found"

    def _azure(self, query: dict[str, Any], headers: dict[str, str]) -> tuple[int, str, Any]:
        if headers.get("metadata", "").lower() != "true":
            refusal = {"error": "invalid_request", "error_description": "Required metadata header not specified"}
            return 400, "application/json", refusal
        if not query.get("resource") or not query.get("api-version"):
            refusal = {"error": "invalid_request", "error_description": "Missing resource or api-version"}
            return 400, "application/json", refusal
        token = self._sign(AZURE_ISSUER, str(query["resource"]))
        expires = str(int(self._store.now()) + LIFETIME)
        body = {
            "access_token": token,
            "expires_in": str(LIFETIME),
            "expires_on": expires,
            "resource": query["resource"],
            "token_type": "Bearer",
        }
        return 200, "application/json", body
