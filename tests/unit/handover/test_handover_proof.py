# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Okta says of a secret that is handed on, and of one that leaked: a minute later at most, on its own clock."""

from __future__ import annotations

import json

import pytest
from ansible_collections.secretops.infisical.plugins.plugin_utils import _handover_look
from ansible_collections.secretops.infisical.plugins.plugin_utils._handover_look import Okta
from simulator.client import Simulator
from unit.handover.handover_cycle import Handed


@pytest.fixture
def handed(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> Handed:
    return Handed(simulator, monkeypatch)


def test_okta_accepts_the_active_secret(handed: Handed) -> None:
    assert _handover_look.refusal(handed.okta, handed.look()) == ""


def test_an_active_secret_that_was_deleted_at_okta_is_refused(handed: Handed) -> None:
    seen = handed.look()
    handed.remove_at_okta(handed.ids[0])
    found = _handover_look.refusal(handed.okta, seen)
    assert found == (
        f"Okta does not accept the active secret {handed.ids[0]} of {handed.slots[0]['clientId']}: somebody deleted or "
        "deactivated it there. Nothing was delivered or rotated. See the application at Okta, Client Credentials."
    )


@pytest.mark.parametrize("fault", ["close_before", "html_200"])
def test_an_okta_that_cannot_be_asked_is_no_refusal(handed: Handed, fault: str) -> None:
    seen = handed.look()
    handed.simulator.fault(fault, path="introspect$", times=0)
    found = _handover_look.refusal(handed.okta, seen)
    assert found.startswith(
        f"Whether Okta accepts the active secret {handed.ids[0]} could not be learned. Could not ask Okta whether"
    )
    assert seen.active["clientSecret"] not in found
    assert sum(handed.clock.pauses) <= 5


def test_the_options_for_okta_are_passed_on(handed: Handed) -> None:
    seen = handed.look()
    handed.simulator.clear_log()
    options = {"okta_url": handed.simulator.okta_url, "authorization_server": "default", "validate_certs": False}
    assert Okta(options, 0, handed.warnings.append).accepts(seen.active)
    assert [entry["path"] for entry in handed.simulator.log("introspect$")] == ["/okta/oauth2/default/v1/introspect"]
    # What is unsafe is warned of.
    assert handed.warnings == ["validate_certs is false: whoever is on the network path can read the client secret."]


def proof(handed: Handed, leaked: str | None, leaked_id: str = "ocsLeaked") -> tuple[str, str]:
    found = _handover_look.proof(handed.okta, handed.slots[0], leaked, leaked_id)
    assert not any(each["clientSecret"] in json.dumps(found) for each in handed.slots)
    return found


def test_a_leaked_secret_that_is_refused_is_proved(handed: Handed) -> None:
    newest = handed.ids[0]
    assert proof(handed, "a value that leaked") == (
        f"Okta accepts the newest secret {newest} and refuses the leaked one, ocsLeaked.",
        "",
    )
    assert handed.clock.pauses == []


def test_a_leaked_secret_may_work_for_a_minute(handed: Handed) -> None:
    leaked_id, leaked = handed.ids[1], handed.slots[1]["clientSecret"]
    # Somewhere at Okta it is still known.
    handed.clock.meanwhile = [lambda: None, lambda: None, lambda: handed.remove_at_okta(leaked_id)]
    told, against = proof(handed, leaked, leaked_id)
    assert (told, against) == (
        f"Okta accepts the newest secret {handed.ids[0]} and refuses the leaked one, {leaked_id}.",
        "",
    )
    assert handed.clock.pauses == [2.0] * 3


def test_a_leaked_secret_that_works_for_longer_speaks_against_it(handed: Handed) -> None:
    told, against = proof(handed, handed.slots[1]["clientSecret"])
    assert told == ""
    assert against == (
        "Okta still accepts the value that leaked, though ocsLeaked is in no slot of the rotation: it belongs to "
        "another secret or application. Find it at Okta and deactivate it there."
    )
    assert (handed.clock.now, set(handed.clock.pauses)) == (60.0, {2.0})


@pytest.mark.parametrize("leaked", [None, ""])
def test_a_leaked_secret_of_which_the_value_is_not_known(handed: Handed, leaked: str | None) -> None:
    told, against = proof(handed, leaked)
    assert told == (
        f"Okta accepts the newest secret {handed.ids[0]}. That it refuses the leaked one is not proved: its value is "
        "not known any more (give it in handover_leaked_secret)."
    )
    assert against == ""


def test_a_newest_secret_that_okta_refuses_speaks_against_it(handed: Handed) -> None:
    newest = handed.ids[0]
    handed.remove_at_okta(newest)
    assert proof(handed, "leaked") == ("", f"Okta does not accept the newest secret {newest}.")


@pytest.mark.parametrize("after", [0, 1])
def test_what_okta_could_not_be_asked_is_not_proved(handed: Handed, after: int) -> None:
    handed.simulator.fault("html_200", path="introspect$", times=0, after=after)
    told, against = proof(handed, "leaked")
    assert told.startswith("Not proved: Okta could not be asked. Could not ask Okta whether")
    assert against == ""
