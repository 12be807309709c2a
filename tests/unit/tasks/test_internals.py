# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An ansible-core that lacks an internal of today's: each is taken away, and the task runs as a module."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import ansible
import pytest
from ansible import constants
from ansible.module_utils.common import arg_spec
from ansible.plugins.action import ActionBase
from ansible_collections.secretops.infisical.plugins import inventory, plugin_utils
from ansible_collections.secretops.infisical.plugins.inventory import okta_client_secret_rotations
from ansible_collections.secretops.infisical.plugins.plugin_utils import _data, _in_process, _internals

Patch = pytest.MonkeyPatch
TAKES = "this ansible-core lacks what else it takes"


class Action:
    """A task that could run in this process, of which parts can be taken away."""

    def __init__(self) -> None:
        shell = SimpleNamespace(env_prefix=lambda **_variables: "")
        self.connection = SimpleNamespace(transport="local", become=None, _shell=shell)
        self.task = SimpleNamespace(args={}, action="it", async_val=0, delegate_to="", check_mode=False, environment=[])
        self.loader = SimpleNamespace(get_basedir=lambda: "/")
        self.templar = SimpleNamespace(template=lambda value: value)
        self.execute: Callable[[Any], dict[str, Any]] = lambda _task: {"changed": False, "ran": "here"}
        self.absent = ""

    def run(self, patch: Patch) -> tuple[dict[str, Any], list[str]]:
        """The result, and what -vvv shows."""
        in_process = loaded(patch)
        made = in_process.InProcessAction.__new__(in_process.InProcessAction)
        made.module = SimpleNamespace(ARGUMENT_SPEC={}, execute=self.execute)
        parts = {"_connection": self.connection, "_task": self.task, "_loader": self.loader, "_templar": self.templar}
        for name, part in parts.items():
            if name != self.absent:
                setattr(made, name, part)
        made._execute_module = lambda **_keywords: {"ran": "as a module"}
        lines: list[str] = []
        patch.setattr(ActionBase, "run", lambda *_arguments: {})
        patch.setattr(in_process, "display", SimpleNamespace(vvv=lines.append))
        return made.run(None, {}), lines


def loaded(patch: Patch) -> Any:
    """The code as it is loaded by an ansible-core that has what is there now."""
    for module in (_data, _internals, _in_process):
        patch.delitem(sys.modules, module.__name__)
        # Their package knows them too.
        patch.delattr(plugin_utils, module.__name__.rpartition(".")[2])
    return importlib.import_module(_in_process.__name__)


@pytest.fixture(autouse=True)
def undecided(monkeypatch: Patch) -> None:
    monkeypatch.delenv(_in_process.SWITCH, raising=False)
    monkeypatch.delenv("ANSIBLE_PYTHON_INTERPRETER", raising=False)
    monkeypatch.setattr(sys, "platform", "linux")


def test_with_all_of_them_it_runs_here(monkeypatch: Patch) -> None:
    result, lines = Action().run(monkeypatch)
    assert (result["ran"], lines) == ("here", ["it runs in the process of the controller."])


def name_of(module: str, name: str) -> Callable[[Patch, Action], None]:
    """A name that a module no longer has."""
    return lambda patch, _action: patch.delattr(importlib.import_module(module), name)


def module_of(module: str) -> Callable[[Patch, Action], None]:
    """A module that is no longer there."""

    def take(patch: Patch, _action: Action) -> None:
        package, _dot, name = module.rpartition(".")
        patch.setitem(sys.modules, module, None)
        patch.delattr(importlib.import_module(package), name, raising=False)

    return take


def attribute_of(owner: object, name: str) -> Callable[[Patch, Action], None]:
    return lambda patch, _action: patch.delattr(owner, name)


def part_of(part: str, name: str) -> Callable[[Patch, Action], None]:
    return lambda _patch, action: delattr(getattr(action, part), name)


def without(part: str) -> Callable[[Patch, Action], None]:
    return lambda _patch, action: setattr(action, "absent", part)


def of_a_validation(name: str) -> Callable[[Patch, Action], None]:
    """An attribute that each result of a validation has."""

    def take(patch: Patch, _action: Action) -> None:
        validate = arg_spec.ArgumentSpecValidator.validate

        def less(*arguments: Any) -> Any:
            result = validate(*arguments)
            delattr(result, name)
            return result

        patch.setattr(arg_spec.ArgumentSpecValidator, "validate", less)

    return take


def another_signature(name: str) -> Callable[[Patch, Action], None]:
    def changed(self: Any, /, *, other: Any) -> None:
        """No way of calling it that was known is one."""

    return lambda patch, _action: patch.setattr(ActionBase, name, changed)


