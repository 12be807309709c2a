# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in of Tower for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .awx_api import Awx
from .setting_up import PASSWORD

PLAYBOOKS = {"rotate.yml", "rotate_fleet.yml", "handover.yml", "report.yml"}


@pytest.fixture
def awx() -> Iterator[Awx]:
    with Awx("admin", PASSWORD, PLAYBOOKS) as running:
        yield running
