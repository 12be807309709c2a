# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Credentials of a rotation that may be handed out: the active ones, and not those from before a rotation."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from .._errors import InfisicalError, invalid_arguments
from .._timestamps import moment_of, parse_timestamp
from .._transport.patience import Patience
from .api import CACHED, Api, Generated, Reading, place_of
from .observer import until
from .projects import Projects, Secret

#: The server writes a mapped secret a moment before it takes the time of the rotation.
_WRITTEN_BEFORE = timedelta(seconds=5)


class After(NamedTuple):
    """The rotation that a task before returned."""

    rotation_id: str
    active_index: int
    last_rotated_at: datetime
    told: str

    def check_same(self, rotation_id: str) -> None:
        if self.rotation_id != rotation_id.lower():
            raise invalid_arguments(f"after is of the rotation {self.rotation_id}, and the term is {rotation_id}.")


def parse_after(value: Mapping[str, Any] | None) -> After | None:
    """From the option ``after``; a blank one counts as not given."""
    if not value:
        return None
    try:
        return After(
            value["id"].lower(),
            int(value["activeIndex"]),
            parse_timestamp(value["lastRotatedAt"]),
            value["lastRotatedAt"],
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        fault = "after is no secretRotation: give what okta_client_secret_rotation returned under that name."
    raise invalid_arguments(fault)


class Handing:
    """Only what ``after`` shows, or something newer, is handed out; it is waited for."""

    def __init__(self, api: Api, projects: Projects, patience: Patience, after: After | None) -> None:
        self._api = api
        self._projects = projects
        self._patience = patience
        self._after = after

    def generated(self, rotation_id: str, known_ids: Collection[str] = ()) -> Generated:
        """Both slots. ``known_ids`` are secrets of which none can be active, for a rotation came after them."""
        self._check_same(rotation_id)

        def unfit(found: Generated) -> str:
            if found.from_cache:
                return CACHED
            if self._after and found.active_index != self._after.active_index:
                return f"activeIndex is {found.active_index}, and after has {self._after.active_index}"
            secret_id = found.credentials[found.active_index]["secretId"]
            return f"the active secret is {secret_id}, which was there before" if secret_id in known_ids else ""

        found, why = until(self._patience, lambda: self._api.read_credentials(rotation_id), unfit)
        if why:
            raise self._stale(rotation_id, why)
        return found

    def mapped(self, reading: Reading) -> dict[str, str]:
        """The values of the mapped secrets, by what they hold."""
        self._check_same(reading.id)
        names = self._api.kind.secrets_mapping.values()
        return {key: self._value(reading, key) for key in names}

    def _value(self, reading: Reading, key: str) -> str:
        name, *place = _place(reading, key)
        found, why = until(self._patience, lambda: self._projects.secret(name, *place), self._unfit_secret)
        self._check_secret(reading, name, found.data)
        if why:
            raise self._stale(reading.id, f"the secret {name!r}: {why}")
        return str(found.data["secretValue"])

    def _unfit_secret(self, found: Secret) -> str:
        if found.from_cache:
            return CACHED
        if not self._after:
            return ""
        updated_at = moment_of(found.data.get("updatedAt"))
        if updated_at is None:
            return "updatedAt is no timestamp"
        if updated_at < self._after.last_rotated_at - _WRITTEN_BEFORE:
            return f"it was updated at {found.data['updatedAt']}, and after was rotated at {self._after.told}"
        return ""

    def _check_secret(self, reading: Reading, name: str, secret: Mapping[str, Any]) -> None:
        if secret.get("secretValueHidden"):
            raise InfisicalError(
                "permission_denied",
                f"Could not read the value of the secret {name!r}: the identity may see it, and not its value.",
                "Give the identity the action readValue on the subject secrets in the project.",
            )
        if not isinstance(secret.get("secretValue"), str):
            raise InfisicalError("invalid_response", f"Could not read the value of the secret {name!r}: it has none.")
        owner = secret.get("rotationId")
        if owner not in (None, reading.id) or secret.get("isRotatedSecret") is False:
            belongs = f"belongs to the rotation {owner}" if owner else "belongs to no rotation"
            raise InfisicalError(
                "conflict",
                f"Could not take the secret {name!r} for one of {reading.rotation['name']!r}: it {belongs}.",
                "Run again where secrets_mapping was changed in that moment; else somebody put another secret there.",
            )

    def _check_same(self, rotation_id: str) -> None:
        if self._after:
            self._after.check_same(rotation_id)

    def _stale(self, rotation_id: str, why: str) -> InfisicalError:
        problem = f"Could not get the credentials of {rotation_id} after its rotation within wait_timeout: {why}."
        next_step = "A cache, or a replica that lags. Nothing was handed out: run again."
        if self._after and self._rotated_since(rotation_id, self._after.last_rotated_at):
            next_step = (
                "It was rotated once more since then: give the newer secretRotation, or leave after out, and find out "
                "who rotated in Infisical's audit log."
            )
        return InfisicalError("stale_reading", problem, next_step)

    def _rotated_since(self, rotation_id: str, then: datetime) -> bool:
        try:
            return self._api.read(rotation_id).last_rotated_at > then
        except InfisicalError:
            # It only adds to what is said already, and may need a right that the identity lacks.
            return False


def _place(reading: Reading, key: str) -> list[str]:
    """Of the secret that ``key`` is mapped to: its name, project, environment and folder."""
    rotation = reading.rotation
    place = [rotation["secretsMapping"].get(key), rotation.get("projectId"), *place_of(rotation)]
    if all(isinstance(each, str) for each in place):
        return place
    raise InfisicalError(
        "invalid_response",
        f"Could not tell the place of the secret with the {key} of the rotation {rotation['name']!r}: secretsMapping, "
        "projectId, environment or folder is missing.",
    )
