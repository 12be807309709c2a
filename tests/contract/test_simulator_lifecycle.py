# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Creating a rotation, removing it and reading it: the server's order of checks, its texts, and what is left."""

from __future__ import annotations

from typing import Any

import pytest
from contract.test_simulator_routes import BASE, Api
from simulator.client import Simulator

APPLICATION = "0oabilling"
PREFIX = "Infisical encountered an issue while generating credentials with the configured inputs: "
SINGLE = "You must have only a single secret for the Okta app prior to creating this secret rotation."
UNKNOWN = "3c90c3cc-0d44-4b50-8888-8dd25736052a"


@pytest.fixture
def api(simulator: Simulator) -> Api:
    simulator.add_application(APPLICATION)
    return Api(simulator)


def wanted(api: Api, **changes: Any) -> dict[str, Any]:
    return api.new_rotation(**{"parameters": {"clientId": APPLICATION}, **changes})


def application(api: Api, client_id: str = APPLICATION) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.simulator.state()["okta"][client_id]["secrets"]
    return found


def refusal(answer: tuple[int, Any]) -> tuple[int, str]:
    status, body = answer
    return status, body["message"]


def create(api: Api, **changes: Any) -> dict[str, Any]:
    status, body = api.call("POST", BASE, wanted(api, **changes))
    assert status == 200, body
    made: dict[str, Any] = body["secretRotation"]
    return made


def test_a_creation_is_a_first_manual_rotation(api: Api) -> None:
    api.simulator.settings(clockFrozen=True)
    made = create(api)
    there = api.simulator.rotation(made["id"])
    now = api.simulator.state()["now"]
    assert (made["lastRotatedAt"], made["lastRotationAttemptedAt"], made["createdAt"]) == (now, now, now)
    assert (made["isLastRotationManual"], made["activeIndex"], made["rotationStatus"]) == (True, 0, "success")
    [credentials] = there["generatedCredentials"]
    by_hand, issued = application(api)
    assert (credentials["secretId"], credentials["clientSecret"]) == (issued["id"], issued["client_secret"])
    assert by_hand["status"] == "ACTIVE"
    assert {name: secret["value"] for name, secret in there["mappedSecrets"].items()} == {
        "SECOND_ID": APPLICATION,
        "SECOND_SECRET": issued["client_secret"],
    }


def test_the_order_of_the_checks_of_a_creation(api: Api) -> None:
    """Everything is wrong at once; what is told is put right, until nothing is left."""
    simulator = api.simulator
    simulator.add_secret("TAKEN")
    elsewhere = simulator.add_connection("auth", app="auth0")
    simulator.add_application("0oafull", secrets=2)
    simulator.settings(planAllowsRotation=False)
    body = wanted(
        api,
        name="okta-payments",
        secretPath="/nowhere",
        connectionId=UNKNOWN,
        parameters={"clientId": "0oafull"},
        secretsMapping={"clientId": "TAKEN", "clientSecret": "TAKEN"},
    )
    denied = [["create", "secret-rotation"], ["connect-app-connections", "app-connections"]]
    simulator.change_identity(api.identity["id"], without=denied)
    told = []

    def told_by(**changes: Any) -> None:
        body.update(changes)
        told.append(refusal(api.call("POST", BASE, body)))

    def allow(*permissions: list[str]) -> None:
        kept = simulator.add_identity(without=list(permissions))["permissions"]
        simulator.change_identity(api.identity["id"], permissions=kept)

    told_by()
    simulator.settings(planAllowsRotation=True)
    told_by()
    allow(denied[1])
    told_by()
    told_by(secretPath="/okta")
    told_by(connectionId=elsewhere["id"])
    allow()
    told_by()
    told_by(connectionId=api.rotation["connectionId"])
    told_by(name="second")
    told_by(secretsMapping={"clientId": "TAKEN", "clientSecret": "OKTA_CLIENT_ID"})
    assert len(application(api, "0oafull")) == 2
    told_by(secretsMapping={"clientId": "SECOND_ID", "clientSecret": "SECOND_SECRET"})
    plan = "Failed to create secret rotation due to plan restriction. Upgrade plan to create secret rotations."
    folder = f'Could not find folder with path "/nowhere" in environment "prod" for project with ID "{api.project}"'
    assert told == [
        (400, plan),
        (403, "You are not allowed to create on secret-rotation"),
        (400, folder),
        (404, f"Could not find App Connection with ID {UNKNOWN}"),
        (403, "You are not allowed to connect-app-connections on app-connections"),
        (400, f"Auth0 Connection with ID {elsewhere['id']} cannot be used to connect to Okta"),
        (400, 'A Secret Rotation with the name "okta-payments" already exists at the secret path "/okta"'),
        (400, 'Secrets mapping keys must be unique. "TAKEN, TAKEN" contains duplicate keys.'),
        (400, 'The following secrets already exist at the path "/okta": TAKEN, OKTA_CLIENT_ID'),
        (400, f"Failed to add client secret to Okta app 0oafull: {SINGLE}"),
    ]
    assert len(simulator.state()["rotations"]) == 1


