# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The endpoints of rotations: URLs, shapes and the server's fixed texts. Decides nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import quote

from .._errors import NONE, UNKNOWN, InfisicalError, not_infisical
from .._login.session import Session
from .._timestamps import moment_of, parse_timestamp
from .._transport.client import Answer
from .kinds import OKTA_CLIENT_SECRET, Kind, Refusal

#: Why an answer is not fresh, in words.
CACHED = "a cache answered (its header Age is above 0)"
LOCK_LOST = "Failed to acquire rotation lock."
#: Begins what the server says of a failure that it did not foresee, which may have come after the work was done.
UNFORESEEN = "Infisical encountered an issue"
_WAIT = "Run again when the other rotation has ended."
#: What the server says with HTTP 400, of rotations of every kind.
_REFUSALS = (
    Refusal(r"rotation is (already |currently )?in progress", "rotation_in_progress", _WAIT),
    Refusal("is not configured for", "wrong_type", "Give the id of an {kind} rotation."),
    Refusal(
        "Upgrade plan",
        "plan_restricted",
        "Secret rotation is a paid feature: ask who manages the Infisical organisation.",
    ),
    Refusal(
        "Could not find folder with path",
        "not_found",
        "Check environment (its slug) and secret_path, or create the folder first.",
    ),
    Refusal(r"already exists? at the (secret )?path", "conflict", "Choose another name, or remove what has it."),
)


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


class Listing(NamedTuple):
    """Rotations of a project, and whether a cache told that it answered."""

    readings: list[Reading]
    from_cache: bool


class Generated(NamedTuple):
    """The credentials that were generated, one or two, and the index of the active one."""

    credentials: list[dict[str, str]]
    active_index: int
    from_cache: bool


