# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a handover rotates, and what keeps it from that."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from ansible_collections.secretops.infisical.plugins.plugin_utils import _handover_rule as rule
from ansible_collections.secretops.infisical.plugins.plugin_utils._handover_rule import Decision, Held
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

NOW = datetime(2026, 3, 12, 9, 30, tzinfo=timezone.utc)
DAY = 86_400
SAME = profile(derandomize=True, database=None, deadline=None, max_examples=300)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def standing(**changes: Any) -> rule.Standing:
    usual: dict[str, Any] = {
        "name": "okta",
        "active_id": "ocsNew",
        "previous_id": "ocsOld",
        "last_rotated_at": ago(40 * DAY),
        "next_rotation_at": ago(-9 * DAY),
        "failed": False,
        "last_message": "",
        "now": NOW,
    }
    return rule.Standing(**{**usual, **changes})


def settings(**changes: Any) -> rule.Settings:
    return rule.Settings(**{"min_age": DAY, "window": 3600, "require": "proven", **changes})


YOUNG = "okta was rotated {} ago, less than handover_min_age: that rotation is taken for the one of this handover."


@pytest.mark.parametrize(
    ("there", "given_settings", "what", "why"),
    [
        ({}, {}, "rotate", "okta was rotated 40 days ago."),
        ({"last_rotated_at": ago(DAY)}, {}, "rotate", "okta was rotated 1 day ago."),
        ({"last_rotated_at": ago(DAY - 1)}, {}, "done", YOUNG.format("23 hours 59 minutes")),
        ({"last_rotated_at": NOW}, {"min_age": 0}, "rotate", "okta was rotated 0 seconds ago."),
        ({"last_rotated_at": NOW}, {"min_age": 1}, "done", YOUNG.format("0 seconds")),
        # By a clock that is behind the server's.
        ({"last_rotated_at": ago(-5)}, {"min_age": 0}, "done", YOUNG.format("0 seconds")),
        ({"rotated": True}, {}, "done", "okta was rotated by this run."),
        ({"rotated": True}, {"min_age": 0}, "done", "okta was rotated by this run."),
        ({}, {"leaked_secret_id": "ocsNew"}, "rotate", "The leaked secret ocsNew is the active one of okta."),
        ({}, {"leaked_secret_id": "ocsOld"}, "rotate", "The leaked secret ocsOld is the previous one of okta."),
        # Neither its age nor that it was rotated saves a leaked one.
        (
            {"rotated": True, "last_rotated_at": NOW},
            {"leaked_secret_id": "ocsOld"},
            "rotate",
            "The leaked secret ocsOld is the previous one of okta.",
        ),
        ({}, {"leaked_secret_id": "ocsGone"}, "done", "The leaked secret ocsGone is in no slot of okta."),
        (
            {"previous_id": ""},
            {"leaked_secret_id": "ocsOld"},
            "done",
            "The leaked secret ocsOld is in no slot of okta.",
        ),
        ({"previous_id": ""}, {}, "rotate", "okta was rotated 40 days ago."),
    ],
)
def test_whether_a_rotation_is_due(there: dict[str, Any], given_settings: dict[str, Any], what: str, why: str) -> None:
    assert rule.wanted(standing(**there), settings(**given_settings)) == Decision(what, why)


@pytest.mark.parametrize(
    ("ahead", "window", "hinders"),
    [
        (3600, 3600, False),
        (3599, 3600, True),
        (0, 1, True),
        (0, 0, False),
        # One that is late may begin at any moment.
        (-DAY, 0, True),
        (None, 10 * DAY, False),
    ],
)
def test_a_planned_rotation_hinders(ahead: float | None, window: int, hinders: bool) -> None:
    found = rule.hindrance(standing(next_rotation_at=None if ahead is None else ago(-ahead)), settings(window=window))
    assert bool(found) is hinders


def test_what_a_hindrance_says() -> None:
    assert rule.hindrance(standing(), settings()) == ""
    assert rule.hindrance(standing(next_rotation_at=ago(-1800)), settings()) == (
        "Infisical itself is to rotate okta at 2026-03-12 10:00 UTC, within handover_window (1 hour), which would "
        "delete a secret during the handover. Run again after that, or set a shorter handover_window."
    )
    end = "Find out why in Infisical first: a rotation that fails again may leave one secret only."
    for message, told in (("Okta is down", "Okta is down"), ("", "no message")):
        failed = standing(failed=True, last_message=message, next_rotation_at=None)
        assert rule.hindrance(failed, settings()) == f"The last rotation of okta failed: {told}. {end}"


@pytest.mark.parametrize("state", rule.STATES)
@pytest.mark.parametrize(("require", "leaked"), [("checked", ""), ("proven", ""), ("checked", "ocsOld")])
def test_how_far_the_secret_must_have_come(state: str, require: str, leaked: str) -> None:
    opens = {("checked", ""): ("checked", "proven")}.get((require, leaked), ("proven",))
    held = {"a": Held("ocsNew", state)}
    found = rule.gate(["a"], held, "ocsNew", settings(require=require, leaked_secret_id=leaked))
    assert (found == "") is (state in opens)


