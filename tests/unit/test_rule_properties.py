# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Exactly once, whatever the network does: the real rule and client against a model on a virtual clock."""

from __future__ import annotations

import os
import random
from contextlib import nullcontext
from typing import Any, ClassVar

import pytest
from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError
from ansible_collections.secretops.infisical.plugins.module_utils._login.session import Session
from ansible_collections.secretops.infisical.plugins.module_utils._rotations import lock
from ansible_collections.secretops.infisical.plugins.module_utils._rotations import rule as rotation_rule
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.api import Reading
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.rule import Outcome, Rotator
from ansible_collections.secretops.infisical.plugins.module_utils._task import Task
from ansible_collections.secretops.infisical.plugins.module_utils._transport.client import Answer, Client
from ansible_collections.secretops.infisical.plugins.module_utils._transport.patience import Patience
from ansible_collections.secretops.infisical.plugins.modules import okta_client_secret_rotation as module
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from support.tables import check_table
from unit.model_plan import RIVALS, SIZE, plan
from unit.model_server import Clock, Infisical, Rival
from unit.model_task import PROMISES, judge, run_task

#: ansible-test, which repeats the unit tests on many Pythons, passes no variable on.
REPEATED = "ansible_pytest_collections" in os.environ.get("PYTEST_PLUGINS", "")
#: The everyday number of schedules; `make quality` sets a larger one, and lets chance choose them anew.
EVERYDAY = 1_000 if REPEATED else 10_000
WANTED = int(os.environ.get("EXACTLY_ONCE_EXAMPLES", EVERYDAY))
#: The same schedules every day, so that nobody's work is stopped by a counter-example of chance.
FIRST_ROUND = 0 if WANTED == EVERYDAY else random.SystemRandom().randrange(2**32)
A_FEW = 3
MANY = 20
STEPS = 10


class ExactlyOnce(RuleBasedStateMachine):
    """Task after task on one rotation. What one leaves behind, the next one finds."""

    broken: ClassVar[dict[str, Any]] = {}
    #: Schedules that no other task had before.
    tried: ClassVar[set[int]] = set()

    @initialize(strict=st.booleans(), seed=st.integers(0, 2**64))
    def start(self, strict: bool, seed: int) -> None:
        self.server = Infisical(Clock())
        self.strict = strict
        self.chance = random.Random(seed)  # noqa: S311

    @rule(blob=st.binary(min_size=SIZE * A_FEW, max_size=SIZE * A_FEW))
    def a_few_tasks(self, blob: bytes) -> None:
        self._run(blob)

    @rule(number=st.integers(0, 2**64))
    def many_tasks(self, number: int) -> None:
        """Hypothesis tries variations of what it drew, most of which are the same again; this makes them differ."""
        self.chance = random.Random(f"{self.chance.random()} {number}")  # noqa: S311
        self._run(self.chance.randbytes(SIZE * MANY))

    def _run(self, blob: bytes) -> None:
        for start in range(0, len(blob), SIZE):
            planned = plan(blob[start : start + SIZE])
            self.tried.add(hash(repr(planned)))
            judge(run_task(self.server, planned.schedule, strict=self.strict, **self.broken, **planned.options))

    @rule(seconds=st.sampled_from((1.0, 61.0, 400.0, 100_000.0)))
    def time_passes(self, seconds: float) -> None:
        self.server.clock.pass_until(self.server.clock.now + seconds)

    @rule(rival=st.sampled_from(RIVALS))
    def a_rival_rotates(self, rival: Rival) -> None:
        self.server.rival(rival)

    @rule(skew=st.sampled_from((0.0, 7200.0, -7200.0)))
    def the_servers_clock_is_set(self, skew: float) -> None:
        self.server.skew = skew


