# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a rotation is due, by two clocks that may be wrong."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.clocks import Decision, decide

ROTATED = datetime(2026, 1, 1, tzinfo=timezone.utc)


def judged(server_age: float | None, host_age: float, min_age: int = 300) -> Decision:
    server_now = None if server_age is None else ROTATED + timedelta(seconds=server_age)
    return decide(ROTATED, server_now, ROTATED + timedelta(seconds=host_age), min_age)


#: Age by the server's clock and by the host's, and what follows: due, reliable, doubted.
@pytest.mark.parametrize(
    ("server_age", "host_age", "due", "reliable", "doubted"),
    [
        (86400, 86400, True, True, False),
        (10, 10, False, True, False),
        # A header has whole seconds, and an answer takes a while.
        (299, 301, False, True, False),
        (300, 296, True, True, False),
        (-0.9, 0.1, False, True, False),
        # They differ, and agree on what follows.
        (86400, 90000, True, True, True),
        (10, 40, False, True, True),
        # They differ on what follows, whoever is wrong.
        (720, 120, True, False, True),
        (120, 720, False, False, True),
        (-1_700_000_000, 86400, False, False, True),
        # Rotated in the future: never taken for 'just now'.
        (-6, -6, False, False, True),
        (-6, 0, False, False, True),
        (86400, -3600, True, False, True),
        # No header Date.
        (None, 86400, True, True, True),
        (None, 10, False, True, True),
        (None, -6, False, False, True),
    ],
)
def test_both_clocks_must_say_it(
    server_age: float | None, host_age: float, due: bool, reliable: bool, doubted: bool
) -> None:
    decision = judged(server_age, host_age)
    assert (decision.due, decision.reliable, bool(decision.doubt)) == (due, reliable, doubted)


def test_a_doubt_names_both_ages() -> None:
    doubt = judged(-7200, 172800).doubt
    assert "2 hours in the future by the server's clock" in doubt
    assert "2 days ago by the clock of this host" in doubt


@pytest.mark.parametrize("server_age", [-1_700_000_000, 86400])
def test_without_min_age_no_clock_is_asked_but_a_doubt_is_said(server_age: float) -> None:
    decision = judged(server_age, 10, min_age=0)
    assert (decision.due, decision.reliable, bool(decision.doubt)) == (True, True, True)
