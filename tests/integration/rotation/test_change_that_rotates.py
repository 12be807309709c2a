# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A change never rotates by surprise: it is foretold, refused unless allowed, and told as it happened."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import pytest
from ansible_collections.secretops.infisical.plugins.module_utils import _states
from simulator.client import Simulator
from support.life import DAY, changing, due, sent
from support.machine import Machine, ended
from support.stale_front import front, with_clock


@pytest.fixture
def machine(simulator: Simulator, tmp_path: Path) -> Machine:
    return changing(simulator, tmp_path / "tmp")


@pytest.mark.parametrize("check_mode", [True, False])
def test_a_description_alone_would_rotate_and_is_refused(
    simulator: Simulator, machine: Machine, check_mode: bool
) -> None:
    due(simulator, machine)
    result = machine.run(check_mode=check_mode, description="text")
    assert ended(result) == ("rotation_not_allowed", False)
    assert "allow_rotation: true" in result["msg"]
    assert sent(simulator) == []
    assert ended(machine.run(check_mode=check_mode)) == ("unchanged", False)


def test_a_rotation_that_is_allowed_is_waited_for(simulator: Simulator, machine: Machine) -> None:
    due(simulator, machine)
    foretold = machine.run(check_mode=True, description="text", allow_rotation=True)
    assert (ended(foretold), foretold["rotated"]) == (("would_update", True), True)
    result = machine.run(description="text", allow_rotation=True)
    assert (ended(result), result["rotated"]) == (("updated", True), True)
    rotation = simulator.rotation()
    assert result["secretRotation"]["lastRotatedAt"] == rotation["lastRotatedAt"]
    assert foretold["diff"] == result["diff"]
    assert simulator.rotations_done() == 1
    [note] = machine.notes
    assert rotation["lastRotatedAt"] in note.read_text(encoding="utf-8")


def test_min_age_holds_for_it_too(simulator: Simulator, machine: Machine) -> None:
    due(simulator, machine)
    result = machine.run(description="text", allow_rotation=True, min_age="50d")
    assert ended(result) == ("rotation_not_allowed", False)
    assert "less than min_age 50 days" in result["msg"]
    assert ended(machine.run(check_mode=True, description="t", allow_rotation=True, min_age="50d")) == ended(result)
    assert sent(simulator) == []
    with front(simulator.url, with_clock(-36 * DAY)) as url:
        result = machine.run(url=url, description="text", allow_rotation=True, min_age="30d")
    assert ended(result) == ("clock_unreliable", False)
    assert sent(simulator) == []


def test_a_shorter_interval_rotates(simulator: Simulator, machine: Machine) -> None:
    assert ended(machine.run(rotation_interval=2)) == ("rotation_not_allowed", False)
    result = machine.run(rotation_interval=2, allow_rotation=True)
    assert (ended(result), result["rotated"]) == (("updated", True), True)


def test_switching_it_on_rotates_and_switching_it_off_does_not(simulator: Simulator, machine: Machine) -> None:
    due(simulator, machine)
    result = machine.run(auto_rotation_enabled=False)
    assert (ended(result), result["rotated"]) == (("updated", True), False)
    assert ended(machine.run(auto_rotation_enabled=True)) == ("rotation_not_allowed", False)


class _HostClock:
    """Of the host that runs the task."""

    def __init__(self, moment: datetime) -> None:
        self._moment = moment

    def now(self, _zone: timezone) -> datetime:
        return self._moment


def at(simulator: Simulator, monkeypatch: pytest.MonkeyPatch, moment: datetime) -> None:
    """Server and host have this time, which stands still."""
    simulator.settings(clockFrozen=True)
    now = datetime.fromisoformat(simulator.state()["now"].replace("Z", "+00:00"))
    simulator.settings(clockAdvance=(moment - now).total_seconds())
    monkeypatch.setattr(_states, "datetime", _HostClock(moment))


