# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Creating, changing and deleting secrets by name: the current endpoints and the older ones."""

from __future__ import annotations

from typing import Any

from . import zod
from .errors import bad_request, not_found
from .model import MappedSecret, Project, folder_path
from .router import Context, Router
from .secret_routes import bot_project, no_folder, secret_at
from .store import Store, new_id
from .views import written_view

_PLACE: dict[str, zod.Check] = {
    "environment": zod.string(trim=True),
    "secretPath": zod.optional(zod.string(trim=True), "/"),
    "type": zod.optional(zod.enum("shared", "personal"), "shared"),
}
_CREATE: dict[str, zod.Check] = {
    **_PLACE,
    "secretValue": zod.string(),
    "secretComment": zod.optional(zod.string(trim=True), ""),
    "skipMultilineEncoding": zod.optional(zod.nullable(zod.boolean())),
}
_UPDATE: dict[str, zod.Check] = {
    **_PLACE,
    "secretValue": zod.optional(zod.string()),
    "secretComment": zod.optional(zod.string()),
    "skipMultilineEncoding": zod.optional(zod.boolean()),
    "newSecretName": zod.optional(zod.string(trim=True)),
}
_PROJECT = {
    "v4": {"projectId": zod.string(trim=True)},
    "v3": {
        "workspaceId": zod.optional(zod.string(trim=True)),
        "projectSlug": zod.optional(zod.string(trim=True)),
    },
}


def _value(text: str) -> str:
    """Blanks at the ends go, but for one line feed."""
    return text.strip() + ("\n" if text.endswith("\n") else "")


class SecretWrites:
    def __init__(self, store: Store) -> None:
        self._store = store

    def register(self, router: Router) -> None:
        for version, base in (("v4", "/api/v4/secrets"), ("v3", "/api/v3/secrets/raw")):
            for method, fields, work in (
                ("POST", _CREATE, self._create),
                ("PATCH", _UPDATE, self._update),
                ("DELETE", _PLACE, self._delete),
            ):
                handler = self._handler(zod.obj({**_PROJECT[version], **fields}), work)
                router.add(method, f"{base}/{{secretName}}", handler, category="secrets")

    def _handler(self, schema: zod.Check, work: Any) -> Any:
        async def handler(context: Context) -> Any:
            body = zod.parse(schema, context.body)
            return work(context, self._project(context, body), body)

        return handler

    def _project(self, context: Context, body: dict[str, Any]) -> Project:
        project_id = body.get("projectId") or body.get("workspaceId")
        if project_id is None:
            if "projectSlug" not in body:
                raise bad_request("You must provide projectSlug or workspaceId")
            found = self._store.project_by_slug(body["projectSlug"])
            if found is None:
                raise not_found(f"No project found with slug '{body['projectSlug']}'")
            project_id = found.id
        return bot_project(self._store, context, project_id)

    def _found(
        self, context: Context, project: Project, body: dict[str, Any], operation: str
    ) -> tuple[tuple[str, str, str], MappedSecret | None]:
        """The folder, which must be there, and the secret of the path's name in it."""
        environment, path = body["environment"], folder_path(body["secretPath"])
        if project.folder(environment, path) is None:
            raise no_folder(environment, path, operation)
        if body["type"] == "personal":
            raise bad_request(
                f"Must be user to {'delete' if operation == 'DeleteSecret' else 'create'} personal secret"
            )
        place = (project.id, environment, path)
        return place, secret_at(self._store, (*place, context.params["secretName"]))

    @staticmethod
    def _hidden(context: Context) -> bool:
        return not context.who().can("readValue", "secrets")

    def _create(self, context: Context, project: Project, body: dict[str, Any]) -> Any:
        place, found = self._found(context, project, body, "CreateSecret")
        if found is not None:
            raise bad_request(f"Secret already exist{'s' if self._store.settings.generation == 'new' else ''}")
        context.require("create", "secrets")
        now = self._store.now()
        made = MappedSecret(
            new_id(), *place, context.params["secretName"], _value(body["secretValue"]), 1, None, now, now
        )
        made.secretComment = body["secretComment"]
        made.skipMultilineEncoding = bool(body.get("skipMultilineEncoding"))
        self._store.data.secrets[made.id] = made
        view = written_view(made, hidden=False)
        del view["secretValueHidden"]
        return {"secret": view}

    def _update(self, context: Context, project: Project, body: dict[str, Any]) -> Any:
        place, found = self._found(context, project, body, "UpdateSecret")
        if found is None:
            raise not_found(f"Secret with name {context.params['secretName']} not found")
        name = body.get("newSecretName")
        if name and found.rotationId is not None:
            raise bad_request("Cannot update rotated secret name")
        context.require("edit", "secrets")
        if name and secret_at(self._store, (*place, name)) is not None:
            raise bad_request("Secret with the new name already exists")
        if "secretValue" in body:
            found.secretValue = _value(body["secretValue"])
        found.secretKey = name or found.secretKey
        found.secretComment = body.get("secretComment", found.secretComment)
        found.skipMultilineEncoding = body.get("skipMultilineEncoding", found.skipMultilineEncoding)
        # The version rises whether or not anything is another value than before.
        found.version += 1
        found.updatedAt = self._store.now()
        view = written_view(found, hidden=self._hidden(context))
        if "secretValue" not in body and not view["secretValueHidden"]:
            # The server shows back what the request held, not what is stored.
            view["secretValue"] = ""
        return {"secret": view}

    def _delete(self, context: Context, project: Project, body: dict[str, Any]) -> Any:
        _place, found = self._found(context, project, body, "DeleteSecret")
        if found is None:
            raise not_found("Secret not found")
        context.require("delete", "secrets")
        if found.rotationId is not None:
            raise bad_request("Cannot delete rotated secrets")
        del self._store.data.secrets[found.id]
        return {"secret": written_view(found, hidden=self._hidden(context))}
