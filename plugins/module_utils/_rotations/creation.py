# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Creating a rotation, which issues a secret at the provider: once, and never beside another one of the application."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from .._errors import NONE, InfisicalError, invalid_arguments
from .._timestamps import moment_of
from .._transport.patience import Retries
from . import failures, finding, schedule, wanted
from .api import Reading
from .finding import Target
from .lifecycle import SHOWN, Ended, Surroundings, found, told
from .observer import HOPELESS
from .readings import CLOCK_MARGIN
from .wanted import Wanted


class Creation:
    """Of the rotation that ``target`` names and that is not there. ``shared`` allows another one of the application."""

    def __init__(self, around: Surroundings, target: Target, desired: Wanted, *, shared: bool) -> None:
        self._around = around
        self._target = target
        self._desired = desired
        self._shared = shared

    def predict(self) -> Ended:
        """What ``make`` would do, decided the same way."""
        self._check_complete()
        body = self._prepared()
        self._warn_of_others(self._planned(body))
        message = f"Would create {self._target}, which issues a new secret at {self._desired.kind.provider}."
        return Ended("would_create", message, {}, wanted.view_of_new(body))

    def make(self, existing: Callable[[Reading], Ended]) -> Ended:
        """``existing`` goes on where another task has created it meanwhile."""
        self._check_complete()
        around, retries = self._around, Retries(self._around.patience)
        with around.hold(f"{self._target.project_id} {self._desired.application}"):
            while True:
                there = found(around, self._target)
                if there:
                    break
                body = self._prepared()
                retries.begin()
                begun = around.now()
                try:
                    return self._created(self._requested(body))
                except InfisicalError as failure:
                    if failure.effect != NONE:
                        made = self._settled(failure)
                    elif failure.http_status == 400:
                        made = self._taken(failure)
                    elif retries.wait(failure, safe=False):
                        continue
                    else:
                        raise
                if self._is_ours(made, begun):
                    return self._created(made, " Confirmed by reading it, because the answer did not tell.")
                there = made
                break
        return existing(there)

    def _check_complete(self) -> None:
        """All that is missing is named at once."""
        wanted.check_new(self._target)
        if self._desired.new_name:
            raise InfisicalError(
                "not_found",
                f"Could not find {self._target}, nor one with the name {self._desired.new_name!r}.",
                f"new_name renames a rotation that is there: check name, or leave new_name out to create it. "
                f"{finding.elsewhere(self._around.api, self._target)}".strip(),
            )
        missing = self._desired.missing()
        if missing:
            where = finding.elsewhere(self._around.api, self._target)
            raise invalid_arguments(
                f"Could not create {self._target}, which is not there: {', '.join(missing)} is missing. {where}".strip()
            )

    def _prepared(self) -> dict[str, Any]:
        """The request's body, once nothing stands in the way."""
        target, desired, projects = self._target, self._desired, self._around.projects
        wanted.check_mapping(desired.values["secretsMapping"])
        self._check_application()
        if desired.connection_id:
            projects.check_connection(desired.kind.app, desired.connection_id)
            connection_id = desired.connection_id
        else:
            connection_id = projects.connection_id(desired.kind.app, str(desired.connection_name), target.project_id)
        names = desired.values["secretsMapping"].values()
        projects.check_free(names, target.project_id, target.environment, target.secret_path)
        return desired.body(target, connection_id)

    def _check_application(self) -> None:
        """Two rotations of one application delete each other's secrets."""
        desired, target = self._desired, self._target
        others = [
            told(each.rotation)
            for each in finding.listed(self._around.api, target.project_id, self._around.patience)
            if (each.rotation.get("parameters") or {}).get(desired.kind.application) == desired.application
        ]
        if not others:
            return
        problem = (
            f"the application {desired.application!r} is rotated by {', '.join(others)} already, and rotations of one "
            "application delete each other's secrets"
        )
        if not self._shared:
            raise InfisicalError(
                "conflict",
                f"Could not create {target}: {problem}.",
                "Use that rotation, or remove it first (state: absent): the server cannot move or share it. With "
                "allow_shared_application: true it is created all the same.",
            )
        self._around.warn(f"{target} is created although {problem}.")

    def _planned(self, body: Mapping[str, Any]) -> str:
        """When the server makes the first rotation, as far as it can be foretold."""
        now = self._around.now()
        made = {"rotationStatus": "success", "lastRotatedAt": now.isoformat(), "isLastRotationManual": True}
        next_at = schedule.planned({**body, **made}, now)
        return "" if next_at is None else next_at.isoformat(timespec="seconds")

    def _warn_of_others(self, first: str) -> None:
        kind = self._desired.kind
        when = f"planned for {first}" if first else "whenever somebody asks for it"
        self._around.warn(
            f"At the first rotation, {when}, Infisical deletes every secret of the application "
            f"{self._desired.application!r} at {kind.provider} that it did not make itself: until then, give the new "
            "one to whoever uses one that was made by hand."
        )

    def _requested(self, body: Mapping[str, Any]) -> Reading:
        return self._around.observer.request(lambda: self._around.api.create(body), f"create {self._target}")

    def _settled(self, lost: InfisicalError) -> Reading:
        """After a request whose outcome is in doubt: read until the rotation shows. It is never requested again."""
        around = self._around
        with around.patience.at_most(around.outcome_timeout):
            made, obstacle = around.observer.wait_for(
                lambda: finding.look(around.api, self._target), lambda _reading: True, SHOWN, HOPELESS - {"not_found"}
            )
        if made is None:
            raise failures.lost(self._target.name, "created", lost, obstacle) from lost
        return made

    def _taken(self, refusal: InfisicalError) -> Reading:
        """What has the name by now, else the refusal. The server says 400 of what fails after the work, too."""
        there = found(self._around, self._target)
        if there is None:
            raise refusal
        return there

    def _is_ours(self, made: Reading, begun: datetime) -> bool:
        """Whether it is what was asked for, of the time of the request: a proxy may have sent it twice."""
        created_at = moment_of(made.rotation.get("createdAt"))
        in_time = created_at is not None and created_at >= begun - CLOCK_MARGIN
        return in_time and not self._desired.changes(made.rotation)

    def _created(self, made: Reading, how: str = "") -> Ended:
        self._warn_of_others(str(made.rotation.get("nextRotationAt") or ""))
        message = f"Created {self._target}, with a new secret at {self._desired.kind.provider}.{how}"
        return Ended("created", message, {}, wanted.view(made.rotation), made.rotation)
