# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of the request for a creation, and who was faster: there is one rotation, and the truth is told."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.secretops.infisical.plugins.modules import okta_client_secret_rotation as module
from simulator.client import Simulator
from support.life import APPLICATION, ROTATIONS, created, creating, issued, writes
from support.machine import Machine, ended
from support.stale_front import Onward, Reply, Request, front
from support.tasks import Runner


@pytest.fixture
def machine(simulator: Simulator, tmp_path: Path) -> Machine:
    return creating(simulator, tmp_path / "tmp")


@pytest.mark.parametrize("action", ["reset_after", "close_after", "half_body", "empty_200", "not_json"])
def test_a_lost_answer_is_cleared_up_by_reading(simulator: Simulator, machine: Machine, action: str) -> None:
    simulator.fault(action, path=f"{ROTATIONS}$", method="POST", work="before")
    result = machine.run()
    assert ended(result) == ("created", True)
    assert "Confirmed by reading" in result["msg"]
    assert (writes(simulator), issued(simulator), len(created(simulator))) == (["POST"], 1, 1)
    assert ended(machine.run()) == ("unchanged", False)


def test_an_answer_about_another_rotation_is_none(simulator: Simulator, machine: Machine) -> None:
    simulator.fault("mutate", path=f"{ROTATIONS}$", method="POST", set={"secretRotation.environment.slug": "prod"})
    result = machine.run()
    assert ended(result) == ("created", True)
    assert "Confirmed by reading" in result["msg"]
    assert result["secretRotation"]["environment"]["slug"] == "dev"


def test_a_failure_after_the_work_is_none(simulator: Simulator, machine: Machine) -> None:
    """The server calls it a bad request, after it has created the rotation."""
    simulator.settings(lateFailure=1)
    result = machine.run()
    assert ended(result) == ("created", True)
    assert "Confirmed by reading" in result["msg"]
    assert issued(simulator) == 1


def test_a_refusal_after_the_work_is_none_whatever_its_words(simulator: Simulator, machine: Machine) -> None:
    simulator.fault(
        "status", path=f"{ROTATIONS}$", method="POST", work="before", status=400, error="BadRequest", message="Odd."
    )
    result = machine.run()
    assert ended(result) == ("created", True)
    assert (issued(simulator), ended(machine.run())) == (1, ("unchanged", False))


def test_what_never_shows_is_unknown_and_not_sent_again(simulator: Simulator, machine: Machine) -> None:
    simulator.fault("reset_before", path=f"{ROTATIONS}$", method="POST")
    simulator.fault("status", path="rotation-name", status=404, error="NotFound", message="Not here.", times=0)
    result = machine.run()
    assert (ended(result), result["outcome"]) == (("outcome_unknown", False), "unknown")
    assert "created 'okta-billing'" in result["msg"]
    assert len(writes(simulator)) == 1
    simulator.clear_faults()
    assert ended(machine.run()) == ("created", True)
    assert issued(simulator) == 1


def test_a_refusal_is_passed_on(simulator: Simulator, machine: Machine) -> None:
    simulator.settings(okta={"createError": 1})
    result = machine.run()
    assert ended(result) == ("request_rejected", False)
    assert "Failed to add client secret" in result["msg"]
    simulator.add_application(APPLICATION)
    result = machine.run()
    assert ended(result) == ("okta_secret_limit", False)
    assert "private key" in result["msg"]
    simulator.change_identity(simulator.state()["identity"]["id"], without=[["create", "secret-rotation"]])
    result = machine.run()
    assert ended(result) == ("permission_denied", False)
    assert "the action create on the subject secret-rotation" in result["msg"]


def test_a_rate_limit_is_waited_for_and_then_everything_is_looked_at_again(
    simulator: Simulator, machine: Machine
) -> None:
    simulator.fault("rate_limit", path=f"{ROTATIONS}$", method="POST", seconds=7)
    machine.clock.meanwhile.append(lambda: simulator.add_rotation(name="a-rival", clientId=APPLICATION))
    result = machine.run()
    assert ended(result) == ("conflict", False)
    assert machine.clock.pauses == [7.0]
    assert "'a-rival'" in result["msg"]
    simulator.fault("rate_limit", path=f"{ROTATIONS}$", method="POST", seconds=7)
    assert ended(machine.run(parameters={"client_id": "0oanew"}, wait_timeout=5)) == ("rate_limited", False)


