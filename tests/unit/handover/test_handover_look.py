# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Infisical and Okta are taken to say of a rotation and its secrets."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError
from simulator.client import Simulator
from support.server import tokens_left
from unit.handover.handover_cycle import Handed, now


@pytest.fixture
def handed(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> Handed:
    return Handed(simulator, monkeypatch)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


# -- look


def test_who_delivers_only_asks_for_the_secrets_alone(handed: Handed) -> None:
    handed.simulator.clear_log()
    seen = handed.look(deliver_only=True)
    (active, previous) = handed.slots
    assert (seen.active, seen.previous) == (active, previous)
    assert (seen.standing, seen.last_rotated_at) == (None, "")
    assert seen.line == (
        f"{handed.id}: the active secret of {active['clientId']} is {active['secretId']}, the previous one "
        f"{previous['secretId']}."
    )
    (asked,) = handed.simulator.log("/api/v2/")
    assert asked["path"].endswith("/generated-credentials")
    assert tokens_left(handed.simulator) == []


def test_what_is_known_of_a_rotation(handed: Handed) -> None:
    seen = handed.look()
    rotation = handed.simulator.rotation(handed.id)
    standing = seen.standing
    assert standing is not None
    assert (standing.name, [standing.active_id, standing.previous_id]) == ("handed", handed.ids)
    assert (standing.failed, standing.rotated) == (False, False)
    assert abs(now() - timedelta(days=40) - standing.last_rotated_at) < timedelta(minutes=2)
    assert standing.next_rotation_at is not None
    assert abs(now() + timedelta(days=9) - standing.next_rotation_at) < timedelta(minutes=2)
    assert abs(now() - standing.now) < timedelta(minutes=2)
    assert moment(seen.last_rotated_at) == standing.last_rotated_at
    assert seen.line.startswith("handed: the active secret of ")
    assert seen.line.endswith(f"the previous one {handed.ids[1]}, rotated at {seen.last_rotated_at}.")
    assert rotation["completed"] == 0
    assert not any(each["clientSecret"] in seen.line for each in handed.slots)


def test_a_rotation_with_one_secret(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    handed = Handed(simulator, monkeypatch, slots=1, activeIndex=0)
    seen = handed.look()
    assert seen.standing is not None
    assert (seen.previous, seen.standing.previous_id) == (None, "")
    assert ", the previous one none, rotated at " in seen.line


def test_the_active_one_is_told_by_its_index(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    handed = Handed(simulator, monkeypatch, activeIndex=0)
    found = handed.look(deliver_only=True)
    first, second = simulator.rotation(handed.id)["generatedCredentials"]
    assert (found.active, found.previous) == (first, second)


@pytest.mark.parametrize(
    ("changes", "planned"),
    [({}, True), ({"isAutoRotationEnabled": False}, False), ({"nextRotationAt": None}, False)],
)
def test_when_infisical_rotates_by_itself(handed: Handed, changes: dict[str, Any], planned: bool) -> None:
    handed.simulator.change_rotation(handed.id, **changes)
    standing = handed.look().standing
    assert standing is not None
    assert bool(standing.next_rotation_at) is planned


def test_a_failure_is_known_with_its_message(handed: Handed) -> None:
    handed.simulator.change_rotation(handed.id, rotationStatus="failed", lastRotationMessage="Okta is down")
    standing = handed.look().standing
    assert standing is not None
    assert (standing.failed, standing.last_message) == (True, "Okta is down")


def test_without_a_clock_of_the_server_there_is_that_of_this_host(handed: Handed) -> None:
    handed.simulator.settings(sendDate=False)
    standing = handed.look().standing
    assert standing is not None
    assert abs(now() - standing.now) < timedelta(minutes=2)


# -- after a rotation of this run


def test_what_lags_behind_the_rotation_is_waited_for(handed: Handed) -> None:
    before = handed.ids
    handed.lagging(credentials=2, readings=1)
    handed.simulator.rival(handed.id)
    seen = handed.look(known_ids=before, rotated=handed.simulator.rotation(handed.id))
    assert seen.active["secretId"] == handed.ids[0]
    assert seen.active["secretId"] not in before
    assert seen.standing is not None
    assert seen.standing.rotated is True
    # One pause for the reading, two for the credentials.
    assert handed.clock.pauses == [0.5, 0.5, 1.0]


def test_credentials_that_never_come_are_stale_and_not_quoted(handed: Handed) -> None:
    before = handed.slots
    handed.lagging(credentials=20)
    handed.simulator.rival(handed.id)
    with pytest.raises(InfisicalError) as caught:
        handed.look(rotated=handed.simulator.rotation(handed.id))
    assert caught.value.reason == "stale_reading"
    assert "activeIndex is 1, and after has 0" in caught.value.message
    assert not any(each["clientSecret"] in caught.value.message for each in before)
    assert (handed.clock.now, tokens_left(handed.simulator)) == (5, [])


def test_an_index_that_is_right_with_a_secret_from_before_is_stale_too(handed: Handed) -> None:
    """As after two rotations, of which a replica shows neither: the index is the same again."""
    before = handed.ids
    handed.lagging(credentials=20)
    for _twice in range(2):
        handed.simulator.rival(handed.id)
    with pytest.raises(InfisicalError) as caught:
        handed.look(known_ids=before, rotated=handed.simulator.rotation(handed.id))
    assert f"the active secret is {before[0]}, which was there before" in caught.value.message


def test_a_reading_that_stays_behind_is_stale(handed: Handed) -> None:
    handed.lagging(readings=20)
    handed.simulator.rival(handed.id)
    with pytest.raises(InfisicalError) as caught:
        handed.look(rotated=handed.simulator.rotation(handed.id))
    assert caught.value.reason == "stale_reading"
    assert "is known already" in caught.value.message


@pytest.mark.parametrize("index", [None, "1"])
def test_a_server_that_tells_no_index_of_a_rotation(handed: Handed, index: Any) -> None:
    """Only the credentials tell which one is active then."""
    before = handed.ids
    handed.lagging(credentials=1)
    handed.simulator.rival(handed.id)
    handed.simulator.fault(
        "mutate", path=f"/{handed.id}$", method="GET", times=0, set={"secretRotation.activeIndex": index}
    )
    moved = {**handed.simulator.rotation(handed.id), "activeIndex": index}
    seen = handed.look(known_ids=before, rotated=moved)
    assert seen.active["secretId"] == handed.ids[0]
    assert handed.clock.pauses == [0.5]
