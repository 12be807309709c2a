# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module for reading tells: one or many, and what of them is wanted."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from ansible_collections.secretops.infisical.plugins.modules import okta_client_secret_rotation_info
from simulator.client import Simulator
from support.ansible import AS_MODULE, IN_PROCESS, Workspace
from support.machine import Machine, ended
from support.server import environment, login, tokens_left
from support.stale_front import Onward, Reply, Request, Shown, front, stamping, with_clock

INFO = "secretops.infisical.okta_client_secret_rotation_info"
MODULE: ModuleType = okta_client_secret_rotation_info
HOUR, DAY = 3_600, 86_400
LIST = "/api/v2/secret-rotations/okta-client-secret"
PLACE = {"project_slug": "payments", "environment": ["prod"], "secret_path": ["/okta"]}


@pytest.fixture
def machine(simulator: Simulator, tmp_path: Path) -> Machine:
    return Machine(tmp_path / "tmp", {"url": simulator.url, "token": simulator.mint_token()})


def several(simulator: Simulator) -> None:
    """Beside that of the seed, which was rotated 40 days ago in prod:/okta, and is overdue."""
    simulator.settings(clockFrozen=True)
    simulator.add_rotation(name="young", environment="dev", secretPath="/", lastRotatedAt=HOUR, nextRotationAt=30 * DAY)
    simulator.add_rotation(
        name="failed", environment="prod", secretPath="/apps/x", lastRotatedAt=10 * DAY, nextRotationAt=DAY,
        rotationStatus="failed",
    )  # fmt: skip
    simulator.add_rotation(name="by-hand", environment="staging", lastRotatedAt=20 * DAY, nextRotationAt=None)
    simulator.add_rotation(name="other-type", type="auth0-client-secret")


def names(result: dict[str, Any]) -> list[str]:
    return [rotation["name"] for rotation in result["secretRotations"]]


@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, ["young", "failed", "okta-payments", "by-hand"]),
        ({"environment": ["prod"]}, ["failed", "okta-payments"]),
        ({"environment": ["dev", "staging"]}, ["young", "by-hand"]),
        ({"secret_path": ["/okta"]}, ["okta-payments", "by-hand"]),
        ({"secret_path": ["/apps", "/okta"], "environment": ["prod"]}, ["failed", "okta-payments"]),
        ({"status": ["failed"]}, ["failed"]),
        ({"older_than": "15d"}, ["okta-payments", "by-hand"]),
        ({"due": "0"}, ["okta-payments"]),
        ({"due": "2d"}, ["failed", "okta-payments"]),
        ({"due": "0", "environment": ["dev"]}, []),
        (
            {"environment": [" "], "older_than": "", "status": [], "due": " "},
            ["young", "failed", "okta-payments", "by-hand"],
        ),
    ],
)
def test_what_is_wanted_of_a_project(
    simulator: Simulator, machine: Machine, options: dict[str, Any], expected: list[str], check_mode: bool
) -> None:
    several(simulator)
    result = machine.run(module=MODULE, check_mode=check_mode, project_slug="payments", **options)
    assert ended(result) == ("read", False)
    assert names(result) == expected
    assert [each["name"] for each in result["summary"]] == expected
    assert [each["id"] for each in result["summary"]] == [each["id"] for each in result["secretRotations"]]
    assert len(simulator.log(f"{LIST}$")) == 1


def test_the_summary_says_what_the_server_does_not(simulator: Simulator, machine: Machine) -> None:
    several(simulator)
    project = simulator.state()["project"]["id"]
    result = machine.run(module=MODULE, project_id=project)
    told = {each["name"]: (round(each["age_seconds"] / HOUR), each["overdue"]) for each in result["summary"]}
    assert told == {
        "young": (1, False),
        "failed": (240, False),
        "okta-payments": (960, True),
        "by-hand": (480, False),
    }
    assert result["msg"] == f"Read 4 rotations of the project {project}, 1 overdue."
    assert "ansible_facts" not in result
    by_id = {rotation["id"]: rotation for rotation in simulator.state()["rotations"]}
    for rotation in result["secretRotations"]:
        assert rotation.items() <= by_id[rotation["id"]].items()


@pytest.mark.parametrize("check_mode", [False, True])
def test_one_by_id_or_by_name(simulator: Simulator, machine: Machine, check_mode: bool) -> None:
    rotation = simulator.rotation()
    for which in ({"rotation_id": rotation["id"]}, {"name": "okta-payments", **PLACE}):
        result = machine.run(module=MODULE, check_mode=check_mode, **which)
        assert (ended(result), names(result)) == (("read", False), ["okta-payments"])
        assert [each["overdue"] for each in result["summary"]] == [True]
        assert result["msg"] == f"Read 1 rotation of the project {rotation['projectId']}, 1 overdue."


