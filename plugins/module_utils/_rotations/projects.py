# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands around a rotation: its project, the app connections, and the secrets in its folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

from .._errors import InfisicalError, not_infisical
from .._login.session import Session
from .._transport.client import Answer


class Secret(NamedTuple):
    """A secret as the server sent it."""

    data: dict[str, Any]
    from_cache: bool


class Projects:
    """Readings only, through an authenticated session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def id_of(self, slug: str) -> str:
        what = f"find the project {slug!r}"
        paths = (f"/api/v1/projects/slug/{quote(slug, safe='')}", f"/api/v2/workspace/{quote(slug, safe='')}")
        found = self._read(paths, what).data.get("id")
        if not isinstance(found, str) or not found:
            raise _incomplete(what, "the project's id")
        return found

    def connection_id(self, app: str, name: str, project_id: str) -> str:
        """That of the project, else that of the organisation, among those that the identity may connect."""
        what = f"find the app connection {name!r} among those that this identity may connect"
        path = f"/api/v1/app-connections/{app}/available"
        for query in ({"projectId": project_id}, {}):
            connections = self._session.get(path, what, query, fresh=True).data.get("appConnections")
            if not isinstance(connections, list) or not all(isinstance(each, dict) for each in connections):
                raise _incomplete(what, "appConnections")
            named = [each for each in connections if each.get("name") == name and isinstance(each.get("id"), str)]
            if named:
                # A newer server lists those of the organisation among them, and before them.
                return str(next((each for each in named if each.get("projectId") == project_id), named[0])["id"])
        raise InfisicalError(
            "not_found",
            f"Could not find the app connection {name!r} for {app}, neither in the project {project_id} nor in the "
            "organisation.",
            "Check connection_name, and that the identity may connect it.",
        )

    def check_connection(self, app: str, connection_id: str) -> None:
        """That it exists and is for the app, as far as the identity may see it."""
        what = f"read the app connection {connection_id}"
        try:
            self._session.get(f"/api/v1/app-connections/{app}/{connection_id}", what, fresh=True)
        except InfisicalError as failure:
            # To connect it, it need not be seen.
            if failure.reason != "permission_denied":
                raise

    def secret(
        self, name: str, project_id: str, environment: str, secret_path: str, *, view_value: bool = True
    ) -> Secret:
        what = f"read the secret {name!r} in {environment}:{secret_path} of project {project_id}"
        query = {
            "environment": environment,
            "secretPath": secret_path,
            "viewSecretValue": str(view_value).lower(),
        }
        end = quote(name, safe="")
        # The older one, which takes the project's id under its older name, is for servers that lack the newer.
        paths = {f"/api/v4/secrets/{end}": "projectId", f"/api/v3/secrets/raw/{end}": "workspaceId"}
        queries = [{key: project_id, **query} for key in paths.values()]
        answer = self._read(paths, what, queries)
        secret = answer.data.get("secret")
        if not isinstance(secret, dict) or secret.get("secretKey") != name:
            raise _incomplete(what, "that secret")
        return Secret(secret, answer.from_cache)

    def check_free(self, names: Iterable[str], project_id: str, environment: str, secret_path: str) -> None:
        """That the folder has no secrets of these names, as far as the identity may see them."""
        taken = [name for name in names if self._has_secret(name, project_id, environment, secret_path)]
        if taken:
            raise InfisicalError(
                "conflict",
                f"Could not map credentials to {' and '.join(taken)}: {environment}:{secret_path} has secrets of that "
                "name already.",
                "Give other names in secrets_mapping, or rename or delete what is there.",
            )

    def _has_secret(self, name: str, project_id: str, environment: str, secret_path: str) -> bool:
        try:
            self.secret(name, project_id, environment, secret_path, view_value=False)
        except InfisicalError as failure:
            if failure.reason in ("not_found", "permission_denied"):
                return False
            raise
        return True

    def _read(self, paths: Iterable[str], what: str, queries: Iterable[Mapping[str, str]] = ({}, {})) -> Answer:
        """From the first of the routes that the server knows."""
        *newer, last = zip(paths, queries, strict=True)
        for path, query in newer:
            try:
                return self._session.get(path, what, query, fresh=True)
            except InfisicalError as failure:
                if failure.reason != "route_not_found":
                    raise
        return self._session.get(last[0], what, last[1], fresh=True)


def _incomplete(what: str, missing: str) -> InfisicalError:
    return not_infisical(f"Could not {what}: HTTP 200, but the answer does not hold {missing}.")
