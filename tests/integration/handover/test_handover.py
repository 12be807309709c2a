# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A planned handover: everybody up to date, one rotation, everybody up to date again, in batches."""

from __future__ import annotations

import pytest
from simulator.client import Simulator
from support.ansible import Workspace
from support.handover import Handover
from support.server import tokens_left

pytestmark = pytest.mark.run_once


@pytest.mark.before_release
def test_a_handover_brings_the_new_secret_to_everybody(workspace: Workspace, simulator: Simulator) -> None:
    handover = Handover(workspace, simulator, "web1", "web2", activeIndex=1)
    older, held = reversed(handover.slots.values())
    handover.path("web2").write_text(f"OKTA_CLIENT_SECRET='{older}'\n", encoding="utf-8")
    run = handover.run()
    assert run.returncode == 0, run.output
    assert handover.rotations() == 1
    new = handover.active
    assert new not in (older, held)
    assert handover.path("web1").read_text(encoding="utf-8") == f"# of web1\nPORT=80\nOKTA_CLIENT_SECRET={new}\n"
    assert handover.path("web2").read_text(encoding="utf-8") == f"OKTA_CLIENT_SECRET='{new}'\n"
    assert handover.path("web1").stat().st_mode & 0o777 == 0o600
    assert [handover.restarted(name) for name in handover.hosts] == [2, 2]
    assert handover.states() == dict.fromkeys(handover.hosts, ("proven", handover.active_id))
    assert tokens_left(simulator) == []
    # As for one consumer: a look takes the rotation and its credentials, and who rotates reads it once more before.
    path = f"/api/v2/secret-rotations/okta-client-secret/{handover.id}"
    look = [("GET", path), ("GET", f"{path}/generated-credentials")]
    rotate = [("GET", path), ("POST", f"{path}/rotate-secrets")]
    assert [(each["method"], each["path"]) for each in simulator.log("/api/v2/")] == [*look, *rotate, *look]
    # Everybody had the active one before the rotation, and the canary was first in both rounds.
    written = [(result.host, result.task) for result in run.results if result.task.endswith("Write the file")]
    assert [host for host, _task in written] == ["web1", "web2"] * 2
    rotated = [number for number, result in enumerate(run.results) if "Rotate once" in result.task]
    second = [number for number, result in enumerate(run.results) if result.task.endswith("Write the file")][1]
    assert second < rotated[0]
    assert "Of 2 consumers: 2 proven." in run.output
    # Both ids are said, and no value.
    assert all(secret_id in run.output for secret_id in handover.slots)
    assert not any(secret in run.output for secret in (older, held, new))
    # A second run, of one of them, delivers nothing, and the rotation is young.
    del handover.hosts["web2"]
    run = handover.run("--diff")
    assert run.returncode == 0, run.output
    assert (handover.rotations(), handover.active) == (1, new)
    assert [result.task for result in run.results if result["changed"]] == []
    assert handover.restarted("web1") == 2
    assert "less than handover_min_age" in run.output
    assert handover.states() == dict.fromkeys(handover.hosts, ("proven", handover.active_id))


def test_check_mode_changes_nothing_and_says_what_would_be_done(workspace: Workspace, simulator: Simulator) -> None:
    handover = Handover(workspace, simulator, "web1")
    run = handover.run("--check", "--diff")
    assert run.returncode == 0, run.output
    assert (simulator.posts(), handover.rotations()) == (0, 0)
    assert [handover.holds(name) for name in handover.hosts] == ["made by hand"]
    assert [path.name for path in workspace.folder.glob("web*")] == ["web1.env"]
    assert "Would rotate" in run.output
    assert handover.states() == dict.fromkeys(handover.hosts, ("predicted", handover.active_id))
    assert f'"secret_id": "{handover.active_id}"' in run.output
    assert handover.active not in run.output


def test_after_a_refusal_the_next_rotation_is_not_begun(workspace: Workspace, simulator: Simulator) -> None:
    failed = {"rotationStatus": "failed", "lastRotationMessage": "Okta is down"}
    handover = Handover(workspace, simulator, "web1", "web2", **failed)
    other = Handover(workspace, simulator)
    handover.hosts["web2"]["handover_rotation_id"] = other.id
    run = handover.run()
    assert run.returncode == 2, run.output
    assert (handover.rotations(), other.rotations()) == (0, 0)
    assert "The last rotation of handed failed: Okta is down" in run.output
    assert [handover.holds(name) for name in handover.hosts] == ["made by hand"] * 2
    assert handover.states() == dict.fromkeys(handover.hosts, ("not_reached", ""))


@pytest.mark.before_release
def test_deliver_only_takes_one_request_and_one_read_of_each(workspace: Workspace, simulator: Simulator) -> None:
    handover = Handover(workspace, simulator, "web1", "web2", slots=2, activeIndex=1)
    assert handover.run(rotate=False).returncode == 0
    assert handover.rotations() == 0
    assert [handover.holds(name) for name in handover.hosts] == [handover.active] * 2
    # The report is for its owner, and holds no secret.
    assert handover.report.stat().st_mode & 0o777 == 0o600
    assert not any(secret in handover.report.read_text(encoding="utf-8") for secret in handover.slots.values())
    report = handover.told()
    assert {each["how"] for each in report["consumers"]} == {"restarted with it, its check fetched a new token"}
    assert all(each["since"].startswith("20") for each in report["consumers"])
    assert (report["counts"], report["stopped"], report["check_mode"]) == ({"proven": 2}, None, False)
    simulator.clear_log()
    run = handover.run(rotate=False)
    assert run.returncode == 0, run.output
    (asked,) = simulator.log("/api/v2/")
    assert asked["path"].endswith("/generated-credentials")
    assert [result.task for result in run.results if result["changed"]] == []
    assert not [result for result in run.results if result.action == "command"]
    assert handover.states() == dict.fromkeys(handover.hosts, ("delivered", handover.active_id))


@pytest.mark.before_release
def test_a_consumer_that_fails_with_the_new_secret_gets_its_file_back(
    workspace: Workspace, simulator: Simulator
) -> None:
    handover = Handover(workspace, simulator, "web1", "web2", "web3", slots=2, activeIndex=1)
    handover.accepts_only("web2", handover.active)
    first_id, first = handover.active_id, handover.active
    run = handover.run()
    assert run.returncode == 2, run.output
    assert handover.rotations() == 1
    # The canary has the new one, the second has its own back, the third was left alone; the first secret is still good.
    assert [handover.holds(name) for name in handover.hosts] == [handover.active, first, first]
    assert first in [secret["client_secret"] for secret in handover.simulator.okta_secrets(handover.id)]
    assert [handover.restarted(name) for name in handover.hosts] == [2, 3, 1]
    assert handover.states() == {
        "web1": ("proven", handover.active_id),
        "web2": ("failed", first_id),
        "web3": ("proven", first_id),
    }
    assert "the task 'Run the consumer's check' (module ansible.builtin.command, rc 1) failed" in run.output
    assert "It has its previous secret back and works with it." in run.output
    assert not any(secret in run.output for secret in (first, handover.active))
