# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Creating, changing and deleting a rotation, in the server's order of checks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from typing import Any

from . import zod
from .errors import ApiError, bad_request, not_found
from .jobs import Jobs
from .model import OKTA_TYPE, Credentials, Rotation, folder_path
from .okta import ONLY_ACTIVE, OktaError
from .rotations import Rotations, failure_text
from .router import Context
from .schedule import next_after_failure
from .seed import add_rotation
from .store import Store, new_id
from .views import rotation_view

SUBJECT = "secret-rotation"
_SECRET_NAME = zod.string(
    trim=True,
    minimum=1,
    refuse=(lambda text: ":" in text or "/" in text, "Secret name cannot contain colon or forward slash."),
)
_ROTATE_AT = zod.obj({"hours": zod.number(minimum=0, maximum=23), "minutes": zod.number(minimum=0, maximum=59)})
_CHANGEABLE: dict[str, zod.Check] = {
    "name": zod.slug("name"),
    "description": zod.nullable(
        zod.string(trim=True, maximum=256, too_long="Description cannot exceed 256 characters")
    ),
    "isAutoRotationEnabled": zod.boolean(),
    "rotationInterval": zod.number(coerce=True, minimum=1),
    "rotateAtUtc": _ROTATE_AT,
    "parameters": zod.obj({"clientId": zod.string(trim=True, minimum=1, too_short="Client ID Required")}),
    "secretsMapping": zod.obj({"clientId": _SECRET_NAME, "clientSecret": _SECRET_NAME}),
}
_CREATE = zod.obj(
    {
        **_CHANGEABLE,
        "description": zod.optional(_CHANGEABLE["description"], None),
        "isAutoRotationEnabled": zod.optional(_CHANGEABLE["isAutoRotationEnabled"], True),
        "rotateAtUtc": zod.optional(_ROTATE_AT, {"hours": 0, "minutes": 0}),
        "projectId": zod.string(minimum=1, too_short="Project ID required"),
        "connectionId": zod.uuid(),
        "environment": zod.slug("environment"),
        "secretPath": zod.string(trim=True, minimum=1, too_short="Secret path required"),
    }
)
_UPDATE = zod.obj({name: zod.optional(check) for name, check in _CHANGEABLE.items()})
_ID = zod.obj({"rotationId": zod.uuid()})
_FLAG = zod.optional(zod.enum("true", "false"), "false")
_DELETE = zod.obj({"deleteSecrets": _FLAG, "revokeGeneratedCredentials": _FLAG})


def plan_restricted(verb: str, what: str = "secret rotation", sold: str = "secret rotations") -> ApiError:
    return bad_request(f"Failed to {verb} {what} due to plan restriction. Upgrade plan to {verb} {sold}.")


def no_folder(project_id: str, environment: str, path: str) -> ApiError:
    return bad_request(
        f'Could not find folder with path "{path}" in environment "{environment}" for project with ID "{project_id}"'
    )


def find(store: Store, context: Context, action: str) -> Rotation:
    """The server's order: it exists, the caller may, the type fits."""
    rotation_id = zod.parse(_ID, context.params)["rotationId"]
    rotation = store.data.rotations.get(rotation_id)
    if rotation is None:
        # The server quotes it everywhere but in a change.
        named = rotation_id if action == "edit" else f'"{rotation_id}"'
        raise not_found(f"Could not find Okta Client Secret Rotation with ID {named}")
    context.require_member(rotation.projectId)
    context.require(action, SUBJECT)
    if rotation.type != OKTA_TYPE:
        raise bad_request(f'Secret Rotation with ID "{rotation_id}" is not configured for Okta Client Secret')
    return rotation


