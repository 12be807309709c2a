# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nobody is cut off: what keeps a handover from rotating, and what it says then."""

from __future__ import annotations

import json
import threading

import pytest
import yaml
from simulator.client import Simulator
from support.ansible import Workspace
from support.handover import Handover

pytestmark = [pytest.mark.run_once, pytest.mark.before_release]


@pytest.fixture
def handover(workspace: Workspace, simulator: Simulator) -> Handover:
    return Handover(workspace, simulator, "web1", "web2", slots=2, activeIndex=1)


def test_a_consumer_that_fails_before_the_rotation_keeps_the_gate_shut(handover: Handover) -> None:
    older = list(handover.slots.values())[1]
    handover.hosts["web2"] = handover.consumer("web2", older)
    handover.accepts_only("web2", older)
    run = handover.run()
    assert run.returncode == 2, run.output
    assert (handover.rotations(), handover.simulator.posts()) == (0, 0)
    assert [handover.holds(name) for name in handover.hosts] == [handover.active, older]
    assert "web2" in handover.told()["stopped"]


@pytest.mark.weekly
def test_what_had_it_already_gets_the_other_secret_back_and_what_was_changed_by_hand_its_own(
    handover: Handover,
) -> None:
    """The file of the first was not changed, so that there is no content from before; the note of the second lies."""
    assert handover.run(rotate=False).returncode == 0
    (active_id, _active), (older_id, older) = handover.slots.items()
    handover.path("web2").write_text(f"OKTA_CLIENT_SECRET={older}\n", encoding="utf-8")
    for name in handover.hosts:
        handover.accepts_only(name, older)
    run = handover.run(serial="100%")
    assert run.returncode == 2, run.output
    assert handover.rotations() == 0
    assert [handover.holds(name) for name in handover.hosts] == [older] * 2
    # Note and report tell what the first holds now, and that nobody knows it of the second.
    assert json.loads(handover.note("web1").read_text(encoding="utf-8"))["secret_id"] == older_id
    assert handover.states() == {"web1": ("failed", older_id), "web2": ("failed", "")}
    assert active_id in handover.told()["stopped"]


def test_a_consumer_that_is_not_restored_keeps_what_it_got(handover: Handover) -> None:
    handover.accepts_only("web1", "nothing")
    run = handover.run(restore=False)
    assert run.returncode == 2, run.output
    assert handover.holds("web1") == handover.active
    assert "It was left as it is." in run.output
    assert (handover.rotations(), handover.holds("web2")) == (0, "made by hand")


def test_what_fails_with_its_own_secret_too_is_said_to(handover: Handover) -> None:
    handover.accepts_only("web1", "nothing")
    run = handover.run()
    assert run.returncode == 2, run.output
    assert handover.holds("web1") == "made by hand"
    assert "Bringing back its previous secret failed too" in run.output
    assert handover.states()["web1"] == ("failed", "")


#: The commands that reach a consumer, of which each may be the last one: none, its restart in the first round, and the
#: delivery of the new secret in the second.
@pytest.mark.parametrize("commands", [0, *(pytest.param(number, marks=pytest.mark.weekly) for number in (20, 40))])
def test_an_unreachable_consumer_at_each_stage(handover: Handover, commands: int) -> None:
    handover.hosts["web2"] |= {"ansible_connection": "shaky", "shaky_commands": commands}
    run = handover.run()
    # What breaks between two commands of one module is a failure and not unreachable for an older ansible-core.
    assert run.returncode in (2, 4), run.output
    assert handover.rotations() == (commands == 40)
    states = handover.states()
    lost = [result for result in run.results if result.host == "web2" and result.status in ("unreachable", "failed")]
    assert lost
    if commands < 40:
        assert states["web2"] in (("not_reached", ""), ("failed", ""))
        assert "web2 (" in handover.told()["stopped"]
        return
    # It went after it had been proved to hold the first secret, which is still good.
    assert handover.holds("web2") in handover.slots.values()
    assert states["web2"][0] in ("proven", "not_reached", "failed")
    assert states["web1"] == ("proven", handover.active_id)
    # Back on the network: nobody is cut off, and no rotation is made twice.
    del handover.hosts["web2"]["ansible_connection"], handover.hosts["web2"]["shaky_commands"]
    run = handover.run()
    assert run.returncode == 0, run.output
    assert handover.rotations() == 1
    assert handover.states() == dict.fromkeys(handover.hosts, ("proven", handover.active_id))


def test_a_limit_makes_it_deliver_only(handover: Handover) -> None:
    run = handover.run("--limit", "web1")
    assert run.returncode == 0, run.output
    assert (handover.rotations(), handover.simulator.posts()) == (0, 0)
    assert [handover.holds(name) for name in handover.hosts] == [handover.active, "made by hand"]
    assert "Delivered only, not rotated: web2 takes the same secret and is not in this run" in run.output
    assert handover.told()["consumers"][1]["in_this_run"] is False


def test_a_slice_makes_it_deliver_only(handover: Handover) -> None:
    """Tower gives each slice an inventory of its own."""
    run = handover.run(consumers_count=6)
    assert run.returncode == 0, run.output
    assert handover.rotations() == 0
    assert [handover.holds(name) for name in handover.hosts] == [handover.active] * 2
    assert "handover_consumers_count is 6, and the inventory has 2" in run.output


