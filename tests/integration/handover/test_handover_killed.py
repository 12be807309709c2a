# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A handover that is killed after whichever change: the same command again ends it, and nobody notices either."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from integration.handover.handed_services import HandedServices
from services.load import Load
from services.services import Services
from simulator.client import Simulator
from support.ansible import Workspace

pytestmark = [pytest.mark.run_once, pytest.mark.before_release]

#: The other services hold the active secret and are no consumers: they fail as soon as one rotation too many is done.
UNITS = ("reporting", "billing@1")
WRITE, RESTART, NOTE = "Write the file", "Restart or reload the unit", "Write down what it was restarted with"
RECORD, ROTATE = "Keep how far it came", "Rotate once everybody is proved to hold the active secret"


@pytest.fixture
def services(simulator: Simulator, tmp_path: Path) -> Iterator[Services]:
    with Services(tmp_path / "host", simulator.okta_url) as started:
        yield started


def ended(handover: HandedServices, rotations: int, **more: Any) -> None:
    """The same command once more ends it."""
    run = handover.run(**more)
    assert run.returncode == 0, run.output
    assert handover.rotations() == rotations
    handover.assert_handed_over()


@pytest.mark.parametrize(
    ("task", "at"),
    [(RESTART, 1), (ROTATE, 1), (WRITE, len(UNITS) + 1)],
    ids=["a restart", "the rotation", "the first delivery of the new one"],
)
def test_a_planned_handover_that_is_killed_after(
    workspace: Workspace, simulator: Simulator, services: Services, task: str, at: int
) -> None:
    handover = HandedServices(workspace, simulator, services, units=UNITS, lagging=UNITS)
    with Load(services.steady_urls, per_second=10) as load:
        load.wait()
        assert handover.killed(at, task) == task
        assert handover.rotations() == (0 if task == RESTART else 1)
        load.wait()
        ended(handover, 1)
        load.wait()
    handover.assert_nobody_noticed(load)


@pytest.mark.weekly
def test_a_handover_that_is_killed_after_each_change(
    workspace: Workspace, simulator: Simulator, services: Services
) -> None:
    """Each run begins where the one before was killed, and is killed after the next change that outlives a run."""
    handover = HandedServices(workspace, simulator, services, units=UNITS[:1], lagging=UNITS[:1])
    run = handover.run()
    assert run.returncode == 0, run.output
    changes = [result.task.rpartition(" : ")[2] for result in run.results if result["changed"]]
    assert changes == [WRITE, RESTART, NOTE, RECORD, ROTATE, WRITE, RESTART, NOTE, RECORD], run.output
    # Another application, lest the rotation be a young one.
    handover = HandedServices(workspace, simulator, services, units=UNITS[:1], lagging=UNITS[:1])
    with Load(services.steady_urls, per_second=10) as load:
        for number, task in enumerate(changes):
            if task != RECORD:
                assert handover.killed(1, task) == task
                assert handover.rotations() == (number >= changes.index(ROTATE))
                load.wait()
                assert load.failures == [], f"killed after change {number + 1}, {task}: {load.summary()}"
        ended(handover, 1)
        load.wait()
    handover.assert_nobody_noticed(load)


@pytest.mark.weekly
@pytest.mark.parametrize(
    ("task", "at"),
    [(ROTATE, 1), (ROTATE, 2)],
    ids=["the first rotation", "the second rotation"],
)
def test_a_handover_of_a_leaked_secret_that_is_killed_after(
    workspace: Workspace, simulator: Simulator, services: Services, task: str, at: int
) -> None:
    handover = HandedServices(workspace, simulator, services, units=["reporting"])
    leaked_id, leaked = handover.active_id, handover.active
    with Load([services.url("reporting")], per_second=10) as load:
        load.wait()
        assert handover.killed(at, task, leaked_secret_id=leaked_id) == task
        assert handover.rotations() == (2 if at == 2 else 1)
        load.wait()
        ended(handover, 2, leaked_secret_id=leaked_id)
        load.wait()
    handover.assert_nobody_noticed(load)
    assert [handover.token_status(secret) for secret in (leaked, handover.active)] == [401, 200]
