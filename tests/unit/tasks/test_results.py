# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of a task's work, as a module and in the controller's process: one code, one result."""

from __future__ import annotations

import inspect
import json
import re
import signal
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.module_utils import basic
from ansible.module_utils.common.parameters import PASS_VARS, remove_values
from ansible_collections.secretops.infisical.plugins.module_utils import _module, _results
from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError
from ansible_collections.secretops.infisical.plugins.module_utils._task import Task
from ansible_collections.secretops.infisical.plugins.plugin_utils import _in_process, _internals

SECRET = "hidden-word"
CENSORED = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
SPEC: dict[str, dict[str, Any]] = {
    "word": {"no_log": True},
    "seconds": {"type": "int"},
    "nested": {"type": "dict", "options": {"token": {"no_log": True}}},
}
#: What ansible-core tells every module, as far as it knows it.
INTERNALS = {"no_log": True, "inject_invocation": True, "module_name": "it"}
HALF = "\ud83d"
Execute = Callable[[Any], dict[str, Any]]


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """A module's are for the process that it has for itself."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


class AsModule:
    """Runs work as a module, whose process the test plays."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.monkeypatch = monkeypatch
        self.capsys = capsys

    def __call__(self, execute: Execute, given: dict[str, Any], shown: _results.IntendedSecrets) -> dict[str, Any]:
        internals = {f"_ansible_{name}": value for name, value in INTERNALS.items() if name in PASS_VARS}
        arguments = json.dumps({"ANSIBLE_MODULE_ARGS": {**given, **internals}})
        self.monkeypatch.setattr(basic, "_ANSIBLE_ARGS", arguments.encode())
        self.monkeypatch.setattr(basic, "_ANSIBLE_PROFILE", "legacy", raising=False)
        with pytest.raises(SystemExit) as ended:
            _module.run(execute, SPEC, shown)
        result: dict[str, Any] = json.loads(self.capsys.readouterr().out)
        assert ended.value.code == (1 if result.get("failed") else 0)
        assert ended.value.__context__ is None
        return result


def in_process(execute: Execute, given: dict[str, Any], shown: _results.IntendedSecrets) -> dict[str, Any]:
    made: Any = _in_process.InProcessAction.__new__(_in_process.InProcessAction)
    made.module = SimpleNamespace(ARGUMENT_SPEC=SPEC, execute=execute)
    made._task = SimpleNamespace(args=given, action="it")
    made.intended_secrets = shown
    result: dict[str, Any] = made._result(_internals.arguments(made, SPEC, {}), False)
    return result


@pytest.fixture
def both(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., dict[str, Any]]:
    """The result, which is the same for both ways."""

    def run(
        execute: Execute, given: dict[str, Any] | None = None, shown: _results.IntendedSecrets = lambda _: ()
    ) -> dict[str, Any]:
        monkeypatch.setattr(_internals, "_shows_invocation", lambda _variables: True)
        here = in_process(execute, given or {}, shown)
        assert AsModule(monkeypatch, capsys)(execute, given or {}, shown) == here
        return here

    return run


def test_what_the_work_returns(both: Any) -> None:
    result = both(lambda task: {"changed": True, "said": f"not {SECRET}", "n": 1, "no": None}, {"word": SECRET})
    arguments = {"word": CENSORED, "seconds": None, "nested": None}
    invocation = {"module_args": arguments}
    assert result == {"changed": True, "said": "not ********", "n": 1, "no": None, "invocation": invocation}


def test_what_the_result_is_for_is_shown_there_alone(both: Any) -> None:
    given = {"word": SECRET, "nested": {"token": "another-word"}}
    result = both(lambda task: {"changed": False, "token": SECRET, "msg": "another-word"}, given, lambda _: [SECRET])
    assert (result["token"], result["msg"]) == (SECRET, CENSORED)
    assert result["invocation"]["module_args"] == {"word": CENSORED, "seconds": None, "nested": {"token": CENSORED}}


@pytest.mark.parametrize(("effect", "outcome"), [("none", "failed"), ("unknown", "unknown")])
def test_a_failure(both: Any, effect: str, outcome: str) -> None:
    def execute(_task: Any) -> dict[str, Any]:
        try:
            raise ValueError(SECRET)
        except ValueError as cause:
            raise InfisicalError("unreachable", f"No {SECRET}.", "Wait.", http_status=502, effect=effect) from cause

    result = both(execute, {"word": SECRET})
    del result["invocation"]
    assert result == {
        "failed": True,
        "changed": False,
        "outcome": outcome,
        "reason": "unreachable",
        "http_status": 502,
        "request_id": None,
        "msg": "No ********. Wait.",
    }