def test_serial_of_a_play_of_ones_own_is_refused(handover: Handover) -> None:
    role = {"name": "Hand over", "ansible.builtin.import_role": {"name": "secretops.infisical.handover"}}
    play = {"hosts": "handover_consumers", "gather_facts": False, "serial": 1, "tasks": [role]}
    path = handover.workspace.folder / "own.yml"
    path.write_text(yaml.safe_dump([play]), encoding="utf-8")
    run = handover.run(playbook=str(path))
    assert run.returncode == 2, run.output
    assert handover.simulator.log() == []
    assert "The play has serial, which hides the consumers of other batches" in run.output
    # Delivering hides nothing.
    run = handover.run(playbook=str(path), rotate=False)
    assert run.returncode == 0, run.output
    assert (handover.rotations(), handover.holds("web2")) == (0, handover.active)


def test_a_consumer_that_is_only_checked_does_not_open_the_gate(handover: Handover) -> None:
    del handover.hosts["web1"]
    handover.hosts["web2"]["handover_check"]["fetches_token"] = False
    # A variable that looks like a record counts for nothing.
    handover.variables["handover_state"] = {"run": "x", "secret_id": handover.active_id, "state": "proven"}
    run = handover.run()
    assert run.returncode == 2, run.output
    assert handover.rotations() == 0
    assert (
        f"Not every consumer is proven with the active secret {handover.active_id}: web2 (only checked)" in run.output
    )
    run = handover.run(require="checked")
    assert run.returncode == 0, run.output
    assert handover.rotations() == 1


def test_no_rotation_is_begun_shortly_before_a_planned_one(handover: Handover) -> None:
    del handover.hosts["web2"]
    handover.simulator.change_rotation(handover.id, nextRotationAt=1800)
    run = handover.run()
    assert run.returncode == 2, run.output
    assert handover.rotations() == 0
    assert "within handover_window (1 hour)" in run.output
    assert [handover.holds(name) for name in handover.hosts] == ["made by hand"]
    assert "Would rotate" in handover.run("--check", window="10m").output


def test_an_active_secret_that_okta_refuses_is_not_handed_on(handover: Handover) -> None:
    simulator, rotation = handover.simulator, handover.simulator.rotation(handover.id)
    client_id = rotation["parameters"]["clientId"]
    order = {"action": "remove", "clientId": client_id, "secretId": handover.active_id}
    simulator.control("POST", "orphan", order)
    run = handover.run()
    assert run.returncode == 2, run.output
    assert f"Okta does not accept the active secret {handover.active_id}" in run.output
    assert [handover.holds(name) for name in handover.hosts] == ["made by hand"] * 2
    assert handover.rotations() == 0


def test_a_rotation_between_the_look_and_ours_begins_again(handover: Handover) -> None:
    """A rival: everybody has the first secret, and then another one is active before ours begins."""
    trigger = handover.workspace.folder / "trigger"
    handover.hosts["web2"]["handover_restart"]["argv"][2] += f"; touch {trigger}"
    done = threading.Event()

    def rival() -> None:
        while not trigger.exists() and not done.wait(0.02):
            pass
        handover.simulator.rival(handover.id)

    thread = threading.Thread(target=rival)
    thread.start()
    try:
        run = handover.run()
    finally:
        done.set()
        thread.join()
    assert run.returncode == 0, run.output
    # The rival's is taken for the one of this run: a second would cut off whoever has the first.
    assert (handover.rotations(), handover.simulator.posts()) == (1, 0)
    assert [handover.holds(name) for name in handover.hosts] == [handover.active] * 2


def test_a_lost_answer_is_one_rotation_and_credentials_that_lag_are_waited_for(handover: Handover) -> None:
    """What a replica still shows after the rotation is not delivered as the new secret."""
    del handover.hosts["web2"]
    handover.simulator.fault_rotate("close_after")
    path = r"/generated-credentials$"
    first = handover.slots
    state = handover.simulator.rotation(handover.id)
    old = {
        "rotationId": handover.id,
        "type": state["type"],
        "activeIndex": state["activeIndex"],
        "generatedCredentials": state["generatedCredentials"],
    }
    handover.simulator.fault("status", path=path, method="GET", after=1, times=2, status=200, body=old)
    run = handover.run()
    assert run.returncode == 0, run.output
    assert (handover.rotations(), handover.simulator.posts()) == (1, 1)
    assert handover.active not in first.values()
    assert len(handover.simulator.log(path)) == 4
    assert [handover.holds(name) for name in handover.hosts] == [handover.active]
    assert handover.states() == dict.fromkeys(handover.hosts, ("proven", handover.active_id))


def test_with_no_age_at_all_it_is_one_rotation_for_a_run(handover: Handover) -> None:
    del handover.hosts["web2"]
    handover.simulator.change_rotation(handover.id, lastRotatedAt=60)
    assert handover.run(min_age=0).returncode == 0
    assert handover.rotations() == 1


def test_one_rotation_after_the_other(workspace: Workspace, simulator: Simulator) -> None:
    handover = Handover(workspace, simulator, "web1", "web2")
    other = Handover(workspace, simulator)
    handover.hosts["web2"]["handover_rotation_id"] = other.id.upper()
    run = handover.run()
    assert run.returncode == 0, run.output
    assert (handover.rotations(), other.rotations()) == (1, 1)
    assert [handover.holds(name) for name in handover.hosts] == [handover.active, other.active]
    hosts = [result.host for result in run.results if result.task.endswith("Write the file")]
    assert hosts == ["web1"] * 2 + ["web2"] * 2
    assert handover.states() == {
        "web1": ("proven", handover.active_id),
        "web2": ("proven", other.active_id),
    }