@pytest.fixture(autouse=True)
def _no_lock_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time of the model does not pass while a real file is locked; the lock has tests of its own."""
    monkeypatch.setattr(lock, "hold", lambda url, rotation_id, patience: nullcontext())


def explore(machine: type[ExactlyOnce], examples: int, round_number: int = 0, **more: Any) -> None:
    seed(FIRST_ROUND + round_number)(machine)
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            **more,
        ),
    )


def test_no_schedule_breaks_a_promise() -> None:
    ExactlyOnce.tried.clear()
    rounds = 0
    while len(ExactlyOnce.tried) < WANTED:
        explore(ExactlyOnce, 50, rounds)
        rounds += 1
    assert len(ExactlyOnce.tried) >= WANTED, f"only {len(ExactlyOnce.tried)} from round {FIRST_ROUND} on"


class SendsAgain(Client):
    """Sends again whatever got no answer, though it may have been heard."""

    def post(self, *given: Any, **more: Any) -> Answer:
        try:
            return super().post(*given, **more)
        except InfisicalError as failure:
            if failure.status is not None or failure.nothing_done:
                raise
            return super().post(*given, **more)


class SendsAgainLater(Client):
    """Sends again after a pause what it decided on before it."""

    def post(self, *given: Any, **more: Any) -> Answer:
        return super().post(*given, **{**more, "resend": True})


class Stubborn(Patience):
    """Waits three times as long as it was told."""

    def __init__(self, seconds: float, *more: Any) -> None:
        super().__init__(3 * seconds + 100, *more)


def _succeeds(self: Rotator, before: Reading, lost: InfisicalError) -> Outcome:
    return Outcome("rotated", "Rotated.", before, before)


def _fails(self: Rotator, before: Reading, lost: InfisicalError) -> Outcome:
    raise InfisicalError("rotation_failed", "It did not work.")


def _gives_up(self: Rotator, before: Reading, lost: InfisicalError) -> Outcome:
    raise InfisicalError("outcome_unknown", "Who knows.")


def _passes_on(self: Rotator, before: Reading, lost: InfisicalError) -> Outcome:
    raise lost


def _changed_by_status(task: Task) -> dict[str, Any]:
    result = module.execute(task)
    return {**result, "changed": result["secretRotation"]["rotationStatus"] == "success"}


def _any_failure(before: Reading, after: Reading) -> bool:
    return after.failed


def _lock_lost_is_failure(before: Reading, after: Reading) -> bool:
    return after.failed and after.last_attempted_at != before.last_attempted_at


def _keeps_token(self: Session) -> None:
    """Ends without a word to the server."""


#: A promise, a rule that breaks it in words and in code, and what of the real one that replaces.
BROKEN: tuple[tuple[str, str, dict[str, Any], dict[str, Any]], ...] = (
    ("_sent_once", "sends again what got no answer", {"client_class": SendsAgain}, {}),
    ("_changed_is_movement", "takes ``changed`` from ``rotationStatus``", {"execute": _changed_by_status}, {}),
    ("_says_what_happened", "believes an answer of 200", {}, {"Rotator._settle": _succeeds}),
    ("_says_what_happened", "passes a lost answer on as its failure", {}, {"Rotator._settle": _passes_on}),
    ("_failure_was_recorded", "takes an answer of 500 for a failure", {}, {"Rotator._settle": _fails}),
    ("_failure_was_recorded", "takes an old failure for its own", {}, {"_failed_since": _any_failure}),
    ("_failure_was_recorded", "takes a lost lock for a failure", {}, {"_failed_since": _lock_lost_is_failure}),
    ("_unknown_only_without_a_way_to_know", "gives up at once", {}, {"Rotator._settle": _gives_up}),
    ("_waits_no_longer_than_told", "waits three times as long", {"patience_class": Stubborn}, {}),
    (
        "_request_follows_the_reading",
        "sends after a pause what it decided before",
        {"client_class": SendsAgainLater},
        {},
    ),
    ("_token_is_revoked", "forgets its token", {}, {"Session._end": _keeps_token}),
)
HEADINGS = ("Promise", "A rule that breaks it, and is caught")


def test_a_broken_rule_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The judge is worth something only if it can condemn. What it condemned stands in the guide."""
    caught: dict[str, list[str]] = {promise.__name__: [] for promise in PROMISES}
    for promise, words, broken, patched in BROKEN:
        with monkeypatch.context() as patch:
            for target, replacement in patched.items():
                owner, _dot, name = target.rpartition(".")
                patch.setattr({"": rotation_rule, "Rotator": Rotator, "Session": Session}[owner], name, replacement)
            with pytest.raises(AssertionError, match=f"^{promise}: "):
                explore(type("Broken", (ExactlyOnce,), {"broken": broken}), 100, phases=[Phase.generate])
        caught[promise].append(words)
    rows = [(str(promise.__doc__), "; ".join(caught[promise.__name__])) for promise in PROMISES]
    assert all(words for _promise, words in rows)
    check_table("promises", "tests/unit/test_rule_properties.py", HEADINGS, rows, (62, 38))
