# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The login methods of machine identities, as a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from . import proofs


class Method(NamedTuple):
    """One way to log in.

    ``needed`` options are all needed, of ``either`` exactly one, ``optional`` ones may be left out. ``identifying``
    are those that say which method is meant when nothing else does. ``defaults`` stand for what is nowhere given.
    ``body`` maps fields of the login's body to options, and ``proof`` makes the fields that are no options.
    """

    path: str = ""
    needed: tuple[str, ...] = ()
    either: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    identifying: tuple[str, ...] = ()
    defaults: Mapping[str, str] = MappingProxyType({})
    body: Mapping[str, str] = MappingProxyType({})
    proof: Callable[[Mapping[str, str]], proofs.Proof] | None = None

    @property
    def options(self) -> tuple[str, ...]:
        return (*self.needed, *self.either, *self.optional)


#: The server's releases call the same field by one name or the other, and drop the one that they don't know.
_ORGANIZATION = {"organizationSlug": "organization_slug", "subOrganizationName": "organization_slug"}
_IDENTITY = {"identityId": "identity_id", **_ORGANIZATION}
_OPTIONAL = ("organization_slug",)

METHODS = {
    "universal_auth": Method(
        "/api/v1/auth/universal-auth/login",
        needed=("universal_auth_client_id", "universal_auth_client_secret"),
        identifying=("universal_auth_client_id", "universal_auth_client_secret"),
        optional=_OPTIONAL,
        body={
            "clientId": "universal_auth_client_id",
            "clientSecret": "universal_auth_client_secret",
            **_ORGANIZATION,
        },
    ),
    "token_auth": Method(needed=("token",), identifying=("token",)),
    "oidc_auth": Method(
        "/api/v1/auth/oidc-auth/login",
        needed=("identity_id",),
        either=("jwt", "jwt_path"),
        optional=_OPTIONAL,
        # Four more methods take a JWT. This one had it first, in infisical.vault.
        identifying=("jwt", "jwt_path"),
        body=_IDENTITY,
        proof=proofs.jwt,
    ),
    "jwt_auth": Method(
        "/api/v1/auth/jwt-auth/login",
        needed=("identity_id",),
        either=("jwt", "jwt_path"),
        optional=_OPTIONAL,
        body=_IDENTITY,
        proof=proofs.jwt,
    ),
    "ldap_auth": Method(
        "/api/v1/auth/ldap-auth/login",
        needed=("identity_id", "ldap_username", "ldap_password"),
        optional=_OPTIONAL,
        identifying=("ldap_username", "ldap_password"),
        body={**_IDENTITY, "username": "ldap_username", "password": "ldap_password"},
    ),
    "kubernetes_auth": Method(
        "/api/v1/auth/kubernetes-auth/login",
        needed=("identity_id",),
        either=("jwt", "jwt_path"),
        optional=_OPTIONAL,
        defaults={"jwt_path": "/var/run/secrets/kubernetes.io/serviceaccount/token"},
        body=_IDENTITY,
        proof=proofs.jwt,
    ),
    "gcp_auth": Method(
        "/api/v1/auth/gcp-auth/login",
        needed=("identity_id",),
        either=("jwt", "jwt_path", "metadata_url"),
        optional=_OPTIONAL,
        defaults={"metadata_url": "http://metadata.google.internal"},
        body=_IDENTITY,
        proof=proofs.gcp,
    ),
    "azure_auth": Method(
        "/api/v1/auth/azure-auth/login",
        needed=("identity_id",),
        either=("jwt", "jwt_path", "metadata_url"),
        optional=("azure_resource", *_OPTIONAL),
        defaults={"metadata_url": "http://169.254.169.254", "azure_resource": "https://management.azure.com/"},
        body=_IDENTITY,
        proof=proofs.azure,
    ),
    "aws_auth": Method(
        "/api/v1/auth/aws-auth/login",
        needed=("identity_id",),
        optional=("aws_region", *_OPTIONAL),
        body=_IDENTITY,
        proof=proofs.aws,
    ),
}
