# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of the answer to a change: lost, refused, late, stale, or about a rotation that a rival made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError
from ansible_collections.secretops.infisical.plugins.module_utils._rotations import lock
from simulator.client import Simulator
from support.life import ROTATIONS, changing, due, sent
from support.machine import Machine, ended
from support.stale_front import Onward, Reply, Request, Shown, front


@pytest.fixture
def machine(simulator: Simulator, tmp_path: Path) -> Machine:
    return changing(simulator, tmp_path / "tmp")


@pytest.mark.parametrize("action", ["reset_after", "close_after", "half_body", "empty_200"])
@pytest.mark.parametrize("rotates", [False, True])
def test_a_lost_answer_is_cleared_up_by_reading(
    simulator: Simulator, machine: Machine, action: str, rotates: bool
) -> None:
    if rotates:
        due(simulator, machine)
    simulator.fault(action, path=ROTATIONS, method="PATCH", work="before")
    result = machine.run(description="text", allow_rotation=True)
    assert (ended(result), result["rotated"]) == (("updated", True), rotates)
    assert len(sent(simulator)) == 1
    assert simulator.rotations_done() == int(rotates)


def test_an_answer_that_never_shows_the_change_is_unknown(simulator: Simulator, machine: Machine) -> None:
    simulator.fault("reset_before", path=ROTATIONS, method="PATCH")
    result = machine.run(description="text")
    assert (ended(result), result["outcome"]) == (("outcome_unknown", False), "unknown")
    assert "changed 'okta-payments'" in result["msg"]
    assert len(sent(simulator)) == 1
    simulator.fault("mutate", path=ROTATIONS, method="PATCH", set={"secretRotation.description": "other"})
    simulator.fault("mutate", path=ROTATIONS, method="GET", set={"secretRotation.description": "other"}, times=0)
    result = machine.run(description="text")
    assert ended(result) == ("outcome_unknown", False)
    assert "answered that it changed" in result["msg"]


def test_a_refusal_is_passed_on_and_leaves_no_note(simulator: Simulator, machine: Machine) -> None:
    due(simulator, machine)
    simulator.change_identity(simulator.state()["identity"]["id"], without=[["edit", "secret-rotation"]])
    result = machine.run(description="text", allow_rotation=True)
    assert ended(result) == ("permission_denied", False)
    assert "the action edit on the subject secret-rotation" in result["msg"]
    assert machine.notes == []


def test_after_a_rate_limit_it_is_looked_at_again(simulator: Simulator, machine: Machine) -> None:
    simulator.fault("rate_limit", path=ROTATIONS, method="PATCH", seconds=7)
    machine.clock.meanwhile.append(
        lambda: simulator.change_rotation(machine.options["rotation_id"], description="text")
    )
    assert ended(machine.run(description="text")) == ("unchanged", False)
    assert machine.clock.pauses == [7.0]
    simulator.fault("rate_limit", path=ROTATIONS, method="PATCH", seconds=7)
    result = machine.run(description="other", rotation_interval=60)
    assert (ended(result), len(sent(simulator))) == (("updated", True), 3)


def test_a_rival_that_rotates_meanwhile_is_told(simulator: Simulator, machine: Machine) -> None:
    def rotating(request: Request, onward: Onward) -> Reply:
        if request.method == "PATCH":
            simulator.rival(machine.options["rotation_id"])
            simulator.state()
        return onward(request)

    with front(simulator.url, rotating) as url:
        result = machine.run(url=url, description="text")
    assert (ended(result), result["rotated"]) == (("updated", True), True)


def test_a_double_rotation_is_warned_of(simulator: Simulator, machine: Machine) -> None:
    due(simulator, machine)
    shown = Shown({"activeIndex": 0})
    with front(simulator.url, shown) as url:
        result = machine.run(url=url, description="text", allow_rotation=True)
    assert (ended(result), result["rotated"]) == (("updated", True), True)
    assert any("more than once" in text for text in machine.warnings)


def test_a_stale_reading_is_not_decided_by(simulator: Simulator, machine: Machine) -> None:
    with front(simulator.url, Shown(headers={"age": "5"})) as url:
        result = machine.run(url=url, description="text", wait_timeout=5)
    assert ended(result) == ("stale_reading", False)
    assert sent(simulator) == []


@pytest.mark.parametrize("value", ["soon", 5])
def test_a_plan_that_is_no_time_counts_as_a_rotation(simulator: Simulator, machine: Machine, value: Any) -> None:
    simulator.fault("mutate", path=ROTATIONS, method="PATCH", set={"secretRotation.nextRotationAt": value}, times=0)
    result = machine.run(description="text", wait_timeout=5)
    assert ended(result) == ("outcome_unknown", False)


def test_a_new_name_that_cannot_be_checked_stops_it(simulator: Simulator, machine: Machine) -> None:
    simulator.fault("status", path="rotation-name", status=500, message="No.", error="X", times=0)
    assert ended(machine.run(new_name="okta-2")) == ("server_error", False)
    assert sent(simulator) == []


def test_a_note_that_cannot_be_written_after_the_change_is_a_warning(
    simulator: Simulator, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    due(simulator, machine)
    write = lock.Held.write

    def only_before(held: lock.Held, note: lock.Note) -> None:
        if note.settled:
            raise InfisicalError("lock_unavailable", "The disk is full.")
        write(held, note)

    monkeypatch.setattr(lock.Held, "write", only_before)
    result = machine.run(description="text", allow_rotation=True)
    assert (ended(result), result["rotated"]) == (("updated", True), True)
    assert any("could not be noted. The disk is full." in text for text in machine.warnings)


def test_names_that_would_repaint_a_terminal_are_text(simulator: Simulator, machine: Machine) -> None:
    painted = "\x1b[2J"
    values = {"secretsMapping.clientSecret": f"S{painted}", "folder.path": f"/{painted}", "connection.name": painted}
    with front(simulator.url, Shown(values)) as url:
        told = [machine.run(url=url)["msg"], machine.run(url=url, connection_name="other")["msg"]]
        machine.run(url=url, check_mode=True, secrets_mapping={"client_secret": "NEW"})
        told += machine.warnings
        told += [machine.run(url=url, check_mode=True, state="absent")["msg"]]
    assert len(told) == 4
    assert [text for text in told if "\x1b" in text] == []
