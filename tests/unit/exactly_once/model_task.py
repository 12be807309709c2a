# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs one real task against the model server, on one of its machines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any
from unittest.mock import patch

from ansible_collections.secretops.infisical.plugins.module_utils import _states
from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError
from ansible_collections.secretops.infisical.plugins.module_utils._login.session import Session
from ansible_collections.secretops.infisical.plugins.module_utils._rotations import lock
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.lock import Note
from ansible_collections.secretops.infisical.plugins.module_utils._task import Task
from ansible_collections.secretops.infisical.plugins.module_utils._transport.client import Client
from ansible_collections.secretops.infisical.plugins.module_utils._transport.connection import Connection
from ansible_collections.secretops.infisical.plugins.module_utils._transport.patience import Patience
from ansible_collections.secretops.infisical.plugins.modules import okta_client_secret_rotation as module
from unit.exactly_once.model_fates import Exchange, Schedule
from unit.exactly_once.model_network import Kept, Killed, Network
from unit.exactly_once.model_server import EPOCH, ROTATION_ID, Clock, Infisical, State

CREDENTIALS = {"universal_auth_client_id": "an-id", "universal_auth_client_secret": "a-password"}
BY_NAME = {"name": "okta", "project_id": "a-project", "environment": "prod"}
DEFAULTS: dict[str, Any] = {name: spec.get("default") for name, spec in module.ARGUMENT_SPEC.items()}
_SECONDS = {"0": 0, "5m": 300, "1d": 86400}

Execute = Callable[[Task], dict[str, Any]]


@dataclass
class Machine:
    """Where tasks run one after the other: its clock, and the note that they leave each other."""

    #: By how much its clock is ahead.
    ahead: float = 0.0
    note: Note | None = None
    #: Its tasks that may have rotated.
    past: list[Verdict] = field(default_factory=list)


class Held:
    """Stands in for the lock of one rotation; time of the model does not pass while a real file is locked."""

    path = "the note"

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self.note = machine.note

    def write(self, note: Note) -> None:
        self._machine.note = note

    def forget(self) -> None:
        self._machine.note = None


class World:
    """A server, and what outlives a task: the machines, and what caches keep."""

    def __init__(self, *, strict: bool = True, ahead: float = 0.0) -> None:
        self.clock = Clock()
        self.server = Infisical(self.clock)
        self.strict = strict
        self.machines = (Machine(ahead), Machine())
        self.kept: dict[str, Kept] = {}


@dataclass(frozen=True)
class ModelTask(Task):
    """A task whose time is the model's and whose connections end at the model's network."""

    network: Network
    client_class: type[Client] = Client
    patience_class: type[Patience] = Patience

    def patience(self) -> Patience:
        clock = self.network.server.clock
        return self.patience_class(self.params["wait_timeout"], clock, clock.sleep)

    def session(self, connection: Connection, patience: Patience) -> Session:
        session = super().session(connection, patience)
        client = session._client
        client.__class__ = self.client_class
        client._channel = self.network  # type: ignore[assignment]
        return session


class HostClock:
    """Stands in for ``datetime`` where the task asks for the time."""

    def __init__(self, clock: Clock, ahead: float) -> None:
        self._clock = clock
        self._ahead = ahead

    def now(self, zone: timezone) -> datetime:
        return EPOCH + timedelta(seconds=self._clock.now + self._ahead)


