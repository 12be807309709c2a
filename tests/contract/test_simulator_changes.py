# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changing a rotation: the next one is planned anew with every change, and made at once where it is near."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import pytest
from contract.test_simulator_lifecycle import UNKNOWN, application, refusal
from contract.test_simulator_routes import BASE, Api
from simulator.client import Simulator, SimulatorError

DAY, HOUR = 86_400, 3600
NOON = datetime(2031, 3, 10, 12, 0, 30, tzinfo=timezone.utc)
TOMORROW = "2031-03-11T00:00:00.000Z"


@pytest.fixture
def api(simulator: Simulator) -> Api:
    """It is noon and half a minute, and the rotation was last rotated three days ago to the second."""
    simulator.settings(clockOffset=0, clockFrozen=True, queueSeconds=0)
    now = datetime.fromisoformat(simulator.state()["now"].replace("Z", "+00:00"))
    simulator.settings(clockAdvance=(NOON - now).total_seconds())
    made = Api(simulator)
    simulator.change_rotation(made.rotation["id"], lastRotatedAt=3 * DAY)
    return made


def change(api: Api, **changes: Any) -> dict[str, Any]:
    status, body = api.call("PATCH", f"{BASE}/{api.rotation['id']}", changes)
    assert status == 200, body
    found: dict[str, Any] = body["secretRotation"]
    return found


