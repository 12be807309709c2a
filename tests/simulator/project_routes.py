# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Projects, folders, app connections and the health route."""

from __future__ import annotations

import re
from typing import Any

from . import zod
from .clock import iso
from .errors import bad_request, not_found
from .model import Connection, Project, folder_path
from .router import Context, Router
from .store import Store
from .views import connection_view, folder_view, project_view

_SLUG = zod.obj({"slug": zod.slug("slug")})
_FOLDER_NAME = re.compile(r"[a-zA-Z0-9_-]+")
_FOLDER_NAME_RULE = "Invalid folder name. Only alphanumeric characters, dashes, and underscores are allowed."
_CONNECTION_ID = zod.obj({"connectionId": zod.uuid()})


def _is_no_folder_name(text: str) -> bool:
    return _FOLDER_NAME.fullmatch(text) is None


class ProjectRoutes:
    def __init__(self, store: Store) -> None:
        self._store = store

    def register(self, router: Router) -> None:
        router.add("GET", "/api/status", self.status, category=None, auth=False)
        router.add("GET", "/api/v1/projects", self.list_projects, category="read")
        router.add("GET", "/api/v1/projects/slug/{slug}", self.project_by_slug, category="read")
        router.add("GET", "/api/v2/workspace/{slug}", self.project_by_slug, category="read")
        router.add("GET", "/api/v1/projects/{projectId}", self.project_as("project"), category="read")
        router.add("GET", "/api/v1/workspace/{projectId}", self.project_as("workspace"), category="read")
        router.add("GET", "/api/v2/folders", self.folders_by("projectId"), category="read")
        router.add("GET", "/api/v1/folders", self.folders_by("workspaceId"), category="read")
        router.add("POST", "/api/v2/folders", self.create_folder_in("projectId"), category="secrets")
        router.add("POST", "/api/v1/folders", self.create_folder_in("workspaceId"), category="secrets")
        router.add("GET", "/api/v2/folders/{folderId}", self.folder, category="read")
        connections = "/api/v1/app-connections/okta"
        router.add("GET", connections, self.list_connections, category="read")
        router.add("GET", f"{connections}/available", self.available_connections, category="read")
        router.add("GET", f"{connections}/connection-name/{{name}}", self.connection_by_name, category="read")
        router.add("GET", f"{connections}/{{connectionId}}", self.connection, category="read")

    async def status(self, context: Context) -> Any:
        return {
            "date": iso(self._store.now()),
            "message": "Ok",
            "emailConfigured": False,
            "inviteOnlySignup": True,
            "redisConfigured": True,
            "secretScanningConfigured": False,
            "auditLogStorageDisabled": False,
        }

    def _project(self, context: Context, project_id: str) -> Project:
        project = self._store.data.projects.get(project_id)
        if project is None:
            raise not_found(f"Project with ID '{project_id}' not found")
        context.require_member(project.id)
        return project

    async def list_projects(self, context: Context) -> Any:
        identity = context.who().identity
        projects = [p for p in self._store.data.projects.values() if identity.member_of(p.id)]
        return {"projects": [project_view(project) for project in projects]}

    async def project_by_slug(self, context: Context) -> Any:
        slug = zod.parse(_SLUG, context.params)["slug"]
        project = self._store.project_by_slug(slug)
        if project is None:
            raise not_found(f"Project with slug '{slug}' not found")
        context.require_member(project.id)
        context.require("read", "project")
        return project_view(project)

    def project_as(self, key: str) -> Any:
        async def handler(context: Context) -> Any:
            project = self._project(context, context.params["projectId"])
            context.require("read", "project")
            return {key: project_view(project)}

        return handler

    def folders_by(self, key: str) -> Any:
        query = zod.obj(
            {
                key: zod.string(trim=True),
                "environment": zod.string(trim=True),
                "path": zod.optional(zod.string(trim=True), "/"),
                "recursive": zod.optional(zod.loose_boolean(), False),
            }
        )

        async def handler(context: Context) -> Any:
            wanted = zod.parse(query, context.query)
            project = self._project(context, wanted[key])
            if project.environment(wanted["environment"]) is None:
                raise not_found(f"Environment with slug '{wanted['environment']}' not found")
            context.require("read", "secret-folders")
            return {"folders": self._children(project, wanted)}

        return handler

    @staticmethod
    def _children(project: Project, wanted: dict[str, Any]) -> list[dict[str, Any]]:
        base = folder_path(wanted["path"]).rstrip("/") + "/"
        found = []
        for folder in project.folders:
            below = folder.path[len(base) :]
            if folder.environment != wanted["environment"] or not folder.path.startswith(base) or not below:
                continue
            if wanted["recursive"]:
                found.append({**folder_view(project, folder), "relativePath": "/" + below})
            elif "/" not in below:
                found.append(folder_view(project, folder))
        return found

    def create_folder_in(self, key: str) -> Any:
        schema = zod.obj(
            {
                key: zod.string(trim=True),
                "environment": zod.string(trim=True),
                "name": zod.string(trim=True, refuse=(_is_no_folder_name, _FOLDER_NAME_RULE)),
                "path": zod.optional(zod.string(trim=True), "/"),
            }
        )

        async def handler(context: Context) -> Any:
            body = zod.parse(schema, context.body)
            project = self._project(context, body[key])
            context.require("create", "secret-folders")
            if project.environment(body["environment"]) is None:
                raise not_found(f"Environment with slug '{body['environment']}' not found")
            path = folder_path(body["path"]).rstrip("/") + "/" + body["name"]
            if project.folder(body["environment"], path) is not None:
                raise bad_request("Folder already exist")
            made = self._store.ensure_folder(project, body["environment"], path)
            return {"folder": {**folder_view(project, made), "path": made.path}}

        return handler

    async def folder(self, context: Context) -> Any:
        for project in self._store.data.projects.values():
            for folder in project.folders:
                if folder.id == context.params["folderId"]:
                    context.require_member(project.id)
                    context.require("read", "secret-folders")
                    environment = project.environment(folder.environment)
                    assert environment is not None
                    place = {"envId": environment.id, "envName": environment.name, "envSlug": environment.slug}
                    view = folder_view(project, folder)
                    return {"folder": {**view, "environment": place, "path": folder.path, "projectId": project.id}}
        raise not_found(f"Folder with ID '{context.params['folderId']}' not found")

    def _scoped(self, context: Context) -> list[Connection]:
        project_id = context.query.get("projectId")
        if project_id is not None:
            self._project(context, project_id)
        return [c for c in self._store.data.connections.values() if c.projectId == project_id]

    async def list_connections(self, context: Context) -> Any:
        found = self._scoped(context)
        context.require("read-app-connections", "app-connections")
        return {"appConnections": [connection_view(c) for c in found if c.app == "okta"]}

    async def available_connections(self, context: Context) -> Any:
        """Those of the organisation and those of the project, by name; of one name the organisation's is first."""
        project_id = context.query.get("projectId")
        if project_id is not None:
            self._project(context, project_id)
            context.require("connect-app-connections", "app-connections")
        may = context.who().can("connect-app-connections", "app-connections")
        found = [c for c in self._store.data.connections.values() if may and c.projectId in (None, project_id)]
        found.sort(key=lambda each: (each.name.lower(), each.projectId is not None))
        keys = ("app", "name", "id", "projectId", "orgId")
        views = [connection_view(c) for c in found if c.app == "okta"]
        return {"appConnections": [{key: view[key] for key in keys} for view in views]}

    async def connection_by_name(self, context: Context) -> Any:
        name = context.params["name"]
        scope = "organization" if context.query.get("projectId") is None else "project"
        found = next((c for c in self._scoped(context) if c.name == name), None)
        if found is None:
            raise not_found(f"Could not find App Connection with name {name} in {scope} scope.")
        return self._readable(context, found, f"name {name}")

    async def connection(self, context: Context) -> Any:
        connection_id = zod.parse(_CONNECTION_ID, context.params)["connectionId"]
        found = self._store.data.connections.get(connection_id)
        if found is None:
            raise not_found(f"Could not find App Connection with ID {connection_id}")
        return self._readable(context, found, f"ID {connection_id}")

    @staticmethod
    def _readable(context: Context, connection: Connection, named: str) -> dict[str, Any]:
        context.require("read-app-connections", "app-connections")
        if connection.app != "okta":
            raise bad_request(f'App Connection with {named} is not for App "okta"')
        return {"appConnection": connection_view(connection)}
