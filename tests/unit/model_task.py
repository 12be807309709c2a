# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs one real task against the model server, and judges it by what the server and the network saw."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError
from ansible_collections.secretops.infisical.plugins.module_utils._login.session import Session
from ansible_collections.secretops.infisical.plugins.module_utils._task import Task
from ansible_collections.secretops.infisical.plugins.module_utils._transport.client import Client
from ansible_collections.secretops.infisical.plugins.module_utils._transport.connection import Connection
from ansible_collections.secretops.infisical.plugins.module_utils._transport.patience import Patience
from ansible_collections.secretops.infisical.plugins.modules import okta_client_secret_rotation as module
from unit.model_network import Network
from unit.model_server import (
    LOCK_LOST,
    ROTATION_ID,
    Exchange,
    Infisical,
    Schedule,
)

CREDENTIALS = {"universal_auth_client_id": "an-id", "universal_auth_client_secret": "a-password"}
BY_NAME = {"name": "okta", "project_id": "a-project", "environment": "prod"}
DEFAULTS: dict[str, Any] = {name: spec.get("default") for name, spec in module.ARGUMENT_SPEC.items()}
#: Less than any pause: what is left of the patience when a task rightly gives up, and the length of a request that
#: is made when there is no time left for it.
CRUMB = 0.3
#: How long each refusal of the limiter asks to wait.
TOLD = {"429_after": 7, "429_reset": 9, "429_text": 11, "429_hour": 3600, "429_zero": 0, "429_bare": 0}

Execute = Callable[[Task], dict[str, Any]]


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
        client._clock = self.network.server.clock
        client._open = lambda what: self.network  # type: ignore[method-assign, assignment, return-value]
        return session


@dataclass
class Verdict:
    """What a task said, beside what really happened."""

    result: dict[str, Any]
    failed: bool
    exchanges: list[Exchange]
    server: Infisical
    options: Mapping[str, Any]
    started: float
    slept: float
    failed_before: int
    schedule: Schedule

    @property
    def posts(self) -> list[Exchange]:
        return [exchange for exchange in self.exchanges if exchange.role == "rotate"]

    @property
    def seen(self) -> list[dict[str, Any]]:
        """The rotation as the task got to see it, in order."""
        return [exchange.state for exchange in self.exchanges if exchange.state is not None]

    @property
    def waited(self) -> float:
        """All pauses, and all requests that were made because the task waited.

        Those are the readings after the last request to rotate, all between two such requests when the second one
        followed a new reading, and what was refused and sent again.
        """
        posts = [index for index, exchange in enumerate(self.exchanges) if exchange.role == "rotate"]
        roles = [exchange.role for exchange in self.exchanges]
        waited = self.slept
        for index, exchange in enumerate(self.exchanges):
            if exchange.role == "revoke":
                continue
            after = bool(posts) and index > posts[-1]
            again = roles[index : index + 2] == [exchange.role] * 2
            between = any(first <= index < last and "read" in roles[first:last] for first, last in pairwise(posts))
            waited += exchange.ended - exchange.started if after or again or between else 0.0
        return waited

    def describe(self) -> str:
        told = {key: value for key, value in self.options.items() if value != DEFAULTS.get(key)}
        end = self.result.get("reason") or self.result["outcome"]
        lines = [str(self.schedule), f"options {told}", f"{end}: {self.result['msg']}"]
        for item in self.exchanges:
            state = item.state and {key: item.state[key] for key in ("lastRotatedAt", "lastRotationAttemptedAt")}
            lines.append(f"  {item.started:g}-{item.ended:g} {item.role} {item.kind} {item.status} {state}")
        return "\n".join(lines)


def run_task(
    server: Infisical,
    schedule: Schedule,
    *,
    strict: bool = True,
    execute: Execute = module.execute,
    client_class: type[Client] = Client,
    patience_class: type[Patience] = Patience,
    **options: Any,
) -> Verdict:
    """One task from its options to its result."""
    given = {"token": server.log_in()} if options.pop("token_given", False) else CREDENTIALS
    which = BY_NAME if options.pop("by_name", False) else {"rotation_id": ROTATION_ID}
    params = {**DEFAULTS, "url": "https://x.example", **which, **given, **options}
    network = Network(server, schedule, strict=strict)
    started, slept, failed_before = server.clock.now, server.clock.slept, len(server.attempts_failed)
    task = ModelTask(params, False, {}, lambda text: None, network, client_class, patience_class)
    try:
        result, failed = execute(task), False
    except InfisicalError as failure:
        result, failed = failure.result(), True
    paused = server.clock.slept - slept
    return Verdict(result, failed, network.exchanges, server, params, started, paused, failed_before, schedule)


def judge(verdict: Verdict) -> None:
    """Every promise of the guide on safety. Raises AssertionError with the whole story."""
    for promise in PROMISES:
        fault = promise(verdict)
        assert fault is None, f"{promise.__name__}: {fault}\n{verdict.describe()}"


def _sent_once(verdict: Verdict) -> str | None:
    """At most one request of a task reaches the rotating code; after an answer that leaves a doubt none is sent."""
    if sum(post.reached for post in verdict.posts) > 1:
        return "two requests reached the rotating code"
    doubtful = [post for post in verdict.posts[:-1] if not post.harmless]
    return f"sent again after {doubtful[0].kind}" if doubtful else None


