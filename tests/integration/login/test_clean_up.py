# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A task ends as its work did, whatever becomes of the token that it made for itself: that may warn, and no more."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.secretops.infisical.plugins.module_utils import _states
from ansible_collections.secretops.infisical.plugins.module_utils._transport.exchange import Channel
from ansible_collections.secretops.infisical.plugins.modules import login as login_module
from ansible_collections.secretops.infisical.plugins.modules import logout as logout_module
from simulator.client import Simulator
from support.machine import Machine, ended
from support.server import login, tokens_left

REVOKE = "/token/revoke"
HALF = json.dumps({"statusCode": 500, "error": "x", "message": "cut \ud83d", "reqId": "req-\ud83d"})
ANSWERS: dict[str, dict[str, Any]] = {
    "a redirect to nowhere": {"action": "redirect", "location": "http://[bad"},
    "a redirect to no port": {"action": "redirect", "location": "http://host:99999999/"},
    "a redirect without a place": {"action": "redirect", "location": ""},
    "an error 500": {"action": "status", "status": 500},
    "half a character": {"action": "status", "status": 500, "body": HALF},
    "an error of a proxy": {"action": "status", "status": 502, "body": "<html>", "contentType": "text/html"},
    "a refusal for the rate limit": {"action": "rate_limit", "seconds": 100},
    "a page": {"action": "html_200"},
    "nothing": {"action": "empty_200", "work": "none"},
    "a list": {"action": "not_json", "body": "[[[", "work": "none"},
    "no answer": {"action": "reset_before"},
    "the end of the connection": {"action": "close_before"},
    "half an answer": {"action": "half_body", "work": False},
}


@pytest.fixture
def machine(simulator: Simulator, tmp_path: Path) -> Machine:
    return Machine(tmp_path / "tmp", {**login(simulator), "rotation_id": simulator.rotation()["id"]})


def assert_only_warned(machine: Machine) -> None:
    (warning,) = machine.warnings
    assert "token" in warning
    assert "valid" in warning
    assert warning.isprintable()


@pytest.mark.parametrize("answer", ANSWERS)
def test_whatever_answers_the_revocation_the_rotation_stands(
    simulator: Simulator, machine: Machine, answer: str
) -> None:
    simulator.fault(path=REVOKE, times=0, **ANSWERS[answer])
    result = machine.run()
    assert ended(result) == ("rotated", True)
    assert simulator.posts() == simulator.rotations_done() == 1
    assert len(simulator.log(REVOKE)) == 1
    assert machine.clock.pauses == [], "the end of a task is not held up"
    assert_only_warned(machine)


@pytest.mark.parametrize("answer", ANSWERS)
def test_whatever_answers_the_revocation_a_failure_keeps_its_reason(
    simulator: Simulator, machine: Machine, answer: str
) -> None:
    simulator.fault(path=REVOKE, times=0, **ANSWERS[answer])
    simulator.settings(planAllowsRotation=False)
    result = machine.run()
    assert ended(result) == ("plan_restricted", False)
    assert (result["outcome"], result["http_status"]) == ("failed", 400)
    assert_only_warned(machine)


#: Faults of this collection and of libraries, which nobody foresaw.
FAULTS: list[Exception] = [
    RuntimeError("dictionary changed size"),
    KeyError("kept"),
    MemoryError(),
    UnicodeEncodeError("utf-8", "\ud83d", 0, 1, "surrogates not allowed"),
    OSError(9, "Bad file descriptor"),
]


def raising(monkeypatch: pytest.MonkeyPatch, path: str, fault: Exception, *, after: bool = False) -> None:
    """Every exchange with that path ends so, before or after it was made."""
    real: Callable[..., Any] = Channel.exchange

    def exchange(self: Channel, method: str, url: str, **more: Any) -> Any:
        if not url.endswith(path):
            return real(self, method, url, **more)
        if after:
            real(self, method, url, **more)
        raise type(fault)(*fault.args)

    monkeypatch.setattr(Channel, "exchange", exchange)


