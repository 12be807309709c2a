# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import sys
from typing import Any

import pytest
from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError
from ansible_collections.secretops.infisical.plugins.module_utils._options import (
    AUTHENTICATION,
    CONNECTION,
    merged,
    secret_values,
)
from ansible_collections.secretops.infisical.plugins.module_utils._task import Task
from ansible_collections.secretops.infisical.plugins.module_utils._transport import exchange

SPEC = merged(CONNECTION, AUTHENTICATION)


@pytest.mark.parametrize(
    ("params", "censored"),
    [
        ({"url": "https://x", "token": None, "jwt": "", "universal_auth_client_id": "id"}, set()),
        ({"token": "t", "ldap_password": "p"}, {"t", "p"}),
        ({"token": ["a", {"b": 1}]}, {"a", "1"}),
        ({"login_data": {"url": "https://x", "access_token": "t", "expires_in": 60}}, {"t"}),
        ({"login_data": "no dictionary", "token": "t"}, {"no dictionary", "t"}),
        ({"login_data": {"url": "https://x", "acess_token": "misspelt"}}, {"misspelt"}),
        ({"tokn": "misspelt", "enviroment": "prod", "retries": 3, "force": True}, {"misspelt"}),
    ],
)
def test_what_is_censored(params: dict[str, Any], censored: set[str]) -> None:
    assert secret_values(SPEC, params) == censored


def test_an_option_is_stated_once() -> None:
    with pytest.raises(ValueError, match="url"):
        merged(CONNECTION, {"url": {"type": "str"}})


def test_waiting_less_than_not_at_all_is_refused() -> None:
    task = Task(params={"wait_timeout": -1}, check_mode=False, environ={}, warn=lambda warning: None)
    with pytest.raises(InfisicalError, match="wait_timeout is -1") as caught:
        task.patience()
    assert caught.value.reason == "invalid_arguments"


def test_a_library_that_is_missing_is_not_preloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "requests", None)
    assert not exchange.preload()
    monkeypatch.undo()
    assert exchange.preload()
