# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a rotation is wanted to be, by the server's own rules, and how it differs from one that is there. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .._errors import invalid_arguments
from .._login.credentials import uuid
from .api import place_of
from .finding import Target
from .kinds import Kind

#: What a server written in JavaScript trims, which is not quite what Python strips.
_BLANKS = "\t\n\v\f\r \u00a0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000\ufeff"
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)
_LONGEST_SLUG, _LONGEST_DESCRIPTION, _LONGEST_INTERVAL = 64, 256, 36500
#: What the server takes where a creation leaves it out.
DEFAULTS: Mapping[str, Any] = {
    "description": None,
    "isAutoRotationEnabled": True,
    "rotateAtUtc": {"hours": 0, "minutes": 0},
}
#: What may change, and what a difference shows besides: its place, and its connection.
_CHANGEABLE = (
    "name",
    "description",
    "isAutoRotationEnabled",
    "rotationInterval",
    "rotateAtUtc",
    "parameters",
    "secretsMapping",
)


@dataclass(frozen=True)
class Wanted:
    """``values`` are under the server's names; what was left out is missing, in inner objects too."""

    kind: Kind
    values: Mapping[str, Any] = field(default_factory=dict)
    connection_id: str | None = None
    connection_name: str | None = None

    @property
    def application(self) -> str | None:
        found = self.values.get("parameters", {}).get(self.kind.application)
        return None if found is None else str(found)

    @property
    def new_name(self) -> str | None:
        return self.values.get("name")

    def missing(self) -> list[str]:
        """The options that a creation lacks."""
        return [
            *([] if self.connection_id or self.connection_name else ["connection_id or connection_name"]),
            *_lacking("parameters", self.kind.parameters, self.values.get("parameters", {})),
            *_lacking("secrets_mapping", self.kind.secrets_mapping, self.values.get("secretsMapping", {})),
            *([] if "rotationInterval" in self.values else ["rotation_interval"]),
        ]

    def body(self, target: Target, connection_id: str) -> dict[str, Any]:
        """Of the request that creates it, complete."""
        return {
            **DEFAULTS,
            **self.values,
            "rotateAtUtc": {**DEFAULTS["rotateAtUtc"], **self.values.get("rotateAtUtc", {})},
            "name": target.name,
            "projectId": target.project_id,
            "environment": target.environment,
            "secretPath": target.secret_path,
            "connectionId": connection_id,
        }

    def changes(self, rotation: Mapping[str, Any]) -> dict[str, Any]:
        """What of the rotation differs, as its PATCH has it: an inner object is sent whole."""
        found = {}
        for key, value in self.values.items():
            present = rotation.get(key)
            complete = {**present, **value} if isinstance(value, Mapping) and isinstance(present, Mapping) else value
            if complete != present:
                found[key] = complete
        return found


def parse(params: Mapping[str, Any], kind: Kind) -> Wanted:
    """From a task's options. A blank value counts as not given."""
    connection_id, connection_name = _text(params["connection_id"]), _text(params["connection_name"])
    if connection_id and connection_name:
        raise invalid_arguments("connection_id and connection_name contradict each other: give only one of them.")
    values = {
        "name": _slug("new_name", _text(params["new_name"])),
        "description": _description(_text(params["description"])),
        "isAutoRotationEnabled": params["auto_rotation_enabled"],
        "rotationInterval": _number("rotation_interval", params["rotation_interval"], 1, _LONGEST_INTERVAL, "days"),
        "rotateAtUtc": _rotate_at(params["rotate_at_utc"] or {}),
        "parameters": _inner(kind.parameters, params["parameters"] or {}),
        "secretsMapping": _mapping(_inner(kind.secrets_mapping, params["secrets_mapping"] or {})),
    }
    return Wanted(
        kind,
        {key: value for key, value in values.items() if value not in (None, {})},
        uuid("connection_id", connection_id) if connection_id else None,
        connection_name,
    )


def check_new(target: Target) -> None:
    """Names that a rotation which is looked for may have from an older server, and a new one may not."""
    _slug("name", target.name)
    _slug("environment", target.environment)


def check_mapping(mapping: Mapping[str, Any]) -> None:
    """That the complete one names different secrets."""
    names = list(mapping.values())
    if len(set(names)) < len(names):
        raise invalid_arguments(f"secrets_mapping would map {' and '.join(mapping)} to one secret, {names[0]!r}.")


def view(rotation: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration, for a difference."""
    environment, path = place_of(rotation)
    return {
        **{key: rotation.get(key) for key in (*_CHANGEABLE, "connectionId", "projectId")},
        "environment": environment,
        "secretPath": path,
    }


def view_of_new(body: Mapping[str, Any]) -> dict[str, Any]:
    """The same of one that is to be created."""
    return {key: body[key] for key in (*_CHANGEABLE, "connectionId", "environment", "secretPath", "projectId")}


def _lacking(option: str, names: Mapping[str, str], given: Mapping[str, Any]) -> list[str]:
    return [f"{option}.{name}" for name, key in names.items() if key not in given]


def _text(value: str | None) -> str | None:
    text = (value or "").strip(_BLANKS)
    return text or None


def _slug(option: str, value: str | None) -> str | None:
    if value is not None and (len(value) > _LONGEST_SLUG or not _SLUG.fullmatch(value)):
        raise invalid_arguments(
            f"{option} is {value!r}: give small letters, digits and single hyphens, {_LONGEST_SLUG} at most."
        )
    return value


def _description(value: str | None) -> str | None:
    # The server counts as JavaScript does.
    length = len((value or "").encode("utf-16-le", "surrogatepass")) // 2
    if length > _LONGEST_DESCRIPTION:
        raise invalid_arguments(f"description has {length} characters: give {_LONGEST_DESCRIPTION} at most.")
    return value


def _number(option: str, value: int | None, least: int, most: int, unit: str) -> int | None:
    if value is not None and not least <= value <= most:
        raise invalid_arguments(f"{option} is {value}: give {least} to {most} {unit}.")
    return value


def _rotate_at(given: Mapping[str, Any]) -> dict[str, Any]:
    values = {
        "hours": _number("rotate_at_utc.hours", given.get("hours"), 0, 23, "hours"),
        "minutes": _number("rotate_at_utc.minutes", given.get("minutes"), 0, 59, "minutes"),
    }
    return {key: value for key, value in values.items() if value is not None}


def _inner(names: Mapping[str, str], given: Mapping[str, Any]) -> dict[str, str]:
    values = {key: _text(given.get(name)) for name, key in names.items()}
    return {key: value for key, value in values.items() if value is not None}


def _mapping(mapping: dict[str, str]) -> dict[str, str]:
    for key, name in mapping.items():
        if ":" in name or "/" in name:
            raise invalid_arguments(f"secrets_mapping names {name!r} for {key}: a secret's name has no : and no /.")
    check_mapping(mapping)
    return mapping
