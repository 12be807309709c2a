# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What many of the tests in the process of pytest share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from simulator.client import Simulator
from support import both_ways
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


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run again to compare tasks that are modules, only files that start processes tell anything new."""
    if not os.environ.get(both_ways.RECORD) or os.environ.get(both_ways.IN_PROCESS) != "0":
        return
    starting = ("Workspace", "subprocess")
    started = [item for item in items if any(hasattr(getattr(item, "module", None), name) for name in starting)]
    config.hook.pytest_deselected(items=[item for item in items if item not in started])
    items[:] = started
