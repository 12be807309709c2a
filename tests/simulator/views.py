# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How stored things look in an answer: exactly the keys that the server's response schemas name."""

from __future__ import annotations

from typing import Any

from .clock import iso, iso_or_none
from .model import Connection, Folder, MappedSecret, Project, Rotation
from .store import Store

HIDDEN = "<hidden-by-infisical>"


def rotation_view(store: Store, rotation: Rotation) -> dict[str, Any]:
    project = store.data.projects[rotation.projectId]
    environment = project.environment(rotation.environment)
    connection = store.data.connections[rotation.connectionId]
    assert environment is not None
    return {
        "id": rotation.id,
        "name": rotation.name,
        "description": rotation.description,
        "isAutoRotationEnabled": rotation.isAutoRotationEnabled,
        "activeIndex": rotation.activeIndex,
        "folderId": rotation.folderId,
        "connectionId": rotation.connectionId,
        "createdAt": iso(rotation.createdAt),
        "updatedAt": iso(rotation.updatedAt),
        "rotationInterval": rotation.rotationInterval,
        "rotationStatus": rotation.rotationStatus,
        "lastRotationAttemptedAt": iso(rotation.lastRotationAttemptedAt),
        "lastRotatedAt": iso(rotation.lastRotatedAt),
        "lastRotationJobId": rotation.lastRotationJobId,
        "nextRotationAt": iso_or_none(rotation.nextRotationAt),
        "isLastRotationManual": rotation.isLastRotationManual,
        "connection": {"app": connection.app, "name": connection.name, "id": connection.id},
        "environment": {"slug": environment.slug, "name": environment.name, "id": environment.id},
        "projectId": rotation.projectId,
        "folder": {"id": rotation.folderId, "path": rotation.secretPath},
        "rotateAtUtc": dict(rotation.rotateAtUtc),
        "lastRotationMessage": rotation.lastRotationMessage,
        "type": rotation.type,
        "parameters": dict(rotation.parameters),
        "secretsMapping": dict(rotation.secretsMapping),
    }


def project_view(project: Project) -> dict[str, Any]:
    return {
        "id": project.id,
        "_id": project.id,
        "name": project.name,
        "slug": project.slug,
        "type": "secret-manager",
        "autoCapitalization": True,
        "orgId": project.orgId,
        "createdAt": iso(project.createdAt),
        "updatedAt": iso(project.createdAt),
        "version": 3,
        "upgradeStatus": None,
        "pitVersionLimit": 10,
        "kmsCertificateKeyId": None,
        "auditLogsRetentionDays": None,
        "environments": [{"name": e.name, "slug": e.slug, "id": e.id} for e in project.environments],
    }


def folder_view(project: Project, folder: Folder) -> dict[str, Any]:
    environment = project.environment(folder.environment)
    assert environment is not None
    parent = project.folder(folder.environment, folder.path.rsplit("/", 1)[0] or "/")
    return {
        "id": folder.id,
        "name": folder.path.rsplit("/", 1)[1] or "root",
        "version": 1,
        "createdAt": iso(folder.createdAt),
        "updatedAt": iso(folder.createdAt),
        "envId": environment.id,
        "parentId": parent.id if parent and parent is not folder else None,
        "isReserved": False,
    }


def secret_view(secret: MappedSecret, *, hidden: bool) -> dict[str, Any]:
    return {
        "id": secret.id,
        "_id": secret.id,
        "workspace": secret.projectId,
        "environment": secret.environment,
        "version": secret.version,
        "type": "shared",
        "secretKey": secret.secretKey,
        "secretValue": HIDDEN if hidden else secret.secretValue,
        "secretComment": secret.secretComment,
        "secretReminderNote": None,
        "secretReminderRepeatDays": None,
        "skipMultilineEncoding": secret.skipMultilineEncoding,
        "createdAt": iso(secret.createdAt),
        "updatedAt": iso(secret.updatedAt),
        "isRotatedSecret": secret.rotationId is not None,
        "rotationId": secret.rotationId,
        "secretValueHidden": hidden,
        "secretPath": secret.secretPath,
        "tags": [],
        "secretMetadata": [],
    }


def written_view(secret: MappedSecret, *, hidden: bool) -> dict[str, Any]:
    """Writing answers with fewer keys than reading."""
    unnamed = ("secretPath", "tags", "secretMetadata")
    return {key: value for key, value in secret_view(secret, hidden=hidden).items() if key not in unnamed}


def connection_view(connection: Connection) -> dict[str, Any]:
    return {
        "id": connection.id,
        "name": connection.name,
        "description": None,
        "orgId": connection.orgId,
        "projectId": connection.projectId,
        "createdAt": iso(connection.createdAt),
        "updatedAt": iso(connection.createdAt),
        "app": connection.app,
        "method": "api-token",
        "credentials": {"instanceUrl": connection.instanceUrl},
    }
