# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The browser of the distribution, in which the report is looked at."""

from __future__ import annotations

import shutil

#: What Debian calls them. Without a font nothing has a width.
PACKAGES = ("chromium-headless-shell", "fonts-dejavu-core")
_PROGRAMS = ("chromium-headless-shell", "chromium")


def find() -> str | None:
    """Where it is."""
    return next(filter(None, map(shutil.which, _PROGRAMS)), None)
