# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines of ansible-core's output that say that something waits, while it does."""

from __future__ import annotations

from functools import partial

from ansible.utils.display import Display
from ansible_collections.secretops.infisical.plugins.module_utils._transport.patience import Waits
from ansible_collections.secretops.infisical.plugins.module_utils._transport.redaction import printable

_display = Display()


def announcing(of: str) -> Waits:
    """``of`` says who waits, without a secret."""
    return Waits(partial(say, of))


def say(of: str, text: str) -> None:
    """One line, now. A callback may print data on standard output."""
    _display.display(f"{printable(of)}: {text}", stderr=True)
