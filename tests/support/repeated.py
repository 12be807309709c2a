# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether this run is one of many that repeat the same tests."""

from __future__ import annotations

import os

from support.both_ways import RECORD

#: ansible-test, which passes no variable on, repeats the unit tests on another Python; the coverage is counted by them.
REPEATED = "ansible_pytest_collections" in os.environ.get("PYTEST_PLUGINS", "") or RECORD in os.environ
