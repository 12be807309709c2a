# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A library that fails as nobody expects, for tests of what a traceback shows."""

from __future__ import annotations

raise RuntimeError("a fault that nobody foresaw")
