# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A leaked secret dies: after two rotations if it is the active one, after one if it is the one before."""

from __future__ import annotations

import pytest
from simulator.client import Simulator
from support.ansible import Workspace
from support.handover import Handover
from support.leaks import Watch

pytestmark = [pytest.mark.run_once, pytest.mark.before_release]


@pytest.fixture
def handover(workspace: Workspace, simulator: Simulator) -> Handover:
    return Handover(workspace, simulator, "web1", "web2", slots=2, activeIndex=1)


@pytest.mark.parametrize(
    ("slot", "needed"), [(0, 2), pytest.param(1, 1, marks=pytest.mark.weekly)], ids=["active", "previous"]
)
def test_it_is_rotated_out_of_both_slots(handover: Handover, slot: int, needed: int) -> None:
    del handover.hosts["web2"]
    leaked_id, leaked = list(handover.slots.items())[slot]
    assert handover.token_status(leaked) == 200
    run = handover.run(leaked_secret_id=leaked_id)
    assert run.returncode == 0, run.output
    assert (handover.rotations(), handover.simulator.posts()) == (needed, needed)
    assert leaked_id not in handover.slots
    assert handover.token_status(leaked) == 401
    assert handover.token_status(handover.active) == 200
    assert handover.holds("web1") == handover.active
    assert handover.states() == dict.fromkeys(handover.hosts, ("proven", handover.active_id))
    assert f"accepts the newest secret {handover.active_id} and refuses the leaked one, {leaked_id}" in run.output
    assert leaked not in run.output
    if slot:
        return
    # Once more: it is gone, and its value is not known any more.
    run = handover.run(leaked_secret_id=leaked_id)
    assert run.returncode == 0, run.output
    assert handover.rotations() == needed
    assert f"The leaked secret {leaked_id} is in no slot of handed." in run.output
    assert "That it refuses the leaked one is not proved" in run.output
    run = handover.run("-vvvv", leaked_secret_id=leaked_id, leaked_secret=leaked)
    assert run.returncode == 0, run.output
    assert f"refuses the leaked one, {leaked_id}" in run.output


def test_a_consumer_that_is_not_proven_keeps_it_alive(handover: Handover) -> None:
    del handover.hosts["web1"]
    handover.hosts["web2"]["handover_check"]["fetches_token"] = False
    leaked_id = list(handover.slots)[1]
    run = handover.run(leaked_secret_id=leaked_id, require="checked")
    assert run.returncode == 2, run.output
    assert handover.rotations() == 0
    assert "web2 (only checked)" in run.output
    assert "name those that may be cut off in handover_cut_off" in run.output


def test_one_that_cannot_be_reached_may_be_cut_off(handover: Handover) -> None:
    handover.hosts["web2"] |= {"ansible_connection": "shaky", "shaky_commands": 0}
    leaked_id = handover.active_id
    run = handover.run(leaked_secret_id=leaked_id, cut_off=["web2"])
    assert run.returncode == 4, run.output
    assert handover.rotations() == 2
    assert leaked_id not in handover.slots
    assert handover.states() == {"web1": ("proven", handover.active_id), "web2": ("not_reached", "")}


def test_no_secret_is_left_anywhere_at_the_highest_verbosity(workspace: Workspace, simulator: Simulator) -> None:
    handover = Handover(workspace, simulator, "web1", "web2", slots=2, activeIndex=1)
    handover.accepts_only("web2", "nothing")
    identity = simulator.state()["identity"]["clientSecret"]
    secrets = {f"secret {number}": value for number, value in enumerate(handover.slots.values())}
    with Watch({**secrets, "client secret": identity}, workspace) as watch:
        run = handover.run("-vvvv", "--diff", leaked_secret_id=handover.active_id)
        failed = handover.run("-vvvv", "--diff", restore=False, rotate=False)
    assert (run.returncode, failed.returncode) == (2, 2), run.output
    for name in handover.hosts:
        handover.path(name).unlink()
    assert watch.leaks(run.output + failed.output) == []
