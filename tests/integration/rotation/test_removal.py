# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rotation is removed once, and what survives is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from simulator.client import Simulator
from support.life import ROTATIONS
from support.machine import Machine, ended
from support.stale_front import Onward, Reply, Request, front


@pytest.fixture
def machine(simulator: Simulator, tmp_path: Path) -> Machine:
    options = {
        "url": simulator.url,
        "token": simulator.mint_token(),
        "state": "absent",
        "name": "okta-payments",
        "project_id": simulator.state()["project"]["id"],
        "environment": "prod",
        "secret_path": "/okta",
    }
    return Machine(tmp_path / "tmp", options)


def by_id(rotation_id: str) -> dict[str, Any]:
    return {"rotation_id": rotation_id, "name": None, "project_id": None, "environment": None, "secret_path": None}


def deletes(simulator: Simulator) -> int:
    return len(simulator.log(ROTATIONS, "DELETE"))


def secret_names(simulator: Simulator) -> set[str]:
    return {secret["secretKey"] for secret in simulator.state()["secrets"]}


@pytest.mark.parametrize("delete_secrets", [None, False, True])
def test_it_is_removed_once_and_then_absent(
    simulator: Simulator, machine: Machine, delete_secrets: bool | None
) -> None:
    rotation = simulator.rotation()
    machine.options["delete_secrets"] = delete_secrets
    foretold = machine.run(check_mode=True)
    assert ended(foretold) == ("would_delete", True)
    assert deletes(simulator) == 0
    result = machine.run()
    assert ended(result) == ("deleted", True)
    assert foretold["diff"] == result["diff"]
    assert (result["diff"]["before"]["name"], result["diff"]["after"]) == ("okta-payments", {})
    assert result["secretRotation"]["id"] == rotation["id"]
    assert "ansible_facts" not in result
    assert simulator.state()["rotations"] == []
    assert secret_names(simulator) == (set() if delete_secrets else {"OKTA_CLIENT_ID", "OKTA_CLIENT_SECRET"})
    stays = "are deleted" if delete_secrets else "stay, as secrets that nobody rotates"
    assert f"OKTA_CLIENT_ID and OKTA_CLIENT_SECRET {stays}" in result["msg"]
    assert "all secrets of the application stay valid" in result["msg"]
    assert len(simulator.state()["okta"][rotation["parameters"]["clientId"]]["secrets"]) == 1
    for check_mode in (True, False):
        again = machine.run(check_mode=check_mode)
        assert (ended(again), again["diff"]) == (("absent", False), {"before": {}, "after": {}})
        assert "secretRotation" not in again
    assert ended(machine.run(**by_id(rotation["id"]))) == ("absent", False)
    assert deletes(simulator) == 1
    assert machine.notes == []


def test_revoked_credentials_but_for_the_last_one(simulator: Simulator, machine: Machine) -> None:
    rotation = simulator.add_rotation(name="two", activeIndex=1)
    client_id = rotation["parameters"]["clientId"]
    simulator.settings(lastSecretRevocation="swallowed")
    result = machine.run(name="two", revoke_credentials=True)
    assert ended(result) == ("deleted", True)
    assert "revoked, but for the last one" in result["msg"]
    assert len(simulator.state()["okta"][client_id]["secrets"]) == 1


def test_a_revocation_that_okta_refuses_is_half_done_and_says_so(simulator: Simulator, machine: Machine) -> None:
    rotation = simulator.add_rotation(name="two", activeIndex=1)
    client_id = rotation["parameters"]["clientId"]
    result = machine.run(name="two", revoke_credentials=True)
    assert (ended(result), result["outcome"]) == (("revocation_failed", False), "unknown")
    assert "The rotation is still there" in result["msg"]
    assert "run again without revoke_credentials" in result["msg"]
    assert len(simulator.state()["okta"][client_id]["secrets"]) == 1
    assert simulator.rotation(rotation["id"])["name"] == "two"
    assert ended(machine.run(name="two")) == ("deleted", True)


def test_whatever_is_said_of_a_revocation_it_is_looked_at(simulator: Simulator, machine: Machine) -> None:
    """Secrets before the refused one may be gone, whatever the words; and the rotation too."""
    odd = {"status": 400, "error": "BadRequest", "message": "Odd."}
    simulator.fault("status", path=ROTATIONS, method="DELETE", **odd)
    result = machine.run(revoke_credentials=True)
    assert (ended(result), result["outcome"]) == (("outcome_unknown", False), "unknown")
    assert ended(machine.run(check_mode=True)) == ("would_delete", True)
    simulator.settings(lastSecretRevocation="swallowed")
    odd["message"] = "Failed to remove client secret with secretId ocs1 from app 0oa1: Odd."
    simulator.fault("status", path=ROTATIONS, method="DELETE", work="before", **odd)
    assert ended(machine.run(revoke_credentials=True)) == ("deleted", True)


