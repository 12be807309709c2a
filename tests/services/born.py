# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which process is meant: numbers are given again, the time of a start is not."""

from __future__ import annotations

from pathlib import Path


def born(pid: int) -> str:
    """When the process started, in the kernel's words. Nothing where it has ended, reaped or not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    # Its name comes first, and may hold blanks and parentheses.
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] in {"Z", "X"} else fields[19]
