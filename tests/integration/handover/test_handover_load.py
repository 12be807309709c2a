# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a handover costs the services that work meanwhile, and those who ask them: nothing.

The demo shows both handovers too, with fewer of the ways in which services take a secret.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from integration.handover.handed_services import HandedServices
from services.load import Load
from services.services import Services
from simulator.client import Simulator
from support.ansible import Workspace

pytestmark = [pytest.mark.run_once, pytest.mark.before_release]


@pytest.fixture
def services(simulator: Simulator, tmp_path: Path) -> Iterator[Services]:
    with Services(tmp_path / "host", simulator.okta_url) as started:
        yield started


@pytest.mark.weekly
def test_a_planned_handover(workspace: Workspace, simulator: Simulator, services: Services) -> None:
    handover = HandedServices(workspace, simulator, services, lagging=["billing@1"])
    older, before = reversed(handover.slots.values())
    with Load(services.steady_urls) as load:
        load.wait()
        run = handover.run()
        load.wait()
    assert run.returncode == 0, run.output
    assert handover.rotations() == 1
    assert handover.active not in (older, before)
    handover.assert_nobody_noticed(load)
    handover.assert_handed_over()
    told = [call.argv for call in services.calls() if call.argv[0] in {"reload", "restart"}]
    once = [["restart", "billing@1"], ["restart", "billing@2"], ["reload", "reporting"]]
    assert told == once * 2


@pytest.mark.weekly
def test_an_active_secret_that_leaked(workspace: Workspace, simulator: Simulator, services: Services) -> None:
    """After the first of the two rotations it is the previous one."""
    handover = HandedServices(workspace, simulator, services, lagging=["reporting", "billing@2"])
    leaked_id, leaked = next(iter(handover.slots.items()))
    with Load(services.steady_urls) as load:
        load.wait()
        run = handover.run(leaked_secret_id=leaked_id)
        load.wait()
    assert run.returncode == 0, run.output
    assert handover.rotations() == 2
    handover.assert_nobody_noticed(load)
    handover.assert_handed_over()
    assert [handover.token_status(secret) for secret in (leaked, handover.active)] == [401, 200]


def test_two_rotations_without_a_handover_are_noticed(
    workspace: Workspace, simulator: Simulator, services: Services
) -> None:
    handover = HandedServices(workspace, simulator, services)
    held = handover.active
    with Load(services.steady_urls) as load:
        load.wait()
        simulator.rival(handover.id)
        # The one before goes on working: one rotation is noticed by nobody.
        load.wait(60)
        assert load.failures == []
        simulator.rival(handover.id)
        load.wait(60)
    assert handover.rotations() == 2
    assert {(failure.url, failure.what) for failure in load.failures} == {(url, "502") for url in services.steady_urls}
    assert set(handover.refused()) == {401}
    assert handover.token_status(held) == 401
