# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Durations as people write and read them."""

from __future__ import annotations

import re

from .._errors import invalid_arguments

_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(\d{1,10})([smhd]?)", re.ASCII)


def parse_duration(option: str, value: str | int) -> int:
    """Seconds from ``90s``, ``5m``, ``12h``, ``30d`` or whole seconds; ``option`` names it in the error."""
    match = _DURATION.fullmatch(str(value).strip())
    if match is None:
        raise invalid_arguments(
            f"{option} is {value!r}, which is not a duration: write 90s, 5m, 12h, 30d or whole seconds."
        )
    return int(match[1]) * _SECONDS[match[2]]


def in_words(seconds: float) -> str:
    """The two largest units: ``40 days``, ``3 hours 12 minutes``, ``1 second``."""
    left = max(0, int(seconds))
    words = []
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)):
        count, left = divmod(left, size)
        if count:
            words.append(f"{count} {unit}" if count == 1 else f"{count} {unit}s")
        elif words:
            break
    return " ".join(words[:2]) or "0 seconds"
