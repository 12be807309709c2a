# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook that rotates a fleet: order, stop, report, exit code, one login, rate limits."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
import yaml
from simulator.client import ROTATE_PATH, Simulator
from support.ansible import Run, Workspace
from support.server import environment, login, tokens_left

PLAYBOOK = "secretops.infisical.rotate_fleet"


class Fleet:
    """``size`` rotations, and nothing else, in one project."""

    def __init__(self, workspace: Workspace, simulator: Simulator, size: int) -> None:
        self.workspace = workspace
        self.simulator = simulator
        project = simulator.add_project("fleet")["id"]
        self.rotations = simulator.add_rotations(size, projectId=project, name="app") if size else []
        self.inventory = workspace.folder / "fleet.okta_rotations.yml"
        self.inventory.write_text(
            yaml.safe_dump(
                {"plugin": "secretops.infisical.okta_client_secret_rotations", "projects": {"fleet": project}}
            ),
            encoding="utf-8",
        )

    def run(self, *arguments: str, variables: dict[str, Any] | None = None, **env: str) -> Run:
        command = ["ansible-playbook", "-i", str(self.inventory), PLAYBOOK, "--forks", "20", *arguments]
        return self.workspace.command(
            [*command, "-e", json.dumps(variables or {})], {**environment(self.simulator), **env}
        )

    def refuse(self, number: int, **fault: Any) -> None:
        self.simulator.fault(
            "status", path=f"{self.rotations[number]['id']}/rotate-secrets", times=0, **{"status": 403, **fault}
        )

    def rotated(self) -> list[int]:
        return [self.simulator.rotations_done(rotation["id"]) for rotation in self.rotations]


def host(number: int) -> str:
    return f"app-{number + 1:05d}.okta.prod.fleet"


def summary(run: Run) -> str:
    told: str = run.named("Summary")["msg"]
    return told


def failures(run: Run) -> dict[str, str]:
    """Why each host failed, which is told once."""
    failed = [result for result in run.results if result.status == "failed"]
    assert len({result.host for result in failed}) == len(failed)
    return {result.host: result["msg"] for result in failed}


def test_canary_tenth_rest(workspace: Workspace, simulator: Simulator) -> None:
    fleet = Fleet(workspace, simulator, 20)
    report = workspace.folder / "report.json"
    run = fleet.run(variables={"rotate_report": str(report)})
    assert run.returncode == 0, run.output
    assert fleet.rotated() == [1] * 20
    assert summary(run) == "20 rotated, 0 not due, 0 failed, 0 not attempted."
    batches = run.stdout.split("PLAY [Sum up]")[0].split("TASK [Rotate the secret]")[1:]
    assert [batch.count("changed: [app-") for batch in batches] == [1, 2, 17]
    # One more for the inventory, which logs in for itself.
    assert Counter(entry["path"].rpartition("/")[2] for entry in simulator.log(method="POST")) == {
        "login": 2,
        "rotate-secrets": 20,
        "revoke": 2,
    }
    assert tokens_left(simulator) == []
    entries = json.loads(report.read_text(encoding="utf-8"))["rotations"]
    assert [entry["host"] for entry in entries] == [host(number) for number in range(20)]
    assert {entry["result"]["outcome"] for entry in entries} == {"rotated"}
    assert report.stat().st_mode & 0o777 == 0o600
    secrets = [login(simulator)["universal_auth_client_secret"]]
    secrets += [token["accessToken"] for token in simulator.state()["tokens"]]
    assert not [secret for secret in secrets if secret in run.output + report.read_text(encoding="utf-8")]


def test_the_canary_fails(workspace: Workspace, simulator: Simulator) -> None:
    """Nothing else is touched; the token is revoked, the summary is said, the exit code is not 0."""
    fleet = Fleet(workspace, simulator, 5)
    fleet.refuse(0, body={"reqId": "r", "statusCode": 403, "error": "ForbiddenError", "message": "{{ 7 * 6 }} {%"})
    run = fleet.run()
    assert run.returncode == 2, run.output
    assert fleet.rotated() == [0] * 5
    assert simulator.posts() == 1
    assert tokens_left(simulator) == []
    assert summary(run).startswith("0 rotated, 0 not due, 1 failed, 4 not attempted.")
    why = failures(run)
    assert why[host(0)].startswith("Could not rotate")
    assert "{{ 7 * 6 }} {%" in why[host(0)], "what a server says is no template"
    assert [why[host(number)] for number in range(1, 5)] == [f"Not attempted: see {host(0)}."] * 4
    assert "secretRotation" not in run.output


