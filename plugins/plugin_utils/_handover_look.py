# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Infisical and Okta say of a rotation and its secrets, as a handover has to know it."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ansible_collections.secretops.infisical.plugins.module_utils import _okta
from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.api import Api, Reading
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.handing import After, Handing, parse_after
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.observer import Observer
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.projects import Projects
from ansible_collections.secretops.infisical.plugins.module_utils._task import Task
from ansible_collections.secretops.infisical.plugins.module_utils._timestamps import moment_of, parse_timestamp
from ansible_collections.secretops.infisical.plugins.module_utils._transport.patience import Patience
from ansible_collections.secretops.infisical.plugins.plugin_utils import _handover_rule as rule

#: For how long a secret that was deleted may go on working somewhere at Okta.
_UNTIL_REFUSED = 60.0
Credential = Mapping[str, str]


@dataclass(frozen=True)
class Seen:
    """A rotation with its secrets. ``standing`` is None where nothing is to be rotated and it was not asked for.

    ``complete`` says that Infisical holds as many secrets as the provider keeps alive.
    """

    name: str
    active: Credential
    previous: Credential | None
    standing: rule.Standing | None
    last_rotated_at: str
    complete: bool

    @property
    def line(self) -> str:
        previous = self.previous["secretId"] if self.previous else "none"
        when = f", rotated at {self.last_rotated_at}" if self.last_rotated_at else ""
        return (
            f"{self.name}: the active secret of {self.active['clientId']} is {self.active['secretId']}, the previous "
            f"one {previous}{when}."
        )


@dataclass(frozen=True)
class Okta:
    """Asks Okta for its opinion of a secret."""

    options: Mapping[str, Any]
    wait_timeout: float
    warn: Callable[[str], None]

    def check(self) -> None:
        """That Okta can be asked at all. Sends nothing."""
        _okta.question({**self.options, "client_id": "any", "client_secret": "any"})

    def accepts(self, credential: Credential) -> bool:
        question = _okta.question(
            {**self.options, "client_id": credential["clientId"], "client_secret": credential["clientSecret"]}
        )
        return _okta.accepts(question, Patience(self.wait_timeout), self.warn, os.environ)

    def refuses(self, credential: Credential) -> bool:
        """Whether it refuses it, at the latest after a minute."""
        patience = Patience(_UNTIL_REFUSED)
        while self.accepts(credential):
            if not patience.pause(2.0, "Okta to refuse what was deleted"):
                return False
        return True


def look(
    task: Task,
    rotation_id: str,
    now: Callable[[], datetime],
    *,
    deliver_only: bool,
    known_ids: Collection[str] = (),
    rotated: Mapping[str, Any] | None = None,
) -> Seen:
    """``rotated`` is the rotation as this run saw it move, after which none of ``known_ids`` can be active."""
    patience = task.patience()
    connection = task.connection()
    after, reading = None, None
    with task.session(connection, patience) as session:
        api = Api(session)
        if not deliver_only:
            observer = Observer(patience, now, parse_timestamp(rotated["lastRotatedAt"]) if rotated else None)
            reading = observer.fresh(lambda: api.read(rotation_id))
            after = _after(reading)
        generated = Handing(api, Projects(session), patience, after).generated(rotation_id, known_ids)
    active = generated.credentials[generated.active_index]
    others = [each for each in generated.credentials if each is not active]
    previous = others[0] if others else None
    rotation = reading.rotation if reading else {}
    return Seen(
        name=rotation.get("name", rotation_id),
        active=active,
        previous=previous,
        standing=_standing(reading, active, previous, now, rotated=rotated is not None) if reading else None,
        last_rotated_at=rotation.get("lastRotatedAt", ""),
        complete=len(generated.credentials) >= api.kind.live_secrets,
    )


def _after(reading: Reading) -> After | None:
    """The credentials must be those of the rotation that was read."""
    return parse_after(reading.rotation) if isinstance(reading.rotation.get("activeIndex"), int) else None


def _standing(
    reading: Reading, active: Credential, previous: Credential | None, now: Callable[[], datetime], *, rotated: bool
) -> rule.Standing:
    rotation = reading.rotation
    planned = rotation.get("nextRotationAt") if rotation.get("isAutoRotationEnabled") else None
    return rule.Standing(
        name=rotation["name"],
        active_id=active["secretId"],
        previous_id=previous["secretId"] if previous else "",
        last_rotated_at=reading.last_rotated_at,
        next_rotation_at=moment_of(planned),
        failed=reading.failed,
        last_message=reading.last_message,
        now=reading.server_time or now(),
        rotated=rotated,
    )


def refusal(okta: Okta, seen: Seen) -> str:
    """Why the active secret must not be handed on; empty where Okta accepts it."""
    secret_id = seen.active["secretId"]
    try:
        if okta.accepts(seen.active):
            return ""
    except InfisicalError as failure:
        return f"Whether Okta accepts the active secret {secret_id} could not be learned. {failure.message}"
    return (
        f"Okta does not accept the active secret {secret_id} of {seen.active['clientId']}: somebody deleted or "
        "deactivated it there. Nothing was delivered or rotated. See the application at Okta, Client Credentials."
    )


def proof(okta: Okta, seen_active: Credential, leaked: str | None, leaked_id: str) -> tuple[str, str]:
    """What is proved of the end of a leaked secret, and what speaks against it."""
    newest, client_id = seen_active["secretId"], seen_active["clientId"]
    try:
        if not okta.accepts(seen_active):
            return "", f"Okta does not accept the newest secret {newest}."
        if not leaked:
            told = "That it refuses the leaked one is not proved: its value is not known any more"
            return f"Okta accepts the newest secret {newest}. {told} (give it in handover_leaked_secret).", ""
        if okta.refuses({"clientId": client_id, "clientSecret": leaked}):
            return f"Okta accepts the newest secret {newest} and refuses the leaked one, {leaked_id}.", ""
    except InfisicalError as failure:
        return f"Not proved: Okta could not be asked. {failure.message}", ""
    return "", (
        f"Okta still accepts the value that leaked, though {leaked_id} is in no slot of the rotation: it belongs to "
        "another secret or application. Find it at Okta and deactivate it there."
    )
