# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses from which an identity may come."""

from __future__ import annotations

import ipaddress

from .errors import WRONG_IP, forbidden, internal

EVERYWHERE = ("0.0.0.0/0", "::/0")


def refuse_untrusted(address: str, trusted: list[str]) -> None:
    try:
        here = ipaddress.ip_address(address)
    except ValueError:
        raise internal() from None
    if not any(here in ipaddress.ip_network(block, strict=False) for block in trusted):
        raise forbidden(WRONG_IP)