#: What is taken away, how, and what the line of -vvv names.
TAKEN: list[tuple[str, Callable[[Patch, Action], None], str]] = [
    ("constants", module_of("ansible.constants"), "constants"),
    ("the configuration", attribute_of(constants, "config"), "config"),
    ("its values", attribute_of(type(constants.config), "get_config_value"), "get_config_value"),
    ("AnsibleError", name_of("ansible.errors", "AnsibleError"), "AnsibleError"),
    ("the validator", name_of("ansible.module_utils.common.arg_spec", "ArgumentSpecValidator"), "ArgumentSpecValid"),
    ("the validator's module", module_of("ansible.module_utils.common.arg_spec"), "arg_spec"),
    ("what it does", attribute_of(arg_spec.ArgumentSpecValidator, "validate"), "validate"),
    ("what it found", attribute_of(arg_spec.ValidationResult, "validated_parameters"), "validated_parameters"),
    ("what is wrong", attribute_of(arg_spec.ValidationResult, "error_messages"), "error_messages"),
    ("its errors", of_a_validation("errors"), "errors"),
    ("its secrets", of_a_validation("_no_log_values"), "_no_log_values"),
    ("its warnings", of_a_validation("_warnings"), "_warnings"),
    ("its deprecations", of_a_validation("_deprecations"), "_deprecations"),
    ("UnsupportedError", name_of("ansible.module_utils.errors", "UnsupportedError"), "UnsupportedError"),
    ("errors of arguments", module_of("ansible.module_utils.errors"), "ansible.module_utils.errors"),
    ("environment", attribute_of(ActionBase, "_compute_environment_string"), "_compute_environment_string"),
    ("environment's signature", another_signature("_compute_environment_string"), "changed()"),
    ("parsing", attribute_of(ActionBase, "_parse_returned_data"), "_parse_returned_data"),
    ("parsing's signature", another_signature("_parse_returned_data"), "changed()"),
    ("connection", without("_connection"), "_connection"),
    ("transport", part_of("connection", "transport"), "transport"),
    ("become", part_of("connection", "become"), "become"),
    ("loader", without("_loader"), "_loader"),
    ("folder", part_of("loader", "get_basedir"), "get_basedir"),
    ("templar", without("_templar"), "_templar"),
    ("templates", part_of("templar", "template"), "template"),
    ("delegation", part_of("task", "delegate_to"), "delegate_to"),
    ("check mode", part_of("task", "check_mode"), "check_mode"),
    ("arguments", part_of("task", "args"), "args"),
]
if _data.TAGS_DATA:
    TAKEN += [
        ("tags", name_of("ansible.template", "trust_as_template"), "profile"),
        ("templates' module", module_of("ansible.template"), "profile"),
        ("Direction", name_of("ansible.module_utils.common.json", "Direction"), "Direction"),
        ("the encoder", name_of("ansible.module_utils.common.json", "get_module_encoder"), "get_module_encoder"),
        ("the encoder's module", module_of("ansible.module_utils.common.json"), "common.json"),
    ]
else:
    TAKEN += [
        ("marks", name_of("ansible.utils.unsafe_proxy", "wrap_var"), "wrap_var"),
        ("the marks' module", module_of("ansible.utils.unsafe_proxy"), "unsafe_proxy"),
    ]
if hasattr(ansible, "_internal") and hasattr(ansible._internal, "_task"):
    unified = importlib.import_module("ansible._internal._task").UnifiedTaskResult
    if hasattr(unified, "as_result_dict"):
        TAKEN.append(("results as data", attribute_of(unified, "as_result_dict"), "as_result_dict"))


@pytest.mark.parametrize(("take", "named"), [case[1:] for case in TAKEN], ids=[case[0] for case in TAKEN])
def test_without_one_it_runs_as_a_module_and_says_why(
    monkeypatch: Patch, take: Callable[[Patch, Action], None], named: str
) -> None:
    action = Action()
    take(monkeypatch, action)
    result, lines = action.run(monkeypatch)
    assert result == {"ran": "as a module"}
    assert len(lines) == 1
    assert lines[0].startswith(f"it runs as a module: {TAKES}, ")
    assert named in lines[0]


@pytest.mark.skipif(not _data.TAGS_DATA, reason="there data has to be marked")
def test_nobody_needs_marks_where_data_is_no_template(monkeypatch: Patch) -> None:
    action = Action()
    module_of("ansible.utils.unsafe_proxy")(monkeypatch, action)
    assert action.run(monkeypatch)[0]["ran"] == "here"


def test_the_inventory_takes_none_of_them(monkeypatch: Patch) -> None:
    gone = ["common.arg_spec", "errors", *(["common.json"] if _data.TAGS_DATA else [])]
    for name in gone:
        module_of(f"ansible.module_utils.{name}")(monkeypatch, Action())
    for module, package in ((_data, plugin_utils), (okta_client_secret_rotations, inventory)):
        monkeypatch.delitem(sys.modules, module.__name__)
        monkeypatch.delattr(package, module.__name__.rpartition(".")[2])
    found = importlib.import_module(okta_client_secret_rotations.__name__)
    assert found is not okta_client_secret_rotations
    assert found.untrusted({"text": "{{ 7 * 6 }}"}) == {"text": "{{ 7 * 6 }}"}


def test_a_fault_of_the_work_is_no_missing_internal(monkeypatch: Patch) -> None:
    """It ran, so that it must not run once more."""

    def execute(_task: Any) -> dict[str, Any]:
        raise AttributeError("no such thing")

    action = Action()
    action.execute = execute
    assert action.run(monkeypatch)[0]["reason"] == "internal_error"