class RotationChanges:
    def __init__(self, store: Store, rotations: Rotations, jobs: Jobs) -> None:
        self._store = store
        self._rotations = rotations
        self._jobs = jobs

    def _wrap(self, rotation: Rotation) -> dict[str, Any]:
        return {"secretRotation": rotation_view(self._store, rotation)}

    async def create(self, context: Context) -> Any:
        body = zod.parse(_CREATE, context.body)
        if not self._store.settings.planAllowsRotation:
            raise plan_restricted("create")
        project = self._store.data.projects.get(body["projectId"])
        if project is None:
            raise not_found(f"Project with ID '{body['projectId']}' not found")
        context.require_member(project.id)
        context.require("create", SUBJECT)
        path = folder_path(body["secretPath"])
        if project.folder(body["environment"], path) is None:
            raise no_folder(project.id, body["environment"], path)
        self._check_connection(context, body)
        place = (project.id, body["environment"], path)
        checked_late = self._store.settings.generation == "old"
        if not checked_late:
            self._check_names(body, place)
        made = self._issued(body["parameters"]["clientId"])
        if checked_late:
            self._check_names(body, place)
        rotation = self._committed(body, path, made)
        if self._store.settings.lateFailure:
            self._store.settings.lateFailure -= 1
            raise bad_request(failure_text("Failed to perform secret snapshot"))
        return self._wrap(rotation)

    def _check_connection(self, context: Context, body: dict[str, Any]) -> None:
        connection = self._store.data.connections.get(body["connectionId"])
        if connection is None:
            raise not_found(f"Could not find App Connection with ID {body['connectionId']}")
        if connection.projectId is not None:
            context.require_member(connection.projectId)
        context.require("connect-app-connections", "app-connections")
        if connection.app != "okta":
            app = connection.app.title()
            raise bad_request(f"{app} Connection with ID {connection.id} cannot be used to connect to Okta")
        if connection.projectId not in (None, body["projectId"]):
            raise bad_request(
                f'You cannot connect project App Connection with ID "{connection.id}" from project with ID '
                f'"{connection.projectId}" to project with ID "{body["projectId"]}"'
            )

    def _check_names(self, body: dict[str, Any], place: tuple[str, str, str]) -> None:
        self._check_name("", body["name"], place)
        self._check_secrets(list(body["secretsMapping"].values()), place)

    def _check_name(self, own_id: str, name: str, place: tuple[str, str, str]) -> None:
        for other in self._store.data.rotations.values():
            there = (other.projectId, other.environment, other.secretPath) == place
            if there and other.id != own_id and other.name == name:
                raise bad_request(
                    f'A Secret Rotation with the name "{name}" already exists at the secret path "{place[2]}"'
                )

    def _check_secrets(self, names: list[str], place: tuple[str, str, str]) -> None:
        if len(set(names)) < len(names):
            raise bad_request(f'Secrets mapping keys must be unique. "{", ".join(names)}" contains duplicate keys.')
        taken = [name for name in names if self._secret_names(place, [name])]
        if taken:
            raise bad_request(f'The following secrets already exist at the path "{place[2]}": {", ".join(taken)}')

    def _secret_names(self, place: tuple[str, str, str], names: Iterable[str]) -> list[str]:
        """The ids of the secrets of these names in the folder."""
        return [
            secret.id
            for secret in self._store.data.secrets.values()
            if (secret.projectId, secret.environment, secret.secretPath) == place and secret.secretKey in names
        ]

    def _issued(self, client_id: str) -> Credentials:
        try:
            return self._rotations.issue(client_id)
        except RuntimeError as problem:
            raise bad_request(str(problem)) from problem

    def _committed(self, body: dict[str, Any], path: str, made: Credentials) -> Rotation:
        wanted = {**body, "id": new_id(), "secretPath": path, "clientId": made.clientId, "lastRotatedAt": 0}
        rotation = add_rotation(self._store, self._rotations, {**wanted, "slots": 0})
        rotation.createdAt = rotation.updatedAt = self._store.now()
        rotation.generatedCredentials = [made]
        self._rotations.map_secrets(rotation, made)
        rotation.nextRotationAt = self._rotations.next_after_success(rotation, manual=True)
        return rotation

    async def update(self, context: Context) -> Any:
        zod.parse(_ID, context.params)
        changes = zod.parse(_UPDATE, context.body)
        if not self._store.settings.planAllowsRotation:
            raise plan_restricted("update")
        rotation = find(self._store, context, "edit")
        place = (rotation.projectId, rotation.environment, rotation.secretPath)
        if changes.get("secretsMapping", rotation.secretsMapping) != rotation.secretsMapping:
            present = rotation.secretsMapping.values()
            self._check_secrets([name for name in changes["secretsMapping"].values() if name not in present], place)
        if "name" in changes:
            self._check_name(rotation.id, changes["name"], place)
        if changes.get("secretsMapping", rotation.secretsMapping) != rotation.secretsMapping:
            self._rename_secrets(rotation, changes["secretsMapping"])
        for name, value in changes.items():
            setattr(rotation, name, value)
        rotation.nextRotationAt = self._planned(rotation)
        rotation.updatedAt = self._store.now()
        answer = self._wrap(rotation)
        if rotation.nextRotationAt is not None and rotation.nextRotationAt < self._next_midnight():
            self._jobs.add(rotation)
        return answer

    def _planned(self, rotation: Rotation) -> float | None:
        """With every change it is planned anew, from the stored last rotation."""
        if not rotation.isAutoRotationEnabled:
            return None
        if rotation.rotationStatus == "failed":
            at = rotation.rotateAtUtc
            return next_after_failure(self._store.now(), hours=at["hours"], minutes=at["minutes"])
        return self._rotations.next_after_success(rotation, manual=rotation.isLastRotationManual)

    def _next_midnight(self) -> float:
        tomorrow = datetime.fromtimestamp(self._store.now(), tz=timezone.utc) + timedelta(days=1)
        return tomorrow.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()

    def _rename_secrets(self, rotation: Rotation, mapping: dict[str, str]) -> None:
        """One after the other, by the old name: a first that takes the name of the second is renamed with it."""
        place = (rotation.projectId, rotation.environment, rotation.secretPath)
        for key, old in rotation.secretsMapping.items():
            for secret_id in self._secret_names(place, [old]):
                secret = self._store.data.secrets[secret_id]
                secret.secretKey = mapping[key]
                secret.version += 1
                secret.updatedAt = self._store.now()

    async def delete(self, context: Context) -> Any:
        flags = zod.parse(_DELETE, context.query)
        rotation = find(self._store, context, "delete")
        if flags["revokeGeneratedCredentials"] == "true":
            await self._revoke(rotation)
        place = (rotation.projectId, rotation.environment, rotation.secretPath)
        secrets = self._store.data.secrets
        for secret_id in self._secret_names(place, list(rotation.secretsMapping.values())):
            if flags["deleteSecrets"] == "true":
                del secrets[secret_id]
            else:
                secrets[secret_id].rotationId = None
        view = self._wrap(rotation)
        del self._store.data.rotations[rotation.id]
        return view

    async def _revoke(self, rotation: Rotation) -> None:
        """In the stored order, whichever one is active. What the application does not have is passed over."""
        client_id = rotation.parameters["clientId"]
        app = self._store.data.okta.get(client_id)
        for credentials in rotation.generatedCredentials:
            if app is None or app.find(credentials.secretId) is None:
                continue
            try:
                self._rotations.okta.remove(client_id, credentials.secretId)
            except OktaError as problem:
                swallowed = self._store.settings.lastSecretRevocation == "swallowed"
                if not (swallowed and problem.cause == ONLY_ACTIVE):
                    text = f"Failed to remove client secret with secretId {credentials.secretId} from app {client_id}: "
                    raise bad_request(text + (problem.cause or "Unknown error")) from problem
            await asyncio.sleep(0)
