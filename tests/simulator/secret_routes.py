# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading secrets: the current endpoints and the older ones that are still served."""

from __future__ import annotations

from typing import Any

from . import zod
from .errors import ApiError, bad_request, forbidden, internal, not_found, permission_denied
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
}
_LIST = {**_COMMON, "recursive": zod.optional(_FLAG, "false")}
_V3_PROJECT = {
    "workspaceId": zod.optional(zod.string(trim=True)),
    "workspaceSlug": zod.optional(zod.string(trim=True)),
}
_V3 = zod.obj({**_V3_PROJECT, **_COMMON})
_V3_LIST = zod.obj({**_V3_PROJECT, **_LIST})
_V4 = zod.obj({"projectId": zod.string(trim=True), **_COMMON})
_V4_LIST = zod.obj({"projectId": zod.optional(zod.string(trim=True)), **_LIST})


def bot_project(store: Store, context: Context, project_id: str) -> Project:
    project = store.data.projects.get(project_id)
    if project is None:
        raise not_found(
            f"Project with ID '{project_id}' not found during bot lookup. "
            "Are you sure you are using the correct project ID?"
        )
    context.require_member(project.id)
    return project


def no_folder(environment: str, path: str, operation: str) -> ApiError:
    return not_found(f"Folder with path '{path}' in environment with slug '{environment}' not found", operation)


def secret_at(store: Store, place: tuple[str, str, str, str]) -> MappedSecret | None:
    """The place is a project, an environment, a folder and a name."""
    return next(
        (s for s in store.data.secrets.values() if (s.projectId, s.environment, s.secretPath, s.secretKey) == place),
        None,
    )


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
        return self._project(context, query["projectId"], query), query

    def _v3(self, context: Context, schema: zod.Check) -> tuple[Project, dict[str, Any]]:
        query = zod.parse(schema, context.query)
        if "workspaceId" not in query and "workspaceSlug" not in query:
            raise bad_request("You must provide workspaceSlug or workspaceId")
        if "workspaceId" in query:
            return self._project(context, query["workspaceId"], query), query
        project = self._store.project_by_slug(query["workspaceSlug"])
        if project is None:
            raise internal(error="Find project by slug")
        return self._project(context, project.id, query), query

    def _project(self, context: Context, project_id: str, query: dict[str, Any]) -> Project:
        if "environment" not in query:
            raise bad_request("Missing environment")
        return bot_project(self._store, context, project_id)

    @staticmethod
    def _require_sight(context: Context) -> None:
        caller = context.who()
        if not caller.can("readValue", "secrets") and not caller.can("describeSecret", "secrets"):
            raise permission_denied("read", "secrets")

    def _hidden(self, context: Context, query: dict[str, Any], *, single: bool) -> bool:
        """A caller who may see but not read gets a placeholder with a 200; a single read may be refused."""
        readable = context.who().can("readValue", "secrets")
        wants_value = query["viewSecretValue"] == "true"
        if single and wants_value and not readable and self._store.settings.hiddenReads == "forbidden":
            raise forbidden("You are not allowed to read the value of this secret", "PermissionDenied")
        return not (readable and wants_value)

    def _single(self, context: Context, project: Project, query: dict[str, Any]) -> Any:
        self._require_sight(context)
        environment, path = query["environment"], folder_path(query["secretPath"])
        if project.folder(environment, path) is None:
            raise no_folder(environment, path, "GetSecretByName")
        found = secret_at(self._store, (project.id, environment, path, context.params["secretName"]))
        if found is None:
            raise not_found(f"Secret with name '{context.params['secretName']}' not found")
        return {"secret": secret_view(found, hidden=self._hidden(context, query, single=True))}

    def _list(self, context: Context, project: Project, query: dict[str, Any]) -> Any:
        """A folder or an environment that is not there holds nothing, which is no error."""
        self._require_sight(context)
        environment, path = query["environment"], folder_path(query["secretPath"])
        places = {(project.id, environment, path)} if project.folder(environment, path) else set()
        if places and query["recursive"] == "true":
            inside = path.rstrip("/") + "/"
            places |= {(project.id, environment, f.path) for f in project.folders if f.path.startswith(inside)}
        hidden = self._hidden(context, query, single=False)
        secrets = self._store.data.secrets.values()
        found = [secret for secret in secrets if (secret.projectId, secret.environment, secret.secretPath) in places]
        return {"secrets": [secret_view(secret, hidden=hidden) for secret in found], "imports": []}

    async def get_v4(self, context: Context) -> Any:
        return self._single(context, *self._v4(context))

    async def get_v3(self, context: Context) -> Any:
        return self._single(context, *self._v3(context, _V3))

    async def list_v4(self, context: Context) -> Any:
        query = zod.parse(_V4_LIST, context.query)
        if "projectId" not in query or "environment" not in query:
            raise bad_request("Missing project id or environment")
        return self._list(context, bot_project(self._store, context, query["projectId"]), query)

    async def list_v3(self, context: Context) -> Any:
        return self._list(context, *self._v3(context, _V3_LIST))