@pytest.mark.parametrize(
    ("options", "reason", "told"),
    [
        ({"project_slug": "nobody"}, "not_found", "'nobody'"),
        ({"rotation_id": "3c90c3cc-0d44-4b50-8888-8dd25736052a"}, "not_found", "3c90c3cc"),
        ({"name": "okta-payments", **PLACE, "environment": ["dev"]}, "not_found", "one of that name in prod:/okta"),
        ({"name": "okta-payments", **PLACE, "secret_path": None}, "not_found", "secret_path was left out"),
        ({"project_slug": "payments", "token": "no-token"}, "authentication_failed", "malformed"),
    ],
)
def test_what_cannot_be_read_is_said(
    simulator: Simulator, machine: Machine, options: dict[str, Any], reason: str, told: str
) -> None:
    result = machine.run(module=MODULE, **options)
    assert ended(result) == (reason, False)
    assert told in result["msg"]
    assert "secretRotations" not in result


def test_a_right_that_is_missing_is_said(simulator: Simulator, machine: Machine) -> None:
    simulator.change_identity(simulator.state()["identity"]["id"], without=[["read", "secret-rotation"]])
    result = machine.run(module=MODULE, project_slug="payments")
    assert ended(result) == ("permission_denied", False)
    assert "the action read on the subject secret-rotation" in result["msg"]


def test_an_empty_project_is_no_failure(simulator: Simulator, machine: Machine) -> None:
    simulator.add_project("empty")
    result = machine.run(module=MODULE, project_slug="empty")
    assert (ended(result), result["secretRotations"], result["summary"]) == (("read", False), [], [])
    assert "Read 0 rotations of the project" in result["msg"]


def test_an_environment_without_rotations_is_warned_of(simulator: Simulator, machine: Machine) -> None:
    result = machine.run(module=MODULE, project_slug="payments", environment=["prd", "prod"])
    assert names(result) == ["okta-payments"]
    (warning,) = machine.warnings
    assert warning.startswith("environment names prd, where")
    assert warning.endswith("it has some in prod.")
    machine.run(module=MODULE, project_slug="payments", environment=["prod"])
    assert machine.warnings == []
    simulator.fault("mutate", path=f"{LIST}$", set={"secretRotations.0.environment.slug": "x\x1b[2J"})
    machine.run(module=MODULE, project_slug="payments", environment=["prod"])
    assert machine.warnings[0].endswith("it has some in x [2J.")


def test_ages_are_those_of_the_server(simulator: Simulator, machine: Machine) -> None:
    simulator.settings(clockOffset=2 * DAY)
    young = simulator.add_rotation(name="young", lastRotatedAt=HOUR, nextRotationAt=30 * DAY)
    result = machine.run(module=MODULE, rotation_id=young["id"])
    assert [round(each["age_seconds"] / HOUR) for each in result["summary"]] == [1]
    # By this host's clock it was rotated in two days.
    assert ended(machine.run(module=MODULE, project_slug="payments", older_than="0")) == ("clock_unreliable", False)


def test_clocks_that_disagree_are_a_failure_where_it_matters(simulator: Simulator, machine: Machine) -> None:
    simulator.add_rotation(name="soon", nextRotationAt=DAY)
    with front(simulator.url, with_clock(2 * DAY)) as url:
        assert ended(machine.run(module=MODULE, url=url, project_slug="payments")) == ("clock_unreliable", False)
        # No clock matters here, and the age is the server's.
        only = machine.run(module=MODULE, url=url, project_slug="payments", environment=["staging"])
        assert ended(only) == ("read", False)
        one = machine.run(module=MODULE, url=url, rotation_id=simulator.rotation()["id"])
    assert round(one["summary"][0]["age_seconds"] / DAY) == 42
    simulator.settings(sendDate=False)
    assert ended(machine.run(module=MODULE, project_slug="payments")) == ("read", False)


def test_a_list_out_of_a_cache_is_not_taken(simulator: Simulator, machine: Machine) -> None:
    with front(simulator.url, stamping(age="5")) as url:
        for which in ({"project_slug": "payments"}, {"rotation_id": simulator.rotation()["id"]}):
            result = machine.run(module=MODULE, url=url, wait_timeout=3, **which)
            assert ended(result) == ("stale_reading", False)
        # Of an empty list too, which is what was there before the first rotation was created.
        project = simulator.add_project("empty")["id"]
        assert ended(machine.run(module=MODULE, url=url, wait_timeout=3, project_id=project)) == (
            "stale_reading",
            False,
        )
    turns = iter([{"age": "5"}, {}, {}])
    with front(simulator.url, lambda request, onward: onward(request).with_headers(**next(turns))) as url:
        project = simulator.state()["project"]["id"]
        assert ended(machine.run(module=MODULE, url=url, project_id=project)) == ("read", False)


@pytest.mark.parametrize("key", ["environment", "projectId"])
def test_an_incomplete_rotation_is_refused(simulator: Simulator, machine: Machine, key: str) -> None:
    with front(simulator.url, Shown({key: None})) as url:
        result = machine.run(module=MODULE, url=url, rotation_id=simulator.rotation()["id"])
    assert ended(result) == ("invalid_response", False)


