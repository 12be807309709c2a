# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The login methods of machine identities."""

from __future__ import annotations

import base64
import ipaddress
import json
import re
from typing import Any

import jwt

from . import zod
from .errors import WRONG_IP, ApiError, bad_request, forbidden, internal, not_found, unauthorized
from .lockouts import Lockouts
from .model import Identity
from .router import Context, Router
from .store import Store
from .tokens import Tokens

_NOT_CONFIGURED = {
    "oidc-auth": "GCP auth method not found for identity, did you configure GCP auth?",
    "gcp-auth": "GCP auth method not found for identity, did you configure GCP auth?",
    "jwt-auth": "JWT auth method not found for identity, did you configure JWT auth?",
    "kubernetes-auth": "Kubernetes auth method not found for identity, did you configure Kubernetes auth?",
    "azure-auth": "Azure auth method not found for identity, did you configure Azure Auth?",
    "aws-auth": "AWS auth method not found for identity, did you configure AWS auth?",
}

# What a test can ask for by name as the failure of a method; "default" is a token that is not accepted.
FAILURES: dict[str, dict[str, ApiError]] = {
    "oidc-auth": {
        "default": unauthorized("Access denied: invalid signature"),
        "audience": unauthorized("Access denied: OIDC audience not allowed."),
        "subject": forbidden("Access denied: OIDC subject not allowed."),
        "invalid": unauthorized("Invalid JWT"),
    },
    "jwt-auth": {
        "default": unauthorized("Access denied: invalid signature"),
        "audience": unauthorized("Access denied: audience not allowed"),
        "issuer": forbidden("Access denied: issuer mismatch"),
        "subject": forbidden("Access denied: subject not allowed"),
        "unknownKey": internal(),
    },
    "kubernetes-auth": {
        "default": unauthorized(
            "[invalid bearer token, Token has been invalidated]", "KubernetesTokenReviewerUnauthorized"
        ),
        "forbidden": unauthorized("tokenreviews is forbidden", "KubernetesTokenReviewerForbidden"),
        "unreachable": bad_request("connect ECONNREFUSED", "KubernetesConnectionRefused"),
        "timeout": bad_request("connect ETIMEDOUT", "KubernetesConnectionTimeout"),
    },
    "gcp-auth": {"default": unauthorized("Access denied: invalid signature")},
    "azure-auth": {
        "default": unauthorized("Tenant ID mismatch"),
        "principal": unauthorized("Service principal '9f6f0b2c-7f04-4a3a-9e0f-0a1c7ec6b1aa' not allowed"),
    },
    "aws-auth": {
        "default": internal(),
        "account": unauthorized("Access denied: AWS account ID not allowed."),
        "region": bad_request("Invalid AWS region"),
        "arn": unauthorized(
            "Access denied: AWS principal ARN not allowed. "
            "[principal-arn=arn:aws:sts::123456789012:assumed-role/rotator/i-0abc]"
        ),
    },
    "ldap-auth": {"default": unauthorized("LDAP authentication failed")},
}

_JWT_METHODS = ("oidc-auth", "jwt-auth", "kubernetes-auth", "gcp-auth", "azure-auth")
_CREDENTIAL = re.compile(r"AWS4-HMAC-SHA256\s+Credential=([^/,\s]+)/")
_JWT_BODY = zod.obj({"identityId": zod.string(trim=True), "jwt": zod.string(trim=True)})
_AWS_BODY = zod.obj(
    {
        "identityId": zod.string(trim=True),
        "iamHttpRequestMethod": zod.optional(zod.string(trim=True), "POST"),
        "iamRequestBody": zod.string(trim=True),
        "iamRequestHeaders": zod.string(trim=True),
    }
)
_LDAP_BODY = zod.obj({"identityId": zod.uuid(), "username": zod.string(minimum=1), "password": zod.string(minimum=1)})
_UNIVERSAL_BODY = zod.obj({"clientId": zod.string(trim=True), "clientSecret": zod.string(trim=True)})
_TOKEN_BODY = zod.obj({"accessToken": zod.string(trim=True)})


