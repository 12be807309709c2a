# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""All neighbours, and which of them this machine has."""

from __future__ import annotations

from .apache import APACHE
from .daemon import find
from .haproxy import HAPROXY
from .nginx import NGINX
from .rows import Neighbour, Row
from .squid import SQUID
from .varnish import VARNISH

NEIGHBOURS = (NGINX, HAPROXY, APACHE, SQUID, VARNISH)
ROWS: tuple[tuple[Neighbour, Row], ...] = tuple((neighbour, row) for neighbour in NEIGHBOURS for row in neighbour.rows)


def missing() -> list[Neighbour]:
    return [neighbour for neighbour in NEIGHBOURS if find(neighbour.program) is None]