def _repeating(request: Request, onward: Onward) -> Reply:
    """A proxy that sends a creation again because the first answer did not please it."""
    if request.method == "POST" and request.path.endswith("okta-client-secret"):
        onward(request)
    return onward(request)


def test_what_a_proxy_sent_twice_is_created_once(simulator: Simulator, machine: Machine) -> None:
    with front(simulator.url, _repeating) as url:
        result = machine.run(url=url)
    assert ended(result) == ("created", True)
    assert (len(created(simulator)), issued(simulator)) == (1, 1)


class _Beforehand:
    """Somebody else creates one of the same name just before our request."""

    def __init__(self, simulator: Simulator, **keys: Any) -> None:
        self._simulator = simulator
        self._keys = keys

    def __call__(self, request: Request, onward: Onward) -> Reply:
        if request.method == "POST" and request.path.endswith("okta-client-secret"):
            self._simulator.add_rotation(
                name="okta-billing", environment="dev", clientId=APPLICATION, createdAt=0, **self._keys
            )
        return onward(request)


def test_a_rival_that_was_faster_is_changed_as_wanted(simulator: Simulator, machine: Machine) -> None:
    mapping = {"clientId": "BILLING_ID", "clientSecret": "BILLING_SECRET"}
    with front(
        simulator.url, _Beforehand(simulator, secretsMapping=mapping, lastRotatedAt=0, rotationInterval=7)
    ) as url:
        result = machine.run(url=url)
    assert (ended(result), result["diff"]["before"]["rotationInterval"]) == (("updated", True), 7)
    assert created(simulator)[0]["rotationInterval"] == 30
    assert writes(simulator) == ["POST", "PATCH"]


def test_secrets_that_came_in_between_are_a_conflict(simulator: Simulator, machine: Machine) -> None:
    def rival(request: Request, onward: Onward) -> Reply:
        if request.method == "POST":
            simulator.add_secret("BILLING_ID", environment="dev")
        return onward(request)

    with front(simulator.url, rival) as url:
        result = machine.run(url=url)
    assert ended(result) == ("conflict", False)
    assert "BILLING_ID" in result["msg"]
    assert created(simulator) == []


def test_two_tasks_of_one_machine_create_one(simulator: Simulator, machine: Machine) -> None:
    machine.folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(machine.folder))
        with ThreadPoolExecutor(4) as pool:
            runs = [pool.submit(Runner(module).run, machine.options) for _number in range(4)]
            outcomes = sorted(run.result()["outcome"] for run in runs)
    assert outcomes == ["created", "unchanged", "unchanged", "unchanged"]
    assert (len(created(simulator)), issued(simulator)) == (1, 1)


def test_two_tasks_of_one_application_and_other_names_create_one(simulator: Simulator, machine: Machine) -> None:
    machine.folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(machine.folder))
        with ThreadPoolExecutor(2) as pool:
            names = ({"client_id": f"{number}_ID", "client_secret": f"{number}_SECRET"} for number in (1, 2))
            options = [{**machine.options, "name": f"okta-{n}", "secrets_mapping": m} for n, m in enumerate(names)]
            runs = [pool.submit(Runner(module).run, each) for each in options]
            failures = [run.exception() for run in runs]
    assert sorted(getattr(failure, "reason", None) or "" for failure in failures) == ["", "conflict"]
    assert (len(created(simulator)), issued(simulator)) == (1, 1)


def test_a_creation_without_its_time_is_not_taken_for_the_own_one(simulator: Simulator, machine: Machine) -> None:
    """A lost answer, and a reading that does not tell when it was created: what is there is gone on with."""
    simulator.fault("reset_after", path=f"{ROTATIONS}$", method="POST")
    simulator.fault("mutate", path="rotation-name", method="GET", delete=["secretRotation.createdAt"], times=0)
    result = machine.run()
    assert ended(result) == ("unchanged", False)
    assert issued(simulator) == 1