def test_a_fault_is_named_with_its_place_and_without_its_text(both: Any) -> None:
    # No option of these tests is called wait_timeout.
    result = both(lambda task: task.patience())
    del result["invocation"]
    message = result.pop("msg")
    assert result == {
        "failed": True,
        "changed": False,
        "outcome": "failed",
        "reason": "internal_error",
        "http_status": None,
        "request_id": None,
    }
    lines, first = inspect.getsourcelines(Task.patience)
    (place,) = re.findall(r"KeyError at \S*_task\.py:(\d+),", message)
    assert first < int(place) < first + len(lines)
    assert "wait_timeout" not in message
    assert "Look at the rotation in Infisical before you run again" in message


@pytest.mark.parametrize("fails", [False, True])
def test_the_message_says_how_long_it_waited_and_for_what(both: Any, fails: bool) -> None:
    def execute(task: Any) -> dict[str, Any]:
        task.waits.begin("the server's rate limit", 32, 32, 60, 0)
        task.waits.seconds = 32.4
        if fails:
            raise InfisicalError("rate_limited", "No.", "Wait.")
        return {"changed": False, "msg": "Done."}

    begins = "No. Wait." if fails else "Done."
    assert both(execute)["msg"] == f"{begins} It waited 32 seconds for the server's rate limit."


def test_wrong_arguments(both: Any) -> None:
    """A secret under a name that no option has is one too."""
    for given, said in (
        ({"seconds": "soon"}, "seconds"),
        ({"wrod": "misspelt-word"}, "Unsupported parameters for (it) module: wrod"),
        ({"nested": "soon-or-later", "word": SECRET}, "dictionary requested"),
    ):
        result = both(lambda _task: {}, given)
        assert said in result["msg"]
        assert (result["reason"], result["outcome"], result["http_status"]) == ("invalid_arguments", "failed", None)
        assert (result["request_id"], result["changed"], result["failed"]) == (None, False, True)
        assert not [word for word in ("misspelt-word", "soon-or-later", SECRET) if word in str(result)]


def test_halves_of_characters_are_none_of_a_result(both: Any) -> None:
    result = both(lambda task: {"changed": False, "msg": f"a{HALF}", HALF: [{"b": HALF}, 1]})
    assert (result["msg"], result["\ufffd"]) == ("a\ufffd", [{"b": "\ufffd"}, 1])


def test_warnings(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """One that is given twice is one; those of a failure are told too."""

    def execute(task: Any) -> dict[str, Any]:
        for _time in range(2):
            task.warn(f"Mind the {SECRET}.")
        raise InfisicalError("unreachable", "Nobody there.")

    told: list[str] = []
    monkeypatch.setattr(_module._Module, "warn", lambda _self, text: told.append(text))
    AsModule(monkeypatch, capsys)(execute, {"word": SECRET}, lambda _: ())
    assert told == ["Mind the ********."]
    assert in_process(execute, {"word": SECRET}, lambda _: ())["warnings"] == told


@pytest.mark.parametrize("end", [KeyboardInterrupt, SystemExit])
def test_what_ends_the_process_passes_and_quotes_nothing(end: type[BaseException]) -> None:
    def execute(_task: Any) -> dict[str, Any]:
        try:
            raise ValueError(SECRET)
        except ValueError as cause:
            raise end from cause

    with pytest.raises(end) as caught:
        _results.Results({}, {}, ()).of(execute, lambda _: (), False)
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


def test_a_signal_that_is_ignored_stays_ignored_and_every_other_ends_it(both: Any) -> None:
    """Whatever started the tests themselves: a shell's background ignores Ctrl-C, nohup a lost terminal."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    for ignored in numbers:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN if number is ignored else signal.SIG_DFL)
        both(lambda task: {"changed": False}, {})
        for number in numbers:
            assert (signal.getsignal(number) is signal.SIG_IGN) == (number is ignored)
            assert (signal.getsignal(number) is signal.SIG_DFL) is False


@pytest.mark.parametrize(
    "value",
    [
        "hidden-word",
        "a hidden-word b",
        "harmless",
        ["hidden-word", ["x hidden-word"], 1],
        {"key": {"hidden-word": "hidden-word-too"}},
        4711,
        47.11,
        11,
        None,
        True,
        "",
    ],
)
def test_it_censors_as_ansible_core_does(value: Any) -> None:
    secrets = {"hidden-word", "4711", "7.1"}
    # Before 2.19 it censors what is no container by another path.
    assert _results.censored({"it": value}, secrets) == remove_values({"it": value}, secrets)


def test_a_secret_that_begins_with_another_is_censored_whole() -> None:
    assert _results.censored("a token-and-more b", {"token", "token-and-more"}) == "a ******** b"


def test_the_arguments_of_a_module_reach_its_work(both: Any) -> None:
    seen: list[Any] = []

    def execute(task: Any) -> dict[str, Any]:
        seen.append((dict(task.params), task.check_mode))
        return {"changed": False}

    both(execute, {"word": SECRET, "seconds": "7"})
    assert seen == [({"word": SECRET, "seconds": 7, "nested": None}, False)] * 2