def test_what_the_gate_says() -> None:
    held = {
        "a": Held("ocsNew", "proven"),
        "b": Held("ocsOld", "proven"),
        "c": Held("", "failed", "it burns"),
        "d": Held("ocsNew", "checked"),
        "e": Held("ocsNew", "failed", "it burns too"),
        "g": Held("ocsOld", "failed"),
    }
    absent = "not attempted, or not reached"
    told = f"b (holds ocsOld), c (holds an unknown one), d (only checked), e (it burns too), f ({absent})"
    begin = (
        f"Not every consumer is proven with the active secret ocsNew: {told}. A rotation would cut off whoever holds "
    )
    listed = ["a", "b", "c", "d", "e", "f", "g"]
    assert rule.gate(listed, held, "ocsNew", settings(cut_off=["g"])) == (
        f"{begin}the one before. Mend them and run again."
    )
    leaked = settings(cut_off=["g"], leaked_secret_id="ocsOld", require="checked")
    assert rule.gate(listed, held, "ocsNew", leaked) == (
        f"{begin}the one before. Mend them and run again, or name those that may be cut off in handover_cut_off."
    )
    assert rule.gate([], {}, "ocsNew", settings()) == ""


HOSTS = ("a1", "b2", "c3", "d4", "e5")
IDS = ("ocsNew", "ocsOld", "")
HELD = st.builds(Held, st.sampled_from(IDS), st.sampled_from(("failed", "delivered", "checked", "proven")))


@SAME
@given(
    listed=st.lists(st.sampled_from(HOSTS), unique=True),
    held=st.dictionaries(st.sampled_from(HOSTS), HELD | st.just(Held("ocsNew", "proven"))),
    cut_off=st.sets(st.sampled_from(HOSTS)),
    require=st.sampled_from(("checked", "proven")),
    leaked=st.sampled_from(("", "ocsNew", "ocsOld")),
)
def test_the_gate_opens_when_nobody_is_behind_and_names_whoever_is(
    listed: list[str], held: Mapping[str, Held], cut_off: set[str], require: str, leaked: str
) -> None:
    far = {"proven"} if leaked or require == "proven" else {"proven", "checked"}
    safe = cut_off.union(
        host for host, each in held.items() if (each.secret_id, each.state) in {("ocsNew", s) for s in far}
    )
    found = rule.gate(
        listed, held, "ocsNew", settings(require=require, leaked_secret_id=leaked, cut_off=sorted(cut_off))
    )
    assert {host for host in HOSTS if f"{host} (" in found} == set(listed) - safe
    assert bool(found) == bool(set(listed) - safe)


@pytest.mark.parametrize(
    ("count", "serial", "sizes"),
    [
        # As ansible-core's documentation of serial tells it.
        (6, [3], [3, 3]),
        (10, ["30%"], [3, 3, 3, 1]),
        (30, [1, 5, 10], [1, 5, 10, 10, 4]),
        (10, ["10%", "20%", "100%"], [1, 2, 7]),
        (30, [1, 5, "20%"], [1, 5, 6, 6, 6, 6]),
        (3, ["1%"], [1, 1, 1]),
        # A percentage is of all hosts, and what is begun is rounded down.
        (25, [1, "10%", "100%"], [1, 2, 22]),
        (1, [1, "10%", "100%"], [1]),
        (2, [5], [2]),
        (100, ["29%", "100%"], [29, 71]),
        (4, ["50 %"], [2, 2]),
        (0, [1], []),
    ],
)
def test_batches_are_those_of_serial(count: int, serial: list[int | str], sizes: list[int]) -> None:
    hosts = [f"h{number}" for number in range(count)]
    found = rule.in_batches(hosts, serial)
    assert [len(batch) for batch in found] == sizes
    assert [host for batch in found for host in batch] == hosts


@SAME
@given(
    count=st.integers(0, 300),
    serial=st.lists(st.integers(1, 50) | st.integers(1, 100).map(lambda n: f"{n}%"), min_size=1, max_size=4),
)
def test_everybody_is_in_one_batch_of_the_size_that_was_given(count: int, serial: list[int | str]) -> None:
    batches = rule.in_batches([str(number) for number in range(count)], serial)
    assert ",".join(host for batch in batches for host in batch) == ",".join(map(str, range(count)))
    wanted = [each if isinstance(each, int) else count * int(each[:-1]) // 100 or 1 for each in serial]
    wanted += wanted[-1:] * count
    for number, batch in enumerate(batches):
        last = number == len(batches) - 1
        assert batch
        assert len(batch) <= wanted[number] if last else len(batch) == wanted[number]


@pytest.mark.parametrize(
    ("held", "told"),
    [
        (Held("ocsNew", "proven"), ""),
        (Held("ocsNew", "checked"), ""),
        (Held("ocsNew", "delivered"), ""),
        (Held("ocsNew", "failed", "it burns"), "b (it burns) did not take ocsNew."),
        (Held("ocsNew", "failed"), "b (failed) did not take ocsNew."),
        (Held("ocsOld", "proven"), "b (proven) did not take ocsNew."),
        (None, "b (not reached) did not take ocsNew."),
    ],
)
def test_the_next_batch_waits_for_everybody(held: Held | None, told: str) -> None:
    fine = Held("ocsNew", "proven")
    assert rule.why_stop({"a": fine, "b": held, "c": fine}, "ocsNew") == told
    assert rule.why_stop({}, "ocsNew") == ""


def test_all_who_keep_the_next_batch_waiting_are_named() -> None:
    assert rule.why_stop({"a": None, "b": Held("", "failed", "no")}, "x") == "a (not reached), b (no) did not take x."