def test_a_list_of_another_project_is_refused(simulator: Simulator, machine: Machine) -> None:
    asked, other = simulator.add_project("asked")["id"], simulator.state()["project"]["id"]

    def overlooks_the_query(request: Request, onward: Onward) -> Reply:
        return onward(request._replace(target=request.target.replace(asked, other)))

    with front(simulator.url, overlooks_the_query) as url:
        result = machine.run(module=MODULE, url=url, project_id=asked)
    assert ended(result) == ("invalid_response", False)
    assert f"of another project, '{other}'" in result["msg"]


def test_no_cache_is_asked(simulator: Simulator, machine: Machine) -> None:
    asked: list[str] = []

    def listening(request: Request, onward: Onward) -> Reply:
        asked.append(request.target)
        return onward(request)

    with front(simulator.url, listening) as url:
        for _turn in range(2):
            machine.run(module=MODULE, url=url, project_id=simulator.state()["project"]["id"])
    lists = {target for target in asked if target.startswith(f"{LIST}?")}
    # A cache that heeds no header knows none of these addresses.
    assert len(lists) == 2


def test_a_token_that_the_server_sends_back_is_censored(simulator: Simulator, machine: Machine) -> None:
    token = machine.options["token"]
    with front(simulator.url, Shown({"name": token, "description": f"by {token}"})) as url:
        result = machine.run(module=MODULE, url=url, rotation_id=simulator.rotation()["id"])
    assert ended(result) == ("read", False)
    assert token not in str(result)


def test_the_order_is_that_of_environment_folder_and_name(simulator: Simulator, machine: Machine) -> None:
    places = [("b", "/z", "m"), ("b", "/a", "n"), ("a", "/z", "k"), ("a", "/a", "z"), ("a", "/a", "y")]
    for environment_slug, path, name in places:
        simulator.add_rotation(name=name, environment=environment_slug, secretPath=path, lastRotatedAt=DAY)
    result = machine.run(module=MODULE, project_slug="payments", environment=["a", "b"])
    assert names(result) == ["y", "z", "k", "n", "m"]


def test_hundreds_take_one_request(simulator: Simulator, machine: Machine) -> None:
    simulator.add_rotations(200, environment="dev")
    result = machine.run(module=MODULE, project_slug="payments", environment=["dev"])
    assert names(result) == [f"okta-client-{number:05d}" for number in range(1, 201)]
    assert len(simulator.log(f"{LIST}$")) == 1


@pytest.mark.before_release
@pytest.mark.counted
def test_through_the_front_doors(workspace: Workspace, simulator: Simulator) -> None:
    tasks: list[dict[str, Any]] = [
        {"name": "all", INFO: {**login(simulator), "project_slug": "payments"}},
        {"name": "one", INFO: {**login(simulator), "name": "okta-payments", **PLACE}, "check_mode": True},
        {
            "name": "elsewhere",
            INFO: {**login(simulator), "name": "okta-payments", **PLACE, "environment": "dev"},
            "ignore_errors": True,
        },
    ]
    run = workspace.tasks(tasks, env=IN_PROCESS)
    as_module = workspace.tasks(tasks, env=AS_MODULE)
    for each in (run, as_module):
        assert each.returncode == 0, each.output
        assert [len(each.named(name)["secretRotations"]) for name in ("all", "one")] == [1, 1]
        assert each.named("all")["secretRotations"] == run.named("one")["secretRotations"]
        assert each.named("elsewhere")["reason"] == "not_found"
        assert "The project has one of that name in prod:/okta." in each.named("elsewhere")["msg"]
    ad_hoc = workspace.command(
        ["ansible", "localhost", "-m", INFO, "-a", "project_slug=payments environment=prod,dev"],
        environment(simulator),
    )
    assert ad_hoc.returncode == 0, ad_hoc.output
    assert '"name": "okta-payments"' in ad_hoc.stdout
    assert tokens_left(simulator) == []


@pytest.mark.uncounted
def test_a_project_may_have_ten_thousand_rotations(simulator: Simulator, machine: Machine) -> None:
    """All of them stand in one answer of the server, of more than 10 MiB."""

    def many(request: Request, onward: Onward) -> Reply:
        reply = onward(request)
        if request.path != LIST:
            return reply
        (one,) = json.loads(reply.body)["secretRotations"]
        found = [{**one, "id": f"{number:08x}-0000-4000-8000-000000000000"} for number in range(11_000)]
        body = json.dumps({"secretRotations": found}).encode()
        assert len(body) > 10 * 1024 * 1024
        return reply._replace(body=body)

    with front(simulator.url, many) as url:
        result = machine.run(module=MODULE, url=url, project_slug="payments")
    assert len(result["secretRotations"]) == 11_000