def _changed_is_movement(verdict: Verdict) -> str | None:
    """``changed`` is true exactly when ``lastRotatedAt`` moved between the first and the last reading."""
    seen = verdict.seen
    moved = len(seen) > 1 and seen[0]["lastRotatedAt"] != seen[-1]["lastRotatedAt"]
    if verdict.result["changed"] is not moved:
        return f"changed is {verdict.result['changed']}, but moved is {moved}"
    return None


def _says_what_happened(verdict: Verdict) -> str | None:
    """Success is what was seen; a failure that names no doubt means that the task rotated nothing."""
    reached = any(post.reached for post in verdict.posts)
    if not verdict.failed:
        expected = {True: ("rotated", "rotated_by_another"), False: ("not_due",)}[verdict.result["changed"]]
        if verdict.result["outcome"] not in expected:
            return f"outcome {verdict.result['outcome']}"
        if verdict.result["outcome"] == "not_due" and reached:
            return "not due, and yet rotated"
        return None
    if reached and verdict.result["reason"] not in ("rotation_failed", "okta_secret_limit", "outcome_unknown"):
        return f"it reached the rotating code and failed with {verdict.result['reason']}"
    return None


def _failure_was_recorded(verdict: Verdict) -> str | None:
    """``rotation_failed`` is said only when the server recorded a failed attempt that is newer than the reading."""
    if not verdict.failed or verdict.result["reason"] not in ("rotation_failed", "okta_secret_limit"):
        return None
    first = next(exchange for exchange in verdict.exchanges if exchange.state is not None)
    newer = [moment for moment in verdict.server.attempts_failed[verdict.failed_before :] if moment >= first.started]
    return None if newer else "no newer failed attempt on the server"


def _unknown_only_without_a_way_to_know(verdict: Verdict) -> str | None:
    """``outcome_unknown`` is said only when nothing could be known within ``wait_timeout``."""
    if not verdict.failed or verdict.result["reason"] != "outcome_unknown":
        return None
    post = verdict.posts[-1]
    if post.harmless:
        return f"{post.kind} is certain"
    after = verdict.exchanges[verdict.exchanges.index(post) + 1 :]
    before = [exchange.state for exchange in verdict.exchanges[: verdict.exchanges.index(post)] if exchange.state][-1]
    for exchange in after:
        if exchange.state and exchange.state["lastRotatedAt"] != before["lastRotatedAt"]:
            return "it saw that the rotation moved"
        if exchange.state and _failed_since(before, exchange.state):
            return "it saw that the rotation failed"
    asked = [exchange for exchange in after if exchange.role in ("read", "login")]
    if not asked:
        return "it did not look"
    left = verdict.options["wait_timeout"] - verdict.waited
    final = asked[-1].status in (401, 403, 404) or (asked[-1].status == 429 and TOLD[asked[-1].kind] > left)
    return None if final or left <= CRUMB else "it gave up early"


def _failed_since(before: dict[str, Any], after: dict[str, Any]) -> bool:
    newer = before["lastRotationAttemptedAt"] != after["lastRotationAttemptedAt"]
    return bool(newer and after["rotationStatus"] == "failed" and after["lastRotationMessage"] != LOCK_LOST)


def _waits_no_longer_than_told(verdict: Verdict) -> str | None:
    """All waiting together takes no longer than ``wait_timeout`` and one ``timeout``."""
    most = verdict.options["wait_timeout"] + verdict.options["timeout"]
    return f"waited {verdict.waited}" if verdict.waited > most + CRUMB else None


def _request_follows_the_reading(verdict: Verdict) -> str | None:
    """The request follows its reading at once: there is never a pause in which somebody could rotate unseen."""
    for index, exchange in enumerate(verdict.exchanges):
        if exchange.role != "rotate":
            continue
        before = verdict.exchanges[index - 1]
        if exchange.started - before.ended > CRUMB:
            return f"a pause of {exchange.started - before.ended} seconds before the request"
        if before.state is None and not (before.role == "login" and before.status == 200):
            return f"the request follows {before}"
    return None


def _token_is_revoked(verdict: Verdict) -> str | None:
    """The server is asked to revoke a token that the task made and that is still good, however the task ends."""
    if verdict.options["token"]:
        return None
    known = {exchange.token for exchange in verdict.exchanges if exchange.token}
    alive = [token for token in known if verdict.server.tokens[token] == 200]
    asked = [exchange for exchange in verdict.exchanges if exchange.role == "revoke"]
    if alive and not asked:
        return "the token was not revoked"
    if alive and all(exchange.kind in ("ok", "extra") for exchange in asked):
        return "another token was revoked"
    return None


PROMISES: tuple[Callable[[Verdict], str | None], ...] = (
    _sent_once,
    _changed_is_movement,
    _says_what_happened,
    _failure_was_recorded,
    _unknown_only_without_a_way_to_know,
    _waits_no_longer_than_told,
    _request_follows_the_reading,
    _token_is_revoked,
)