def test_where_one_of_that_name_is_instead_is_warned_of(simulator: Simulator, machine: Machine) -> None:
    result = machine.run(environment="dev")
    assert ended(result) == ("absent", False)
    [warning] = machine.warnings
    assert "There is no 'okta-payments' in dev:/okta." in warning
    assert "in prod:/okta" in warning
    assert ended(machine.run(secret_path=None)) == ("absent", False)
    assert "secret_path was left out" in machine.warnings[0]
    assert ended(machine.run(environment="production", name="none")) == ("absent", False)
    assert machine.warnings == []


@pytest.mark.parametrize("count", [1, 5, 7])
def test_many_of_one_name_are_not_all_told(simulator: Simulator, machine: Machine, count: int) -> None:
    for number in range(count):
        simulator.add_rotation(name="same", secretPath=f"/folder-{number}")
    machine.run(name="same")
    [warning] = machine.warnings
    assert (" and 2 more" in warning) == (count == 7)
    assert "prod:/folder-0" in warning


def test_a_misspelt_project_is_not_taken_for_an_absent_rotation(simulator: Simulator, machine: Machine) -> None:
    assert ended(machine.run(project_id="11111111-2222-4333-8444-555555555555")) == ("not_found", False)


@pytest.mark.parametrize(
    "options", [{"description": "x"}, {"min_age": "5m"}, {"allow_rotation": False}, {"new_name": "x"}]
)
def test_what_does_not_belong_to_it_is_refused(simulator: Simulator, machine: Machine, options: dict[str, Any]) -> None:
    result = machine.run(**options)
    assert ended(result) == ("invalid_arguments", False)
    assert f"state absent has no {next(iter(options))}" in result["msg"]
    assert simulator.log() == []


@pytest.mark.parametrize("action", ["reset_after", "close_after", "half_body", "empty_200"])
def test_a_lost_answer_is_cleared_up_by_reading(simulator: Simulator, machine: Machine, action: str) -> None:
    simulator.fault(action, path=ROTATIONS, method="DELETE", work="before")
    result = machine.run()
    assert ended(result) == ("deleted", True)
    assert "Confirmed by reading" in result["msg"]
    assert deletes(simulator) == 1


def test_one_that_stays_after_a_lost_request_is_unknown(simulator: Simulator, machine: Machine) -> None:
    simulator.fault("reset_before", path=ROTATIONS, method="DELETE")
    result = machine.run()
    assert (ended(result), result["outcome"]) == (("outcome_unknown", False), "unknown")
    assert deletes(simulator) == 1
    assert result["secretRotation"]["name"] == "okta-payments"


def test_a_reading_that_fails_does_not_prove_that_it_is_gone(simulator: Simulator, machine: Machine) -> None:
    simulator.fault("reset_before", path=ROTATIONS, method="DELETE")
    # After the two readings before the request.
    simulator.fault("status", path=ROTATIONS, method="GET", after=2, times=0, status=500, message="No.", error="X")
    result = machine.run()
    assert ended(result) == ("outcome_unknown", False)
    assert "Reading it failed too" in result["msg"]


def test_a_refusal_is_passed_on(simulator: Simulator, machine: Machine) -> None:
    simulator.change_identity(simulator.state()["identity"]["id"], without=[["delete", "secret-rotation"]])
    result = machine.run()
    assert ended(result) == ("permission_denied", False)
    assert "the action delete on the subject secret-rotation" in result["msg"]


def test_one_that_another_task_removed_meanwhile_is_gone(simulator: Simulator, machine: Machine) -> None:
    def twice(request: Request, onward: Onward) -> Reply:
        if request.method == "DELETE":
            onward(request)
        return onward(request)

    with front(simulator.url, twice) as url:
        result = machine.run(url=url)
    assert ended(result) == ("deleted", True)
    assert "in that moment" in result["msg"]


def test_one_that_was_removed_between_two_readings_is_absent(simulator: Simulator, machine: Machine) -> None:
    simulator.fault("status", path=ROTATIONS, method="GET", after=1, status=404, message="No.", error="NotFound")
    assert ended(machine.run()) == ("absent", False)
    assert deletes(simulator) == 0


def test_a_rate_limit_is_waited_for(simulator: Simulator, machine: Machine) -> None:
    simulator.fault("rate_limit", path=ROTATIONS, method="DELETE", seconds=7)
    assert ended(machine.run()) == ("deleted", True)
    assert machine.clock.pauses == [7.0]
    assert deletes(simulator) == 2
