# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is there after a start or a reset, and how a rotation is put there by hand."""

from __future__ import annotations

from typing import Any

from .model import OKTA_TYPE, Credentials, Rotation, folder_path
from .okta import OktaApp, random_id
from .rotations import Rotations
from .store import Store, new_id

DAY = 86_400
_PLAIN = (
    "name",
    "description",
    "type",
    "rotationInterval",
    "rotateAtUtc",
    "isAutoRotationEnabled",
    "rotationStatus",
    "lastRotationMessage",
    "isLastRotationManual",
    "lastRotationJobId",
    "secretsMapping",
)


def seed(store: Store, rotations: Rotations) -> None:
    project = store.add_project("Payments", "payments", ["dev", "staging", "prod"])
    for environment in ("dev", "staging", "prod"):
        store.ensure_folder(project, environment, "/okta")
    store.add_identity(name="rotation-robot")
    store.add_connection("okta-main", project.id)
    add_rotation(store, rotations, {"name": "okta-payments"})


def add_rotation(store: Store, rotations: Rotations, wanted: dict[str, Any]) -> Rotation:
    """Moments are given as an age in seconds (`lastRotatedAt: 3600` is an hour ago)."""
    now = store.now()
    project = store.data.projects[wanted.get("projectId") or store.first_project().id]
    environment = wanted.get("environment", "prod")
    path = folder_path(wanted.get("secretPath", "/okta"))
    folder = store.ensure_folder(project, environment, path)
    # A minute more: the header Date has no fractions, and would make 39 days of it.
    last = now - wanted.get("lastRotatedAt", 40 * DAY + 60)
    client_id = wanted.get("clientId") or random_id("0oa")
    rotation = Rotation(
        id=wanted.get("id") or new_id(),
        name="okta-client",
        description=None,
        type=OKTA_TYPE,
        projectId=project.id,
        environment=environment,
        secretPath=path,
        folderId=folder.id,
        connectionId=wanted.get("connectionId") or next(iter(store.data.connections)),
        parameters={"clientId": client_id},
        secretsMapping={"clientId": "OKTA_CLIENT_ID", "clientSecret": "OKTA_CLIENT_SECRET"},
        createdAt=last - 60 * DAY,
        updatedAt=last,
        rotationInterval=30,
        rotateAtUtc={"hours": 0, "minutes": 0},
        lastRotatedAt=last,
        lastRotationAttemptedAt=last,
    )
    change_rotation(store, rotation, wanted)
    if "nextRotationAt" not in wanted:
        rotation.nextRotationAt = rotations.next_after_success(rotation, manual=True)
    store.data.rotations[rotation.id] = rotation
    _issue_credentials(store, rotations, rotation, slots=int(wanted.get("slots", 1 + wanted.get("activeIndex", 0))))
    rotation.activeIndex = wanted.get("activeIndex", 0)
    return rotation


def _issue_credentials(store: Store, rotations: Rotations, rotation: Rotation, *, slots: int) -> None:
    client_id = rotation.parameters["clientId"]
    store.data.okta.setdefault(client_id, OktaApp(client_id))
    for _unused in range(slots):
        made = rotations.okta.create(client_id, force=True)
        made.created = rotation.lastRotatedAt
        rotation.generatedCredentials.append(Credentials(client_id, made.client_secret, made.id))
    if rotation.generatedCredentials:
        rotations.map_secrets(rotation, rotation.generatedCredentials[-1])


def change_rotation(store: Store, rotation: Rotation, wanted: dict[str, Any]) -> None:
    for name in _PLAIN:
        if name in wanted:
            setattr(rotation, name, wanted[name])
    for name in ("lastRotatedAt", "lastRotationAttemptedAt", "createdAt", "updatedAt"):
        if name in wanted:
            setattr(rotation, name, store.now() - wanted[name])
    if "lastRotatedAt" in wanted and "lastRotationAttemptedAt" not in wanted:
        rotation.lastRotationAttemptedAt = rotation.lastRotatedAt
    if "nextRotationAt" in wanted:
        ahead = wanted["nextRotationAt"]
        rotation.nextRotationAt = None if ahead is None else store.now() + ahead
    if "activeIndex" in wanted:
        rotation.activeIndex = wanted["activeIndex"]
