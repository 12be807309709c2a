# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a task looks for the outcome of a request whose answer did not tell, whatever was requested."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from simulator.client import Simulator
from support.life import ROTATIONS, changing, creating
from support.machine import Machine, ended

Prepared = Callable[[Simulator, Path], Machine]


def rotating(simulator: Simulator, folder: Path) -> Machine:
    simulator.fault_rotate("status", status=500, error="InternalServerError", message="Something went wrong")
    options = {"url": simulator.url, "token": simulator.mint_token(), "rotation_id": simulator.rotation()["id"]}
    return Machine(folder, options)


def creating_in_vain(simulator: Simulator, folder: Path) -> Machine:
    machine = creating(simulator, folder)
    simulator.fault("reset_before", path=f"{ROTATIONS}$", method="POST")
    return machine


def changing_in_vain(simulator: Simulator, folder: Path) -> Machine:
    machine = changing(simulator, folder)
    simulator.fault("reset_before", path=ROTATIONS, method="PATCH")
    machine.options["description"] = "text"
    return machine


def removing_in_vain(simulator: Simulator, folder: Path) -> Machine:
    options = {"url": simulator.url, "token": simulator.mint_token(), "rotation_id": simulator.rotation()["id"]}
    simulator.fault("reset_before", path=ROTATIONS, method="DELETE")
    return Machine(folder, {**options, "state": "absent"})


REQUESTS: dict[str, Prepared] = {
    "rotate": rotating,
    "create": creating_in_vain,
    "change": changing_in_vain,
    "remove": removing_in_vain,
}
every_request = pytest.mark.parametrize("prepared", REQUESTS.values(), ids=REQUESTS)


@every_request
@pytest.mark.parametrize(
    ("options", "seconds"),
    [
        ({"wait_timeout": 900}, 120),
        ({"wait_timeout": 900, "outcome_timeout": 30}, 30),
        ({"wait_timeout": 900, "outcome_timeout": 0}, 0),
        ({"wait_timeout": 20, "outcome_timeout": 30}, 20),
    ],
)
def test_it_ends_long_before_the_patience_for_rate_limits(
    simulator: Simulator, tmp_path: Path, prepared: Prepared, options: dict[str, Any], seconds: float
) -> None:
    machine = prepared(simulator, tmp_path / "tmp")
    result = machine.run(**options)
    assert ended(result) == ("outcome_unknown", False)
    assert sum(machine.clock.pauses) == seconds


@every_request
def test_a_rate_limit_meanwhile_is_not_counted(simulator: Simulator, tmp_path: Path, prepared: Prepared) -> None:
    machine = prepared(simulator, tmp_path / "tmp")

    def limited() -> None:
        simulator.fault("rate_limit", path="secret-rotations", method="GET", seconds=300)

    machine.clock.meanwhile = [limited]
    result = machine.run(wait_timeout=900, outcome_timeout=30)
    assert ended(result) == ("outcome_unknown", False)
    assert sum(machine.clock.pauses) == 330


@pytest.mark.parametrize("value", [-1, 86401])
def test_a_limit_that_is_none_is_refused_before_anything_is_sent(
    simulator: Simulator, machine: Machine, value: int
) -> None:
    simulator.clear_log()
    result = machine.run(outcome_timeout=value)
    assert ended(result) == ("invalid_arguments", False)
    assert f"outcome_timeout is {value}: give 0 to 86400 seconds." in result["msg"]
    assert simulator.log() == []
