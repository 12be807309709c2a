# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rotation is created once, with what was asked for, and never beside another one of the application."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from simulator.client import Simulator
from support.life import APPLICATION, ROTATIONS, created, creating, issued, writes
from support.machine import Machine, ended


@pytest.fixture
def machine(simulator: Simulator, tmp_path: Path) -> Machine:
    return creating(simulator, tmp_path / "tmp")


def test_it_is_created_once_and_then_unchanged(simulator: Simulator, machine: Machine) -> None:
    foretold = machine.run(check_mode=True, diff=None)
    assert ended(foretold) == ("would_create", True)
    assert (writes(simulator), issued(simulator), created(simulator)) == ([], 0, [])
    assert "secretRotation" not in foretold
    [foretold_warning] = machine.warnings

    result = machine.run()
    assert (ended(result), result["rotated"]) == (("created", True), False)
    [warning] = machine.warnings
    [there] = created(simulator)
    assert f"planned for {there['nextRotationAt']}" in warning
    assert "made by hand" in warning
    # The same day, however it is written.
    assert there["nextRotationAt"][:16] in foretold_warning
    assert result["secretRotation"] == result["ansible_facts"]["secretRotation"]
    assert result["secretRotation"]["id"] == there["id"]
    assert foretold["diff"] == result["diff"]
    assert result["diff"]["before"] == {}
    assert (there["environment"]["slug"], there["folder"]["path"]) == ("dev", "/okta")
    assert (there["rotationInterval"], there["rotateAtUtc"]) == (30, {"hours": 0, "minutes": 0})
    assert set(there["mappedSecrets"]) == {"BILLING_ID", "BILLING_SECRET"}

    for check_mode in (False, True):
        again = machine.run(check_mode=check_mode)
        assert ended(again) == ("unchanged", False)
        assert again["diff"]["before"] == again["diff"]["after"] == result["diff"]["after"]
    assert machine.warnings == []
    assert (writes(simulator), issued(simulator)) == (["POST"], 1)


def test_every_option_of_a_creation_arrives(simulator: Simulator, machine: Machine) -> None:
    connection = simulator.add_connection("of-the-organisation", projectId=None)
    more = {
        "description": "For billing",
        "rotate_at_utc": {"hours": 4, "minutes": 5},
        "auto_rotation_enabled": False,
        "connection_name": None,
        "connection_id": connection["id"],
    }
    assert ended(machine.run(**more)) == ("created", True)
    [there] = created(simulator)
    assert (there["description"], there["isAutoRotationEnabled"]) == ("For billing", False)
    assert there["nextRotationAt"] is None
    assert (there["rotateAtUtc"], there["connectionId"]) == ({"hours": 4, "minutes": 5}, connection["id"])
    assert "whenever somebody asks" in machine.warnings[0]
    assert ended(machine.run(**more)) == ("unchanged", False)


def test_a_connection_is_looked_for_in_the_project_first(simulator: Simulator, machine: Machine) -> None:
    simulator.add_connection("both", projectId=None)
    of_project = simulator.add_connection("both")
    assert ended(machine.run(connection_name="both")) == ("created", True)
    assert created(simulator)[0]["connectionId"] == of_project["id"]


def test_all_that_is_missing_is_named_at_once(simulator: Simulator, machine: Machine) -> None:
    lacking: dict[str, Any] = dict.fromkeys(("connection_name", "parameters", "secrets_mapping", "rotation_interval"))
    for check_mode in (True, False):
        result = machine.run(check_mode=check_mode, **lacking)
        assert ended(result) == ("invalid_arguments", False)
        for option in ("connection_id or connection_name", "parameters.client_id", "secrets_mapping.client_secret"):
            assert option in result["msg"]
        assert "rotation_interval is missing" in result["msg"]
    assert writes(simulator) == []


def test_a_misspelt_name_is_told_where_the_right_one_is(simulator: Simulator, machine: Machine) -> None:
    result = machine.run(name="okta-payments", parameters=None)
    assert ended(result) == ("invalid_arguments", False)
    assert "one of that name in prod:/okta" in result["msg"]


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize(
    ("options", "reason", "named"),
    [
        ({"connection_name": "okta-mian"}, "not_found", "'okta-mian'"),
        ({"connection_name": None, "connection_id": "3c90c3cc-0d44-4b50-8888-8dd25736052a"}, "not_found", "ID 3c90"),
        ({"secret_path": "/nowhere"}, "not_found", "/nowhere"),
        ({"environment": "production"}, "not_found", "production"),
        ({"project_slug": "paymnts"}, "not_found", "paymnts"),
        ({"name": "Okta"}, "invalid_arguments", "name is 'Okta'"),
        ({"new_name": "okta-other"}, "not_found", "'okta-other'"),
        ({"secrets_mapping": {"client_id": "TAKEN", "client_secret": "S"}}, "conflict", "TAKEN"),
        ({"min_age": "soon"}, "invalid_arguments", "min_age"),
        ({"delete_secrets": False}, "invalid_arguments", "delete_secrets"),
        ({"only_if_last_rotated_at": "2026-01-01T00:00:00Z"}, "invalid_arguments", "only_if_last_rotated_at"),
    ],
)
def test_what_stands_in_the_way_is_said_and_nothing_is_sent(
    simulator: Simulator, machine: Machine, options: dict[str, Any], reason: str, named: str, check_mode: bool
) -> None:
    simulator.add_secret("TAKEN", environment="dev")
    result = machine.run(check_mode=check_mode, **options)
    assert ended(result) == (reason, False)
    assert named in result["msg"]
    assert (writes(simulator), issued(simulator)) == ([], 0)


