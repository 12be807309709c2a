# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m quality.neighbours`: the packages of the distribution that this machine lacks."""

from __future__ import annotations

from ..browser import PACKAGES, find
from .table import missing

print(*(neighbour.package for neighbour in missing()), *(() if find() else PACKAGES))