@pytest.mark.parametrize(
    ("hour", "minute", "rotate_at", "end"),
    [
        (12, 0, {"hours": 3, "minutes": 0}, "updated"),
        # The border of the day moves on between the server's two looks at it.
        (23, 56, {"hours": 3, "minutes": 0}, "rotation_not_allowed"),
        (12, 0, {"hours": 0, "minutes": 4}, "rotation_not_allowed"),
    ],
)
def test_after_a_failure_it_is_planned_for_tomorrow(
    simulator: Simulator,
    machine: Machine,
    monkeypatch: pytest.MonkeyPatch,
    hour: int,
    minute: int,
    rotate_at: dict[str, int],
    end: str,
) -> None:
    at(simulator, monkeypatch, datetime(2026, 3, 10, hour, minute, tzinfo=timezone.utc))
    due(simulator, machine, rotationStatus="failed", rotateAtUtc=rotate_at)
    assert ended(machine.run(description="text"))[0] == end
    assert simulator.rotations_done() == 0


def test_near_the_border_it_must_be_allowed_and_is_not_waited_for(
    simulator: Simulator, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planned for the next midnight, it is the nightly job's; the answer to the change says so."""
    at(simulator, monkeypatch, datetime(2026, 3, 10, 12, 0, tzinfo=timezone.utc))
    due(simulator, machine, rotationStatus="failed")
    assert ended(machine.run(description="text")) == ("rotation_not_allowed", False)
    result = machine.run(description="text", allow_rotation=True)
    assert (ended(result), result["rotated"]) == (("updated", True), False)
    assert (machine.clock.pauses, machine.warnings, machine.notes) == ([], [], [])


def test_what_is_planned_for_later_today_is_no_rotation_yet(
    simulator: Simulator, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    rotation_id = machine.options["rotation_id"]
    at(simulator, monkeypatch, datetime(2026, 3, 10, 12, 0, tzinfo=timezone.utc))
    simulator.change_rotation(rotation_id, lastRotatedAt=30 * DAY, isLastRotationManual=False)
    later = {"hours": 23, "minutes": 0}
    assert ended(machine.run(rotate_at_utc=later)) == ("rotation_not_allowed", False)
    result = machine.run(rotate_at_utc=later, allow_rotation=True, wait_timeout=5)
    assert (ended(result), result["rotated"]) == (("updated", True), False)
    [warning] = machine.warnings
    assert "at 2026-03-10T23:00" in warning
    assert machine.notes == []
    simulator.settings(queuedRotationsWait=False)
    result = machine.run(rotate_at_utc={"hours": 22}, allow_rotation=True, wait_timeout=5)
    assert (ended(result), result["rotated"]) == (("updated", True), True)


def test_by_either_clock_it_counts_as_a_rotation(simulator: Simulator, machine: Machine) -> None:
    """A proxy may have written the time."""
    with front(simulator.url, with_clock(60 * DAY)) as url:
        assert ended(machine.run(url=url, description="text")) == ("rotation_not_allowed", False)
    simulator.settings(sendDate=False)
    assert ended(machine.run(description="text")) == ("updated", True)


def test_a_rotation_that_fails_is_a_failure(simulator: Simulator, machine: Machine) -> None:
    due(simulator, machine)
    simulator.settings(okta={"createError": 1})
    result = machine.run(description="text", allow_rotation=True)
    assert ended(result) == ("rotation_failed", False)
    assert "the change was made" in result["msg"]
    assert result["secretRotation"]["description"] == "text"


def test_a_rotation_that_does_not_show_is_unknown(simulator: Simulator, machine: Machine) -> None:
    due(simulator, machine)
    simulator.settings(queueSeconds=3600)
    result = machine.run(description="text", allow_rotation=True, wait_timeout=20)
    assert (ended(result), result["outcome"]) == (("outcome_unknown", False), "unknown")
    assert "because of the change" in result["msg"]
    assert len(sent(simulator)) == 1
    assert machine.notes, "the next task must not take an older reading for the present"
