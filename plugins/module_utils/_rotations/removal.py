# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Removing a rotation, and saying what of its secrets survives."""

from __future__ import annotations

from .._errors import NONE, InfisicalError
from .._transport.patience import Retries
from . import failures, wanted
from .api import Reading
from .finding import Target
from .lifecycle import SHOWN, Ended, Surroundings, found, told


class Removal:
    """``delete_secrets`` removes the mapped secrets too, ``revoke_credentials`` those at the provider."""

    def __init__(self, around: Surroundings, *, delete_secrets: bool, revoke_credentials: bool) -> None:
        self._around = around
        self._kind = around.api.kind
        self._delete_secrets = delete_secrets
        self._revoke_credentials = revoke_credentials

    def predict(self, reading: Reading) -> Ended:
        message = f"Would delete {told(reading.rotation)}. {self._survivors(reading)}"
        return Ended("would_delete", message, wanted.view(reading.rotation), {}, reading.rotation)

    def make(self, reading: Reading) -> Ended:
        rotation_id, around = reading.id, self._around
        retries = Retries(around.patience)
        with around.hold(rotation_id) as held:
            while True:
                before = found(around, Target(rotation_id=rotation_id))
                if before is None:
                    return absent(Target(rotation_id=rotation_id))
                retries.begin()
                how = ""
                try:
                    self._requested(rotation_id)
                except InfisicalError as failure:
                    if failure.effect == NONE and retries.wait(failure, safe=False):
                        continue
                    with around.patience.at_most(around.outcome_timeout):
                        how = self._settled(before, failure)
                held.forget()
                message = f"Deleted {told(before.rotation)}.{how} {self._survivors(before)}"
                return Ended("deleted", message, wanted.view(before.rotation), {}, before.rotation)

    def _requested(self, rotation_id: str) -> None:
        around = self._around
        around.observer.request(
            lambda: around.api.delete(
                rotation_id, delete_secrets=self._delete_secrets, revoke_credentials=self._revoke_credentials
            ),
            f"delete the secret rotation {rotation_id}",
        )

    def _settled(self, before: Reading, failure: InfisicalError) -> str:
        """How it turned out that it is gone all the same."""
        if failure.reason == "not_found":
            return " It was gone when the request came: another one deleted it in that moment."
        refused = failure.reason == self._kind.revocation.reason and found(self._around, Target(rotation_id=before.id))
        if failure.effect == NONE or refused:
            raise failure
        _reading, obstacle = self._around.observer.wait_for(
            lambda: self._around.api.read(before.id), lambda _reading: False, SHOWN
        )
        if obstacle is None or obstacle.reason != "not_found":
            raise failures.lost(before.rotation["name"], "deleted", failure, obstacle) from failure
        return " Confirmed by reading, because the answer did not tell."

    def _survivors(self, reading: Reading) -> str:
        names = " and ".join(map(str, reading.rotation["secretsMapping"].values()))
        stay = f"{names} are deleted" if self._delete_secrets else f"{names} stay, as secrets that nobody rotates"
        if not self._revoke_credentials:
            return f"In Infisical {stay}; at {self._kind.provider} all secrets of the application stay valid."
        return (
            f"In Infisical {stay}; at {self._kind.provider} its secrets are revoked, but for the last one of the "
            "application, which stays valid."
        )


def absent(target: Target) -> Ended:
    return Ended("absent", f"There is no {str(target).removeprefix('the ')}.", {}, {})