def test_a_connection_of_another_project_is_refused(api: Api) -> None:
    other = api.simulator.add_project("other")["id"]
    connection = api.simulator.add_connection("of-the-other", projectId=other)["id"]
    told = (
        f'You cannot connect project App Connection with ID "{connection}" from project with ID "{other}" '
        f'to project with ID "{api.project}"'
    )
    assert refusal(api.call("POST", BASE, wanted(api, connectionId=connection))) == (400, told)
    organisation = api.simulator.add_connection("organisation-wide", projectId=None)["id"]
    assert create(api, connectionId=organisation)["connectionId"] == organisation


def test_what_okta_refuses_is_told_without_the_prefix(api: Api) -> None:
    api.simulator.settings(okta={"invalidToken": 1})
    told = f"Failed to add client secret to Okta app {APPLICATION}: Invalid token provided"
    assert refusal(api.call("POST", BASE, wanted(api))) == (400, told)
    assert len(api.simulator.state()["rotations"]) == 1


def test_a_late_failure_has_created_it_all_the_same(api: Api) -> None:
    api.simulator.settings(lateFailure=1)
    status, told = refusal(api.call("POST", BASE, wanted(api)))
    assert (status, told.startswith(PREFIX)) == (400, True)
    [there] = [each for each in api.simulator.state()["rotations"] if each["name"] == "second"]
    assert set(there["mappedSecrets"]) == {"SECOND_ID", "SECOND_SECRET"}
    assert len(application(api)) == 2


@pytest.mark.parametrize(("generation", "orphans"), [("new", 0), ("old", 1)])
@pytest.mark.parametrize(
    "taken", [{"name": "okta-payments"}, {"secretsMapping": {"clientId": "A", "clientSecret": "A"}}]
)
def test_the_older_server_checks_names_after_it_has_issued(
    api: Api, generation: str, orphans: int, taken: dict[str, Any]
) -> None:
    api.simulator.settings(generation=generation)
    assert api.call("POST", BASE, wanted(api, **taken))[0] == 400
    assert len(application(api)) == 1 + orphans
    assert len(api.simulator.state()["rotations"]) == 1


def test_readings_are_refused_by_the_plan(api: Api) -> None:
    api.simulator.settings(planAllowsRotation=False)
    one = f"{BASE}/{api.rotation['id']}"
    access = "Failed to access {} due to plan restriction. Upgrade plan to access {}."
    single = (400, access.format("secret rotation", "secret rotations"))
    several = (400, access.format("secret rotations", "secret rotations"))
    assert refusal(api.call("GET", one)) == single
    assert refusal(api.call("GET", f"{BASE}/rotation-name/okta-payments", **api.place())) == single
    assert refusal(api.call("GET", BASE, projectId=api.project)) == several
    assert refusal(api.call("GET", "/api/v2/secret-rotations", projectId=api.project)) == several
    assert refusal(api.call("GET", f"{one}/generated-credentials")) == (
        400,
        access.format("secret rotation credentials", "secret rotations credentials"),
    )
    assert api.call("DELETE", one)[0] == 200


def test_a_name_in_a_folder_that_is_not_there(api: Api) -> None:
    place = {**api.place(), "secretPath": "/nowhere"}
    told = f'Could not find folder with path "/nowhere" in environment "prod" for project with ID "{api.project}"'
    assert refusal(api.call("GET", f"{BASE}/rotation-name/okta-payments", **place)) == (400, told)


