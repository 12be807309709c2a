# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Exactly once, whatever the network does: the real rule and client against a model on a virtual clock."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest
from ansible_collections.secretops.infisical.plugins.module_utils._errors import DONE, NONE, UNKNOWN, InfisicalError
from ansible_collections.secretops.infisical.plugins.module_utils._login.session import Session
from ansible_collections.secretops.infisical.plugins.module_utils._rotations import clocks, readings
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.api import Reading
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.rule import Outcome, Rotator
from ansible_collections.secretops.infisical.plugins.module_utils._task import Task
from ansible_collections.secretops.infisical.plugins.module_utils._transport import answers
from ansible_collections.secretops.infisical.plugins.module_utils._transport.client import Answer, Client
from ansible_collections.secretops.infisical.plugins.module_utils._transport.patience import Patience
from ansible_collections.secretops.infisical.plugins.modules import okta_client_secret_rotation as module
from hypothesis import Phase
from support.repeated import REPEATED
from support.tables import check_table
from unit.exactly_once import model_task
from unit.exactly_once.model_judge import PROMISES
from unit.exactly_once.model_search import ExactlyOnce, explore

#: The everyday number of schedules; `make quality` sets a larger one. They are the same ones every time, so that
#: nobody's work is stopped by a counter-example of chance: for those there is `make search`.
WANTED = int(os.environ.get("EXACTLY_ONCE_EXAMPLES", "1000" if REPEATED else "2000"))


def test_no_schedule_breaks_a_promise() -> None:
    tried: set[int] = set()
    rounds = 0
    while len(tried) < WANTED:
        explore(type("Counted", (ExactlyOnce,), {"tried": tried}), 50, rounds)
        rounds += 1
    assert len(tried) >= WANTED


class SendsAgain(Client):
    """Sends again whatever got no answer, though it may have been heard."""

    def write(self, *given: Any, **more: Any) -> Answer:
        try:
            return super().write(*given, **more)
        except InfisicalError as failure:
            if failure.http_status is not None or failure.effect == NONE:
                raise
            return super().write(*given, **more)


class SendsAgainLater(Client):
    """Sends again after a pause what it decided on before it."""

    def write(self, *given: Any, **more: Any) -> Answer:
        return super().write(*given, **{**more, "resend": True})


class AsksCaches(Client):
    """Asks for an URL that a cache may have."""

    def get(self, *given: Any, **more: Any) -> Answer:
        return super().get(*given, **{**more, "fresh": False})


class Stubborn(Patience):
    """Waits three times as long as it was told."""

    def __init__(self, seconds: float, *more: Any) -> None:
        super().__init__(3 * seconds + 100, *more)


def _no_limit(self: Patience, seconds: float) -> AbstractContextManager[None]:
    return nullcontext()


def _succeeds(self: Rotator, before: Reading, lost: InfisicalError, held: Any) -> Outcome:
    return Outcome("rotated", "Rotated.", before, before)


def _fails(self: Rotator, before: Reading, lost: InfisicalError, held: Any) -> Outcome:
    raise InfisicalError("rotation_failed", "It did not work.")


def _gives_up(self: Rotator, before: Reading, lost: InfisicalError, held: Any) -> Outcome:
    raise InfisicalError("outcome_unknown", "Who knows.", effect=UNKNOWN)


def _passes_on(self: Rotator, before: Reading, lost: InfisicalError, held: Any) -> Outcome:
    raise lost


def _changed_refused(task: Task) -> dict[str, Any]:
    result = module.execute(task)
    return {**result, "changed": result["secretRotation"]["rotationStatus"] == "success"}


def _any_difference(before: Reading, after: Reading) -> bool:
    return after.last_rotated_at != before.last_rotated_at


def _any_failure(before: Reading, after: Reading) -> bool:
    return after.failed


def _lock_lost_is_failure(before: Reading, after: Reading) -> bool:
    return after.failed and after.last_attempted_at != before.last_attempted_at


def _refused(status: int, data: Any) -> str:
    return DONE if status == 200 and isinstance(data, dict) else NONE


def _trusts(self: readings.Known, reading: Reading) -> str:
    return ""


def _trusts_no_replica(self: readings.Known, reading: Reading) -> str:
    return "It may be."


def _trusts_the_server(age: float, host_age: float, told: bool, min_age: int) -> tuple[str, bool]:
    return "", True


