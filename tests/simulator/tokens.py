# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Access tokens: issuing, checking on each request, renewing, revoking."""

from __future__ import annotations

import base64
import binascii
import json
import re
import secrets
from dataclasses import dataclass
from typing import Any

import jwt

from .addresses import refuse_untrusted
from .errors import (
    EXPIRED,
    MALFORMED,
    WRONG_ALGORITHM,
    WRONG_IP,
    ApiError,
    bad_request,
    forbidden,
    not_found,
    token_error,
    unauthorized,
)
from .model import Identity, Token
from .store import Store, new_id

IDENTITY_KIND = "identityAccessToken"
USER_KIND = "accessToken"
SERVICE_KIND = "serviceToken"
PERIODIC_MAX_TTL = 1_000_000_000
SERVER_MAX_AGE = 7_776_000
_SEGMENT = re.compile(r"^[A-Za-z0-9_-]+$")


@dataclass
class Caller:
    identity: Identity
    token: Token

    def can(self, action: str, subject: str) -> bool:
        return self.token.can(self.identity, action, subject)


class Tokens:
    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def _new(self) -> bool:
        return self._store.settings.generation == "new"

    def _sign(self, token: Token) -> str:
        now = self._store.now()
        claims: dict[str, Any] = {
            "identityId": token.identityId,
            "identityAccessTokenId": token.id,
            "authTokenType": token.kind,
            "iat": int(now),
        }
        if token.method == "universal-auth":
            claims["clientSecretId"] = token.identityId
        lifetime = token.ttl if self._new else token.maxTTL
        if lifetime == 0 and self._new:
            lifetime = SERVER_MAX_AGE
        if lifetime:
            # The newer server never lets a renewed token outlive the maximum.
            end = now + lifetime
            if self._new and token.maxTTL:
                end = min(end, token.createdAt + token.maxTTL)
            claims["exp"] = int(end)
        return jwt.encode(claims, self._store.data.signingKey, algorithm="HS256")

    def issue(self, identity: Identity, method: str, **overrides: Any) -> Token:
        now = self._store.now()
        ttl, max_ttl = identity.accessTokenTTL, identity.accessTokenMaxTTL
        if identity.accessTokenPeriod > 0 and method == "universal-auth":
            ttl, max_ttl = identity.accessTokenPeriod, PERIODIC_MAX_TTL
        token = Token(
            id=new_id(),
            identityId=identity.id,
            kind=overrides.get("kind") or IDENTITY_KIND,
            method=method,
            accessToken="",
            createdAt=now,
            renewedAt=now,
            ttl=overrides.get("ttl", ttl),
            maxTTL=overrides.get("maxTTL", max(max_ttl, overrides.get("ttl", 0))),
            numUsesLimit=overrides.get("numUsesLimit", identity.accessTokenNumUsesLimit),
            permissions=overrides.get("permissions"),
            organization=overrides.get("organization"),
        )
        service = token.kind == SERVICE_KIND
        token.accessToken = f"st.{token.id}.{secrets.token_hex(16)}" if service else self._sign(token)
        self._store.data.tokens[token.id] = token
        return token

    @staticmethod
    def answer(token: Token) -> dict[str, Any]:
        return {
            "accessToken": token.accessToken,
            "expiresIn": token.ttl,
            "accessTokenMaxTTL": token.maxTTL,
            "tokenType": "Bearer",
        }

    def claims(self, text: str) -> dict[str, Any]:
        """The checks and texts of the server's JWT library, in its order."""
        if not text:
            raise token_error("jwt must be provided")
        parts = text.split(".")
        if len(parts) != 3:
            raise token_error(MALFORMED)
        header = _segment(parts[0])
        if header is None or _segment(parts[1]) is None:
            raise token_error("invalid token")
        if not parts[2].strip():
            raise token_error("jwt signature is required")
        if header.get("alg") != "HS256":
            raise token_error(WRONG_ALGORITHM)
        try:
            claims: dict[str, Any] = jwt.decode(
                text,
                self._store.data.signingKey,
                algorithms=["HS256"],
                options={"verify_exp": False, "verify_iat": False, "verify_aud": False, "verify_nbf": False},
            )
        except jwt.InvalidTokenError:
            raise token_error("invalid signature") from None
        if "exp" in claims and self._store.now() >= claims["exp"]:
            raise token_error(EXPIRED)
        return claims

    def _find(self, claims: dict[str, Any]) -> Token:
        token = self._store.data.tokens.get(str(claims.get("identityAccessTokenId")))
        if token is None or (token.revoked and not self._new):
            raise unauthorized("No identity access token found")
        if token.revoked:
            raise unauthorized("Failed to authorize: token has been revoked")
        return token

    def caller(self, authorization: str | None, address: str = "127.0.0.1") -> Caller | None:
        """Who asks; raises for a header that is there but no good, on any route."""
        if not authorization:
            return None
        # The server cuts off seven characters without a look at the scheme.
        text = authorization.rstrip()[7:]
        if text.startswith("st."):
            return self._service(text)
        claims = self.claims(text)
        if claims.get("authTokenType") not in (IDENTITY_KIND, USER_KIND):
            return None
        token = self._find(claims)
        identity = self._store.data.identities.get(token.identityId)
        if identity is None:
            raise unauthorized("No identity access token found")
        refuse_untrusted(address, identity.accessTokenTrustedIps)
        if self._store.settings.ipRefused:
            raise forbidden(WRONG_IP)
        self._check_ttl(token)
        self._count(token)
        return Caller(identity, token)

    def _service(self, text: str) -> Caller:
        token = next((t for t in self._store.data.tokens.values() if t.accessToken == text), None)
        if token is None:
            raise not_found(f"Service token with ID '{text.split('.')[1]}' not found")
        return Caller(self._store.data.identities[token.identityId], token)

    def _check_ttl(self, token: Token) -> None:
        if self._new or not token.ttl or self._store.now() < token.renewedAt + token.ttl:
            return
        token.revoked = True
        raise unauthorized("Failed to renew MI access token due to TTL expiration")

    def _count(self, token: Token) -> None:
        if token.numUsesLimit and token.numUses >= token.numUsesLimit:
            if self._new:
                raise unauthorized("Failed to authorize: token usage limit reached")
            token.revoked = True
            raise unauthorized("Unable to renew because access token number of uses limit reached")
        token.numUses += 1

    def _identity_claims(self, text: str, refusal: ApiError) -> dict[str, Any]:
        if text.startswith("st."):
            raise refusal
        claims = self.claims(text)
        if claims.get("authTokenType") != IDENTITY_KIND:
            raise refusal
        return claims

    def renew(self, text: str) -> dict[str, Any]:
        refusal = "Token is not an identity access token" if self._new else "Only identity access tokens can be renewed"
        claims = self._identity_claims(text, bad_request(refusal))
        token = self._store.data.tokens.get(str(claims.get("identityAccessTokenId")))
        if self._new and token is not None and token.revoked:
            raise unauthorized("Cannot renew: token has been revoked")
        token = self._find(claims)
        if token.numUsesLimit and token.numUses >= token.numUsesLimit and self._new:
            raise unauthorized("Cannot renew exhausted access token")
        now = self._store.now()
        end = token.createdAt + token.maxTTL
        if self._new and now >= end:
            raise unauthorized("Cannot renew: identity access token has reached its max TTL")
        if not self._new and now + token.ttl > end - (1 if token.ttl == token.maxTTL else 0):
            token.revoked = True
            raise unauthorized("Failed to renew MI access token past its Max TTL expiration")
        token.renewedAt = now
        token.accessToken = self._sign(token)
        return {**self.answer(token), "expiresIn": min(token.ttl, int(end - now)) if self._new else token.ttl}

    def revoke(self, text: str) -> dict[str, Any]:
        claims = self._identity_claims(text, unauthorized("Only identity access tokens can be revoked"))
        token = self._store.data.tokens.get(str(claims.get("identityAccessTokenId")))
        if token is None or (token.revoked and not self._new):
            raise unauthorized("No identity access token found")
        token.revoked = True
        return {"message": "Successfully revoked access token"}


def is_jwt(text: str) -> bool:
    """Whether the server's library can take it apart, whatever its signature."""
    parts = text.split(".")
    return len(parts) == 3 and _segment(parts[0]) is not None and _segment(parts[1]) is not None


def _segment(text: str) -> dict[str, Any] | None:
    if not _SEGMENT.match(text):
        return None
    try:
        decoded = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, binascii.Error):
        return None
    return decoded if isinstance(decoded, dict) else None
