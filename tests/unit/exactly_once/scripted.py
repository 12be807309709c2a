# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A scripted server with a virtual clock, for tests of the rule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.api import Reading
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.lock import Note
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.rule import Outcome, Rotator
from ansible_collections.secretops.infisical.plugins.module_utils._transport.patience import Patience, Waits

ID = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
START = datetime(2026, 1, 1, tzinfo=timezone.utc)
PREFIX = "Infisical encountered an issue while generating credentials with the configured inputs: "


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def reading(age: float = 86400, **keys: Any) -> Reading:
    rotated = stamp(START - timedelta(seconds=age))
    rotation = {
        "id": ID,
        "name": "okta",
        "type": "okta-client-secret",
        "lastRotatedAt": rotated,
        "lastRotationAttemptedAt": rotated,
        "rotationStatus": "success",
        "activeIndex": 0,
        "lastRotationMessage": None,
        **keys,
    }
    return Reading(rotation, START, host_time=START)


BEFORE = reading()
MOVED = reading(age=0, activeIndex=1)
LOCK_LOST = reading(
    rotationStatus="failed",
    lastRotationAttemptedAt=stamp(START),
    lastRotationMessage=PREFIX + "Failed to acquire rotation lock.",
)
FAILED = reading(
    rotationStatus="failed", lastRotationAttemptedAt=stamp(START), lastRotationMessage=PREFIX + "Okta is down"
)
LOST = InfisicalError("unreachable", "Could not rotate: the connection broke.", effect="unknown")
BUSY = InfisicalError("rotation_in_progress", "A rotation is already in progress.", http_status=400)


class Server:
    """Answers readings from a list, whose last entry repeats, and the one request with ``answer``."""

    def __init__(self, readings: Sequence[Reading | InfisicalError], answer: Reading | Exception = MOVED) -> None:
        self.readings = readings
        self.answer = answer
        self.reads = 0
        self.requests = 0
        self.now = 0.0
        self.warnings: list[str] = []
        self.held = 0
        self.seconds_per_reading = 0.0
        self.host_now = START
        #: What stands in for the lock of this machine.
        self.path = "the note"
        self.note: Note | None = None
        self.notes: list[Note] = []
        self.unwritable = False

    def read(self, rotation_id: str) -> Reading:
        assert rotation_id == ID
        found = self.readings[min(self.reads, len(self.readings) - 1)]
        self.reads += 1
        self.now += self.seconds_per_reading
        return _give(found)

    def rotate(self, rotation_id: str) -> Reading:
        assert rotation_id == ID
        assert self.held
        self.requests += 1
        return _give(self.answer)

    @contextmanager
    def hold(self, rotation_id: str) -> Iterator[Server]:
        self.held += 1
        yield self
        self.held -= 1

    def write(self, note: Note) -> None:
        assert self.held
        if self.unwritable and self.requests:
            raise InfisicalError("lock_unavailable", "The disk is full.")
        self.note = note
        self.notes.append(note)

    def forget(self) -> None:
        self.note = None

    def rotator(
        self,
        min_age: int = 300,
        wait_timeout: float = 120,
        outcome_timeout: float = 120,
        only_if: str | None = None,
        waits: Waits | None = None,
    ) -> Rotator:
        return Rotator(
            self,
            min_age=min_age,
            only_if_last_rotated_at=only_if,
            outcome_timeout=outcome_timeout,
            patience=Patience(wait_timeout, lambda: self.now, self._sleep, waits),
            now=lambda: self.host_now,
            hold=self.hold,
            warn=self.warnings.append,
        )

    def run(self, **options: Any) -> Outcome:
        return self.rotator(**options).rotate(ID)

    def fail(self, **options: Any) -> InfisicalError:
        with pytest.raises(InfisicalError) as caught:
            self.run(**options)
        return caught.value

    def _sleep(self, seconds: float) -> None:
        self.now += seconds


def _give(found: Reading | Exception) -> Reading:
    if isinstance(found, Exception):
        raise found
    return found
