# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lookup refuses before anything is sent, and that its failures have nothing behind them."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from ansible.errors import AnsibleLookupError
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible_collections.secretops.infisical.plugins.lookup.okta_client_credentials import LookupModule
from ansible_collections.secretops.infisical.plugins.module_utils._transport.client import Client
from ansible_collections.secretops.infisical.plugins.plugin_utils._data import template
from ansible_collections.secretops.infisical.plugins.plugin_utils._foreign import checked
from support.options import ID

OTHER = "11111111-0d44-4b50-8888-8dd25736052a"
SECRET = "not-to-be-quoted"


def refusal(terms: list[Any], variables: dict[str, Any] | None = None, **options: Any) -> str:
    loader = DataLoader()
    lookup = LookupModule(loader=loader, templar=Templar(loader=loader, variables={}))
    with pytest.raises(AnsibleLookupError) as caught:
        lookup.run(terms, variables, **{"url": "https://infisical.example.com", "token": "own", **options})
    assert caught.value.__cause__ is caught.value.__context__ is None
    message = str(caught.value)
    assert message.endswith("(reason: invalid_arguments)")
    assert SECRET not in message
    return message


@pytest.fixture(autouse=True)
def nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    def sent(*_args: Any, **_more: Any) -> None:
        raise AssertionError("something was sent")

    monkeypatch.setattr(Client, "get", sent)
    monkeypatch.setattr(Client, "write", sent)


@pytest.mark.parametrize(
    ("terms", "options", "told"),
    [
        ([], {}, "No term is given"),
        ([""], {}, "A term is empty or no string"),
        ([ID, " "], {}, "A term is empty or no string"),
        ([[ID]], {}, "A term is empty or no string"),
        (["okta"], {"environment": "prod"}, "project_id or project_slug is missing"),
        (["okta"], {"environment": "prod", "project_id": "a", "project_slug": "b"}, "contradict"),
        ([ID], {"sorce": "secret"}, "no option sorce"),
        ([ID], {"rotation_id": ID}, "no option rotation_id"),
        ([ID], {"source": "secrets"}, "source is malformed"),
        ([ID], {"all": "perhaps"}, "all is malformed"),
        ([ID], {"login_data": SECRET}, "login_data is malformed"),
        ([ID], {"all": "true", "source": "secret"}, "contradict"),
        ([ID], {"wait_timeout": -1}, "wait_timeout is -1"),
        ([ID], {"url": " "}, "url is empty"),
        ([ID], {"after": {"id": ID}}, "after is no secretRotation"),
        ([ID], {"after": {"id": OTHER, "activeIndex": 0, "lastRotatedAt": "2026-03-12T09:30:01Z"}}, OTHER),
    ],
)
def test_what_is_refused(terms: list[Any], options: dict[str, Any], told: str) -> None:
    assert told in refusal(terms, **options)


def test_an_option_of_ansible_core_is_not_refused() -> None:
    """Older ones pass it on to the lookup of a loop."""
    assert "No term is given" in refusal([], wantlist=True)


def test_a_variable_adds_no_certificate_to_a_key_of_another() -> None:
    message = refusal([ID], {"infisical_client_cert": __file__}, client_key=__file__)
    assert "client_key is given without client_cert" in message


def test_a_time_that_yaml_made_is_understood() -> None:
    moment = datetime(2026, 3, 12, 9, 30, 1, tzinfo=timezone.utc)
    assert OTHER in refusal([ID], after={"id": OTHER, "activeIndex": 0, "lastRotatedAt": moment})


def test_a_variable_that_cannot_be_templated_is_named_and_not_quoted() -> None:
    text = template("{{ '" + SECRET + "' | no_such_filter }}")
    message = refusal([ID], {"infisical_timeout": text})
    assert "The variable infisical_timeout cannot be templated" in message


def test_a_fault_of_our_own_quotes_nothing_and_has_nothing_behind_it() -> None:
    def fault() -> None:
        raise ValueError(SECRET)

    with pytest.raises(AnsibleLookupError) as caught:
        checked(fault, AnsibleLookupError, "look the credentials up")
    assert caught.value.__cause__ is caught.value.__context__ is None
    assert "ValueError" in str(caught.value)
    assert SECRET not in str(caught.value)
