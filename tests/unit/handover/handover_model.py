# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small world for handovers: Infisical and Okta with two slots, and consumers that are lost, fail or stay behind.

The steps of the role are the real ones; what its tasks do to a consumer is done here, in the same order.
"""

from __future__ import annotations

import random
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from ansible_collections.secretops.infisical.plugins.module_utils._errors import UNKNOWN, InfisicalError
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.api import Generated, Reading
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.kinds import OKTA_CLIENT_SECRET
from ansible_collections.secretops.infisical.plugins.module_utils._task import Task
from ansible_collections.secretops.infisical.plugins.plugin_utils import _handover_settings
from ansible_collections.secretops.infisical.plugins.plugin_utils._handover_cycle import Cycle
from unit.handover.handover_steps import act

ROTATION = "3c90c3cc-0d44-4b50-8888-8dd25736052a"


class KilledError(Exception):
    """The run ends here, whatever it was about to do."""


class LostError(Exception):
    """A consumer cannot be reached any more in this run."""


@dataclass
class Consumer:
    """Ids of secrets: in its file, in its memory, and in the note about its restart.

    One that fetches no new token for its check proves nothing: it may be ``stubborn`` and go on with what it had.
    """

    file: str
    memory: str
    note: str = ""
    proves: bool = True
    stubborn: bool = False


class World:
    """``chance`` decides what goes wrong, ``trouble`` how often; ``broken`` is what must never happen."""

    kind = OKTA_CLIENT_SECRET

    def __init__(self, chance: random.Random, hosts: int) -> None:
        self.chance = chance
        self.trouble = 0.0
        self.now = datetime(2026, 3, 12, 9, 30, tzinfo=timezone.utc)
        self.slots = ["ocs2", "ocs1"]
        self.active_index = 0
        self.rotated_at = self.now - timedelta(days=40)
        self.made = 2
        self.consumers = {
            name: Consumer(held, held, "", chance.random() < 0.8, chance.random() < 0.5)
            for name in "abcd"[:hosts]
            for held in [chance.choice(self.slots)]
        }
        self.hostvars: dict[str, dict[str, Any]] = {name: {} for name in self.consumers}
        self.run: dict[str, Any] = {}
        self.rotations = 0
        self.broken: list[str] = []

    # -- Infisical and Okta

    def read(self, _rotation_id: str) -> Reading:
        return Reading(self._rotation(), self.now)

    def read_credentials(self, _rotation_id: str) -> Generated:
        found = [{"clientId": "0oa1", "secretId": each, "clientSecret": f"value of {each}"} for each in self.slots]
        return Generated(found if self.active_index == 0 else found[::-1], self.active_index, False)

    def accepts(self, credential: dict[str, str]) -> bool:
        return credential["clientSecret"].removeprefix("value of ") in self.slots

    def refuses(self, credential: dict[str, str]) -> bool:
        return not self.accepts(credential)

    def _rotation(self) -> dict[str, Any]:
        return {
            "id": ROTATION,
            "name": "modelled",
            "activeIndex": self.active_index,
            "lastRotatedAt": self.rotated_at.isoformat(timespec="milliseconds"),
            "rotationStatus": "success",
            "isAutoRotationEnabled": False,
        }

    def rotate(self) -> str:
        """The id of the secret that is gone."""
        self.now += timedelta(seconds=1)
        self.made += 1
        active, gone = self.slots
        self.slots = [f"ocs{self.made}", active]
        self.active_index = 1 - self.active_index
        self.rotated_at = self.now
        return gone

    def execute(self, task: Task) -> dict[str, Any]:
        """The module's part: nothing is done once somebody else rotated."""
        if self.strikes():
            self.rotate()
        before = self._rotation()
        outcome = "rotated_by_another"
        if task.params["only_if_last_rotated_at"] in (None, before["lastRotatedAt"]):
            outcome = "rotated"
            self._judged(int(task.params["min_age"]))
            if self.strikes():
                raise InfisicalError("outcome_unknown", "Its answer was lost.", effect=UNKNOWN)
        rotation = self._rotation()
        return {"changed": True, "outcome": outcome, "secretRotation": rotation, "diff": {}, "msg": "Rotated."}

    def _judged(self, min_age: int) -> None:
        age = (self.now - self.rotated_at).total_seconds()
        gone = self.rotate()
        self.rotations += 1
        proven = self.run["leaked_secret_id"] or self.run["require"] == "proven"
        for name, each in self.consumers.items():
            # Whoever says that a check is enough takes its word for what is in the memory.
            held = (each.file, each.memory) if proven or each.proves else (each.file,)
            if name not in self.run["cut_off"] and gone in held:
                self.broken.append(f"{name} held {gone}, which was deleted")
        if age < min_age:
            self.broken.append(f"rotated at the age of {age} seconds")

    # -- what goes wrong

    def strikes(self) -> bool:
        return self.chance.random() < self.trouble

    def moment(self) -> None:
        """Between two tasks of a consumer."""
        self.now += timedelta(seconds=5)
        if self.strikes():
            raise self.chance.choice((KilledError, LostError))

    def backup(self) -> None:
        """Somebody puts files back that are older, of consumers that were handed the newest secret before."""
        for each in self.consumers.values():
            if self.chance.random() < 0.2:
                each.file = each.memory = self.slots[1]

    # -- the tasks of the role

    def deliver(self, host: str, look: dict[str, Any]) -> None:
        """As deliver.yml, consumers.yml and restore.yml have it."""
        found, active = self.consumers[host], look["active_id"]
        before, had = found.file, found.note
        self.moment()
        taken = before != active
        found.file = active
        self.moment()
        restarts = taken or had != active
        if restarts:
            self._restart(found)
            self.moment()
            found.note = active
        if not self.run["rotate"] and not restarts:
            self._record(host, active, "delivered")
        elif not self.strikes():
            self._record(host, active, "proven" if found.proves else "checked")
        else:
            self._restore(host, before if taken else look["previous_id"], had if taken else look["previous_id"])

    def _restore(self, host: str, before: str, had: str) -> None:
        found = self.consumers[host]
        found.file = before
        self.moment()
        self._restart(found)
        found.note = had
        self._record(host, "" if self.strikes() else had, "failed")

    def _restart(self, found: Consumer) -> None:
        if found.proves or not found.stubborn:
            found.memory = found.file

    def _record(self, host: str, secret_id: str, state: str) -> None:
        kept = act("record", {}, run=self.run, secret_id=secret_id, state=state)
        self.hostvars[host]["handover_state"] = kept

    def _act(self, step: str, **args: Any) -> Any:
        return act(step, {"hostvars": self.hostvars, "inventory_hostname": "a"}, run=self.run, **args)

    def handover(self, **settings: Any) -> dict[str, Any]:
        """One run: the summary of one that was not killed. What was recorded before stays among the variables."""
        self.run = {"run": str(self.chance.random()), "total": len(self.consumers), "count": None, **settings}
        there = self.run.pop("there")
        rotation = {"rotation_id": ROTATION, "hosts": there, "listed": list(self.consumers)}
        self.run |= {"rotations": [rotation], "report": None}
        lost: set[str] = set()
        look: dict[str, Any] = {}
        rotated: dict[str, Any] = {"again": True}
        while rotated["again"]:
            look = self._act("look", rotation=rotation, look=look, rotated=rotated)
            batch = self._act("batch", look=look)
            while batch["hosts"]:
                for host in [each for each in batch["hosts"] if each not in lost]:
                    try:
                        self.deliver(host, look)
                    except LostError:
                        lost.add(host)
                batch = self._act("batch", look=look, batch=batch)
            rotated = self._act("rotate", rotation=rotation, look=look, batch=batch, rotated=rotated)
        return dict(self._act("summary", rotated=rotated))

    def cycle(self, given: dict[str, Any]) -> Cycle:
        world: Any = self
        why = _handover_settings.why_deliver_only(given["run"], given["rotation"])
        task = _Task({"wait_timeout": 0}, False, {}, lambda _text: None)
        return Cycle(given["run"], given["rotation"], task, world, why, None)


class _Task(Task):
    """Nothing travels over a network."""

    def connection(self) -> Any:
        return None

    def session(self, _connection: Any, _patience: Any) -> Any:
        there: AbstractContextManager[None] = nullcontext()
        return there
