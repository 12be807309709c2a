# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Infisical stores. Field names are the server's own; moments are epoch seconds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .addresses import EVERYWHERE

OKTA_TYPE = "okta-client-secret"
TTL_DEFAULT = 2_592_000

ALL_PERMISSIONS: tuple[tuple[str, str], ...] = (
    ("read", "secret-rotation"),
    ("read-generated-credentials", "secret-rotation"),
    ("create", "secret-rotation"),
    ("edit", "secret-rotation"),
    ("delete", "secret-rotation"),
    ("rotate-secrets", "secret-rotation"),
    ("describeSecret", "secrets"),
    ("readValue", "secrets"),
    ("create", "secrets"),
    ("edit", "secrets"),
    ("delete", "secrets"),
    ("read", "secret-folders"),
    ("create", "secret-folders"),
    ("read", "project"),
    ("read-app-connections", "app-connections"),
    ("connect-app-connections", "app-connections"),
)


@dataclass
class ClientSecret:
    clientSecret: str
    createdAt: float
    ttl: int = 0
    numUsesLimit: int = 0
    numUses: int = 0
    revoked: bool = False


@dataclass
class Identity:
    """`methods` maps an auth method ("oidc-auth", ...) to what it accepts."""

    id: str
    name: str
    clientId: str
    clientSecrets: list[ClientSecret]
    permissions: list[list[str]]
    accessTokenTTL: int = TTL_DEFAULT
    accessTokenMaxTTL: int = TTL_DEFAULT
    accessTokenNumUsesLimit: int = 0
    accessTokenPeriod: int = 0
    lockoutEnabled: bool = True
    lockoutThreshold: int = 3
    lockoutDurationSeconds: int = 300
    lockoutCounterResetSeconds: int = 30
    clientSecretTrustedIps: list[str] = field(default_factory=lambda: list(EVERYWHERE))
    accessTokenTrustedIps: list[str] = field(default_factory=lambda: list(EVERYWHERE))
    subOrganizations: list[str] = field(default_factory=list)
    projects: list[str] | None = None
    methods: dict[str, Any] = field(default_factory=dict)

    def can(self, action: str, subject: str) -> bool:
        return [action, subject] in self.permissions

    def member_of(self, project_id: str) -> bool:
        return self.projects is None or project_id in self.projects


@dataclass
class Token:
    id: str
    identityId: str
    kind: str
    method: str
    accessToken: str
    createdAt: float
    renewedAt: float
    ttl: int
    maxTTL: int
    numUsesLimit: int = 0
    numUses: int = 0
    revoked: bool = False
    permissions: list[list[str]] | None = None
    organization: str | None = None

    def can(self, identity: Identity, action: str, subject: str) -> bool:
        if self.permissions is not None:
            return [action, subject] in self.permissions
        return identity.can(action, subject)


@dataclass
class Environment:
    id: str
    slug: str
    name: str


@dataclass
class Folder:
    id: str
    environment: str
    path: str
    createdAt: float


@dataclass
class Project:
    id: str
    name: str
    slug: str
    orgId: str
    createdAt: float
    environments: list[Environment]
    folders: list[Folder]

    def environment(self, slug: str) -> Environment | None:
        return next((e for e in self.environments if e.slug == slug), None)

    def folder(self, environment: str, path: str) -> Folder | None:
        return next((f for f in self.folders if f.environment == environment and f.path == path), None)


@dataclass
class MappedSecret:
    id: str
    projectId: str
    environment: str
    secretPath: str
    secretKey: str
    secretValue: str
    version: int
    rotationId: str | None
    createdAt: float
    updatedAt: float
    secretComment: str = ""
    skipMultilineEncoding: bool = False


@dataclass
class Connection:
    id: str
    name: str
    app: str
    orgId: str
    projectId: str | None
    instanceUrl: str
    createdAt: float


@dataclass
class Credentials:
    clientId: str
    clientSecret: str
    secretId: str


@dataclass
class Rotation:
    id: str
    name: str
    description: str | None
    type: str
    projectId: str
    environment: str
    secretPath: str
    folderId: str
    connectionId: str
    parameters: dict[str, str]
    secretsMapping: dict[str, str]
    createdAt: float
    updatedAt: float
    rotationInterval: float
    rotateAtUtc: dict[str, float]
    lastRotatedAt: float
    lastRotationAttemptedAt: float
    isAutoRotationEnabled: bool = True
    activeIndex: int = 0
    rotationStatus: str = "success"
    lastRotationJobId: str | None = None
    nextRotationAt: float | None = None
    isLastRotationManual: bool = True
    lastRotationMessage: str | None = None
    generatedCredentials: list[Credentials] = field(default_factory=list)
    started: int = 0
    completed: int = 0


@dataclass
class Lock:
    """A hidden one is not seen by the early check, only when the lock is really taken."""

    owner: str
    expiresAt: float
    hidden: bool = False


def folder_path(path: str) -> str:
    return path.rstrip("/") or "/"
