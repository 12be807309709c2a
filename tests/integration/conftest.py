# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What many of the tests in the process of pytest share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from simulator.client import Simulator
from support.machine import Machine


@pytest.fixture
def rotation(simulator: Simulator) -> dict[str, Any]:
    """It was rotated 40 days ago."""
    return simulator.rotation()


@pytest.fixture
def machine(simulator: Simulator, rotation: dict[str, Any], tmp_path: Path) -> Machine:
    """Its tasks are given a token."""
    options = {"url": simulator.url, "token": simulator.mint_token(), "rotation_id": rotation["id"]}
    return Machine(tmp_path / "tmp", options)
