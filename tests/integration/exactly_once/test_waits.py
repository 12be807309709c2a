# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A wait for somebody else's rotation: how it ends, and why it ended, which is not always that time was up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from simulator.client import Simulator
from support.machine import Machine, ended
from support.server import login

LOCK_LOST = "Failed to acquire rotation lock."
GENERIC = "Something went wrong"
Happening = Callable[[Simulator, str], object]


def own(status: int, error: str, message: str) -> dict[str, Any]:
    """An answer in Infisical's own shape."""
    body = {"reqId": f"req-{status}0000000000a", "statusCode": status, "error": error, "message": message}
    return {"status": status, "body": body}


#: In how many ways the server says that somebody else is rotating.
REFUSALS = {
    "already": own(400, "BadRequest", "A rotation is already in progress. Please try again shortly."),
    "currently": own(400, "BadRequest", "A rotation is currently in progress for this secret rotation."),
    "is": own(400, "BadRequest", "A rotation is in progress. Please try again shortly."),
    "lock lost": own(500, "InternalServerError", f"Failed to rotate secret: {LOCK_LOST}"),
}


def reading(**answer: Any) -> Happening:
    """From now on readings are answered so."""

    def happen(simulator: Simulator, rotation_id: str) -> None:
        simulator.fault("status", path=f"{rotation_id}$", method="GET", times=0, **answer)

    return happen


def revoked(simulator: Simulator, rotation_id: str) -> None:
    for token in simulator.state()["tokens"]:
        simulator.change_token(token["id"], revoked=True)


def unpermitted(simulator: Simulator, rotation_id: str) -> None:
    identity = simulator.state()["identities"][0]["id"]
    simulator.change_identity(identity, without=[["read", "secret-rotation"]])


def limited(simulator: Simulator, rotation_id: str) -> None:
    simulator.fault("rate_limit", path=f"{rotation_id}$", method="GET", times=0, seconds=100)


#: What happens while the task waits, and the reason and the status with which its wait must end.
ENDS: dict[str, tuple[Happening, str, int]] = {
    "its token is revoked": (revoked, "authentication_failed", 401),
    "its permission is taken": (unpermitted, "permission_denied", 403),
    "the rotation is removed": (reading(**own(404, "NotFound", "Could not find it")), "not_found", 404),
    "the address is refused": (
        reading(**own(403, "ForbiddenError", "You are not allowed from the current IP address")),
        "permission_denied",
        403,
    ),
    "the rate limit is reached for longer than it may wait": (limited, "rate_limited", 429),
}


@pytest.mark.parametrize("happens", ENDS)
@pytest.mark.parametrize("refusal", ["already", "lock lost"])
def test_a_wait_that_ends_for_another_reason_tells_that_one(
    simulator: Simulator, machine: Machine, refusal: str, happens: str
) -> None:
    happening, reason, status = ENDS[happens]
    rotation_id = machine.options["rotation_id"]
    simulator.fault_rotate("status", **REFUSALS[refusal])
    machine.clock.meanwhile = [lambda: None, lambda: happening(simulator, rotation_id)]
    result = machine.run(wait_timeout=60)
    assert ended(result) == (reason, False)
    assert (result["outcome"], result["http_status"]) == ("failed", status)
    assert str(result["request_id"]).startswith("req-")
    assert "in progress" in result["msg"], "what it waited for"
    assert "did not show within wait_timeout" not in result["msg"]
    assert "secretRotation" in result
    assert simulator.posts() == 1


def test_the_identity_itself_is_refused_while_it_waits(simulator: Simulator, tmp_path: Path) -> None:
    """Its token ends, and no other one is to be had."""
    options = {**login(simulator), "rotation_id": simulator.rotation()["id"]}
    machine = Machine(tmp_path / "tmp", options)
    simulator.fault_rotate("status", **REFUSALS["already"])

    def happen() -> None:
        revoked(simulator, "")
        simulator.fault("status", path="universal-auth/login", **own(401, "UnauthorizedError", "Invalid credentials"))

    machine.clock.meanwhile = [happen]
    result = machine.run()
    assert ended(result) == ("authentication_failed", False)
    assert len(simulator.log("universal-auth/login")) == 2
    assert simulator.posts() == 1


