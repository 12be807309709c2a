# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading secrets: the current endpoints and the older ones that are still served."""

from __future__ import annotations

from typing import Any

from . import zod
from .errors import bad_request, forbidden, internal, not_found, permission_denied
from .model import MappedSecret, Project, folder_path
from .router import Context, Router
from .store import Store
from .views import secret_view

_FLAG = zod.enum("true", "false")
_COMMON: dict[str, zod.Check] = {
    "environment": zod.optional(zod.string(trim=True)),
    "secretPath": zod.optional(zod.string(trim=True), "/"),
    "type": zod.optional(zod.enum("shared", "personal"), "shared"),
    "version": zod.optional(zod.number(coerce=True)),
    "viewSecretValue": zod.optional(_FLAG, "true"),
    "expandSecretReferences": zod.optional(_FLAG, "false"),
    "include_imports": zod.optional(_FLAG, "false"),
    "recursive": zod.optional(_FLAG, "false"),
}
_V3 = zod.obj(
    {
        "workspaceId": zod.optional(zod.string(trim=True)),
        "workspaceSlug": zod.optional(zod.string(trim=True)),
        **_COMMON,
    }
)
_V4 = zod.obj({"projectId": zod.string(trim=True), **_COMMON})


class SecretRoutes:
    def __init__(self, store: Store) -> None:
        self._store = store

    def register(self, router: Router) -> None:
        router.add("GET", "/api/v4/secrets", self.list_v4, category="secrets")
        router.add("GET", "/api/v4/secrets/{secretName}", self.get_v4, category="secrets")
        router.add("GET", "/api/v3/secrets/raw", self.list_v3, category="secrets")
        router.add("GET", "/api/v3/secrets/raw/{secretName}", self.get_v3, category="secrets")

    def _v4(self, context: Context) -> tuple[Project, dict[str, Any]]:
        query = zod.parse(_V4, context.query)
        return self._project(context, query["projectId"]), query

    def _v3(self, context: Context) -> tuple[Project, dict[str, Any]]:
        query = zod.parse(_V3, context.query)
        if "workspaceId" not in query and "workspaceSlug" not in query:
            raise bad_request("You must provide workspaceSlug or workspaceId")
        if "workspaceId" in query:
            return self._project(context, query["workspaceId"], check=query), query
        project = self._store.project_by_slug(query["workspaceSlug"])
        if project is None:
            raise internal(error="Find project by slug")
        return self._project(context, project.id, check=query), query

    def _project(self, context: Context, project_id: str, *, check: dict[str, Any] | None = None) -> Project:
        if check is not None and "environment" not in check:
            raise bad_request("Missing environment")
        project = self._store.data.projects.get(project_id)
        if project is None:
            raise not_found(
                f"Project with ID '{project_id}' not found during bot lookup. "
                "Are you sure you are using the correct project ID?"
            )
        context.require_member(project.id)
        return project

    def _in_folder(self, context: Context, project: Project, query: dict[str, Any]) -> list[MappedSecret]:
        if "environment" not in query:
            raise bad_request("Missing environment")
        caller = context.who()
        if not caller.can("readValue", "secrets") and not caller.can("describeSecret", "secrets"):
            raise permission_denied("read", "secrets")
        path = folder_path(query["secretPath"])
        if project.folder(query["environment"], path) is None:
            raise not_found(
                f"Folder with path '{path}' in environment with slug '{query['environment']}' not found",
                "GetSecretByName",
            )
        place = (project.id, query["environment"], path)
        secrets = self._store.data.secrets.values()
        return [s for s in secrets if (s.projectId, s.environment, s.secretPath) == place]

    def _hidden(self, context: Context, query: dict[str, Any], *, single: bool) -> bool:
        """A caller who may see but not read gets a placeholder with a 200; a single read may be refused."""
        readable = context.who().can("readValue", "secrets")
        wants_value = query["viewSecretValue"] == "true"
        if single and wants_value and not readable and self._store.settings.hiddenReads == "forbidden":
            raise forbidden("You are not allowed to read the value of this secret", "PermissionDenied")
        return not (readable and wants_value)

    def _single(self, context: Context, project: Project, query: dict[str, Any]) -> Any:
        name = context.params["secretName"]
        secrets = self._in_folder(context, project, query)
        found = next((s for s in secrets if s.secretKey == name), None)
        if found is None:
            raise not_found(f"Secret with name '{name}' not found")
        return {"secret": secret_view(found, hidden=self._hidden(context, query, single=True))}

    def _list(self, context: Context, project: Project, query: dict[str, Any]) -> Any:
        secrets = self._in_folder(context, project, query)
        hidden = self._hidden(context, query, single=False)
        return {"secrets": [secret_view(secret, hidden=hidden) for secret in secrets], "imports": []}

    async def get_v4(self, context: Context) -> Any:
        return self._single(context, *self._v4(context))

    async def get_v3(self, context: Context) -> Any:
        return self._single(context, *self._v3(context))

    async def list_v4(self, context: Context) -> Any:
        return self._list(context, *self._v4(context))

    async def list_v3(self, context: Context) -> Any:
        return self._list(context, *self._v3(context))
