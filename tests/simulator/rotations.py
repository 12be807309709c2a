# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rotation itself: lock, two credential slots, Okta's two secrets, and what a failure leaves behind."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from .errors import ApiError, bad_request, internal
from .model import Credentials, Lock, MappedSecret, Rotation
from .okta import Okta, OktaError
from .schedule import next_after_failure, next_after_success
from .store import Store, new_id

PREFIX = "Infisical encountered an issue while generating credentials with the configured inputs: "
ONLY_ONE = "You must have only a single secret for the Okta app prior to creating this secret rotation."
LOCK_LOST = "Failed to acquire rotation lock."
IN_PROGRESS = "A rotation is already in progress. Please try again shortly."
MESSAGE_LIMIT = 1024

Sleep = Callable[[float], Awaitable[Any]]


def failure_text(cause: str) -> str:
    text = PREFIX + (cause or "An unknown error occurred.")
    return text if len(text) <= MESSAGE_LIMIT else text[: MESSAGE_LIMIT - 3] + "..."


class Rotations:
    def __init__(self, store: Store, sleep: Sleep = asyncio.sleep) -> None:
        self._store = store
        self._sleep = sleep

    @property
    def okta(self) -> Okta:
        data = self._store.data
        return Okta(data.okta, data.oktaFailures, self._store.now)

    def _lock(self, rotation_id: str) -> Lock | None:
        lock = self._store.data.locks.get(rotation_id)
        if lock is not None and lock.expiresAt <= self._store.now():
            del self._store.data.locks[rotation_id]
            return None
        return lock

    def acquire(self, rotation_id: str, *, hidden: bool = False) -> str:
        if self._lock(rotation_id) is not None:
            raise RuntimeError(LOCK_LOST)
        owner = new_id()
        expires = self._store.now() + self._store.settings.lockSeconds
        self._store.data.locks[rotation_id] = Lock(owner, expires, hidden)
        return owner

    def release(self, rotation_id: str, owner: str) -> None:
        lock = self._lock(rotation_id)
        if lock is not None and lock.owner == owner:
            del self._store.data.locks[rotation_id]
        elif self._store.settings.expiredLockFails:
            raise RuntimeError("The operation was unable to achieve a quorum during its retry window.")

    async def rotate(self, rotation: Rotation, *, manual: bool = True) -> Rotation:
        """The answer to a rotate request; any failure is written down, then raised as a 500."""
        lock = self._lock(rotation.id)
        if lock is not None and not lock.hidden:
            raise bad_request(IN_PROGRESS)
        rotation.started += 1
        settings = self._store.settings
        if settings.lockRaceSeconds:
            await self._sleep(settings.lockRaceSeconds)
        try:
            owner = self.acquire(rotation.id)
            await self.work(rotation, owner, seconds=settings.rotationSeconds, manual=manual)
        except (OktaError, RuntimeError) as problem:
            raise self.fail(rotation, str(problem)) from problem
        return rotation

    async def work(
        self, rotation: Rotation, owner: str, *, seconds: float = 0, manual: bool = True, fails: str | None = None
    ) -> None:
        try:
            if seconds:
                await self._sleep(seconds / 2)
            self.revoke_older(rotation)
            if fails:
                raise RuntimeError(fails)
            made = self.issue(rotation.parameters["clientId"])
            if seconds:
                await self._sleep(seconds / 2)
            self.commit(rotation, made, manual=manual)
        except BaseException:
            lock = self._store.data.locks.get(rotation.id)
            if lock is not None and lock.owner == owner:
                del self._store.data.locks[rotation.id]
            raise
        self.release(rotation.id, owner)
        if self._store.settings.lateFailure:
            self._store.settings.lateFailure -= 1
            raise RuntimeError("Failed to perform secret snapshot")

    def revoke_older(self, rotation: Rotation) -> None:
        """Frees a place at Okta: the stored inactive secret if it is there, or on the first rotation a stranger."""
        client_id = rotation.parameters["clientId"]
        if len(rotation.generatedCredentials) > 1:
            inactive = rotation.generatedCredentials[1 - rotation.activeIndex].secretId
            app = self.okta.apps.get(client_id)
            doomed = [] if app is None or app.find(inactive) is None else [inactive]
        else:
            active = [credentials.secretId for credentials in rotation.generatedCredentials]
            listed = [secret.id for secret in self._list(client_id)]
            # One of the two that Okta allows stays, whoever made it; what a test forced beyond them makes way.
            doomed = [each for each in listed if each not in active][: max(0, len(listed) - 1)]
        for secret_id in doomed:
            try:
                self.okta.remove(client_id, secret_id)
            except OktaError as problem:
                text = f"Failed to remove client secret with secretId {secret_id} from app {client_id}: "
                raise RuntimeError(text + (problem.cause or "Unknown error")) from problem

    def _list(self, client_id: str) -> list[Any]:
        try:
            return self.okta.list_secrets(client_id)
        except OktaError as problem:
            text = f"Failed to list client secrets for Okta app {client_id}: {problem.cause}"
            raise RuntimeError(text) from problem

    def issue(self, client_id: str) -> Credentials:
        try:
            made = self.okta.create(client_id)
        except OktaError as problem:
            reason = ONLY_ONE if problem.code == "E0000001" else (problem.cause or "Unknown error")
            raise RuntimeError(f"Failed to add client secret to Okta app {client_id}: {reason}") from problem
        return Credentials(client_id, made.client_secret, made.id)

    def commit(self, rotation: Rotation, made: Credentials, *, manual: bool) -> None:
        now = self._store.now()
        slot = 1 - rotation.activeIndex if rotation.generatedCredentials else 0
        if slot < len(rotation.generatedCredentials):
            rotation.generatedCredentials[slot] = made
        else:
            rotation.generatedCredentials.append(made)
        rotation.activeIndex = slot
        rotation.completed += 1
        rotation.rotationStatus = "success"
        rotation.lastRotatedAt = rotation.lastRotationAttemptedAt = now
        rotation.updatedAt = now + 0.003
        rotation.isLastRotationManual = manual
        rotation.lastRotationMessage = None
        rotation.nextRotationAt = self.next_after_success(rotation, manual=manual)
        self.map_secrets(rotation, made)

    @staticmethod
    def next_after_success(rotation: Rotation, *, manual: bool) -> float | None:
        return next_after_success(
            rotation.lastRotatedAt,
            interval_days=rotation.rotationInterval,
            hours=rotation.rotateAtUtc["hours"],
            minutes=rotation.rotateAtUtc["minutes"],
            manual=manual,
            auto=rotation.isAutoRotationEnabled,
        )

    def map_secrets(self, rotation: Rotation, made: Credentials) -> None:
        values = {"clientId": made.clientId, "clientSecret": made.clientSecret}
        for source, name in rotation.secretsMapping.items():
            self._write(rotation, name, values[source], changed=source == "clientSecret")

    def _write(self, rotation: Rotation, name: str, value: str, *, changed: bool) -> None:
        now = self._store.now()
        secrets = self._store.data.secrets
        place = (rotation.projectId, rotation.environment, rotation.secretPath, name)
        for secret in secrets.values():
            if (secret.projectId, secret.environment, secret.secretPath, secret.secretKey) == place:
                if changed or self._store.settings.clientIdGetsNewVersion:
                    secret.version += 1
                secret.secretValue, secret.updatedAt, secret.rotationId = value, now, rotation.id
                return
        made = MappedSecret(new_id(), *place, value, 1, rotation.id, now, now)
        secrets[made.id] = made

    def fail(self, rotation: Rotation, cause: str) -> ApiError:
        """Writes the failure down. lastRotatedAt and activeIndex stay: a late failure keeps its success."""
        now = self._store.now()
        text = failure_text(cause)
        rotation.rotationStatus = "failed"
        rotation.lastRotationAttemptedAt = now
        rotation.updatedAt = now + 0.003
        rotation.lastRotationMessage = text
        hours, minutes = rotation.rotateAtUtc["hours"], rotation.rotateAtUtc["minutes"]
        rotation.nextRotationAt = next_after_failure(now, hours=hours, minutes=minutes)
        return internal(text)

    async def rival(self, rotation: Rotation, owner: str, *, seconds: float, fails: str | None) -> None:
        """Another party, which holds the lock already, rotates now and ends after `seconds`."""
        rotation.started += 1
        try:
            await self.work(rotation, owner, seconds=seconds, manual=False, fails=fails)
        except (OktaError, RuntimeError) as problem:
            self.fail(rotation, str(problem))
