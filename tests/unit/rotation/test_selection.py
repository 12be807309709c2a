# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which rotations are wanted, and which are overdue."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.selection import (
    Selection,
    age,
    is_complete,
    of_both_clocks,
    summary,
)

NOW = datetime(2026, 3, 12, 12, 0, tzinfo=timezone.utc)


def rotation(path: str = "/okta", **changes: Any) -> dict[str, Any]:
    return {
        "id": "3c90c3cc-0d44-4b50-8888-8dd25736052a",
        "environment": {"slug": "prod"},
        "folder": {"path": path},
        "rotationStatus": "success",
        "lastRotatedAt": "2026-03-10T12:00:00.000Z",
        "nextRotationAt": "2026-03-14T12:00:00.000Z",
        **changes,
    }


@pytest.mark.parametrize(
    ("clock", "expected"),
    [(None, (1, 0)), (100.0, (1, 0)), (3 * 86400.0, "3 days ahead of"), (-1e9, "behind"), (1e15, "ahead of")],
)
def test_both_clocks_agree_or_it_is_an_error(clock: float | None, expected: Any) -> None:
    """It is overdue in two days."""
    found = [rotation()]
    if isinstance(expected, tuple):
        selected, overdue, _now = of_both_clocks(found, Selection(), clock, NOW)
        assert (len(selected), len(overdue)) == expected
        return
    if clock == -1e9:
        # Long ago nothing is overdue by either clock: what is wanted decides.
        assert of_both_clocks(found, Selection(), clock, NOW)[:2] == (found, set())
    wanted = Selection() if clock and clock > 0 else Selection(older_than=86400)
    with pytest.raises(InfisicalError, match=expected) as caught:
        of_both_clocks(found, wanted, clock, NOW)
    assert caught.value.reason == "clock_unreliable"


def test_overdue_by_both_clocks() -> None:
    found = [rotation()]
    host_now = NOW + timedelta(days=9)
    server_now = host_now + timedelta(minutes=10)
    assert of_both_clocks(found, Selection(), 600.0, host_now) == (found, {found[0]["id"]}, server_now)


@pytest.mark.parametrize(("clock", "overdue"), [(100.0, True), (-100.0, False)])
def test_clocks_that_differ_a_little_need_not_agree(clock: float, overdue: bool) -> None:
    """The server's counts: by it the moment is past, or not yet here."""
    found = [rotation(nextRotationAt="2026-03-12T12:00:50.000Z" if overdue else "2026-03-12T11:59:00.000Z")]
    assert bool(of_both_clocks(found, Selection(), clock, NOW)[1]) is overdue


@pytest.mark.parametrize(
    ("planned", "overdue"),
    [
        ("2026-03-12T11:59:59.999Z", True),
        ("2026-03-12T12:00:00.000Z", True),
        ("2026-03-12T12:00:00.001Z", False),
        (None, False),
    ],
)
def test_overdue(planned: str | None, overdue: bool) -> None:
    _selected, found, _now = of_both_clocks([rotation(nextRotationAt=planned)], Selection(), None, NOW)
    assert bool(found) is overdue


@pytest.mark.parametrize(
    ("options", "changes", "expected"),
    [
        ({}, {}, True),
        ({"environment": ["dev", "prod"]}, {}, True),
        ({"environment": ["dev"]}, {}, False),
        ({"status": ["failed"]}, {}, False),
        ({"status": ["failed"]}, {"rotationStatus": "failed"}, True),
        ({"secret_path": ["/okta"]}, {}, True),
        ({"secret_path": ["/okta/"]}, {"path": "/okta/apps"}, True),
        ({"secret_path": ["/okta"]}, {"path": "/oktapus"}, False),
        ({"secret_path": ["/"]}, {"path": "/"}, True),
        ({"secret_path": ["/"]}, {}, True),
        ({"secret_path": ["/other", "/okta"]}, {}, True),
        ({"older_than": "2d"}, {}, True),
        ({"older_than": "49h"}, {}, False),
        ({"older_than": "0"}, {}, True),
        ({"due": "0"}, {}, False),
        ({"due": "2d"}, {}, True),
        ({"due": "47h"}, {}, False),
        ({"older_than": "9999999999d"}, {}, False),
        ({"due": "9999999999d"}, {}, True),
        ({"due": "9d"}, {"nextRotationAt": None}, False),
        ({"environment": ["prod"], "status": ["failed"]}, {}, False),
    ],
)
def test_filters(options: dict[str, Any], changes: dict[str, Any], expected: bool) -> None:
    found = [rotation(**changes)]
    assert bool(Selection.parse(**options).of(found, NOW)) is expected


@pytest.mark.parametrize(
    "options",
    [{"older_than": "soon"}, {"due": "-1"}, {"secret_path": ["okta"]}, {"secret_path": ["/../"]}],
)
def test_filters_that_make_no_sense(options: dict[str, Any]) -> None:
    with pytest.raises(InfisicalError) as caught:
        Selection.parse(**options)
    assert caught.value.reason == "invalid_arguments"


def test_an_age_is_told_in_whole_seconds() -> None:
    assert age(rotation(), NOW) == 2 * 86400
    told = summary(rotation(name="okta"), NOW + timedelta(milliseconds=700), set())["age_seconds"]
    assert (told, type(told)) == (2 * 86400, int)


@pytest.mark.parametrize(
    "incomplete",
    [
        {"environment": None},
        {"environment": {"slug": 5}},
        {"folder": {}},
        {"folder": {"path": None}},
        {"nextRotationAt": 5},
        {"nextRotationAt": "soon"},
    ],
)
def test_a_rotation_without_what_is_selected_by(incomplete: dict[str, Any]) -> None:
    assert not is_complete(rotation(**incomplete))
    assert is_complete(rotation())
    assert is_complete(rotation(nextRotationAt=None))
