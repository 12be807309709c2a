# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever decides on what a request may have done is caught when it decides otherwise, condition by condition."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError
from ansible_collections.secretops.infisical.plugins.module_utils._login import session
from ansible_collections.secretops.infisical.plugins.module_utils._rotations import api, rule
from ansible_collections.secretops.infisical.plugins.module_utils._transport import answers, client, failures, wire
from ansible_collections.secretops.infisical.plugins.module_utils._transport.connection import Connection
from ansible_collections.secretops.infisical.plugins.module_utils._transport.patience import Patience
from ansible_collections.secretops.infisical.plugins.module_utils._transport.redaction import Redactor
from support.scripted_channel import ScriptedChannel
from unit.exactly_once import model_judge, test_effect_mutations
from unit.exactly_once.model_answers import FOREIGN, SENT
from unit.exactly_once.model_fates import KINDS, READ_KINDS, Fate, Schedule
from unit.exactly_once.model_task import World, run_task
from unit.exactly_once.mutants import Mutant, turned_conditions
from unit.transport.test_client_policy import OK, error

#: Functions all of whose conditions decide on that.
WHOLLY = ((answers, "effect_of"), (answers, "is_infisicals"))
#: Conditions of others that do, and what each must not be. That the other way is merely careful, or only chooses words,
#: is why it is not here.
PARTLY: tuple[tuple[ModuleType, str, str, str], ...] = (
    (failures, "from_exception", "sent", "False"),
    (client, "Client._exchange", "effect != DONE", "False"),
    (client, "Client._exchange", "method == 'GET'", "True"),
    (client, "Client._exchange", "method == 'GET'", "False"),
    (client, "Client._received", "method == 'GET'", "True"),
    (client, "Client._received", "method == 'GET'", "False"),
    (client, "Client.write", "resend", "True"),
    (session, "Session._authenticated", "not again", "False"),
    (session, "Session._authenticated", "failure.token_refused", "True"),
    (api, "Api._recognise", "status == 500 and said.endswith(LOCK_LOST)", "True"),
    (api, "Api._recognise", "status == 500 and said.endswith(LOCK_LOST)", "False"),
    (api, "Api._recognise", "said.endswith(LOCK_LOST)", "True"),
    (rule, "Rotator._from", "failure.effect != NONE", "True"),
    (rule, "Rotator._from", "failure.effect != NONE", "False"),
    (rule, "Rotator._from", "after.last_rotated_at <= before.last_rotated_at", "True"),
    (rule, "Rotator._from", "after.last_rotated_at <= before.last_rotated_at", "False"),
    (wire, "_watched", "self.sock is None", "False"),
    (wire, "_watched", "not progress.connecting", "False"),
)


def _chosen() -> list[Mutant]:
    chosen = [mutant for module, function in WHOLLY for mutant in turned_conditions(module, function)]
    for module, function, was, now in PARTLY:
        # The last one of the same words: those before it choose headers and messages.
        same = [mutant for mutant in turned_conditions(module, function) if (mutant.was, mutant.now) == (was, now)]
        chosen.append(same[-1])
    return chosen


def judge() -> None:
    """What is true, written by hand, and what is promised, by what the model knows."""
    test_effect_mutations.judge()
    channel: Any = ScriptedChannel(OK, error(400, message=None))
    asked = client.Client(Connection("https://x.example"), Patience(0), Redactor())
    asked._channel = channel
    assert asked.write("POST", "/thing", "do it", {}, resend=False).data == {}
    with pytest.raises(InfisicalError) as caught:
        asked.write("POST", "/thing", "do it", {}, resend=False)
    assert caught.value.effect == "unknown"
    for kind in KINDS:
        ways = len(FOREIGN) if kind.startswith("foreign") else len(SENT) if kind.startswith("reset") else 1
        for pick in range(ways):
            fate = Fate(kind, 1.0, pick=pick)
            _promised(Schedule(rotate=(fate,)), token_given=bool(pick % 2))
            if kind in READ_KINDS:
                _promised(Schedule(read=(fate, fate, fate)))


def _promised(schedule: Schedule, **options: Any) -> None:
    model_judge.judge(run_task(World(), schedule, **options))


def test_nothing_is_condemned_without_a_mutation() -> None:
    judge()
    assert len(_chosen()) > 30


@pytest.mark.parametrize("mutant", _chosen(), ids=str)
def test_a_condition_that_is_turned_is_caught(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    mutant.take_effect(monkeypatch)
    with pytest.raises((AssertionError, InfisicalError, AttributeError, KeyError, TypeError, pytest.fail.Exception)):
        judge()