@pytest.mark.parametrize("refusal", REFUSALS)
def test_the_others_rotation_shows(simulator: Simulator, machine: Machine, refusal: str) -> None:
    simulator.fault_rotate("status", **REFUSALS[refusal])
    machine.clock.meanwhile = [lambda: None, lambda: simulator.rival(machine.options["rotation_id"])]
    result = machine.run()
    assert ended(result) == ("rotated_by_another", True)
    assert result["secretRotation"]["lastRotatedAt"] == simulator.rotation()["lastRotatedAt"]
    assert machine.warnings == []
    assert simulator.posts() == simulator.rotations_done() == 1


@pytest.mark.parametrize("refusal", REFUSALS)
def test_the_others_rotation_fails(simulator: Simulator, machine: Machine, refusal: str) -> None:
    simulator.fault_rotate("status", **REFUSALS[refusal])
    machine.clock.meanwhile = [lambda: simulator.rival(machine.options["rotation_id"], failure=True)]
    result = machine.run()
    assert ended(result) == ("rotation_failed", False)
    assert "Okta is not reachable" in result["msg"]
    assert simulator.posts() == 1


@pytest.mark.parametrize("refusal", REFUSALS)
def test_the_others_rotation_does_not_end_in_time(simulator: Simulator, machine: Machine, refusal: str) -> None:
    simulator.fault_rotate("status", **REFUSALS[refusal])
    result = machine.run(wait_timeout=30)
    assert ended(result) == ("rotation_in_progress", False)
    assert (result["outcome"], result["http_status"]) == ("failed", REFUSALS[refusal]["status"])
    assert result["request_id"] == REFUSALS[refusal]["body"]["reqId"]
    assert "did not show within wait_timeout" in result["msg"]
    assert sum(machine.clock.pauses) == 30
    assert simulator.posts() == 1


def test_a_server_that_fails_for_a_while_is_waited_for(simulator: Simulator, machine: Machine) -> None:
    rotation_id = machine.options["rotation_id"]
    simulator.fault_rotate("status", **REFUSALS["already"])
    simulator.fault("status", path=f"{rotation_id}$", method="GET", after=2, times=5, status=503)
    machine.clock.meanwhile = [lambda: simulator.rival(rotation_id)]
    assert ended(machine.run()) == ("rotated_by_another", True)
    assert simulator.posts() == 1


def test_a_server_that_fails_to_the_end_is_told_with_it(simulator: Simulator, machine: Machine) -> None:
    rotation_id = machine.options["rotation_id"]
    simulator.fault_rotate("status", **REFUSALS["already"])
    machine.clock.meanwhile = [lambda: reading(**own(500, "InternalServerError", GENERIC))(simulator, rotation_id)]
    result = machine.run()
    assert ended(result) == ("rotation_in_progress", False)
    assert GENERIC in result["msg"], "why it saw nothing"


@pytest.mark.parametrize("happens", ENDS)
def test_after_a_lost_answer_the_outcome_stays_unknown_whatever_ends_the_wait(
    simulator: Simulator, machine: Machine, happens: str
) -> None:
    """Why it could not be read is told too."""
    happening, _reason, status = ENDS[happens]
    rotation_id = machine.options["rotation_id"]
    simulator.fault_rotate("close_before")
    machine.clock.meanwhile = [lambda: happening(simulator, rotation_id)]
    result = machine.run(wait_timeout=60)
    assert ended(result) == ("outcome_unknown", False)
    assert result["outcome"] == "unknown"
    assert f"HTTP {status}" in result["msg"]
    assert simulator.posts() == 1


@pytest.mark.parametrize("message", [GENERIC, "Failed to rotate secret: Okta is busy"])
def test_an_unknown_outcome_names_the_request_by_which_the_servers_log_knows_it(
    simulator: Simulator, machine: Machine, message: str
) -> None:
    simulator.fault_rotate("status", **own(500, "InternalServerError", message))
    result = machine.run()
    assert ended(result) == ("outcome_unknown", False)
    assert (result["outcome"], result["http_status"]) == ("unknown", 500)
    assert result["request_id"] == "req-5000000000000a"
    assert "req-5000000000000a" in result["msg"]
