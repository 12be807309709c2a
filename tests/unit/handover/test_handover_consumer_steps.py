# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps that are about one consumer: what is written, asked about and brought back."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import pytest
from ansible.errors import AnsibleError
from ansible.plugins.loader import lookup_loader
from ansible_collections.secretops.infisical.plugins.action import handover
from ansible_collections.secretops.infisical.plugins.plugin_utils._handover_host import Host
from simulator.client import Simulator
from unit.handover.files_in_memory import VARIABLES, Machine
from unit.handover.handed_consumers import Consumers
from unit.handover.handover_cycle import Handed
from unit.handover.handover_steps import act


@pytest.fixture
def handed(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> Handed:
    return Handed(simulator, monkeypatch)


def test_what_a_file_holds_is_asked_about(handed: Handed, monkeypatch: pytest.MonkeyPatch) -> None:
    consumers = Consumers(handed, monkeypatch, "a")
    own = consumers.play.hostvars["a"]["handover_own"]
    (active, previous), machine = handed.slots, consumers.machines["a"]

    def asked(**given: Any) -> str:
        return str(consumers.play.act("okta", own=own, client_id=active["clientId"], **given)["msg"])

    nowhere = "/etc/app.env does not hold the secret where it should."
    accepted = "Okta accepts the secret that /etc/app.env holds."
    assert asked() == "Okta does not accept the secret that /etc/app.env holds."
    assert asked(client_secret=active["clientSecret"]) == nowhere
    machine.files["/etc/app.env"] = f"KEY={previous['clientSecret']}\n".encode()
    assert asked(client_secret=active["clientSecret"]) == nowhere
    assert (asked(), asked(client_secret=previous["clientSecret"])) == (accepted, accepted)
    del machine.files["/etc/app.env"]
    assert asked() == nowhere


def test_a_file_is_given_back(handed: Handed, monkeypatch: pytest.MonkeyPatch) -> None:
    consumers = Consumers(handed, monkeypatch, "a")
    own = consumers.play.hostvars["a"]["handover_own"]
    taken = consumers.deliver("a", {"credentials": {"active": handed.slots[0]}})
    assert consumers.play.act("back", own=own, before=taken["before"])["changed"] is True
    assert consumers.machines["a"].files["/etc/app.env"] == b"KEY=old\n"


@pytest.mark.parametrize("tags", [True, False])
def test_what_a_template_makes_stays_text(monkeypatch: pytest.MonkeyPatch, tags: bool) -> None:
    machine: Any = Machine()
    monkeypatch.setattr(handover, "Host", lambda _action, _variables: Host(machine, VARIABLES))
    monkeypatch.setattr(handover, "TAGS_DATA", tags)
    template = Mock(run=Mock(return_value=['{"secret": "x"}']))
    found = Mock(return_value=template)
    monkeypatch.setattr(lookup_loader, "get", found)
    options = ("client_id_key", "client_secret_key", "credential", "format", "mode", "owner", "group")
    take = {"way": "template", "src": "/base/app.j2", "path": "/etc/app.json", **dict.fromkeys(options)}
    own = {"take": take, "check": {}, "restart": None}
    variables = {"handover_client_secret": "x"}
    taken = act("file", variables, own=own, client_id="0oa1", client_secret="x")
    assert (taken["changed"], machine.files) == (True, {"/etc/app.json": b'{"secret": "x"}'})
    assert found.call_args.args == ("ansible.builtin.template",)
    # Up to ansible-core 2.18 it would be made data of.
    more = {} if tags else {"convert_data": False}
    template.run.assert_called_once_with(["/base/app.j2"], variables=variables, **more)
    template.run.side_effect = AnsibleError("x is the secret")
    refused = act("file", variables, own=own, client_id="0oa1", client_secret="x")
    assert (refused["reason"], refused["msg"]) == (
        "invalid_arguments",
        "The file /base/app.j2 cannot be templated: AnsibleError.",
    )