@pytest.mark.parametrize("check_mode", [True, False])
def test_another_rotation_of_the_application_forbids_it(
    simulator: Simulator, machine: Machine, check_mode: bool
) -> None:
    simulator.add_rotation(name="the-first", clientId=APPLICATION, environment="staging")
    secrets = simulator.state()["okta"][APPLICATION]["createdCount"]
    result = machine.run(check_mode=check_mode)
    assert ended(result) == ("conflict", False)
    assert "'the-first' in staging:/okta" in result["msg"]
    assert simulator.state()["okta"][APPLICATION]["createdCount"] == secrets
    if not check_mode:
        # Okta holds two already: the one that was made by hand, and that of the first rotation.
        allowed = machine.run(allow_shared_application=True)
        assert ended(allowed) == ("okta_secret_limit", False)
    else:
        assert ended(machine.run(check_mode=True, allow_shared_application=True)) == ("would_create", True)
        assert any("delete each other's secrets" in text for text in machine.warnings)


def test_a_shared_application_that_is_allowed_is_warned_of(simulator: Simulator, machine: Machine) -> None:
    simulator.add_rotation(name="the-first", clientId="0oashared", environment="staging")
    result = machine.run(parameters={"client_id": "0oashared"}, allow_shared_application=True)
    assert ended(result) == ("created", True)
    assert any("'the-first'" in text and "delete each other's secrets" in text for text in machine.warnings)


@pytest.mark.parametrize("settings", [{"projectsV1": False, "secretsV4": False}, {"generation": "old"}])
def test_on_an_older_server(simulator: Simulator, machine: Machine, settings: dict[str, Any]) -> None:
    simulator.settings(**settings)
    simulator.add_secret("TAKEN", environment="dev")
    taken = machine.run(secrets_mapping={"client_id": "TAKEN", "client_secret": "S"})
    assert ended(taken) == ("conflict", False)
    assert issued(simulator) == 0, "it would have made a secret at Okta before it saw that"
    assert ended(machine.run()) == ("created", True)


def test_what_the_identity_may_not_see_is_left_to_the_server(simulator: Simulator, machine: Machine) -> None:
    hidden = [["describeSecret", "secrets"], ["readValue", "secrets"], ["read-app-connections", "app-connections"]]
    simulator.change_identity(simulator.state()["identity"]["id"], without=hidden)
    simulator.add_secret("TAKEN", environment="dev")
    connection = simulator.state()["appConnections"][0]["id"]
    by_id = {"connection_name": None, "connection_id": connection}
    taken = machine.run(**by_id, secrets_mapping={"client_id": "TAKEN", "client_secret": "S"})
    assert ended(taken) == ("conflict", False)
    assert ended(machine.run(**by_id)) == ("created", True)


@pytest.mark.parametrize(
    ("path", "body", "named"),
    [
        ("projects/slug", {}, "the project's id"),
        ("available", {}, "appConnections"),
        ("available", {"appConnections": ["okta-main"]}, "appConnections"),
        ("api/v4/secrets", {"secret": {"secretKey": "OTHER"}}, "that secret"),
    ],
)
def test_answers_that_are_none_are_refused(
    simulator: Simulator, machine: Machine, path: str, body: dict[str, Any], named: str
) -> None:
    simulator.fault("status", path=path, status=200, body=body)
    result = machine.run()
    assert ended(result) == ("invalid_response", False)
    assert named in result["msg"]
    assert writes(simulator) == []


@pytest.mark.parametrize("reads", ["projects/slug", "available", "secrets/BILLING_ID", f"{ROTATIONS}$"])
def test_a_server_that_fails_while_it_is_asked_stops_it(simulator: Simulator, machine: Machine, reads: str) -> None:
    simulator.fault("status", path=reads, method="GET", status=500, message="No.", error="X", times=0)
    assert ended(machine.run()) == ("server_error", False)
    assert writes(simulator) == []


def test_a_connection_that_is_for_something_else_is_refused(simulator: Simulator, machine: Machine) -> None:
    other = simulator.add_connection("aws-main", app="aws")
    result = machine.run(connection_name=None, connection_id=other["id"])
    assert ended(result) == ("request_rejected", False)
    assert 'not for App "okta"' in result["msg"]
    assert writes(simulator) == []
