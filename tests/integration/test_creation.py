# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rotation is created once, whatever becomes of the answer, and never beside another one of the application."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from simulator.client import Simulator
from support.machine import Machine, ended
from support.stale_front import Onward, Reply, Request, front
from support.tasks import Runner

APPLICATION = "0oabilling"
#: As the vendor's page for a creation names them.
ROTATIONS = "/api/v2/secret-rotations/okta-client-secret"
WANTED: dict[str, Any] = {
    "state": "present",
    "name": "okta-billing",
    "environment": "dev",
    "secret_path": "/okta",
    "connection_name": "okta-main",
    "parameters": {"client_id": APPLICATION},
    "secrets_mapping": {"client_id": "BILLING_ID", "client_secret": "BILLING_SECRET"},
    "rotation_interval": 30,
}


@pytest.fixture
def machine(simulator: Simulator, tmp_path: Path) -> Machine:
    simulator.add_application(APPLICATION)
    options = {"url": simulator.url, "token": simulator.mint_token(), "project_slug": "payments", **WANTED}
    return Machine(tmp_path / "tmp", options)


def created(simulator: Simulator) -> list[dict[str, Any]]:
    return [each for each in simulator.state()["rotations"] if each["parameters"]["clientId"] == APPLICATION]


def issued(simulator: Simulator) -> int:
    """How many secrets Okta made for the application, besides the one that was made by hand."""
    return int(simulator.state()["okta"][APPLICATION]["createdCount"]) - 1


def writes(simulator: Simulator) -> list[str]:
    return [entry["method"] for entry in simulator.log(ROTATIONS) if entry["method"] != "GET"]


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
    from ansible_collections.secretops.infisical.plugins.modules import okta_client_secret_rotation as module

    machine.folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(machine.folder))
        with ThreadPoolExecutor(4) as pool:
            runs = [pool.submit(Runner(module).run, machine.options) for _number in range(4)]
            outcomes = sorted(run.result()["outcome"] for run in runs)
    assert outcomes == ["created", "unchanged", "unchanged", "unchanged"]
    assert (len(created(simulator)), issued(simulator)) == (1, 1)


def test_two_tasks_of_one_application_and_other_names_create_one(simulator: Simulator, machine: Machine) -> None:
    from ansible_collections.secretops.infisical.plugins.modules import okta_client_secret_rotation as module

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


def test_a_creation_without_its_time_is_not_taken_for_the_own_one(simulator: Simulator, machine: Machine) -> None:
    """A lost answer, and a reading that does not tell when it was created: what is there is gone on with."""
    simulator.fault("reset_after", path=f"{ROTATIONS}$", method="POST")
    simulator.fault("mutate", path="rotation-name", method="GET", delete=["secretRotation.createdAt"], times=0)
    result = machine.run()
    assert ended(result) == ("unchanged", False)
    assert issued(simulator) == 1
