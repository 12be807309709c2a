# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rotation is changed where it differs, and only there; what cannot be changed is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from simulator.client import Simulator
from support.life import changing, sent
from support.machine import Machine, ended


@pytest.fixture
def machine(simulator: Simulator, tmp_path: Path) -> Machine:
    return changing(simulator, tmp_path / "tmp")


def by_name(simulator: Simulator) -> dict[str, Any]:
    project = simulator.state()["project"]["id"]
    return {
        "rotation_id": None,
        "name": "okta-payments",
        "project_id": project,
        "environment": "prod",
        "secret_path": "/okta",
    }


CHANGES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"description": "text"}, {"description": "text"}),
    ({"new_name": "okta-2"}, {"name": "okta-2"}),
    ({"rotation_interval": 60}, {"rotationInterval": 60}),
    ({"rotate_at_utc": {"hours": 4, "minutes": 5}}, {"rotateAtUtc": {"hours": 4, "minutes": 5}}),
    ({"rotate_at_utc": {"minutes": 5}}, {"rotateAtUtc": {"hours": 0, "minutes": 5}}),
    ({"auto_rotation_enabled": False}, {"isAutoRotationEnabled": False}),
    (
        {"secrets_mapping": {"client_secret": "NEW"}},
        {"secretsMapping": {"clientId": "OKTA_CLIENT_ID", "clientSecret": "NEW"}},
    ),
    ({"description": "text", "rotation_interval": 60}, {"description": "text", "rotationInterval": 60}),
]


@pytest.mark.parametrize(("options", "changes"), CHANGES, ids=str)
@pytest.mark.parametrize("named", [False, True])
def test_only_what_differs_is_sent_and_the_second_run_is_unchanged(
    simulator: Simulator, machine: Machine, options: dict[str, Any], changes: dict[str, Any], named: bool
) -> None:
    if named:
        machine.options |= by_name(simulator)
    foretold = machine.run(check_mode=True, **options)
    assert (ended(foretold), foretold["rotated"]) == (("would_update", True), False)
    assert sent(simulator) == []
    warned = list(machine.warnings)
    result = machine.run(**options)
    assert (ended(result), result["rotated"]) == (("updated", True), False)
    assert sent(simulator) == [changes]
    assert foretold["diff"] == result["diff"]
    before, after = result["diff"]["before"], result["diff"]["after"]
    assert {key: after[key] for key in after if after[key] != before[key]} == changes
    assert machine.warnings == warned
    for check_mode in (True, False):
        again = machine.run(check_mode=check_mode, **options)
        assert (ended(again), again["rotated"]) == (("unchanged", False), False)
        assert machine.warnings == []
    assert len(sent(simulator)) == 1
    assert simulator.rotations_done() == 0


def test_a_change_of_the_mapping_renames_in_place_and_says_so(simulator: Simulator, machine: Machine) -> None:
    before = simulator.rotation()["mappedSecrets"]
    result = machine.run(secrets_mapping={"client_id": "OKTA_CLIENT_ID", "client_secret": "NEW"})
    assert ended(result) == ("updated", True)
    after = simulator.rotation()["mappedSecrets"]
    assert after["NEW"]["value"] == before["OKTA_CLIENT_SECRET"]["value"]
    assert "OKTA_CLIENT_SECRET" not in after
    [warning] = machine.warnings
    assert "(OKTA_CLIENT_SECRET to NEW)" in warning


def test_nothing_that_is_left_out_is_touched(simulator: Simulator, machine: Machine) -> None:
    assert ended(machine.run()) == ("unchanged", False)
    assert ended(machine.run(description=" ", parameters={}, rotate_at_utc={}, new_name="")) == ("unchanged", False)
    assert sent(simulator) == []


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize(
    ("options", "reason", "told"),
    [
        ({"parameters": {"client_id": "0oaother"}}, "not_changeable", ["'0oaother'", "another name", "state: absent"]),
        ({"connection_name": "other"}, "not_changeable", ["'okta-main'", "'other'", "Leave connection_id"]),
        (
            {"connection_id": "3c90c3cc-0d44-4b50-8888-8dd25736052a"},
            "not_changeable",
            ["3c90c3cc", "new credentials in Infisical"],
        ),
        ({"new_name": "okta-taken"}, "conflict", ["'okta-taken' in prod:/okta", "another new_name"]),
        ({"secrets_mapping": {"client_id": "TAKEN"}}, "conflict", ["TAKEN", "prod:/okta"]),
        ({"secrets_mapping": {"client_id": "OKTA_CLIENT_SECRET"}}, "invalid_arguments", ["one secret"]),
        (
            {"secrets_mapping": {"client_id": "OKTA_CLIENT_SECRET", "client_secret": "OKTA_CLIENT_ID"}},
            "not_changeable",
            ["would rename both", "in a task of its own"],
        ),
        (
            {"secrets_mapping": {"client_id": "NEW", "client_secret": "OKTA_CLIENT_ID"}},
            "not_changeable",
            ["Map clientId to another name first"],
        ),
        ({"environment": "dev"}, "invalid_arguments", ["contradict", "cannot move", "remove this one first"]),
        ({"revoke_credentials": True}, "invalid_arguments", ["revoke_credentials"]),
    ],
)
def test_what_cannot_be_changed_fails_with_what_to_do(
    simulator: Simulator,
    machine: Machine,
    options: dict[str, Any],
    reason: str,
    told: list[str],
    check_mode: bool,
) -> None:
    simulator.add_rotation(name="okta-taken", secretsMapping={"clientId": "TAKEN", "clientSecret": "TAKEN_2"})
    before = simulator.rotation(machine.options["rotation_id"])
    result = machine.run(check_mode=check_mode, description="text", **options)
    assert ended(result) == (reason, False)
    assert [text for text in told if text not in result["msg"]] == []
    assert simulator.rotation(machine.options["rotation_id"]) == before
    assert sent(simulator) == []


def test_the_present_connection_and_application_may_be_told_again(simulator: Simulator, machine: Machine) -> None:
    rotation = simulator.rotation()
    same: dict[str, Any] = {"parameters": {"client_id": rotation["parameters"]["clientId"]}}
    assert ended(machine.run(connection_name="okta-main", **same)) == ("unchanged", False)
    assert ended(machine.run(connection_id=rotation["connectionId"].upper(), **same)) == ("unchanged", False)


def test_one_that_is_not_there_is_not_created_by_its_id(simulator: Simulator, machine: Machine) -> None:
    result = machine.run(rotation_id="3c90c3cc-0d44-4b50-8888-8dd25736052a", description="text")
    assert ended(result) == ("not_found", False)


def test_a_rotation_that_has_its_new_name_already_is_found(simulator: Simulator, machine: Machine) -> None:
    machine.options |= by_name(simulator)
    assert ended(machine.run(new_name="okta-2", description="a")) == ("updated", True)
    assert ended(machine.run(new_name="okta-2", description="b")) == ("updated", True)
    assert sent(simulator) == [{"name": "okta-2", "description": "a"}, {"description": "b"}]
