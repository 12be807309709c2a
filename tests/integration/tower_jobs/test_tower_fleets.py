# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet in Tower through ansible-runner: slices, a relaunch on failed hosts, a job that is canceled."""

from __future__ import annotations

from typing import Any

import pytest
from simulator.client import ROTATE_PATH, Simulator
from support.ansible import Workspace
from support.processes import until
from support.server import tokens_left
from support.tower import PROJECT_ID, Job, localhost, sliced, tower_for

pytestmark = [pytest.mark.run_once, pytest.mark.before_release]

LOGIN = "/universal-auth/login$"
SLICES = 3


class Fleet:
    """``size`` rotations, and nothing else, in the project of the skeleton's inventory file."""

    def __init__(self, workspace: Workspace, simulator: Simulator, size: int) -> None:
        self.simulator = simulator
        project = simulator.add_project("fleet")["id"]
        self.ids = [each["id"] for each in simulator.add_rotations(size, projectId=project, name="app")]
        self.tower = tower_for(simulator, workspace)
        self.tower.configure("fleet.okta_rotations.yml", f"payments: {PROJECT_ID}", f"fleet: {project}")
        self.inventory = self.tower.sync()
        self.hosts = sorted(self.inventory["_meta"]["hostvars"])
        assert len(self.hosts) == size

    def launch(self, inventory: dict[str, Any] | None = None, **more: Any) -> Job:
        return self.tower.launch("rotate_fleet.yml", inventory or self.inventory, forks=20, **more)

    def slices(self) -> list[Job]:
        """One after another, as where Tower has no capacity for two."""
        return [self.launch(sliced(self.inventory, number, SLICES)) for number in range(1, SLICES + 1)]

    def wrong_secret(self) -> None:
        self.tower.login = {**self.tower.login, "INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET": "wrong"}

    def rotated(self) -> list[int]:
        return [self.simulator.rotations_done(each) for each in self.ids]


def test_a_relaunch_on_failed_hosts_does_all_that_was_not_done(workspace: Workspace, simulator: Simulator) -> None:
    fleet = Fleet(workspace, simulator, 5)
    # The first of the second batch.
    simulator.fault("status", path=f"{fleet.ids[1]}/rotate-secrets", status=403)
    job = fleet.launch()
    assert job.status == "failed", job.stdout
    assert fleet.rotated() == [1, 0, 0, 0, 0]
    assert job.told["counts"]["not_attempted"] == "3"
    assert job.failed_hosts == fleet.hosts[1:]
    job = fleet.launch(limit=job.failed_hosts)
    assert job.status == "successful", job.stdout
    assert job.told["summary"] == "4 rotated, 0 not due, 0 failed, 0 not attempted."
    assert fleet.rotated() == [1] * 5
    assert tokens_left(simulator) == []


@pytest.mark.weekly
def test_slices_rotate_each_one_once_and_one_that_stops_stops_no_other(
    workspace: Workspace, simulator: Simulator
) -> None:
    """Each of them logs in for itself, and has a first one, a stop and a summary of its own."""
    fleet = Fleet(workspace, simulator, 6)
    simulator.clear_log()
    # The first one of the first slice.
    simulator.fault("status", path=f"{fleet.ids[0]}/rotate-secrets", status=403)
    jobs = fleet.slices()
    assert [job.status for job in jobs] == ["failed", "successful", "successful"], jobs[1].stdout
    assert [job.told["counts"]["rotated"] for job in jobs] == ["0", "2", "2"]
    assert fleet.rotated() == [0, 1, 1] * 2
    assert len(simulator.log(ROTATE_PATH, "POST")) == 5
    assert len(simulator.log(LOGIN, "POST")) == SLICES
    assert tokens_left(simulator) == []


@pytest.mark.weekly
def test_three_slices_with_a_wrong_secret_lock_the_identity(workspace: Workspace, simulator: Simulator) -> None:
    """And so for everybody, with the right secret too."""
    fleet = Fleet(workspace, simulator, 3)
    simulator.clear_log()
    right = fleet.tower.login
    fleet.wrong_secret()
    assert [job.status for job in fleet.slices()] == ["failed"] * SLICES
    assert [entry["status"] for entry in simulator.log(LOGIN, "POST")] == [401] * SLICES
    fleet.tower.login = right
    job = fleet.launch()
    assert job.status == "failed"
    assert "temporarily locked" in job.stdout
    assert fleet.rotated() == [0] * 3


def test_one_job_with_a_wrong_secret_logs_in_once(workspace: Workspace, simulator: Simulator) -> None:
    """Whatever the number of rotations and forks."""
    fleet = Fleet(workspace, simulator, 9)
    simulator.clear_log()
    fleet.wrong_secret()
    job = fleet.launch()
    assert job.status == "failed"
    assert [entry["status"] for entry in simulator.log(LOGIN, "POST")] == [401]
    assert job.failed_hosts == fleet.hosts


def test_a_job_that_is_canceled_leaves_its_token_and_is_not_done_again(
    workspace: Workspace, simulator: Simulator
) -> None:
    """By SIGKILL: nothing can be said or revoked. The server goes on, and the next job tells the truth."""
    rotation = simulator.rotation()["id"]
    simulator.settings(rotationSeconds=5)
    tower = tower_for(simulator, workspace)
    given = {"rotate_rotation": rotation}
    job = tower.launch("rotate.yml", localhost(), given, cancel=lambda: simulator.posts() > 0)
    assert job.status == "canceled"
    assert "[Rotate the secret]" in job.stdout
    assert "PLAY RECAP" not in job.stdout
    assert not [event for event in job.events if event["event"] == "playbook_on_stats"]
    assert len(tokens_left(simulator)) == 1
    job = tower.launch("rotate.yml", localhost(), given)
    assert job.status == "successful", job.stdout
    assert simulator.rotations_done() == 1
    assert "Rotated by another request" in job.stdout or "Not due" in job.stdout
    # Of the first job, and it stays good as long as the identity says.
    assert len(tokens_left(simulator)) == 1


def test_a_fleet_that_is_canceled_goes_on_where_it_was(workspace: Workspace, simulator: Simulator) -> None:
    fleet = Fleet(workspace, simulator, 5)
    simulator.settings(rotationSeconds=3)
    job = fleet.launch(cancel=lambda: simulator.posts() > 1)
    assert job.status == "canceled"
    assert len(tokens_left(simulator)) == 1
    # A job that comes while the server still rotates may find that its first batch proved nothing, and say so.
    until(lambda: fleet.rotated() == [1, 1, 0, 0, 0], "the server ended what was begun")
    simulator.settings(rotationSeconds=0)
    job = fleet.launch()
    assert job.status == "successful", job.stdout
    assert job.told["summary"] == "3 rotated, 2 not due, 0 failed, 0 not attempted."
    assert fleet.rotated() == [1] * 5
    assert len(tokens_left(simulator)) == 1