@pytest.mark.before_release
def test_a_later_batch_fails(workspace: Workspace, simulator: Simulator) -> None:
    fleet = Fleet(workspace, simulator, 12)
    fleet.refuse(2)
    run = fleet.run(variables={"rotate_serial": [1, 3, 4, "100%"]})
    assert run.returncode == 2, run.output
    assert fleet.rotated() == [1, 1, 0, 1] + [0] * 8
    assert summary(run).startswith("3 rotated, 0 not due, 1 failed, 8 not attempted.")
    assert tokens_left(simulator) == []


@pytest.mark.before_release
def test_failures_that_are_allowed_still_count(workspace: Workspace, simulator: Simulator) -> None:
    fleet = Fleet(workspace, simulator, 8)
    fleet.refuse(2)
    fleet.refuse(6)
    run = fleet.run(variables={"rotate_serial": 4, "rotate_max_fail_percentage": 25})
    assert run.returncode == 2, run.output
    assert summary(run).startswith("6 rotated, 0 not due, 2 failed, 0 not attempted.")
    assert sum(fleet.rotated()) == 6


@pytest.mark.before_release
def test_a_second_run_continues(workspace: Workspace, simulator: Simulator) -> None:
    fleet = Fleet(workspace, simulator, 4)
    simulator.fault("status", path=f"{fleet.rotations[2]['id']}/rotate-secrets", status=403)
    assert fleet.run().returncode == 2
    run = fleet.run()
    assert run.returncode == 0, run.output
    assert summary(run) == "1 rotated, 3 not due, 0 failed, 0 not attempted."
    assert fleet.rotated() == [1] * 4


@pytest.mark.before_release
def test_an_unreachable_host_counts_as_failed(workspace: Workspace, simulator: Simulator) -> None:
    """What fails before the task begins has no outcome of its own."""
    fleet = Fleet(workspace, simulator, 2)
    report = workspace.folder / "report.json"
    variables = workspace.folder / "host_vars"
    variables.mkdir()
    (variables / f"{host(0)}.yml").write_text(
        "{ansible_connection: ssh, ansible_port: 1, ansible_host: 127.0.0.1}\n", encoding="utf-8"
    )
    run = fleet.run(variables={"rotate_report": str(report)})
    assert run.returncode == 2, run.output
    assert summary(run).startswith("0 rotated, 0 not due, 1 failed, 1 not attempted.")
    assert failures(run)[host(0)].startswith("Could not be reached: ")
    outcomes = [entry["result"]["outcome"] for entry in json.loads(report.read_text(encoding="utf-8"))["rotations"]]
    assert outcomes == ["failed", "not_attempted"]
    assert simulator.posts() == 0
    assert tokens_left(simulator) == []


@pytest.mark.before_release
def test_no_secret_is_shown_however_much_is_told(workspace: Workspace, simulator: Simulator) -> None:
    """Tokens travel from one task to the next."""
    run = Fleet(workspace, simulator, 2).run("-vvvvv", "--diff", ANSIBLE_INJECT_INVOCATION="true")
    assert run.returncode == 0, run.output
    secrets = [token["accessToken"] for token in simulator.state()["tokens"]]
    assert len(secrets) > 1
    secrets.append(login(simulator)["universal_auth_client_secret"])
    assert not [secret for secret in secrets if secret in run.output]


@pytest.mark.before_release
def test_limit(workspace: Workspace, simulator: Simulator) -> None:
    fleet = Fleet(workspace, simulator, 4)
    run = fleet.run("--limit", f"{host(1)},{host(3)}")
    assert run.returncode == 0, run.output
    assert fleet.rotated() == [0, 1, 0, 1]
    assert tokens_left(simulator) == []


@pytest.mark.before_release
def test_check_mode_rotates_nothing_and_leaves_no_token(workspace: Workspace, simulator: Simulator) -> None:
    fleet = Fleet(workspace, simulator, 3)
    run = fleet.run("--check")
    assert run.returncode == 0, run.output
    assert summary(run) == "Check mode: 3 would be rotated, 0 not due, 0 failed, 0 not attempted."
    assert simulator.posts() == 0
    assert tokens_left(simulator) == []