class Logins:
    def __init__(self, store: Store, tokens: Tokens) -> None:
        self._store = store
        self._tokens = tokens
        self._lockouts = Lockouts(store)

    def register(self, router: Router) -> None:
        base = "/api/v1/auth"
        router.add("POST", f"{base}/universal-auth/login", self.universal, category="write", auth=False)
        for method in _JWT_METHODS:
            router.add("POST", f"{base}/{method}/login", self._jwt_login(method), category="write", auth=False)
        router.add("POST", f"{base}/aws-auth/login", self.aws, category="write", auth=False)
        router.add("POST", f"{base}/ldap-auth/login", self.ldap, category="write", auth=False)
        router.add("POST", f"{base}/tls-cert-auth/login", self.tls_cert, category="write", auth=False)
        router.add("POST", f"{base}/token/renew", self.renew, category="write", auth=False)
        router.add("POST", f"{base}/token/revoke", self.revoke, category="write", auth=False)
        identity_tokens = f"{base}/token-auth/identities/{{identityId}}/tokens"
        router.add("POST", identity_tokens, self.create_token, category="write")
        router.add("POST", f"{base}/token-auth/tokens/{{tokenId}}/revoke", self.revoke_by_id, category="write")

    def _issue(self, identity: Identity, method: str) -> dict[str, Any]:
        return self._tokens.answer(self._tokens.issue(identity, method))

    async def universal(self, context: Context) -> Any:
        body = zod.parse(_UNIVERSAL_BODY, context.body)
        if "\0" in body["clientId"]:
            raise internal(error="Find one")
        identities = self._store.data.identities.values()
        identity = next((i for i in identities if i.clientId == body["clientId"]), None)
        if identity is None:
            raise unauthorized("Invalid credentials")
        self._check_address(context.address)
        if self._store.settings.loginLockContention:
            raise ApiError(429, "RateLimitExceeded", "Failed to acquire lock: rate limit exceeded")
        key = f"{identity.id}:universal-auth:{identity.clientId}"
        self._lockouts.refuse_locked(identity, key)
        secret = next(
            (s for s in identity.clientSecrets if s.clientSecret == body["clientSecret"] and not s.revoked), None
        )
        if secret is None:
            self._lockouts.wrong(identity, key)
            raise unauthorized("Invalid credentials")
        if secret.ttl and self._store.now() >= secret.createdAt + secret.ttl:
            secret.revoked = True
            raise unauthorized("Access denied due to expired client secret")
        if secret.numUsesLimit and secret.numUses >= secret.numUsesLimit:
            secret.revoked = True
            raise unauthorized("Access denied due to client secret usage limit reached")
        secret.numUses += 1
        self._lockouts.right(key)
        return self._issue(identity, "universal-auth")

    def _check_address(self, address: str) -> None:
        try:
            ipaddress.ip_address(address)
        except ValueError:
            raise internal() from None
        if self._store.settings.ipRefused:
            raise forbidden(WRONG_IP)

    def _configured(self, identity_id: str, method: str) -> tuple[Identity, dict[str, Any]]:
        if not zod.is_uuid(identity_id):
            raise internal(error="Find one")
        identity = self._store.data.identities.get(identity_id)
        if identity is None:
            raise unauthorized("Identity not found")
        if method not in identity.methods:
            if method == "ldap-auth":
                raise unauthorized("LDAP configuration not found")
            raise not_found(_NOT_CONFIGURED[method])
        config: dict[str, Any] = identity.methods[method]
        failure = config.get("failure")
        if failure:
            raise FAILURES[method][failure]
        return identity, config

    def _jwt_login(self, method: str) -> Any:
        async def login(context: Context) -> Any:
            body = zod.parse(_JWT_BODY, context.body)
            identity, config = self._configured(body["identityId"], method)
            text = body["jwt"]
            if text not in config.get("jwts", []) and not self._cloud_token(method, text, identity):
                if len(text.split(".")) != 3 and method in ("oidc-auth", "jwt-auth"):
                    raise unauthorized("Access denied: jwt malformed")
                raise FAILURES[method]["default"]
            return self._issue(identity, method)

        return login

    def _cloud_token(self, method: str, text: str, identity: Identity) -> bool:
        """Tokens of the metadata service below are good: Google's when made for this identity."""
        issuer = {"gcp-auth": "https://accounts.google.com", "azure-auth": "https://sts.windows.net/"}.get(method)
        try:
            claims = jwt.decode(
                text,
                self._store.data.signingKey,
                algorithms=["HS256"],
                options={"verify_aud": False, "verify_exp": False, "verify_iat": False},
            )
        except jwt.InvalidTokenError:
            return False
        if issuer is None or claims.get("iss") != issuer or claims["exp"] <= self._store.now():
            return False
        return method == "azure-auth" or claims.get("aud") == identity.id

    async def aws(self, context: Context) -> Any:
        body = zod.parse(_AWS_BODY, context.body)
        identity, config = self._configured(body["identityId"], "aws-auth")
        try:
            request = base64.b64decode(body["iamRequestBody"], validate=True).decode()
            headers = json.loads(base64.b64decode(body["iamRequestHeaders"], validate=True))
            signed = {name.lower(): str(value) for name, value in headers.items()}
        except (ValueError, AttributeError):
            raise internal() from None
        signature = _CREDENTIAL.search(signed.get("authorization", ""))
        called = "Action=GetCallerIdentity" in request and body["iamHttpRequestMethod"] == "POST"
        if not called or signature is None or "x-amz-date" not in signed or "host" not in signed:
            raise internal()
        if signature.group(1) not in config.get("accessKeyIds", []):
            raise FAILURES["aws-auth"]["default"]
        return self._issue(identity, "aws-auth")

    async def ldap(self, context: Context) -> Any:
        body = zod.parse(_LDAP_BODY, context.body)
        identity, config = self._configured(body["identityId"], "ldap-auth")
        key = f"{identity.id}:ldap-auth:{body['username']}"
        self._lockouts.refuse_locked(identity, key)
        if config.get("users", {}).get(body["username"]) != body["password"]:
            self._lockouts.wrong(identity, key)
            raise FAILURES["ldap-auth"]["default"]
        self._lockouts.right(key)
        return self._issue(identity, "ldap-auth")

    async def tls_cert(self, context: Context) -> Any:
        raise bad_request("Missing TLS certificate in header")

    async def renew(self, context: Context) -> Any:
        return self._tokens.renew(zod.parse(_TOKEN_BODY, context.body)["accessToken"])

    async def revoke(self, context: Context) -> Any:
        return self._tokens.revoke(zod.parse(_TOKEN_BODY, context.body)["accessToken"])

    async def create_token(self, context: Context) -> Any:
        zod.parse(zod.obj({"name": zod.optional(zod.string())}), context.body)
        identity = self._store.data.identities.get(context.params["identityId"])
        if identity is None:
            raise not_found(f"Failed to find identity with ID {context.params['identityId']}")
        token = self._tokens.issue(identity, "token-auth")
        return {**self._tokens.answer(token), "tokenData": {"id": token.id, "identityId": identity.id, "name": ""}}

    async def revoke_by_id(self, context: Context) -> Any:
        token = self._store.data.tokens.get(context.params["tokenId"])
        if token is None or token.revoked:
            raise not_found(f"Token with ID {context.params['tokenId']} not found or already revoked")
        token.revoked = True
        return {"message": "Successfully revoked access token"}
