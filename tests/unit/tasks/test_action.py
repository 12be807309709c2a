# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a task runs in the controller's process, and what surrounds it there."""

from __future__ import annotations

import datetime as dt
import os
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible import constants
from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase
from ansible_collections.secretops.infisical.plugins.action import okta_client_secret_rotation
from ansible_collections.secretops.infisical.plugins.plugin_utils import _data, _in_process, _internals, _surroundings


class Templar:
    def template(self, value: Any) -> Any:
        return value.replace("{{ ansible_playbook_python }}", sys.executable) if isinstance(value, str) else value


def plugin(*, transport: str = "local", become: Any = None, seconds: int = 0, delegate_to: str = "") -> Any:
    """The action plugin as ansible-core makes it, as far as the choice looks at it."""
    made: Any = okta_client_secret_rotation.ActionModule.__new__(okta_client_secret_rotation.ActionModule)
    made._connection = SimpleNamespace(transport=transport, become=become)
    made._task = SimpleNamespace(async_val=seconds, delegate_to=delegate_to)
    made._templar = Templar()
    return made


@pytest.fixture(autouse=True)
def undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(_in_process.SWITCH, raising=False)
    monkeypatch.delenv("ANSIBLE_PYTHON_INTERPRETER", raising=False)
    monkeypatch.setattr(sys, "platform", "linux")


def acting(module: Any, **arguments: Any) -> Any:
    """The action of a module, ready to run a task with these arguments in this process."""
    made: Any = _in_process.InProcessAction.__new__(_in_process.InProcessAction)
    made.module = module
    shell = SimpleNamespace(env_prefix=lambda **_variables: "")
    made._connection = SimpleNamespace(transport="local", become=None, _shell=shell)
    made._task = SimpleNamespace(
        args=arguments, action="it", async_val=0, delegate_to="", check_mode=False, environment=[{"FROM_TASK": "1"}]
    )
    made._loader = SimpleNamespace(get_basedir=lambda: "/")
    made._templar = Templar()
    return made


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What -vvv shows."""
    lines: list[str] = []
    monkeypatch.setattr(ActionBase, "run", lambda *_arguments: {})
    monkeypatch.setattr(_in_process, "display", SimpleNamespace(vvv=lines.append))
    return lines


def test_a_local_task_runs_in_process() -> None:
    assert plugin().why_as_module({}, {"HTTPS_PROXY": "http://proxy"}) == ""


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (plugin(transport="ssh"), "its connection is ssh"),
        (plugin(become=object()), "it has become"),
        (plugin(seconds=60), "it is async"),
    ],
)
def test_what_makes_it_a_module(made: Any, expected: str) -> None:
    assert made.why_as_module({}, {}) == expected


def test_what_makes_it_a_module_is_said(told: list[str]) -> None:
    made = acting(SimpleNamespace(ARGUMENT_SPEC={}, execute=None))
    made._connection.transport = "ssh"
    made._execute_module = lambda **_keywords: {"ran": "as a module"}
    assert made.run(None, {}) == {"ran": "as a module"}
    assert told == ["it runs as a module: its connection is ssh."]


def test_the_switch(monkeypatch: pytest.MonkeyPatch) -> None:
    for value, expected in (("0", "SECRETOPS_INFISICAL_IN_PROCESS is 0"), ("1", ""), ("", "")):
        monkeypatch.setenv(_in_process.SWITCH, value)
        assert plugin().why_as_module({}, {}) == expected


def test_macos_and_missing_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as changed:
        changed.setattr(sys, "platform", "darwin")
        assert "macOS" in plugin().why_as_module({}, {})
    monkeypatch.setattr(_in_process, "_HAS_REQUESTS", False)
    assert plugin().why_as_module({}, {}) == "the controller cannot import requests"


@pytest.mark.parametrize(
    ("interpreter", "same"),
    [
        (None, True),
        ("", True),
        ("auto", True),
        ("auto_silent", True),
        ("auto_legacy", True),
        (sys.executable, True),
        ("{{ ansible_playbook_python }}", True),
        ("/usr/bin/another-python", False),
        ("python3", False),
    ],
)
def test_the_interpreter(interpreter: str | None, same: bool) -> None:
    variables = {} if interpreter is None else {"ansible_python_interpreter": interpreter}
    assert (plugin().why_as_module(variables, {}) == "") is same
    delegated = {"ansible_delegated_vars": {"elsewhere": variables}}
    assert (plugin(delegate_to="elsewhere").why_as_module(delegated, {}) == "") is same


def test_an_interpreter_of_the_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANSIBLE_PYTHON_INTERPRETER", "/usr/bin/another-python")
    assert plugin().why_as_module({}, {}) == "its interpreter is /usr/bin/another-python"


def test_other_names_of_the_same_interpreter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one folder they share an environment; a link from another folder is an environment of its own."""
    real, environment = tmp_path / "real", tmp_path / "environment"
    for folder in (real, environment):
        folder.mkdir()
    (real / "python3.13").touch()
    for link in (real / "python3", environment / "python3", environment / "python"):
        link.symlink_to(real / "python3.13")
    monkeypatch.setattr(sys, "executable", str(environment / "python"))
    variables = {"ansible_python_interpreter": str(environment / "python3")}
    assert plugin().why_as_module(variables, {}) == ""
    variables = {"ansible_python_interpreter": str(real / "python3")}
    assert plugin().why_as_module(variables, {}) != ""


@pytest.mark.parametrize("name", ["PYTHONPATH", "LD_PRELOAD", "LANG", "LC_ALL", "OPENSSL_CONF", "not a name", "A-B"])
def test_variables_that_only_a_new_process_reads(name: str) -> None:
    assert plugin().why_as_module({}, {"FINE": "1", name: "1"}) == f"its environment sets {name}"


