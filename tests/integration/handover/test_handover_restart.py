# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A consumer is proven by a restart that it really had, also where somebody corrects its variables between two runs."""

from __future__ import annotations

import pytest
from simulator.client import Simulator
from support.ansible import Workspace
from support.handover import Handover

pytestmark = [pytest.mark.run_once, pytest.mark.before_release]


def test_a_restart_that_is_corrected_is_made(workspace: Workspace, simulator: Simulator) -> None:
    """As the gate asks for it: what was noted of the restart before says nothing of this one."""
    handover = Handover(workspace, simulator, "web1", slots=2, activeIndex=1)
    own = handover.hosts["web1"]
    right, own["handover_restart"] = own["handover_restart"], {"argv": ["true"]}
    assert handover.run(rotate=False).returncode == 0
    assert (handover.restarted("web1"), handover.holds("web1")) == (0, handover.active)
    own["handover_restart"] = right
    run = handover.run()
    assert run.returncode == 0, run.output
    # Before the rotation and after it: the one before is gone only from a memory that was renewed.
    assert (handover.rotations(), handover.restarted("web1")) == (1, 2)
