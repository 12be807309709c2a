# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The endpoints of Okta client secret rotations."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from typing import Any

from . import zod
from .errors import bad_request, not_found
from .model import OKTA_TYPE, Rotation, folder_path
from .rotation_changes import SUBJECT, RotationChanges, find, no_folder, plan_restricted
from .rotations import Rotations
from .router import Context, Router
from .store import Store
from .views import rotation_view

_BY_NAME = zod.obj(
    {
        "projectId": zod.string(trim=True, minimum=1, too_short="Project ID required"),
        "environment": zod.string(trim=True, minimum=1, too_short="Environment required"),
        "secretPath": zod.string(trim=True, minimum=1, too_short="Secret path required"),
    }
)
_ID = zod.obj({"rotationId": zod.uuid()})
_LIST = zod.obj({"projectId": zod.string(trim=True, minimum=1, too_short="Project ID required")})


class RotationRoutes:
    def __init__(self, store: Store, rotations: Rotations, changes: RotationChanges) -> None:
        self._store = store
        self._rotations = rotations
        self._changes = changes

    def register(self, router: Router) -> None:
        base = f"/api/v2/secret-rotations/{OKTA_TYPE}"
        router.add("GET", "/api/v2/secret-rotations", self.list_all, category="read")
        router.add("GET", base, self.list, category="read")
        router.add("POST", base, self._changes.create, category="write")
        router.add("GET", f"{base}/rotation-name/{{rotationName}}", self.by_name, category="read")
        router.add("GET", f"{base}/{{rotationId}}", self.get, category="read")
        router.add("PATCH", f"{base}/{{rotationId}}", self._changes.update, category="write")
        router.add("DELETE", f"{base}/{{rotationId}}", self._changes.delete, category="write")
        router.add("GET", f"{base}/{{rotationId}}/generated-credentials", self.credentials, category="read")
        router.add("POST", f"{base}/{{rotationId}}/rotate-secrets", self.rotate, category="write")

    def _wrap(self, rotation: Rotation) -> dict[str, Any]:
        return {"secretRotation": rotation_view(self._store, rotation)}

    def _project(self, context: Context, project_id: str) -> None:
        if project_id not in self._store.data.projects:
            raise not_found(f"Project with ID '{project_id}' not found")
        context.require_member(project_id)

    def _check_plan(self, what: str = "secret rotation", sold: str = "secret rotations") -> None:
        if not self._store.settings.planAllowsRotation:
            raise plan_restricted("access", what, sold)

    async def list(self, context: Context) -> Any:
        return self._listed(context, (OKTA_TYPE,))

    async def list_all(self, context: Context) -> Any:
        return self._listed(context, {each.type for each in self._store.data.rotations.values()})

    def _listed(self, context: Context, types: Collection[str]) -> Any:
        project_id = zod.parse(_LIST, context.query)["projectId"]
        self._check_plan("secret rotations")
        self._project(context, project_id)
        context.require("read", SUBJECT)
        rotations = [
            rotation_view(self._store, rotation)
            for rotation in self._store.data.rotations.values()
            if rotation.projectId == project_id and rotation.type in types
        ]
        return {"secretRotations": rotations}

    async def by_name(self, context: Context) -> Any:
        query = zod.parse(_BY_NAME, context.query)
        project_id, environment = query["projectId"], query["environment"]
        path, name = folder_path(query["secretPath"]), context.params["rotationName"]
        self._check_plan()
        project = self._store.data.projects.get(project_id)
        if project is None or project.folder(environment, path) is None:
            raise no_folder(project_id, environment, path)
        place = (project_id, environment, path, name)
        for rotation in self._store.data.rotations.values():
            if (rotation.projectId, rotation.environment, rotation.secretPath, rotation.name) == place:
                context.require_member(project_id)
                context.require("read", SUBJECT)
                if rotation.type != OKTA_TYPE:
                    raise bad_request(
                        f'Secret Rotation with ID "{rotation.id}" is not configured for Okta Client Secret'
                    )
                return self._wrap(rotation)
        raise not_found(f'Could not find Okta Client Secret Rotation with name "{name}"')

    async def get(self, context: Context) -> Any:
        zod.parse(_ID, context.params)
        self._check_plan()
        return self._wrap(find(self._store, context, "read"))

    async def credentials(self, context: Context) -> Any:
        zod.parse(_ID, context.params)
        self._check_plan("secret rotation credentials", "secret rotations credentials")
        rotation = find(self._store, context, "read-generated-credentials")
        return {
            "activeIndex": rotation.activeIndex,
            "generatedCredentials": [asdict(credentials) for credentials in rotation.generatedCredentials],
            "type": rotation.type,
            "rotationId": rotation.id,
        }

    async def rotate(self, context: Context) -> Any:
        zod.parse(_ID, context.params)
        if not self._store.settings.planAllowsRotation:
            raise plan_restricted("rotate", "secret rotation secrets", "secret rotation secrets")
        rotation = find(self._store, context, "rotate-secrets")
        return self._wrap(await self._rotations.rotate(rotation))