@pytest.mark.parametrize("fault", FAULTS, ids=repr)
def test_no_exception_in_the_revocation_overturns_the_rotation(
    simulator: Simulator, machine: Machine, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    raising(monkeypatch, REVOKE, fault)
    assert ended(machine.run()) == ("rotated", True)
    assert_only_warned(machine)
    assert "kept" not in machine.warnings[0], "its text may hold a secret"


@pytest.mark.parametrize("fault", FAULTS, ids=repr)
def test_no_exception_at_the_end_of_the_connection_overturns_it_either(
    simulator: Simulator, machine: Machine, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    """Once the token is revoked nothing is left to be closed properly."""

    def close(self: Channel) -> None:
        if simulator.log(REVOKE):
            raise type(fault)(*fault.args)

    monkeypatch.setattr(Channel, "close", close)
    assert ended(machine.run()) == ("rotated", True)
    assert tokens_left(simulator) == []


@pytest.mark.parametrize("fault", FAULTS, ids=repr)
def test_what_is_raised_in_place_of_the_answer_is_a_doubt_and_settled_by_reading(
    simulator: Simulator, machine: Machine, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    raising(monkeypatch, "/rotate-secrets", fault, after=True)
    result = machine.run()
    assert ended(result) == ("rotated", True)
    assert "confirmed by reading" in result["msg"]
    assert simulator.posts() == simulator.rotations_done() == 1
    assert tokens_left(simulator) == []


@pytest.mark.parametrize("fault", FAULTS, ids=repr)
def test_what_is_raised_and_cannot_be_settled_stays_unknown(
    simulator: Simulator, machine: Machine, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    raising(monkeypatch, "/rotate-secrets", fault)
    result = machine.run(wait_timeout=5)
    assert ended(result) == ("outcome_unknown", False)
    assert result["outcome"] == "unknown"
    assert simulator.posts() == 0
    assert tokens_left(simulator) == []


@pytest.mark.parametrize("location", ["http://[bad", "http://host:99999999/", ""])
@pytest.mark.parametrize(("work", "ends"), [("before", ("rotated", True)), ("none", ("outcome_unknown", False))])
def test_a_redirect_to_nowhere_in_place_of_the_answer_is_one_too(
    simulator: Simulator, machine: Machine, location: str, work: str, ends: tuple[str, bool]
) -> None:
    simulator.fault_rotate("redirect", location=location, work=work)
    assert ended(machine.run()) == ends
    assert simulator.posts() == 1


def test_a_token_that_is_kept_or_given_is_not_cleaned_up(simulator: Simulator, machine: Machine) -> None:
    simulator.fault("redirect", path=REVOKE, times=0, location="http://[bad")
    assert ended(machine.run(revoke_token=False)) == ("rotated", True)
    given = {"token": simulator.mint_token(), "rotation_id": machine.options["rotation_id"], "url": simulator.url}
    assert ended(Machine(machine.folder, given).run()) == ("not_due", False)
    assert simulator.log(REVOKE) == []


def test_a_redirect_to_nowhere_is_no_unforeseen_fault_of_the_other_modules(
    simulator: Simulator, machine: Machine
) -> None:
    simulator.fault("redirect", path="/login", location="http://[bad")
    options = {name: value for name, value in machine.options.items() if name != "rotation_id"}
    result = Machine(machine.folder, options).run(module=login_module)
    assert ended(result) == ("redirected", False)
    simulator.fault("redirect", path="/api/status", location="http://[bad")
    simulator.fault("redirect", path=REVOKE, location="http://[bad")
    logout = Machine(machine.folder, {"url": simulator.url, "token": simulator.mint_token()})
    for check_mode in (True, False):
        assert ended(logout.run(module=logout_module, check_mode=check_mode)) == ("redirected", False)


@pytest.mark.parametrize(("min_age", "outcome"), [("5m", "unknown"), ("365d", "failed")])
def test_a_fault_in_saying_how_it_ended_does_not_say_that_nothing_was_done(
    simulator: Simulator, machine: Machine, monkeypatch: pytest.MonkeyPatch, min_age: str, outcome: str
) -> None:
    def broken(*_given: Any) -> None:
        raise RecursionError

    monkeypatch.setattr(_states, "_compared", broken)
    result = machine.run(min_age=min_age)
    assert ended(result) == ("internal_error", False)
    assert result["outcome"] == outcome
    assert simulator.rotations_done() == (outcome == "unknown")
