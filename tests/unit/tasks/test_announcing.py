# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The line that says that a task waits: who it names, and what it never shows."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.secretops.infisical.plugins.plugin_utils import _announcing, _in_process, _internals

SECRET = "a-secret-of-words"
SPEC: dict[str, dict[str, Any]] = {
    "name": {"type": "str"},
    "rotation_id": {"type": "str"},
    "word": {"type": "str", "no_log": True},
}
WAITS = "waiting up to 60 s more for the server's rate limit; the next attempt is in 30 s\n"


def execute(task: Any) -> dict[str, Any]:
    task.waits.begin("the server's rate limit", 30, 30, 60, 0)
    return {"msg": "Done."}


@pytest.mark.parametrize(
    ("given", "hidden", "who"),
    [
        ({"name": "okta-payments"}, False, "okta-payments"),
        ({"rotation_id": "3c90"}, False, "3c90"),
        ({}, False, "secretops.infisical.login"),
        ({"name": "okta-payments"}, True, "secretops.infisical.login"),
        ({"name": f"{SECRET}-rotation", "word": SECRET}, False, "********-rotation"),
        ({"name": "okta\x1b[2J"}, False, "okta [2J"),
    ],
)
def test_it_names_who_waits(capsys: pytest.CaptureFixture[str], given: dict[str, Any], hidden: bool, who: str) -> None:
    made: Any = _in_process.InProcessAction.__new__(_in_process.InProcessAction)
    made.module = SimpleNamespace(ARGUMENT_SPEC=SPEC, execute=execute)
    made._task = SimpleNamespace(args=given, action="secretops.infisical.login", no_log=hidden)
    made._host = "web-1"
    made._result(_internals.arguments(made, SPEC, {}), False)
    assert capsys.readouterr() == ("", f"[web-1] {who}: {WAITS}")


def test_what_is_no_task_names_itself(capsys: pytest.CaptureFixture[str]) -> None:
    execute(SimpleNamespace(waits=_announcing.announcing("login at https://a.example")))
    assert capsys.readouterr() == ("", f"login at https://a.example: {WAITS}")