@dataclass
class Verdict:
    """What a task said, beside what really happened."""

    result: dict[str, Any]
    failed: bool
    killed: bool
    warnings: list[str]
    exchanges: list[Exchange]
    world: World
    machine: Machine
    options: Mapping[str, Any]
    schedule: Schedule
    slept: float
    ended: float

    @property
    def posts(self) -> list[Exchange]:
        return [exchange for exchange in self.exchanges if exchange.role == "rotate"]

    @property
    def min_age(self) -> int:
        return _SECONDS[self.options["min_age"] or "5m"]

    @property
    def request(self) -> Exchange | None:
        """The request after which the task only watched; None where it decided anew after every one, or sent none."""
        last = self.posts[-1] if self.posts else None
        if last is None or self.result.get("outcome") == "rotated_by_another":
            return last
        return None if self.decides_anew(last) else last

    def decides_anew(self, post: Exchange) -> bool:
        """Whether the request was refused in a way after which the task reads and decides again."""
        after = self.exchanges[self.exchanges.index(post) :]
        return post.refused and not post.busy and any(item.role == "read" for item in after)

    @property
    def deciding(self) -> Exchange | None:
        """The reading that the task decided by in the end: the last one, or the last one before that request."""
        return self.reading_before(self.request)

    def reading_before(self, post: Exchange | None) -> Exchange | None:
        until = len(self.exchanges) if post is None else self.exchanges.index(post)
        return next((item for item in reversed(self.exchanges[:until]) if item.state), None)

    @property
    def later(self) -> list[Exchange]:
        """The readings after that request, the answer to it included."""
        if self.request is None:
            return []
        return [item for item in self.exchanges[self.exchanges.index(self.request) :] if item.state]

    @property
    def doubtful(self) -> bool:
        """Whether that request, by itself, may have done something or not."""
        return self.request is not None and not self.request.refused

    def describe(self) -> str:
        told = {key: value for key, value in self.options.items() if value != DEFAULTS.get(key)}
        end = self.result.get("reason") or self.result.get("outcome")
        lines = [str(self.schedule), f"options {told}, host {self.machine.ahead:+g} s", f"{end}: {self.result['msg']}"]
        lines += [f"  warned: {text}" for text in self.warnings]
        for item in self.exchanges:
            state = item.state and (
                item.state.rotations,
                item.state.stamp,
                item.state.failures,
                item.state.rotation["lastRotationAttemptedAt"],
            )
            more = f" age, {item.aged}" if item.aged else ""
            more += f" work {item.work}" if item.work else ""
            lines.append(f"  {item.started:g}-{item.ended:g} {item.role} {item.kind} {item.status} {state}{more}")
        return "\n".join(lines)


def run_task(
    world: World,
    schedule: Schedule,
    *,
    execute: Execute = module.execute,
    client_class: type[Client] = Client,
    patience_class: type[Patience] = Patience,
    machine: int = 0,
    **options: Any,
) -> Verdict:
    """One task from its options to its result."""
    server, clock, host = world.server, world.clock, world.machines[machine]
    given = {"token": server.log_in()} if options.pop("token_given", False) else CREDENTIALS
    which = BY_NAME if options.pop("by_name", False) else {"rotation_id": ROTATION_ID}
    only_if = _known(server, options.pop("only_if", None))
    params = {**DEFAULTS, "url": "https://x.example", **which, **given, **options, "only_if_last_rotated_at": only_if}
    network = Network(server, schedule, world.kept, strict=world.strict)
    slept, warnings = clock.slept, list[str]()
    task = ModelTask(params, False, {}, warnings.append, network, client_class, patience_class)
    result, failed, killed = {"msg": "killed", "changed": False}, False, False
    with (
        patch.object(lock, "hold", lambda url, rotation_id, patience: nullcontext(Held(host))),
        patch.object(_states, "datetime", HostClock(clock, host.ahead)),
    ):
        try:
            result = execute(task)
        except InfisicalError as failure:
            result, failed = failure.result(), True
        except Killed:
            killed = True
    verdict = Verdict(
        result, failed, killed, warnings, network.exchanges, world, host, params, schedule,
        clock.slept - slept, clock.now,
    )  # fmt: skip
    if verdict.doubtful or (verdict.request and (verdict.request.busy or not failed)):
        host.past = [*host.past[-5:], verdict]
    return verdict


def _known(server: Infisical, which: str | None) -> str | None:
    """A ``lastRotatedAt`` that the caller saw: the present one, or the one before."""
    states: list[State] = server.states
    if which is None:
        return None
    stamps = list(dict.fromkeys(state.stamp for state in states[-9:]))
    return stamps[-1] if which == "present" else stamps[max(0, len(stamps) - 2)]
