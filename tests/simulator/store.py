# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole state in one place, with a way to put it into a file and back."""

from __future__ import annotations

import secrets
import typing
import uuid
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from typing import Any

from .clock import Clock
from .model import (
    ALL_PERMISSIONS,
    ClientSecret,
    Connection,
    Environment,
    Folder,
    Identity,
    Lock,
    MappedSecret,
    Project,
    Rotation,
    Token,
    folder_path,
)
from .okta import OktaApp, OktaToken
from .settings import Settings


@dataclass
class Failures:
    """A login method's count of wrong answers in a row, and until when it is locked."""

    count: int = 0
    lastAt: float = 0.0
    lockedUntil: float = 0.0


@dataclass
class Data:
    signingKey: str = ""
    orgId: str = ""
    orgSlug: str = "example"
    subOrganizations: list[str] = field(default_factory=list)
    projects: dict[str, Project] = field(default_factory=dict)
    identities: dict[str, Identity] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    connections: dict[str, Connection] = field(default_factory=dict)
    rotations: dict[str, Rotation] = field(default_factory=dict)
    secrets: dict[str, MappedSecret] = field(default_factory=dict)
    locks: dict[str, Lock] = field(default_factory=dict)
    lockouts: dict[str, Failures] = field(default_factory=dict)
    okta: dict[str, OktaApp] = field(default_factory=dict)
    oktaTokens: dict[str, OktaToken] = field(default_factory=dict)
    oktaFailures: dict[str, int] = field(default_factory=dict)
    settings: Settings = field(default_factory=Settings)


def new_id() -> str:
    return str(uuid.uuid4())


def _revive(kind: Any, value: Any) -> Any:
    origin = typing.get_origin(kind)
    if is_dataclass(kind) and isinstance(value, dict):
        hints = typing.get_type_hints(kind)
        made: Any = kind
        return made(**{f.name: _revive(hints[f.name], value[f.name]) for f in fields(kind) if f.name in value})
    if origin is dict and isinstance(value, dict):
        inner = typing.get_args(kind)[1]
        return {key: _revive(inner, item) for key, item in value.items()}
    if origin is list and isinstance(value, list):
        inner = typing.get_args(kind)[0]
        return [_revive(inner, item) for item in value]
    return value


class Store:
    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.data = Data()
        self.clear()

    def clear(self) -> None:
        self.data = Data(signingKey=secrets.token_hex(32), orgId=new_id())

    def dump(self) -> dict[str, Any]:
        return {"clockOffset": self.clock.offset, "data": asdict(self.data)}

    def load(self, dumped: dict[str, Any]) -> None:
        self.clock.offset = dumped["clockOffset"]
        self.data = _revive(Data, dumped["data"])

    def now(self) -> float:
        return self.clock.now()

    @property
    def settings(self) -> Settings:
        return self.data.settings

    def first_project(self) -> Project:
        return next(iter(self.data.projects.values()))

    def first_identity(self) -> Identity:
        return next(iter(self.data.identities.values()))

    def project_by_slug(self, slug: str) -> Project | None:
        return next((p for p in self.data.projects.values() if p.slug == slug), None)

    def add_project(self, name: str, slug: str, environments: list[str], project_id: str | None = None) -> Project:
        project = Project(project_id or new_id(), name, slug, self.data.orgId, self.now(), [], [])
        self.data.projects[project.id] = project
        for environment in environments:
            self.ensure_folder(project, environment, "/")
        return project

    def ensure_folder(self, project: Project, environment: str, path: str) -> Folder:
        if project.environment(environment) is None:
            project.environments.append(Environment(new_id(), environment, environment.capitalize()))
            if path != "/":
                self.ensure_folder(project, environment, "/")
        path = folder_path(path)
        found = project.folder(environment, path)
        if found is None:
            found = Folder(new_id(), environment, path, self.now())
            project.folders.append(found)
        return found

    def add_identity(self, **values: Any) -> Identity:
        now = self.now()
        client_secret = values.pop("clientSecret", None) or secrets.token_hex(32)
        without = values.pop("without", [])
        first = ClientSecret(client_secret, now)
        first.ttl = values.pop("clientSecretTTL", 0)
        first.numUsesLimit = values.pop("clientSecretNumUsesLimit", 0)
        if values.get("permissions") is None:
            values["permissions"] = [list(pair) for pair in ALL_PERMISSIONS]
        values["permissions"] = [pair for pair in map(list, values["permissions"]) if pair not in map(list, without)]
        values.setdefault("id", new_id())
        values.setdefault("name", "robot")
        values.setdefault("clientId", new_id())
        identity = Identity(clientSecrets=[first], **values)
        self.data.identities[identity.id] = identity
        return identity

    def add_connection(self, name: str, project_id: str | None) -> Connection:
        connection = Connection(
            new_id(), name, "okta", self.data.orgId, project_id, "https://payments.okta.example", self.now()
        )
        self.data.connections[connection.id] = connection
        return connection