class Api:
    """Rotations of one kind through an authenticated session."""

    def __init__(self, session: Session, kind: Kind = OKTA_CLIENT_SECRET) -> None:
        self._session = session
        self.kind = kind

    def read(self, rotation_id: str) -> Reading:
        what = f"read the secret rotation {rotation_id}"
        answer = self._asked(lambda: self._session.get(self._path(rotation_id), what, fresh=True))
        return self._reading(answer, what, rotation_id)

    def read_by_name(self, name: str, project_id: str, environment: str, secret_path: str) -> Reading:
        what = f"read the secret rotation {name!r} in {environment}:{secret_path} of project {project_id}"
        query = {"projectId": project_id, "environment": environment, "secretPath": secret_path}
        path = f"{self.kind.path}/rotation-name/{quote(name, safe='')}"
        answer = self._asked(lambda: self._session.get(path, what, query, fresh=True))
        reading = self._reading(answer, what, None)
        # A cache that overlooks the query would make the task rotate the one of another environment.
        _check_place(reading, what, (name, environment, secret_path, project_id))
        return reading

    def read_all(self, project_id: str) -> list[Reading]:
        """Those of the project that the identity may see, out of whatever answers."""
        return self.listed(project_id).readings

    def listed(self, project_id: str, *, fresh: bool = False) -> Listing:
        """Those of the project that the identity may see."""
        what = f"list the secret rotations of project {project_id}"
        query = {"projectId": project_id}
        answer = self._asked(lambda: self._session.get(self.kind.path, what, query, fresh=fresh))
        found = answer.data.get("secretRotations")
        if not isinstance(found, list):
            raise _unfit(what, "the answer holds no secretRotations")
        readings = [self._reading(answer._replace(data={"secretRotation": each}), what, None) for each in found]
        strange = [each for each in readings if each.rotation.get("projectId", project_id) != project_id]
        if strange:
            # A cache that overlooks the query answers with those of another project.
            raise _unfit(what, f"it holds one of another project, {strange[0].rotation['projectId']!r}")
        return Listing(readings, answer.from_cache)

    def read_credentials(self, rotation_id: str) -> Generated:
        what = f"read the generated credentials of the secret rotation {rotation_id}"
        path = self._path(rotation_id, "/generated-credentials")
        answer = self._asked(lambda: self._session.get(path, what, fresh=True))
        data = answer.data
        found, active = data.get("generatedCredentials"), data.get("activeIndex")
        if data.get("rotationId") != rotation_id:
            raise _unfit(what, f"it is about another rotation, {data.get('rotationId')}")
        if not isinstance(found, list) or not found or not all(self._is_credential(each) for each in found):
            raise _unfit(what, f"generatedCredentials does not hold {', '.join(self.kind.credentials)}")
        if not isinstance(active, int) or not 0 <= active < len(found):
            raise _unfit(what, "activeIndex tells no generated credential")
        return Generated(found, active, answer.from_cache)

    def rotate(self, rotation_id: str) -> Reading:
        """Ask for one rotation. Whatever is raised with an effect that is not NONE may have rotated."""
        what = f"rotate the secret of {rotation_id}"
        # A body of zero bytes under this content type is an error 500 of the server.
        return self._written("POST", self._path(rotation_id, "/rotate-secrets"), what, {}, rotation_id)

    def create(self, body: Mapping[str, Any]) -> Reading:
        """Issues a secret at the provider. Whatever is raised with an effect that is not NONE may have done so."""
        what = f"create the secret rotation {body['name']!r} in {body['environment']}:{body['secretPath']}"
        try:
            reading = self._written("POST", self.kind.path, what, body, None)
            _check_place(reading, what, (body["name"], body["environment"], body["secretPath"], body["projectId"]))
        except InfisicalError as failure:
            if failure.reason == "invalid_response" or failure.server_message.startswith(UNFORESEEN):
                failure.effect = UNKNOWN
            raise
        return reading

    def update(self, rotation_id: str, changes: Mapping[str, Any]) -> Reading:
        """Change what is named, and nothing else. The server may rotate because of it, after it answered."""
        what = f"change {', '.join(changes)} of the secret rotation {rotation_id}"
        return self._written("PATCH", self._path(rotation_id), what, changes, rotation_id)

    def delete(self, rotation_id: str, *, delete_secrets: bool, revoke_credentials: bool) -> Reading:
        """The answer shows the rotation as it was. A refusal after ``revoke_credentials`` may have revoked some."""
        what = f"delete the secret rotation {rotation_id}"
        flags = {"deleteSecrets": delete_secrets, "revokeGeneratedCredentials": revoke_credentials}
        query = {name: str(flag).lower() for name, flag in flags.items()}
        try:
            return self._written("DELETE", self._path(rotation_id), what, None, rotation_id, query)
        except InfisicalError as failure:
            # The secrets are revoked one after the other, and the first one may be gone, whatever is said.
            if revoke_credentials and failure.http_status == 400:
                failure.effect = UNKNOWN
            raise

    def _path(self, rotation_id: str, more: str = "") -> str:
        return f"{self.kind.path}/{rotation_id}{more}"

    def _is_credential(self, value: Any) -> bool:
        return isinstance(value, dict) and all(isinstance(value.get(key), str) for key in self.kind.credentials)

    def _asked(self, send: Callable[[], Answer]) -> Answer:
        try:
            return send()
        except InfisicalError as failure:
            self._recognise(failure)
            raise

    def _written(
        self,
        method: str,
        path: str,
        what: str,
        body: Mapping[str, Any] | None,
        rotation_id: str | None,
        query: Mapping[str, str] | None = None,
    ) -> Reading:
        answer = self._asked(lambda: self._session.write_now(method, path, what, body, query))
        try:
            return self._reading(answer, what, rotation_id)
        except InfisicalError as failure:
            failure.effect = UNKNOWN
            raise

    def _recognise(self, failure: InfisicalError) -> None:
        """Name the failure better where the server says more in a fixed text than in its status."""
        status, said = failure.http_status, failure.server_message
        if status == 500 and said.endswith(LOCK_LOST):
            failure.reason, failure.effect, failure.next_step = "rotation_in_progress", NONE, _WAIT
        elif status == 400:
            for refusal in (*_REFUSALS, self.kind.limit, self.kind.revocation):
                if re.search(refusal.text, said, re.IGNORECASE):
                    failure.reason = refusal.reason
                    failure.next_step = refusal.next_step.format(kind=self.kind.name)
                    break
        elif failure.reason == "route_not_found":
            failure.next_step = (
                f"Check url; if it is right, the server is older than {self.kind.name} rotation ({self.kind.since})."
            )

    def _reading(self, answer: Answer, what: str, rotation_id: str | None) -> Reading:
        rotation = answer.data.get("secretRotation")
        fault = self._fault(rotation, rotation_id)
        if isinstance(rotation, dict) and fault is None:
            return Reading(rotation, answer.server_time, answer.from_cache)
        raise _unfit(what, str(fault))

    def _fault(self, rotation: Any, rotation_id: str | None) -> str | None:
        """Why this is no rotation of the kind, or not the one that was asked for."""
        if not isinstance(rotation, dict):
            return "the answer holds no secretRotation"
        for key in ("id", "name", "type", "rotationStatus"):
            if not isinstance(rotation.get(key), str):
                return f"secretRotation.{key} is not a string"
        for key in ("lastRotatedAt", "lastRotationAttemptedAt"):
            if moment_of(rotation.get(key)) is None:
                return f"secretRotation.{key} is not a timestamp"
        if rotation["type"] != self.kind.slug:
            return f"its type is not {self.kind.slug}"
        if rotation_id is not None and rotation["id"].lower() != rotation_id.lower():
            return f"it is about another rotation, {rotation['id']}"
        if not isinstance(rotation.get("secretsMapping"), dict):
            return "secretRotation.secretsMapping is not an object"
        return None


def _check_place(reading: Reading, what: str, asked: tuple[str, str, str, str]) -> None:
    slug, path = place_of(reading.rotation)
    path = (path.rstrip("/") or "/") if isinstance(path, str) else None
    told = (reading.rotation["name"], slug, path, reading.rotation.get("projectId"))
    if told != asked:
        raise _unfit(what, "it is about another rotation, {!r} in {}:{} of project {}".format(*told))


def place_of(rotation: Mapping[str, Any]) -> tuple[Any, Any]:
    """The slug of its environment and the path of its folder, as far as it tells them."""
    environment, folder = rotation.get("environment"), rotation.get("folder")
    return (
        environment.get("slug") if isinstance(environment, Mapping) else None,
        folder.get("path") if isinstance(folder, Mapping) else None,
    )


def _unfit(what: str, fault: str) -> InfisicalError:
    return not_infisical(f"Could not {what}: HTTP 200, but {fault}.")
