# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.durations import (
    in_words,
    parse_duration,
)
from ansible_collections.secretops.infisical.plugins.module_utils._timestamps import moment_of, parse_timestamp
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("5m", 300), ("12h", 43200), ("30d", 2592000), ("0", 0), (300, 300), (" 7 ", 7), ("0d", 0)],
)
def test_a_duration_is_a_number_with_a_unit(text: str | int, seconds: int) -> None:
    assert parse_duration("min_age", text) == seconds


@pytest.mark.parametrize("text", ["", "5 m", "-1", "1.5h", "m", "5w", "5M", "٥", "1e3", "5m5", "99999999999d", True])
def test_anything_else_is_refused_by_name(text: str) -> None:
    with pytest.raises(InfisicalError, match="min_age is .* not a duration") as caught:
        parse_duration("min_age", text)
    assert caught.value.reason == "invalid_arguments"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 seconds"),
        (-5, "0 seconds"),
        (0.9, "0 seconds"),
        (1, "1 second"),
        (59, "59 seconds"),
        (60, "1 minute"),
        (61, "1 minute 1 second"),
        (3600, "1 hour"),
        (3659, "1 hour"),
        (11520, "3 hours 12 minutes"),
        (86400 * 40, "40 days"),
        (86400 + 7200, "1 day 2 hours"),
    ],
)
def test_words_have_at_most_two_units(seconds: float, words: str) -> None:
    assert in_words(seconds) == words


@given(st.integers(0, 10**10))
def test_words_never_say_more_than_there_is(seconds: int) -> None:
    sizes = {"day": 86400, "hour": 3600, "minute": 60, "second": 1}
    parts = in_words(seconds).split()
    said = sum(int(count) * sizes[unit.rstrip("s")] for count, unit in zip(parts[::2], parts[1::2], strict=True))
    smallest = sizes[parts[-1].rstrip("s")]
    assert said <= seconds
    assert seconds - said < smallest


@pytest.mark.parametrize("text", ["2026-01-02T03:04:05.678Z", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05"])
def test_timestamps_are_utc(text: str) -> None:
    moment = parse_timestamp(text)
    assert moment.replace(microsecond=0) == datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


@pytest.mark.parametrize("value", [None, "", "soon", 5, ["2026-03-12T09:30:01.000Z"], {}])
def test_what_is_no_timestamp_is_no_moment(value: Any) -> None:
    assert moment_of(value) is None
    assert moment_of("2026-03-12T09:30:01.000Z") == datetime(2026, 3, 12, 9, 30, 1, tzinfo=timezone.utc)
