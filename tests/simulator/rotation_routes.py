# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The endpoints of Okta client secret rotations."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Any

from . import zod
from .errors import bad_request, not_found
from .model import OKTA_TYPE, Credentials, Rotation, folder_path
from .okta import OktaError
from .rotations import ONLY_ONE, Rotations, failure_text
from .router import Context, Router
from .seed import add_rotation
from .store import Store, new_id
from .views import rotation_view

SUBJECT = "secret-rotation"
PLAN = (
    "Failed to rotate secret rotation secrets due to plan restriction. Upgrade plan to rotate secret rotation secrets."
)
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
_BY_NAME = zod.obj(
    {
        "projectId": zod.string(trim=True, minimum=1, too_short="Project ID required"),
        "environment": zod.string(trim=True, minimum=1, too_short="Environment required"),
        "secretPath": zod.string(trim=True, minimum=1, too_short="Secret path required"),
    }
)
_LIST = zod.obj({"projectId": zod.string(trim=True, minimum=1, too_short="Project ID required")})


class RotationRoutes:
    def __init__(self, store: Store, rotations: Rotations) -> None:
        self._store = store
        self._rotations = rotations

    def register(self, router: Router) -> None:
        base = f"/api/v2/secret-rotations/{OKTA_TYPE}"
        router.add("GET", "/api/v2/secret-rotations", self.list, category="read")
        router.add("GET", base, self.list, category="read")
        router.add("POST", base, self.create, category="write")
        router.add("GET", f"{base}/rotation-name/{{rotationName}}", self.by_name, category="read")
        router.add("GET", f"{base}/{{rotationId}}", self.get, category="read")
        router.add("PATCH", f"{base}/{{rotationId}}", self.update, category="write")
        router.add("DELETE", f"{base}/{{rotationId}}", self.delete, category="write")
        router.add("GET", f"{base}/{{rotationId}}/generated-credentials", self.credentials, category="read")
        router.add("POST", f"{base}/{{rotationId}}/rotate-secrets", self.rotate, category="write")

    def _wrap(self, rotation: Rotation) -> dict[str, Any]:
        return {"secretRotation": rotation_view(self._store, rotation)}

    def _find(self, context: Context, action: str) -> Rotation:
        """The server's order: it exists, the caller may, the type fits."""
        rotation_id = zod.parse(_ID, context.params)["rotationId"]
        rotation = self._store.data.rotations.get(rotation_id)
        if rotation is None:
            raise not_found(f'Could not find Okta Client Secret Rotation with ID "{rotation_id}"')
        context.require_member(rotation.projectId)
        context.require(action, SUBJECT)
        if rotation.type != OKTA_TYPE:
            raise bad_request(f'Secret Rotation with ID "{rotation_id}" is not configured for Okta Client Secret')
        return rotation

    def _project(self, context: Context, project_id: str) -> None:
        if project_id not in self._store.data.projects:
            raise not_found(f"Project with ID '{project_id}' not found")
        context.require_member(project_id)

    async def list(self, context: Context) -> Any:
        project_id = zod.parse(_LIST, context.query)["projectId"]
        self._project(context, project_id)
        context.require("read", SUBJECT)
        rotations = [
            rotation_view(self._store, rotation)
            for rotation in self._store.data.rotations.values()
            if rotation.projectId == project_id and rotation.type == OKTA_TYPE
        ]
        return {"secretRotations": rotations}

    async def by_name(self, context: Context) -> Any:
        query = zod.parse(_BY_NAME, context.query)
        project_id, environment = query["projectId"], query["environment"]
        path, name = folder_path(query["secretPath"]), context.params["rotationName"]
        self._project(context, project_id)
        if self._store.data.projects[project_id].folder(environment, path) is None:
            raise not_found(
                f'Could not find folder with path "{path}" in environment "{environment}" '
                f'for project with ID "{project_id}"'
            )
        place = (project_id, environment, path, name)
        for rotation in self._store.data.rotations.values():
            if (rotation.projectId, rotation.environment, rotation.secretPath, rotation.name) == place:
                context.require("read", SUBJECT)
                if rotation.type != OKTA_TYPE:
                    raise bad_request(
                        f'Secret Rotation with ID "{rotation.id}" is not configured for Okta Client Secret'
                    )
                return self._wrap(rotation)
        raise not_found(f'Could not find Okta Client Secret Rotation with name "{name}"')

    async def get(self, context: Context) -> Any:
        return self._wrap(self._find(context, "read"))

    async def credentials(self, context: Context) -> Any:
        rotation = self._find(context, "read-generated-credentials")
        return {
            "activeIndex": rotation.activeIndex,
            "generatedCredentials": [asdict(credentials) for credentials in rotation.generatedCredentials],
            "type": rotation.type,
            "rotationId": rotation.id,
        }

    async def rotate(self, context: Context) -> Any:
        zod.parse(_ID, context.params)
        if not self._store.settings.planAllowsRotation:
            raise bad_request(PLAN)
        rotation = self._find(context, "rotate-secrets")
        return self._wrap(await self._rotations.rotate(rotation))

    def _refuse_clash(self, rotation_id: str, project_id: str, environment: str, path: str, wanted: Any) -> None:
        place = (project_id, environment, path)
        for other in self._store.data.rotations.values():
            if (other.projectId, other.environment, other.secretPath) != place or other.id == rotation_id:
                continue
            if wanted.get("name") == other.name:
                raise bad_request(f'A rotation with the name "{other.name}" already exists at the secret path "{path}"')
            taken = set(other.secretsMapping.values()) & set(wanted.get("secretsMapping", {}).values())
            if taken:
                raise bad_request(f"Secrets with the following names already exist: {', '.join(sorted(taken))}")

    async def create(self, context: Context) -> Any:
        body = zod.parse(_CREATE, context.body)
        self._project(context, body["projectId"])
        context.require("create", SUBJECT)
        path = folder_path(body["secretPath"])
        if self._store.data.projects[body["projectId"]].folder(body["environment"], path) is None:
            raise not_found(
                f'Could not find folder with path "{path}" in environment "{body["environment"]}" '
                f'for project with ID "{body["projectId"]}"'
            )
        if body["connectionId"] not in self._store.data.connections:
            raise not_found(f"Could not find App Connection with ID {body['connectionId']}")
        self._refuse_clash("", body["projectId"], body["environment"], path, body)
        if not self._store.settings.planAllowsRotation:
            raise bad_request(PLAN.replace("rotate secret rotation secrets", "create secret rotation"))
        client_id = body["parameters"]["clientId"]
        wanted = {**body, "id": new_id(), "secretPath": path, "clientId": client_id, "lastRotatedAt": 0}
        if client_id not in self._store.data.okta:
            text = f"Failed to add client secret to Okta app {client_id}: Not found: Resource not found"
            raise bad_request(failure_text(text))
        try:
            made = self._rotations.okta.create(client_id)
        except OktaError as problem:
            cause = ONLY_ONE if problem.code == "E0000001" else problem.cause
            text = f"Failed to add client secret to Okta app {client_id}: {cause}"
            raise bad_request(failure_text(text)) from problem
        rotation = add_rotation(self._store, self._rotations, {**wanted, "slots": 0})
        rotation.createdAt = rotation.updatedAt = self._store.now()
        rotation.generatedCredentials = [Credentials(client_id, made.client_secret, made.id)]
        self._rotations.map_secrets(rotation, rotation.generatedCredentials[0])
        self._replan(rotation)
        return self._wrap(rotation)

    def _replan(self, rotation: Rotation) -> None:
        manual = rotation.isLastRotationManual
        rotation.nextRotationAt = self._rotations.next_after_success(rotation, manual=manual)

    async def update(self, context: Context) -> Any:
        zod.parse(_ID, context.params)
        changes = zod.parse(_UPDATE, context.body)
        rotation = self._find(context, "edit")
        self._refuse_clash(rotation.id, rotation.projectId, rotation.environment, rotation.secretPath, changes)
        if "secretsMapping" in changes:
            self._rename_secrets(rotation, changes["secretsMapping"])
        for name, value in changes.items():
            setattr(rotation, name, value)
        if {"isAutoRotationEnabled", "rotationInterval", "rotateAtUtc"} & set(changes):
            self._replan(rotation)
        rotation.updatedAt = self._store.now()
        return self._wrap(rotation)

    def _rename_secrets(self, rotation: Rotation, mapping: dict[str, str]) -> None:
        renamed = {rotation.secretsMapping[key]: name for key, name in mapping.items()}
        for secret in self._store.data.secrets.values():
            if secret.rotationId == rotation.id and secret.secretKey in renamed:
                secret.secretKey = renamed[secret.secretKey]

    async def delete(self, context: Context) -> Any:
        flags = zod.parse(_DELETE, context.query)
        rotation = self._find(context, "delete")
        if flags["revokeGeneratedCredentials"] == "true":
            for credentials in rotation.generatedCredentials:
                app = self._store.data.okta[credentials.clientId]
                if app.find(credentials.secretId) is not None:
                    self._rotations.okta.remove(credentials.clientId, credentials.secretId)
                await asyncio.sleep(0)
        secrets = self._store.data.secrets
        for secret in [s for s in secrets.values() if s.rotationId == rotation.id]:
            if flags["deleteSecrets"] == "true":
                del secrets[secret.id]
            else:
                secret.rotationId = None
        view = self._wrap(rotation)
        del self._store.data.rotations[rotation.id]
        return view
