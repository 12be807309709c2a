# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole state as a test sees it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from .clock import iso
from .model import MappedSecret, Rotation
from .store import Store
from .views import rotation_view

if TYPE_CHECKING:
    from .app import App


def _secret(secret: MappedSecret) -> dict[str, Any]:
    return {**asdict(secret), "createdAt": iso(secret.createdAt), "updatedAt": iso(secret.updatedAt)}


def rotation_state(store: Store, rotation: Rotation) -> dict[str, Any]:
    """The answer's own keys plus what only the simulator knows."""
    return {
        **rotation_view(store, rotation),
        "secretPath": rotation.secretPath,
        "generatedCredentials": [asdict(credentials) for credentials in rotation.generatedCredentials],
        "mappedSecrets": {
            secret.secretKey: {"value": secret.secretValue, "version": secret.version}
            for secret in store.data.secrets.values()
            if secret.rotationId == rotation.id
        },
        "started": rotation.started,
        "completed": rotation.completed,
    }


def state(app: App) -> dict[str, Any]:
    store = app.store
    data = store.data
    project, identity = store.first_project(), store.first_identity()
    connections = app.server.open_connections()
    return {
        "now": iso(store.now()),
        "orgId": data.orgId,
        "signingKey": data.signingKey,
        "project": {"id": project.id, "slug": project.slug, "name": project.name},
        "identity": {
            "id": identity.id,
            "clientId": identity.clientId,
            "clientSecret": identity.clientSecrets[0].clientSecret,
        },
        "projects": [asdict(p) for p in data.projects.values()],
        "identities": [asdict(i) for i in data.identities.values()],
        "tokens": [asdict(t) for t in data.tokens.values()],
        "appConnections": [asdict(c) for c in data.connections.values()],
        "rotations": [rotation_state(store, rotation) for rotation in data.rotations.values()],
        "secrets": [_secret(secret) for secret in data.secrets.values()],
        "okta": {client_id: app_.view() for client_id, app_ in data.okta.items()},
        "locks": {
            rotation_id: {"owner": lock.owner, "expiresAt": iso(lock.expiresAt), "hidden": lock.hidden}
            for rotation_id, lock in data.locks.items()
            if lock.expiresAt > store.now()
        },
        "lockouts": {key: asdict(failures) for key, failures in data.lockouts.items()},
        "settings": {
            **asdict(data.settings),
            "okta": dict(data.oktaFailures),
            "rateLimits": app.limiter.limits,
            "clockOffset": store.clock.offset,
            "clockFrozen": store.clock.frozen,
        },
        "faults": [asdict(fault) for fault in app.faults.planned],
        "connections": {"total": app.server.used_connections, "open": connections},
    }