def test_not_beside_other_threads() -> None:
    found: list[str] = []
    thread = threading.Thread(target=lambda: found.append(plugin().why_as_module({}, {})))
    thread.start()
    thread.join()
    assert found == ["this is not the main thread"]


def test_arguments_reach_it_as_they_reach_a_module() -> None:
    class Tagged(str):
        __slots__ = ()

    class Vaulted:
        def __str__(self) -> str:
            return "decrypted"

    given = {
        "text": Tagged("text"),
        "list": (1, [None, True]),
        "vault": Vaulted(),
        "day": dt.date(2026, 1, 2),
        "moment": dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.timezone.utc),
    }
    plain = _data.plain(given)
    assert plain == {
        "text": "text",
        "list": [1, [None, True]],
        "vault": "decrypted",
        "day": "2026-01-02",
        "moment": "2026-01-02T03:04:05+00:00",
    }
    assert plain["text"].__class__ is str


def test_deprecated_options_and_warnings_are_told_as_ansible_core_tells_them(told: list[str]) -> None:
    removed = {"removed_in_version": "9.0.0", "removed_from_collection": "secretops.infisical"}
    spec: dict[str, dict[str, Any]] = {"old": removed, "new": {"aliases": ["alias"]}}

    def execute(task: Any) -> dict[str, Any]:
        for _time in range(2):
            task.warn("Mind the gap.")
        return {"changed": False}

    given = _internals.arguments(acting(None, old="1", new="2", alias="2"), spec, {})
    result = acting(SimpleNamespace(ARGUMENT_SPEC=spec, execute=execute))._result(given, False)
    assert result["warnings"] == ["Both option new and its alias alias are set.", "Mind the gap."]
    assert [(item["msg"], item["version"]) for item in result["deprecations"]] == [
        ("Param 'old' is deprecated. See the module docs for more information", "9.0.0")
    ]


@pytest.mark.parametrize("shown", [True, False, None])
def test_the_invocation_is_shown_as_ansible_core_is_told(monkeypatch: pytest.MonkeyPatch, shown: bool | None) -> None:
    """Ansible-cores that cannot be told show it always."""

    class Config:
        def get_config_value(self, name: str, variables: Any) -> bool:
            assert name == "INJECT_INVOCATION"
            if shown is None:
                raise AnsibleError("Requested entry was not defined in configuration.")
            return shown

    monkeypatch.setattr(constants, "config", Config())
    spec: dict[str, dict[str, Any]] = {"word": {"no_log": True}}
    made = acting(SimpleNamespace(ARGUMENT_SPEC=spec, execute=lambda _task: {"changed": False}), word="hidden-word")
    result = made._result(_internals.arguments(made, spec, {}), False)
    expected = {"invocation": {"module_args": {"word": "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"}}}
    assert result == {"changed": False, **({} if shown is False else expected)}


def test_what_was_done_is_told_whatever_ansible_core_makes_of_it(
    told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: Any) -> Any:
        raise ValueError("no result that I know")

    made = acting(SimpleNamespace(ARGUMENT_SPEC={}, execute=lambda _task: {"changed": True, "outcome": "rotated"}))
    monkeypatch.setattr(_internals, "received", refuse)
    result = made.run(None, {})
    assert (result["changed"], result["outcome"]) == (True, "rotated")


@pytest.mark.parametrize("tagged", [True, False])
def test_data_is_no_template(monkeypatch: pytest.MonkeyPatch, tagged: bool) -> None:
    """Marked where ansible-core wants that; the mark costs nothing where it does not."""
    monkeypatch.setattr(_data, "TAGS_DATA", tagged)
    assert _data.untrusted({"text": "{{ 7 * 6 }}"}) == {"text": "{{ 7 * 6 }}"}


def test_environment_and_folder_are_put_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEPT", "before")
    monkeypatch.delenv("NEW", raising=False)
    folder, temporary = os.getcwd(), tempfile.gettempdir()
    with pytest.raises(KeyError):
        with _surroundings.applied({"KEPT": "within", "NEW": "1", "TMPDIR": str(tmp_path)}, str(tmp_path)):
            assert (os.environ["KEPT"], os.environ["NEW"]) == ("within", "1")
            assert Path(tempfile.gettempdir()) == tmp_path
            assert Path.cwd() == tmp_path
            raise KeyError
    assert os.environ["KEPT"] == "before"
    assert "NEW" not in os.environ
    assert (os.getcwd(), tempfile.gettempdir()) == (folder, temporary)


def test_a_folder_that_cannot_be_gone_back_to_overturns_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_folder: int) -> None:
        raise PermissionError

    monkeypatch.chdir(Path.cwd())
    monkeypatch.setattr(os, "fchdir", refuse)
    with _surroundings.applied({}, str(tmp_path)):
        pass
    assert Path.cwd() == tmp_path


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_unwinds_and_then_goes_on_to_the_former_handler(number: signal.Signals) -> None:
    """With a second signal during the clean-up, as from an impatient Ctrl-C."""
    seen: list[str] = []
    before = signal.signal(number, lambda *_: seen.append("former handler"))
    try:
        with pytest.raises(_surroundings.Interrupted):
            with _surroundings.interruptible():
                try:
                    os.kill(os.getpid(), number)
                    time.sleep(5)
                finally:
                    os.kill(os.getpid(), number)
                    seen.append("cleaned up")
    finally:
        signal.signal(number, before)
    assert seen == ["cleaned up", "former handler"]


def test_what_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with _surroundings.interruptible():
            os.kill(os.getpid(), signal.SIGHUP)
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_without_a_signal_the_handlers_are_as_before() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with _surroundings.interruptible():
        assert signal.getsignal(signal.SIGTERM) != before[1]
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
