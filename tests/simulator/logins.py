# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The login methods of machine identities."""

from __future__ import annotations

from typing import Any

from . import zod
from .addresses import refuse_untrusted
from .errors import WRONG_IP, ApiError, bad_request, forbidden, internal, not_found, unauthorized
from .lockouts import Lockouts
from .model import Identity
from .proofs import FAILURES, check_aws, check_jwt
from .router import Context, Router
from .store import Store
from .tokens import Tokens

_NOT_CONFIGURED = {
    "oidc-auth": "OIDC auth method not found for identity, did you configure OIDC auth?",
    "gcp-auth": "GCP auth method not found for identity, did you configure GCP auth?",
    "jwt-auth": "JWT auth method not found for identity, did you configure JWT auth?",
    "kubernetes-auth": "Kubernetes auth method not found for identity, did you configure Kubernetes auth?",
    "azure-auth": "Azure auth method not found for identity, did you configure Azure Auth?",
    "aws-auth": "AWS auth method not found for identity, did you configure AWS auth?",
}

_JWT_METHODS = ("oidc-auth", "jwt-auth", "kubernetes-auth", "gcp-auth", "azure-auth")
_JWT_BODY = {"identityId": zod.string(trim=True), "jwt": zod.string(trim=True)}
_AWS_BODY = {
    "identityId": zod.string(trim=True),
    "iamHttpRequestMethod": zod.optional(zod.string(trim=True), "POST"),
    "iamRequestBody": zod.string(trim=True),
    "iamRequestHeaders": zod.string(trim=True),
}
_LDAP_BODY = {"identityId": zod.uuid(), "username": zod.string(minimum=1), "password": zod.string(minimum=1)}
_UNIVERSAL_BODY = {"clientId": zod.string(trim=True), "clientSecret": zod.string(trim=True)}
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

    @property
    def _new(self) -> bool:
        return self._store.settings.generation == "new"

    @property
    def _organization_field(self) -> str:
        return "organizationSlug" if self._new else "subOrganizationName"

    def _parse(self, fields: dict[str, zod.Check], context: Context) -> dict[str, Any]:
        name = self._organization_field
        found: dict[str, Any] = zod.parse(zod.obj({**fields, name: zod.optional(zod.slug(name))}), context.body)
        return found

    def _organization(self, identity: Identity, body: dict[str, Any]) -> str | None:
        """The sub-organisation that the token is for; the newer server also takes the organisation's own slug."""
        slug = body.get(self._organization_field)
        if slug is None or (self._new and slug == self._store.data.orgSlug):
            return None
        if slug not in self._store.data.subOrganizations:
            raise not_found(f"Sub organization with {'slug' if self._new else 'name'} {slug} not found")
        if slug not in identity.subOrganizations:
            raise unauthorized(f"Identity not authorized to access sub organization {slug}")
        return str(slug)

    def _issue(self, identity: Identity, method: str, body: dict[str, Any]) -> dict[str, Any]:
        organization = self._organization(identity, body)
        return self._tokens.answer(self._tokens.issue(identity, method, organization=organization))

    async def universal(self, context: Context) -> Any:
        body = self._parse(_UNIVERSAL_BODY, context)
        if "\0" in body["clientId"]:
            raise internal(error="Find one")
        identities = self._store.data.identities.values()
        identity = next((i for i in identities if i.clientId == body["clientId"]), None)
        if identity is None:
            raise unauthorized("Invalid credentials")
        self._check_address(context.address, identity)
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
        return self._issue(identity, "universal-auth", body)

    def _check_address(self, address: str, identity: Identity) -> None:
        refuse_untrusted(address, identity.clientSecretTrustedIps)
        if self._store.settings.ipRefused:
            raise forbidden(WRONG_IP)

    def _configured(self, identity_id: str, method: str) -> tuple[Identity, dict[str, Any]]:
        if not zod.is_uuid(identity_id):
            raise internal(error="Find one")
        identity = self._store.data.identities.get(identity_id)
        if identity is None and method == "ldap-auth":
            raise unauthorized("Identity not found")
        if identity is None or method not in identity.methods:
            if method == "ldap-auth":
                raise unauthorized("LDAP configuration not found")
            # The older server speaks of GCP there.
            known_as = "gcp-auth" if method == "oidc-auth" and not self._new else method
            raise not_found(_NOT_CONFIGURED[known_as])
        config: dict[str, Any] = identity.methods[method]
        failure = config.get("failure")
        if failure:
            raise FAILURES[method][failure]
        return identity, config

    def _jwt_login(self, method: str) -> Any:
        async def login(context: Context) -> Any:
            body = self._parse(_JWT_BODY, context)
            identity, config = self._configured(body["identityId"], method)
            check_jwt(method, body["jwt"], config, identity.id, self._tokens)
            return self._issue(identity, method, body)

        return login

    async def aws(self, context: Context) -> Any:
        body = self._parse(_AWS_BODY, context)
        identity, config = self._configured(body["identityId"], "aws-auth")
        check_aws(body, config.get("accessKeys", {}))
        return self._issue(identity, "aws-auth", body)

    async def ldap(self, context: Context) -> Any:
        body = self._parse(_LDAP_BODY, context)
        identity, config = self._configured(body["identityId"], "ldap-auth")
        key = f"{identity.id}:ldap-auth:{body['username']}"
        self._lockouts.refuse_locked(identity, key)
        if config.get("users", {}).get(body["username"]) != body["password"]:
            self._lockouts.wrong(identity, key)
            raise FAILURES["ldap-auth"]["default"]
        self._lockouts.right(key)
        return self._issue(identity, "ldap-auth", body)

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
