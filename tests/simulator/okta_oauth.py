# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Okta's OAuth endpoints, under /okta: tokens for clients (RFC 6749) and their introspection (RFC 7662)."""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from collections import Counter
from typing import Any
from urllib.parse import parse_qsl

from .answers import Answer, json_answer
from .okta import OktaApp, OktaToken, random_id
from .pipeline import Received, request_id
from .store import Store

PREFIX = "/okta/"
BASIC, POST = "client_secret_basic", "client_secret_post"
_ENDPOINT = re.compile(r"/okta/oauth2(?:/([A-Za-z0-9_-]+))?/v1/(token|introspect)")
_UNCACHED = {"cache-control": "no-cache, no-store", "pragma": "no-cache"}


class Refusal(Exception):
    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(status)
        self.answer = json_answer(status, body)


def oauth_error(status: int, error: str, description: str) -> Refusal:
    return Refusal(status, {"error": error, "error_description": description})


def okta_error(status: int, code: str, summary: str) -> Refusal:
    body = {"errorCode": code, "errorSummary": summary, "errorLink": code, "errorId": random_id("oae", 22)}
    return Refusal(status, {**body, "errorCauses": []})


class OktaOAuth:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def answer(self, received: Received) -> Answer:
        try:
            answer = json_answer(200, self._answered(received))
        except Refusal as refusal:
            answer = refusal.answer
        answer.content_type, answer.etag = "application/json", False
        answer.headers = {**_UNCACHED, "X-Okta-Request-Id": request_id()}
        if answer.status == 401:
            answer.headers["WWW-Authenticate"] = 'Basic realm="Okta"'
        return answer

    def _answered(self, received: Received) -> dict[str, Any]:
        found = _ENDPOINT.fullmatch(received.path)
        if found is None:
            raise okta_error(404, "E0000007", f"Not found: Resource not found: {received.path} (Path)")
        server, endpoint = found[1], found[2]
        if server is not None and server not in ("default", *self._store.settings.oktaAuthorizationServers):
            raise okta_error(404, "E0000007", f"Not found: Resource not found: {server} (AuthorizationServer)")
        if received.method != "POST":
            raise okta_error(405, "E0000022", "The endpoint does not support the provided HTTP method")
        form = _form(received)
        app = self._client(received.headers.get("authorization"), form)
        return self._issued(app, server, form) if endpoint == "token" else self._introspected(server, form)

    def _client(self, authorization: str | None, form: dict[str, str]) -> OktaApp:
        """The application that the credentials prove (RFC 6749, 2.3.1). Okta takes them in the header as they are."""
        basic = _basic(authorization)
        if basic and "client_secret" in form:
            raise oauth_error(400, "invalid_request", "Cannot supply multiple client credentials.")
        client_id = basic[0] if basic else form.get("client_id")
        secret = basic[1] if basic else form.get("client_secret")
        if client_id is None:
            raise oauth_error(401, "invalid_client", "No client credentials found.")
        app = self._store.data.okta.get(client_id)
        if app is None or app.status != "ACTIVE":
            raise okta_error(401, "invalid_client", "Invalid value for 'client_id' parameter.")
        if secret is None or app.authMethod not in (None, BASIC if basic else POST):
            described = "Client authentication failed. Either the client or the client credentials are invalid."
            raise oauth_error(401, "invalid_client", described)
        if not app.accepts(secret):
            described = "The client secret supplied for a confidential client is invalid."
            raise oauth_error(401, "invalid_client", described)
        return app

    def _issued(self, app: OktaApp, server: str | None, form: dict[str, str]) -> dict[str, Any]:
        if "grant_type" not in form:
            raise oauth_error(400, "invalid_request", "The token endpoint requires 'grant_type' parameter.")
        if form["grant_type"] != "client_credentials":
            described = "The authorization grant type is not supported by the authorization server."
            raise oauth_error(400, "unsupported_grant_type", described)
        now, lifetime = self._store.now(), self._store.settings.oktaTokenLifetime
        made = OktaToken(secrets.token_urlsafe(48), app.clientId, server, form.get("scope", ""), now, now + lifetime)
        self._store.data.oktaTokens[made.accessToken] = made
        return {
            "token_type": "Bearer",
            "expires_in": lifetime,
            "access_token": made.accessToken,
            "scope": made.scope,
        }

    def _introspected(self, server: str | None, form: dict[str, str]) -> dict[str, Any]:
        if "token" not in form:
            raise oauth_error(400, "invalid_request", "The 'token' parameter is missing.")
        token = self._store.data.oktaTokens.get(form["token"])
        if token is None or token.server != server or token.expiresAt <= self._store.now():
            return {"active": False}
        return {
            "active": True,
            "client_id": token.clientId,
            "sub": token.clientId,
            "scope": token.scope,
            "token_type": "Bearer",
            "iat": int(token.issuedAt),
            "exp": int(token.expiresAt),
        }


def _form(received: Received) -> dict[str, str]:
    """An empty field counts as none, and one that comes twice is refused (RFC 6749, 3.2)."""
    kind = received.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise oauth_error(400, "invalid_request", "The content type must be application/x-www-form-urlencoded.")
    fields = parse_qsl((received.body or b"").decode("utf-8", "replace"))
    twice = [name for name, times in Counter(name for name, _value in fields).items() if times > 1]
    if twice:
        raise oauth_error(400, "invalid_request", f"The parameter '{twice[0]}' is included more than once.")
    return dict(fields)


def _basic(authorization: str | None) -> tuple[str, str] | None:
    """Id and secret of a header, None for one of another kind or one that is broken."""
    scheme, _blank, value = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        pair = base64.b64decode(value, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    client_id, colon, secret = pair.partition(":")
    return (client_id, secret) if colon else None
