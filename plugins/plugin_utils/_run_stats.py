# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a playbook hands on by set_stats: small, and strings only.

Tower makes extra variables of it for the next job of a workflow, and ansible-core 2.19 types those: a moment would
become a datetime, a number in a text a number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

#: More names would bury a text. The report has all of them.
MOST = 20


def some_of(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST} more" if len(names) > MOST else ""
    return ", ".join(names[:MOST]) + more


def stats(
    playbook: str,
    summary: str,
    *,
    counts: Mapping[str, int],
    failures: Mapping[str, str],
    moments: Mapping[str, str],
    check_mode: bool,
) -> dict[str, Any]:
    """``failures`` are reasons by name, ``moments`` timestamps as the server wrote them."""
    told = [f"{name}: {reason}" for name, reason in failures.items()]
    more = [f"and {len(told) - MOST} more"] if len(told) > MOST else []
    return {
        "playbook": playbook,
        "check_mode": str(check_mode).lower(),
        "summary": summary,
        "counts": {name: str(number) for name, number in counts.items()},
        "failures": [*told[:MOST], *more],
        "moments": dict(moments),
    }