def _never(before: Reading, after: Reading) -> bool:
    return False


def _ends_without_a_word(self: Session) -> None:
    """The server is not asked to revoke the token."""


def _notes_nothing(self: model_task.Held, note: Any) -> None:
    """The next task of the machine knows nothing."""


#: A promise, a rule that breaks it in words and in code, and what of the real one that replaces.
BROKEN: tuple[tuple[str, str, dict[str, Any], tuple[tuple[Any, str, Any], ...]], ...] = (
    ("_sent_once", "sends again what got no answer", {"client_class": SendsAgain}, ()),
    ("_sent_once", "takes each error for a refusal", {}, ((answers, "effect_of", _refused),)),
    ("_changed_is_movement", "takes ``changed`` from ``rotationStatus``", {"execute": _changed_refused}, ()),
    ("_changed_is_movement", "takes an older reading for movement", {}, ((readings, "moved", _any_difference),)),
    ("_says_what_happened", "believes an answer of 200", {}, ((Rotator, "_settle", _succeeds),)),
    ("_says_what_happened", "passes a lost answer on as its failure", {}, ((Rotator, "_settle", _passes_on),)),
    ("_unknown_is_said_of_a_doubt", "takes each error for a refusal", {}, ((answers, "effect_of", _refused),)),
    ("_failure_was_recorded", "takes an answer of 500 for a failure", {}, ((Rotator, "_settle", _fails),)),
    ("_failure_was_recorded", "takes an old failure for its own", {}, ((readings, "failed_since", _any_failure),)),
    (
        "_failure_was_recorded",
        "takes a lost lock for a failure",
        {},
        ((readings, "failed_since", _lock_lost_is_failure),),
    ),
    ("_unknown_only_without_a_way_to_know", "gives up at once", {}, ((Rotator, "_settle", _gives_up),)),
    ("_waits_no_longer_than_told", "waits three times as long", {"patience_class": Stubborn}, ()),
    (
        "_waits_no_longer_than_told",
        "looks for an outcome as long as it waits for others",
        {},
        ((Patience, "at_most", _no_limit),),
    ),
    (
        "_request_follows_the_reading",
        "sends after a pause what it decided before",
        {"client_class": SendsAgainLater},
        (),
    ),
    ("_token_is_revoked", "forgets its token", {}, ((Session, "_end", _ends_without_a_word),)),
    ("_never_decides_by_a_stale_reading", "asks for an URL that caches have", {"client_class": AsksCaches}, ()),
    ("_never_decides_by_a_stale_reading", "trusts each reading", {}, ((readings.Known, "why_stale", _trusts),)),
    (
        "_stale_and_unreliable_are_true",
        "calls each reading stale",
        {},
        ((readings.Known, "why_stale", _trusts_no_replica),),
    ),
    ("_stale_and_unreliable_are_true", "takes no second for none", {}, ((clocks, "TOLERANCE", 0.0),)),
    ("_a_wrong_clock_decides_nothing", "asks the server's clock alone", {}, ((clocks, "_doubt", _trusts_the_server),)),
    (
        "_a_double_rotation_is_warned_of",
        "does not look at ``activeIndex``",
        {},
        ((readings, "rotated_more_than_once", _never),),
    ),
    ("_never_twice", "leaves no note", {}, ((model_task.Held, "write", _notes_nothing),)),
)
HEADINGS = ("Promise", "A rule that breaks it, and is caught")


@pytest.mark.before_release
def test_a_broken_rule_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The judge is worth something only if it can condemn. What it condemned stands in the guide."""
    promises = {promise.__name__: promise for promise in PROMISES}
    caught: dict[str, list[str]] = {name: [] for name in promises}
    for name, words, options, patched in BROKEN:
        broken: dict[str, Any] = {"options": options, "promises": (promises[name],)}
        with monkeypatch.context() as patch:
            for owner, attribute, replacement in patched:
                patch.setattr(owner, attribute, replacement)
            with pytest.raises(AssertionError, match=f"^{name}: "):
                explore(type("Broken", (ExactlyOnce,), broken), 200, phases=[Phase.generate])
        caught[name].append(words)
    rows = [(" ".join(str(promise.__doc__).split()), "; ".join(caught[name])) for name, promise in promises.items()]
    assert all(words for _promise, words in rows)
    check_table("promises", "tests/unit/exactly_once/test_rule_properties.py", HEADINGS, rows, (62, 38))
