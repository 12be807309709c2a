# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that speaks of one type of rotation. A further type is a further entry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Refusal:
    """A fixed text of a refusal (a regular expression), the reason of the failure, and what to do then."""

    text: str
    reason: str
    next_step: str


@dataclass(frozen=True)
class Kind:
    """A type of rotation.

    ``slug`` is its ``type`` and stands in its URLs, ``app`` is that of its app connections. ``parameters`` and
    ``secrets_mapping`` are the options' names with the server's; ``application`` is the parameter that tells which
    application's secrets are rotated. ``credentials`` are the keys of one generated credential, ``live_secrets`` is
    how many of them the provider keeps valid at a time.
    """

    slug: str
    app: str
    name: str
    provider: str
    parameters: Mapping[str, str]
    application: str
    secrets_mapping: Mapping[str, str]
    credentials: tuple[str, ...]
    live_secrets: int
    since: str
    limit: Refusal
    revocation: Refusal

    @property
    def path(self) -> str:
        return f"/api/v2/secret-rotations/{self.slug}"


OKTA_CLIENT_SECRET = Kind(
    slug="okta-client-secret",
    app="okta",
    name="Okta client secret",
    provider="Okta",
    parameters=MappingProxyType({"client_id": "clientId"}),
    application="clientId",
    secrets_mapping=MappingProxyType({"client_id": "clientId", "client_secret": "clientSecret"}),
    credentials=("clientId", "clientSecret", "secretId"),
    live_secrets=2,
    since="July 2025",
    limit=Refusal(
        text="You must have only a single secret",
        reason="okta_secret_limit",
        next_step=(
            "An orphan secret sits at Okta that Infisical does not know. In the Okta admin console open the "
            "application, Client Credentials, find the secret that is not the one Infisical serves, deactivate "
            "and delete it, and run again. An application that proves itself by a private key is refused in the same "
            "words: it has no client secret."
        ),
    ),
    revocation=Refusal(
        text="Failed to remove client secret",
        reason="revocation_failed",
        next_step=(
            "The rotation is still there, and a secret before the refused one may be deleted at Okta already. Okta "
            "keeps the last secret of an application: run again without revoke_credentials, and then deactivate the "
            "application at Okta, or delete the secret that is left."
        ),
    ),
)

KINDS: Mapping[str, Kind] = MappingProxyType({kind.slug: kind for kind in (OKTA_CLIENT_SECRET,)})