def until(api: Api, reached: Callable[[dict[str, Any]], object], rotation_id: str = "") -> dict[str, Any]:
    """What is made after an answer is there sooner or later."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        found = api.simulator.rotation(rotation_id or api.rotation["id"])
        if reached(found):
            return found
    raise AssertionError("it was never made")


def mapping(client_id: str, client_secret: str) -> dict[str, str]:
    return {"clientId": client_id, "clientSecret": client_secret}


def test_the_order_of_the_checks_of_a_change(simulator: Simulator) -> None:
    api = Api(simulator, without=[["edit", "secret-rotation"]])
    other = simulator.add_rotation(name="other", type="auth0-client-secret")["id"]
    simulator.settings(planAllowsRotation=False)
    plan = "Failed to update secret rotation due to plan restriction. Upgrade plan to update secret rotations."
    assert refusal(api.call("PATCH", f"{BASE}/{UNKNOWN}", {})) == (400, plan)
    simulator.settings(planAllowsRotation=True)
    assert refusal(api.call("PATCH", f"{BASE}/{UNKNOWN}", {})) == (
        404,
        f"Could not find Okta Client Secret Rotation with ID {UNKNOWN}",
    )
    assert refusal(api.call("PATCH", f"{BASE}/{other}", {})) == (403, "You are not allowed to edit on secret-rotation")
    assert refusal(Api(simulator).call("PATCH", f"{BASE}/{other}", {})) == (
        400,
        f'Secret Rotation with ID "{other}" is not configured for Okta Client Secret',
    )


#: Of a rotation at noon of March 7th, what is planned: by the changes, the stored state and how it was made.
PLANS: list[tuple[dict[str, Any], dict[str, Any], str | None]] = [
    ({"description": "text"}, {}, "2031-04-07T00:00:00.000Z"),
    ({"description": "text"}, {"isLastRotationManual": False}, "2031-04-06T00:00:00.000Z"),
    ({"rotationInterval": 10}, {}, "2031-03-18T00:00:00.000Z"),
    ({"rotateAtUtc": {"hours": 12, "minutes": 0}}, {}, "2031-04-07T12:00:00.000Z"),
    ({"rotateAtUtc": {"hours": 12, "minutes": 1}}, {}, "2031-04-06T12:01:00.000Z"),
    ({"rotateAtUtc": {"hours": 12, "minutes": 0.5}}, {}, "2031-04-06T12:00:00.000Z"),
    ({"rotateAtUtc": {"hours": 11.5, "minutes": 0}}, {}, "2031-04-07T11:00:00.000Z"),
    ({"rotationInterval": 10.9}, {}, "2031-03-18T00:00:00.000Z"),
    ({"isAutoRotationEnabled": False}, {}, None),
    ({"isAutoRotationEnabled": False}, {"rotationStatus": "failed"}, None),
    ({"isAutoRotationEnabled": True}, {"isAutoRotationEnabled": False}, "2031-04-07T00:00:00.000Z"),
    ({"description": "text"}, {"rotationStatus": "failed"}, TOMORROW),
    ({"rotateAtUtc": {"hours": 3, "minutes": 4}}, {"rotationStatus": "failed"}, "2031-03-11T03:04:00.000Z"),
]


@pytest.mark.parametrize(("changes", "stored", "planned"), PLANS, ids=str)
def test_with_every_change_the_next_one_is_planned_anew(
    api: Api, changes: dict[str, Any], stored: dict[str, Any], planned: str | None
) -> None:
    api.simulator.change_rotation(api.rotation["id"], nextRotationAt=DAY, **stored)
    assert change(api, **changes)["nextRotationAt"] == planned
    assert api.simulator.rotation()["started"] == 0


def test_midnight_itself_is_not_near(api: Api) -> None:
    assert change(api, rotationInterval=3)["nextRotationAt"] == TOMORROW
    # A queued one would be waiting for its time.
    with pytest.raises(SimulatorError, match="not known"):
        api.simulator.due(api.rotation["id"])


def test_what_was_due_is_rotated_after_the_answer_as_manual(api: Api) -> None:
    api.simulator.change_rotation(api.rotation["id"], isLastRotationManual=False)
    answer = change(api, rotationInterval=1)
    assert (answer["nextRotationAt"], answer["lastRotatedAt"]) == (
        "2031-03-08T00:00:00.000Z",
        "2031-03-07T12:00:30.000Z",
    )
    there = until(api, lambda rotation: rotation["completed"])
    assert (there["isLastRotationManual"], there["lastRotatedAt"]) == (True, "2031-03-10T12:00:30.000Z")
    # As a manual one after its hour, so that a whole interval passes.
    assert there["nextRotationAt"] == "2031-03-12T00:00:00.000Z"


def test_a_failure_of_a_queued_rotation_is_written_down(api: Api) -> None:
    api.simulator.settings(okta={"createError": 1})
    assert change(api, rotationInterval=1)["rotationStatus"] == "success"
    there = until(api, lambda rotation: rotation["rotationStatus"] == "failed")
    assert there["lastRotationMessage"].endswith("Internal Server Error")
    assert (there["nextRotationAt"], there["completed"]) == (TOMORROW, 0)


def test_one_that_lies_ahead_waits_for_its_time(api: Api) -> None:
    later = change(api, rotationInterval=3, rotateAtUtc={"hours": 18, "minutes": 0})
    assert later["nextRotationAt"] == "2031-03-10T18:00:00.000Z"
    assert api.simulator.rotation()["started"] == 0
    api.simulator.due(api.rotation["id"])
    until(api, lambda rotation: rotation["completed"])


def test_a_newer_queue_does_not_wait(api: Api) -> None:
    api.simulator.settings(queuedRotationsWait=False)
    change(api, rotationInterval=3, rotateAtUtc={"hours": 18, "minutes": 0})
    until(api, lambda rotation: rotation["completed"])


def test_what_was_rotated_since_it_was_queued_is_not_rotated_again(api: Api) -> None:
    change(api, rotationInterval=3, rotateAtUtc={"hours": 18, "minutes": 0})
    assert api.call("POST", f"{BASE}/{api.rotation['id']}/rotate-secrets")[0] == 200
    api.simulator.due(api.rotation["id"])
    # The second job of the same loop comes after the first.
    other = api.simulator.add_rotation(name="other", lastRotatedAt=3 * DAY)
    api.call("PATCH", f"{BASE}/{other['id']}", {"rotationInterval": 1})
    until(api, lambda rotation: rotation["completed"], other["id"])
    assert api.simulator.rotations_done(api.rotation["id"]) == 1


def test_a_change_needs_no_lock(api: Api) -> None:
    api.simulator.rival(api.rotation["id"], seconds=HOUR)
    assert change(api, description="text")["description"] == "text"
    told = "A rotation is already in progress. Please try again shortly."
    assert refusal(api.call("POST", f"{BASE}/{api.rotation['id']}/rotate-secrets")) == (400, told)


def test_what_the_schema_does_not_name_is_dropped(api: Api) -> None:
    foreign = {"connectionId": UNKNOWN, "environment": "dev", "secretPath": "/", "projectId": UNKNOWN, "type": "x"}
    before = api.simulator.rotation()
    change(api, **foreign)
    after = api.simulator.rotation()
    assert {key: after[key] for key in before if after[key] != before[key]} == {
        "nextRotationAt": "2031-04-07T00:00:00.000Z",
        "updatedAt": "2031-03-10T12:00:30.000Z",
    }


def test_secrets_are_renamed_in_place(api: Api) -> None:
    before = {each["secretKey"]: each for each in api.simulator.state()["secrets"]}
    change(api, secretsMapping=mapping("OKTA_CLIENT_ID", "RENAMED"))
    after = {each["secretKey"]: each for each in api.simulator.state()["secrets"]}
    assert set(after) == {"OKTA_CLIENT_ID", "RENAMED"}
    old, new = before["OKTA_CLIENT_SECRET"], after["RENAMED"]
    assert (new["id"], new["secretValue"], new["version"]) == (old["id"], old["secretValue"], old["version"] + 1)


@pytest.mark.parametrize(
    ("wanted", "left"),
    [
        (mapping("OKTA_CLIENT_SECRET", "OKTA_CLIENT_ID"), ["OKTA_CLIENT_ID", "OKTA_CLIENT_ID"]),
        (mapping("OKTA_CLIENT_SECRET", "THIRD"), ["THIRD", "THIRD"]),
        (mapping("THIRD", "OKTA_CLIENT_ID"), ["OKTA_CLIENT_ID", "THIRD"]),
    ],
)
def test_a_name_that_the_second_has_still_is_renamed_with_it(api: Api, wanted: dict[str, str], left: list[str]) -> None:
    """The server renames one after the other, by the old name."""
    assert change(api, secretsMapping=wanted)["secretsMapping"] == wanted
    assert sorted(each["secretKey"] for each in api.simulator.state()["secrets"]) == left


def test_names_that_are_taken_change_nothing(api: Api) -> None:
    api.simulator.add_secret("TAKEN")
    api.simulator.add_rotation(name="okta-taken")
    before = api.simulator.rotation(api.rotation["id"])
    path = f"{BASE}/{api.rotation['id']}"
    both = {"secretsMapping": mapping("TAKEN", "OKTA_CLIENT_SECRET"), "name": "okta-taken"}
    assert refusal(api.call("PATCH", path, both)) == (
        400,
        'The following secrets already exist at the path "/okta": TAKEN',
    )
    free = {"secretsMapping": mapping("FREE", "OKTA_CLIENT_SECRET"), "name": "okta-taken"}
    assert refusal(api.call("PATCH", path, free)) == (
        400,
        'A Secret Rotation with the name "okta-taken" already exists at the secret path "/okta"',
    )
    assert api.simulator.rotation(api.rotation["id"]) == before
    assert change(api, name="okta-payments")["name"] == "okta-payments"


@pytest.mark.parametrize(("by_hand", "taken_away"), [(1, 0), (2, 1)])
def test_the_first_rotation_in_another_application(api: Api, by_hand: int, taken_away: int) -> None:
    """It takes the first secret that is not its own, unless that is the only one."""
    api.simulator.add_application("0oaother", secrets=by_hand)
    before = [each["id"] for each in application(api, "0oaother")]
    old = application(api, api.rotation["parameters"]["clientId"])
    change(api, parameters={"clientId": "0oaother"})
    assert api.simulator.rotation()["generatedCredentials"] == api.rotation["generatedCredentials"]
    assert api.call("POST", f"{BASE}/{api.rotation['id']}/rotate-secrets")[0] == 200
    assert application(api, api.rotation["parameters"]["clientId"]) == old
    assert [each["id"] for each in application(api, "0oaother")][:-1] == before[taken_away:]


def test_a_later_rotation_in_another_application_takes_nothing_away(api: Api) -> None:
    api.simulator.add_application("0oaother")
    rotation = api.simulator.add_rotation(name="both", slots=2, activeIndex=1, lastRotatedAt=3 * DAY)
    path = f"{BASE}/{rotation['id']}"
    assert api.call("PATCH", path, {"parameters": {"clientId": "0oaother"}})[0] == 200
    assert api.call("POST", f"{path}/rotate-secrets")[0] == 200
    assert len(application(api, "0oaother")) == 2
    assert len(application(api, rotation["parameters"]["clientId"])) == 2
    api.call("PATCH", path, {"parameters": {"clientId": "0oanowhere"}})
    status, told = refusal(api.call("POST", f"{path}/rotate-secrets"))
    assert (status, "Failed to add client secret to Okta app 0oanowhere" in told) == (500, True)