def test_the_list_is_of_one_type_or_of_all(api: Api) -> None:
    api.simulator.add_rotation(name="other", type="auth0-client-secret")

    def names(path: str) -> list[str]:
        return [each["name"] for each in api.call("GET", path, projectId=api.project)[1]["secretRotations"]]

    assert names(BASE) == ["okta-payments"]
    assert names("/api/v2/secret-rotations") == ["okta-payments", "other"]


def test_an_older_server_lacks_the_newer_routes(api: Api) -> None:
    api.simulator.settings(secretsV4=False, projectsV1=False)
    path = "/api/v4/secrets/OKTA_CLIENT_ID"
    assert api.call("GET", path, **api.place())[1]["error"] == "Not Found"
    assert api.call("GET", "/api/v1/projects/slug/payments")[1]["error"] == "Not Found"
    assert api.call("GET", "/api/v2/workspace/payments")[1]["id"] == api.project
    raw = {"workspaceId": api.project, "environment": "prod", "secretPath": "/okta"}
    assert api.call("GET", "/api/v3/secrets/raw/OKTA_CLIENT_ID", **raw)[0] == 200


def test_the_order_of_the_checks_of_a_removal(simulator: Simulator) -> None:
    api = Api(simulator, without=[["delete", "secret-rotation"]])
    other = simulator.add_rotation(name="other", type="auth0-client-secret")["id"]
    assert refusal(api.call("DELETE", f"{BASE}/{UNKNOWN}")) == (
        404,
        f'Could not find Okta Client Secret Rotation with ID "{UNKNOWN}"',
    )
    assert refusal(api.call("DELETE", f"{BASE}/{other}")) == (403, "You are not allowed to delete on secret-rotation")
    may = Api(simulator)
    assert refusal(may.call("DELETE", f"{BASE}/{other}")) == (
        400,
        f'Secret Rotation with ID "{other}" is not configured for Okta Client Secret',
    )


@pytest.mark.parametrize("delete_secrets", ["false", "true"])
def test_mapped_secrets_go_or_stay_as_plain_ones(api: Api, delete_secrets: str) -> None:
    made = create(api)
    status, body = api.call("DELETE", f"{BASE}/{made['id']}", deleteSecrets=delete_secrets)
    assert (status, body["secretRotation"]["id"]) == (200, made["id"])
    left = {each["secretKey"]: each["rotationId"] for each in api.simulator.state()["secrets"]}
    plain = {} if delete_secrets == "true" else {"SECOND_ID": None, "SECOND_SECRET": None}
    assert {name: left[name] for name in left if name.startswith("SECOND")} == plain
    assert len(application(api)) == 2


def test_a_removal_revokes_what_is_stored_and_okta_still_has(api: Api) -> None:
    made = create(api)
    by_hand = application(api)[0]["id"]
    assert api.call("DELETE", f"{BASE}/{made['id']}", revokeGeneratedCredentials="true")[0] == 200
    assert [each["id"] for each in application(api)] == [by_hand]
    gone = create(api, name="third", secretsMapping={"clientId": "THIRD_ID", "clientSecret": "THIRD_SECRET"})
    issued = application(api)[1]["id"]
    api.simulator.control("POST", "orphan", {"clientId": APPLICATION, "action": "remove", "secretId": issued})
    assert api.call("DELETE", f"{BASE}/{gone['id']}", revokeGeneratedCredentials="true")[0] == 200
    assert [each["id"] for each in application(api)] == [by_hand]


@pytest.mark.parametrize("outcome", ["refused", "swallowed"])
def test_okta_keeps_the_only_active_secret(api: Api, outcome: str) -> None:
    api.simulator.settings(lastSecretRevocation=outcome)
    rotation = api.simulator.add_rotation(name="both", clientId="0oaboth", slots=2, activeIndex=1)
    first, last = (each["secretId"] for each in rotation["generatedCredentials"])
    answer = api.call("DELETE", f"{BASE}/{rotation['id']}", revokeGeneratedCredentials="true")
    assert [each["id"] for each in application(api, "0oaboth")] == [last]
    there = rotation["id"] in [each["id"] for each in api.simulator.state()["rotations"]]
    assert first != last
    if outcome == "swallowed":
        assert (answer[0], there) == (200, False)
        return
    told = "You can't deactivate the only active client secret."
    assert refusal(answer) == (400, f"Failed to remove client secret with secretId {last} from app 0oaboth: {told}")
    assert there
