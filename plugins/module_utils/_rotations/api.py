# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The endpoints of Infisical: URLs, shapes and the server's fixed texts. Decides nothing."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import quote

from .._errors import NONE, UNKNOWN, InfisicalError
from .._login.session import Session
from .._timestamps import parse_timestamp
from .._transport.client import Answer

_BASE = "/api/v2/secret-rotations/okta-client-secret"
_TYPE = "okta-client-secret"

IN_PROGRESS = re.compile(r"rotation is (?:already |currently )?in progress", re.IGNORECASE)
LOCK_LOST = "Failed to acquire rotation lock."
SECRET_LIMIT = "You must have only a single secret"
_WRONG_TYPE = "is not configured for"
_PLAN = "Upgrade plan"


class Reading(NamedTuple):
    """A rotation as the server sent it, with the server's clock at that moment if it told.

    ``from_cache`` says that a cache told that it answered; ``host_time`` is this host's clock, set by who reads.
    """

    rotation: dict[str, Any]
    server_time: datetime | None
    from_cache: bool = False
    host_time: datetime | None = None

    @property
    def id(self) -> str:
        return str(self.rotation["id"])

    @property
    def last_rotated_at(self) -> datetime:
        return parse_timestamp(self.rotation["lastRotatedAt"])

    @property
    def last_attempted_at(self) -> datetime:
        return parse_timestamp(self.rotation["lastRotationAttemptedAt"])

    @property
    def failed(self) -> bool:
        return bool(self.rotation["rotationStatus"] == "failed")

    @property
    def last_message(self) -> str:
        message = self.rotation.get("lastRotationMessage")
        return message if isinstance(message, str) else ""


class Api:
    """Okta client secret rotations through an authenticated session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def read(self, rotation_id: str) -> Reading:
        what = f"read the secret rotation {rotation_id}"
        try:
            answer = self._session.get(f"{_BASE}/{rotation_id}", what, fresh=True)
        except InfisicalError as failure:
            _recognise(failure)
            raise
        return _reading(answer, what, rotation_id)

    def read_by_name(self, name: str, project_id: str, environment: str, secret_path: str) -> Reading:
        what = f"read the secret rotation {name!r} in {environment}:{secret_path} of project {project_id}"
        query = {"projectId": project_id, "environment": environment, "secretPath": secret_path}
        try:
            answer = self._session.get(f"{_BASE}/rotation-name/{quote(name, safe='')}", what, query, fresh=True)
        except InfisicalError as failure:
            _recognise(failure)
            raise
        reading = _reading(answer, what, None)
        told = _place(reading.rotation)
        # A cache that overlooks the query would make the task rotate the one of another environment.
        if told != (name, environment, secret_path, project_id):
            raise _not_infisical(what, "it is about another rotation, {!r} in {}:{} of project {}".format(*told))
        return reading

    def read_all(self, project_id: str) -> list[Reading]:
        what = f"list the secret rotations of project {project_id}"
        try:
            answer = self._session.get(_BASE, what, {"projectId": project_id})
        except InfisicalError as failure:
            _recognise(failure)
            raise
        found = answer.data.get("secretRotations")
        if not isinstance(found, list):
            raise _not_infisical(what, "the answer holds no secretRotations")
        return [_reading(answer._replace(data={"secretRotation": rotation}), what, None) for rotation in found]

    def rotate(self, rotation_id: str) -> Reading:
        """Ask for one rotation. Whatever is raised with an effect that is not NONE may have rotated."""
        what = f"rotate the secret of {rotation_id}"
        try:
            # A body of zero bytes under this content type is an error 500 of the server.
            answer = self._session.post_now(f"{_BASE}/{rotation_id}/rotate-secrets", what, {})
        except InfisicalError as failure:
            _recognise(failure)
            raise
        try:
            return _reading(answer, what, rotation_id)
        except InfisicalError as failure:
            failure.effect = UNKNOWN
            raise


def _recognise(failure: InfisicalError) -> None:
    """Name the failure better where the server says more in a fixed text than in its status."""
    said = failure.server_message
    if failure.http_status == 400 and IN_PROGRESS.search(said):
        failure.reason, failure.next_step = "rotation_in_progress", "Run again when the other rotation has ended."
    elif failure.http_status == 500 and said.endswith(LOCK_LOST):
        failure.reason, failure.effect = "rotation_in_progress", NONE
        failure.next_step = "Run again when the other rotation has ended."
    elif failure.http_status == 400 and _WRONG_TYPE in said:
        failure.reason, failure.next_step = "wrong_type", "Give the id of an Okta client secret rotation."
    elif failure.http_status == 400 and _PLAN in said:
        failure.reason = "plan_restricted"
        failure.next_step = "Secret rotation is a paid feature: ask who manages the Infisical organisation."


def _reading(answer: Answer, what: str, rotation_id: str | None) -> Reading:
    rotation = answer.data.get("secretRotation")
    fault = _fault(rotation, rotation_id)
    if isinstance(rotation, dict) and fault is None:
        return Reading(rotation, answer.server_time, answer.from_cache)
    raise _not_infisical(what, str(fault))


def _place(rotation: dict[str, Any]) -> tuple[Any, Any, Any, Any]:
    """What a rotation is found by, as it tells itself."""
    environment, folder = rotation.get("environment"), rotation.get("folder")
    slug = environment.get("slug") if isinstance(environment, dict) else None
    path = folder.get("path") if isinstance(folder, dict) else None
    return (
        rotation["name"],
        slug,
        (path.rstrip("/") or "/") if isinstance(path, str) else None,
        rotation.get("projectId"),
    )


def _not_infisical(what: str, fault: str) -> InfisicalError:
    return InfisicalError(
        "invalid_response",
        f"Could not {what}: HTTP 200, but {fault}.",
        "Check that url is an Infisical server of a supported version and that nothing rewrites its answers.",
        http_status=200,
    )


def _fault(rotation: Any, rotation_id: str | None) -> str | None:
    """Why this is no rotation, or not the one that was asked for."""
    if not isinstance(rotation, dict):
        return "the answer holds no secretRotation"
    for key in ("id", "name", "type", "rotationStatus"):
        if not isinstance(rotation.get(key), str):
            return f"secretRotation.{key} is not a string"
    for key in ("lastRotatedAt", "lastRotationAttemptedAt"):
        try:
            parse_timestamp(rotation[key])
        except (KeyError, TypeError, AttributeError, ValueError):
            return f"secretRotation.{key} is not a timestamp"
    if rotation["type"] != _TYPE:
        return f"its type is not {_TYPE}"
    if rotation_id is not None and rotation["id"].lower() != rotation_id.lower():
        return f"it is about another rotation, {rotation['id']}"
    if not isinstance(rotation.get("secretsMapping"), dict):
        return "secretRotation.secretsMapping is not an object"
    return None