@pytest.mark.before_release
def test_a_token_that_was_given_is_left_alone(workspace: Workspace, simulator: Simulator) -> None:
    """Other jobs use the one in the environment."""
    fleet = Fleet(workspace, simulator, 2)
    given = simulator.mint()
    run = fleet.run(
        INFISICAL_TOKEN=given["accessToken"],
        INFISICAL_UNIVERSAL_AUTH_CLIENT_ID="",
        INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET="",
    )
    assert run.returncode == 0, run.output
    assert fleet.rotated() == [1, 1]
    assert [token["id"] for token in simulator.state()["tokens"] if not token["revoked"]] == [given["id"]]


@pytest.mark.uncounted
def test_an_inventory_that_cannot_be_read_is_none(workspace: Workspace, simulator: Simulator) -> None:
    fleet = Fleet(workspace, simulator, 2)
    run = fleet.run(INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET="wrong")
    assert run.returncode != 0
    assert "An inventory of rotations could not be read" in " ".join(run.output.split())
    assert simulator.posts() == 0


@pytest.mark.before_release
@pytest.mark.counted
def test_a_login_that_fails_says_why(workspace: Workspace, simulator: Simulator) -> None:
    fleet = Fleet(workspace, simulator, 2)
    simulator.fault("unauthorized", path="/login", after=1, times=0)
    run = fleet.run()
    assert run.returncode == 2, run.output
    why = failures(run)
    assert "Could not log in" in why[host(0)]
    assert why[host(1)] == f"Not attempted: see {host(0)}."
    assert simulator.posts() == 0
    assert len(simulator.log("/login$", "POST")) == 2, "the inventory's, and one that was refused"


@pytest.mark.parametrize("cause", ["a rotation", pytest.param("a variable", marks=pytest.mark.before_release)])
@pytest.mark.uncounted
def test_a_retry_file_takes_what_was_not_attempted(workspace: Workspace, simulator: Simulator, cause: str) -> None:
    """As Tower's relaunch on failed hosts does: whoever corrects the cause and runs again over those has them all."""
    fleet = Fleet(workspace, simulator, 4)
    if cause == "a rotation":
        fleet.refuse(1)
    env = {"ANSIBLE_RETRY_FILES_ENABLED": "true", "ANSIBLE_RETRY_FILES_SAVE_PATH": str(workspace.folder / "retry")}
    wrong = {"a rotation": {}, "a variable": {"infisical_ca_path": "no/such.pem"}}[cause]
    assert fleet.run(variables=wrong, **env).returncode == 2
    done = fleet.rotated()
    assert done == ([1, 0, 0, 0] if cause == "a rotation" else [0] * 4)
    (retry,) = (workspace.folder / "retry").iterdir()
    assert retry.read_text(encoding="utf-8").split() == [host(number) for number in range(4) if not done[number]]
    simulator.clear_faults()
    run = fleet.run("--limit", f"@{retry}")
    assert run.returncode == 0, run.output
    assert fleet.rotated() == [1] * 4


@pytest.mark.before_release
def test_what_is_handed_on_to_the_next_job(workspace: Workspace, simulator: Simulator) -> None:
    fleet = Fleet(workspace, simulator, 2)
    fleet.refuse(1)
    run = fleet.run(ANSIBLE_SHOW_CUSTOM_STATS="true")
    assert run.returncode == 2, run.output
    handed_on = run.named("Hand on what happened")["ansible_stats"]["data"]["secretops_infisical"]
    moment = simulator.rotation(fleet.rotations[0]["id"])["lastRotatedAt"]
    assert handed_on["summary"] == summary(run)
    assert handed_on["counts"] == {
        "rotated": "1",
        "not_due": "0",
        "failed": "1",
        "not_attempted": "0",
        "same_as_another": "0",
    }
    assert handed_on["moments"] == {"first_rotated_at": moment, "last_rotated_at": moment}
    assert [each.partition(": ")[0] for each in handed_on["failures"]] == [host(1)]


@pytest.mark.before_release
@pytest.mark.parametrize("size", [18])
def test_three_times_the_rate_limit(workspace: Workspace, simulator: Simulator, size: int) -> None:
    """The waiting tasks send nothing twice and none of them fails."""
    fleet = Fleet(workspace, simulator, size)
    limit = size // 3
    simulator.settings(rateLimits={"window": 3, "write": limit, "read": 1000})
    run = fleet.run(variables={"rotate_serial": "100%", "rotate_wait_timeout": 120})
    assert run.returncode == 0, run.output
    assert fleet.rotated() == [1] * size
    accepted = [entry for entry in simulator.log(ROTATE_PATH, "POST") if entry["status"] == 200]
    assert len(accepted) == size
    assert tokens_left(simulator) == []
