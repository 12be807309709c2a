# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a server is and how to reach it, as plain data."""

from __future__ import annotations

from typing import NamedTuple


class Connection(NamedTuple):
    """Where the server is and how to reach it."""

    url: str
    validate_certs: bool = True
    ca_path: str | None = None
    client_cert: str | None = None
    client_key: str | None = None
    timeout: float = 90
    #: Whether the environment's proxies and authorities are used.
    environment: bool = True
