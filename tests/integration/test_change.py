# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rotation is changed where it differs, once, and never rotated by surprise."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.secretops.infisical.plugins.module_utils import _states
from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError
from ansible_collections.secretops.infisical.plugins.module_utils._rotations import lock
from simulator.client import Simulator
from support.machine import Machine, ended
from support.stale_front import Onward, Reply, Request, Shown, front, with_clock

DAY = 86_400
ROTATIONS = "/api/v2/secret-rotations/okta-client-secret"


@pytest.fixture
def machine(simulator: Simulator, tmp_path: Path) -> Machine:
    """Its rotation was rotated three days ago and is planned for in a month."""
    simulator.settings(queueSeconds=0)
    rotation = simulator.rotation()
    simulator.change_rotation(rotation["id"], lastRotatedAt=3 * DAY)
    options = {"url": simulator.url, "token": simulator.mint_token(), "state": "present", "rotation_id": rotation["id"]}
    return Machine(tmp_path / "tmp", options)


def by_name(simulator: Simulator) -> dict[str, Any]:
    project = simulator.state()["project"]["id"]
    return {
        "rotation_id": None,
        "name": "okta-payments",
        "project_id": project,
        "environment": "prod",
        "secret_path": "/okta",
    }


def sent(simulator: Simulator) -> list[dict[str, Any]]:
    """The bodies of the changes."""
    return [entry["body"] for entry in simulator.log(ROTATIONS, "PATCH")]


CHANGES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"description": "text"}, {"description": "text"}),
    ({"new_name": "okta-2"}, {"name": "okta-2"}),
    ({"rotation_interval": 60}, {"rotationInterval": 60}),
    ({"rotate_at_utc": {"hours": 4, "minutes": 5}}, {"rotateAtUtc": {"hours": 4, "minutes": 5}}),
    ({"rotate_at_utc": {"minutes": 5}}, {"rotateAtUtc": {"hours": 0, "minutes": 5}}),
    ({"auto_rotation_enabled": False}, {"isAutoRotationEnabled": False}),
    (
        {"secrets_mapping": {"client_secret": "NEW"}},
        {"secretsMapping": {"clientId": "OKTA_CLIENT_ID", "clientSecret": "NEW"}},
    ),
    ({"description": "text", "rotation_interval": 60}, {"description": "text", "rotationInterval": 60}),
]


@pytest.mark.parametrize(("options", "changes"), CHANGES, ids=str)
@pytest.mark.parametrize("named", [False, True])
def test_only_what_differs_is_sent_and_the_second_run_is_unchanged(
    simulator: Simulator, machine: Machine, options: dict[str, Any], changes: dict[str, Any], named: bool
) -> None:
    if named:
        machine.options |= by_name(simulator)
    foretold = machine.run(check_mode=True, **options)
    assert (ended(foretold), foretold["rotated"]) == (("would_update", True), False)
    assert sent(simulator) == []
    warned = list(machine.warnings)
    result = machine.run(**options)
    assert (ended(result), result["rotated"]) == (("updated", True), False)
    assert sent(simulator) == [changes]
    assert foretold["diff"] == result["diff"]
    before, after = result["diff"]["before"], result["diff"]["after"]
    assert {key: after[key] for key in after if after[key] != before[key]} == changes
    assert machine.warnings == warned
    for check_mode in (True, False):
        again = machine.run(check_mode=check_mode, **options)
        assert (ended(again), again["rotated"]) == (("unchanged", False), False)
        assert machine.warnings == []
    assert len(sent(simulator)) == 1
    assert simulator.rotations_done() == 0


def test_a_change_of_the_mapping_renames_in_place_and_says_so(simulator: Simulator, machine: Machine) -> None:
    before = simulator.rotation()["mappedSecrets"]
    result = machine.run(secrets_mapping={"client_id": "OKTA_CLIENT_ID", "client_secret": "NEW"})
    assert ended(result) == ("updated", True)
    after = simulator.rotation()["mappedSecrets"]
    assert after["NEW"]["value"] == before["OKTA_CLIENT_SECRET"]["value"]
    assert "OKTA_CLIENT_SECRET" not in after
    [warning] = machine.warnings
    assert "(OKTA_CLIENT_SECRET to NEW)" in warning


def test_nothing_that_is_left_out_is_touched(simulator: Simulator, machine: Machine) -> None:
    assert ended(machine.run()) == ("unchanged", False)
    assert ended(machine.run(description=" ", parameters={}, rotate_at_utc={}, new_name="")) == ("unchanged", False)
    assert sent(simulator) == []


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize(
    ("options", "reason", "told"),
    [
        ({"parameters": {"client_id": "0oaother"}}, "not_changeable", ["'0oaother'", "another name", "state: absent"]),
        ({"connection_name": "other"}, "not_changeable", ["'okta-main'", "'other'", "Leave connection_id"]),
        (
            {"connection_id": "3c90c3cc-0d44-4b50-8888-8dd25736052a"},
            "not_changeable",
            ["3c90c3cc", "new credentials in Infisical"],
        ),
        ({"new_name": "okta-taken"}, "conflict", ["'okta-taken' in prod:/okta", "another new_name"]),
        ({"secrets_mapping": {"client_id": "TAKEN"}}, "conflict", ["TAKEN", "prod:/okta"]),
        ({"secrets_mapping": {"client_id": "OKTA_CLIENT_SECRET"}}, "invalid_arguments", ["one secret"]),
        (
            {"secrets_mapping": {"client_id": "OKTA_CLIENT_SECRET", "client_secret": "OKTA_CLIENT_ID"}},
            "not_changeable",
            ["would rename both", "in a task of its own"],
        ),
        (
            {"secrets_mapping": {"client_id": "NEW", "client_secret": "OKTA_CLIENT_ID"}},
            "not_changeable",
            ["Map clientId to another name first"],
        ),
        ({"environment": "dev"}, "invalid_arguments", ["contradict", "cannot move", "remove this one first"]),
        ({"revoke_credentials": True}, "invalid_arguments", ["revoke_credentials"]),
    ],
)
def test_what_cannot_be_changed_fails_with_what_to_do(
    simulator: Simulator,
    machine: Machine,
    options: dict[str, Any],
    reason: str,
    told: list[str],
    check_mode: bool,
) -> None:
    simulator.add_rotation(name="okta-taken", secretsMapping={"clientId": "TAKEN", "clientSecret": "TAKEN_2"})
    before = simulator.rotation(machine.options["rotation_id"])
    result = machine.run(check_mode=check_mode, description="text", **options)
    assert ended(result) == (reason, False)
    assert [text for text in told if text not in result["msg"]] == []
    assert simulator.rotation(machine.options["rotation_id"]) == before
    assert sent(simulator) == []


def test_the_present_connection_and_application_may_be_told_again(simulator: Simulator, machine: Machine) -> None:
    rotation = simulator.rotation()
    same: dict[str, Any] = {"parameters": {"client_id": rotation["parameters"]["clientId"]}}
    assert ended(machine.run(connection_name="okta-main", **same)) == ("unchanged", False)
    assert ended(machine.run(connection_id=rotation["connectionId"].upper(), **same)) == ("unchanged", False)


def test_one_that_is_not_there_is_not_created_by_its_id(simulator: Simulator, machine: Machine) -> None:
    result = machine.run(rotation_id="3c90c3cc-0d44-4b50-8888-8dd25736052a", description="text")
    assert ended(result) == ("not_found", False)


def test_a_rotation_that_has_its_new_name_already_is_found(simulator: Simulator, machine: Machine) -> None:
    machine.options |= by_name(simulator)
    assert ended(machine.run(new_name="okta-2", description="a")) == ("updated", True)
    assert ended(machine.run(new_name="okta-2", description="b")) == ("updated", True)
    assert sent(simulator) == [{"name": "okta-2", "description": "a"}, {"description": "b"}]


# -- a change that rotates


def due(simulator: Simulator, machine: Machine, **more: Any) -> None:
    """The next rotation would lie in the past."""
    simulator.change_rotation(machine.options["rotation_id"], lastRotatedAt=40 * DAY, **more)


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


# -- what becomes of the answer


@pytest.mark.parametrize("action", ["reset_after", "close_after", "half_body", "empty_200"])
@pytest.mark.parametrize("rotates", [False, True])
def test_a_lost_answer_is_cleared_up_by_reading(
    simulator: Simulator, machine: Machine, action: str, rotates: bool
) -> None:
    if rotates:
        due(simulator, machine)
    simulator.fault(action, path=ROTATIONS, method="PATCH", work="before")
    result = machine.run(description="text", allow_rotation=True)
    assert (ended(result), result["rotated"]) == (("updated", True), rotates)
    assert len(sent(simulator)) == 1
    assert simulator.rotations_done() == int(rotates)


def test_an_answer_that_never_shows_the_change_is_unknown(simulator: Simulator, machine: Machine) -> None:
    simulator.fault("reset_before", path=ROTATIONS, method="PATCH")
    result = machine.run(description="text")
    assert (ended(result), result["outcome"]) == (("outcome_unknown", False), "unknown")
    assert "changed 'okta-payments'" in result["msg"]
    assert len(sent(simulator)) == 1
    simulator.fault("mutate", path=ROTATIONS, method="PATCH", set={"secretRotation.description": "other"})
    simulator.fault("mutate", path=ROTATIONS, method="GET", set={"secretRotation.description": "other"}, times=0)
    result = machine.run(description="text")
    assert ended(result) == ("outcome_unknown", False)
    assert "answered that it changed" in result["msg"]


def test_a_refusal_is_passed_on_and_leaves_no_note(simulator: Simulator, machine: Machine) -> None:
    due(simulator, machine)
    simulator.change_identity(simulator.state()["identity"]["id"], without=[["edit", "secret-rotation"]])
    result = machine.run(description="text", allow_rotation=True)
    assert ended(result) == ("permission_denied", False)
    assert "the action edit on the subject secret-rotation" in result["msg"]
    assert machine.notes == []


def test_after_a_rate_limit_it_is_looked_at_again(simulator: Simulator, machine: Machine) -> None:
    simulator.fault("rate_limit", path=ROTATIONS, method="PATCH", seconds=7)
    machine.clock.meanwhile.append(
        lambda: simulator.change_rotation(machine.options["rotation_id"], description="text")
    )
    assert ended(machine.run(description="text")) == ("unchanged", False)
    assert machine.clock.pauses == [7.0]
    simulator.fault("rate_limit", path=ROTATIONS, method="PATCH", seconds=7)
    result = machine.run(description="other", rotation_interval=60)
    assert (ended(result), len(sent(simulator))) == (("updated", True), 3)


def test_a_rival_that_rotates_meanwhile_is_told(simulator: Simulator, machine: Machine) -> None:
    def rotating(request: Request, onward: Onward) -> Reply:
        if request.method == "PATCH":
            simulator.rival(machine.options["rotation_id"])
            simulator.state()
        return onward(request)

    with front(simulator.url, rotating) as url:
        result = machine.run(url=url, description="text")
    assert (ended(result), result["rotated"]) == (("updated", True), True)


def test_a_double_rotation_is_warned_of(simulator: Simulator, machine: Machine) -> None:
    due(simulator, machine)
    shown = Shown({"activeIndex": 0})
    with front(simulator.url, shown) as url:
        result = machine.run(url=url, description="text", allow_rotation=True)
    assert (ended(result), result["rotated"]) == (("updated", True), True)
    assert any("more than once" in text for text in machine.warnings)


def test_a_stale_reading_is_not_decided_by(simulator: Simulator, machine: Machine) -> None:
    with front(simulator.url, Shown(headers={"age": "5"})) as url:
        result = machine.run(url=url, description="text", wait_timeout=5)
    assert ended(result) == ("stale_reading", False)
    assert sent(simulator) == []


@pytest.mark.parametrize("value", ["soon", 5])
def test_a_plan_that_is_no_time_counts_as_a_rotation(simulator: Simulator, machine: Machine, value: Any) -> None:
    simulator.fault("mutate", path=ROTATIONS, method="PATCH", set={"secretRotation.nextRotationAt": value}, times=0)
    result = machine.run(description="text", wait_timeout=5)
    assert ended(result) == ("outcome_unknown", False)


def test_a_new_name_that_cannot_be_checked_stops_it(simulator: Simulator, machine: Machine) -> None:
    simulator.fault("status", path="rotation-name", status=500, message="No.", error="X", times=0)
    assert ended(machine.run(new_name="okta-2")) == ("server_error", False)
    assert sent(simulator) == []


def test_a_note_that_cannot_be_written_after_the_change_is_a_warning(
    simulator: Simulator, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    due(simulator, machine)
    write = lock.Held.write

    def only_before(held: lock.Held, note: lock.Note) -> None:
        if note.settled:
            raise InfisicalError("lock_unavailable", "The disk is full.")
        write(held, note)

    monkeypatch.setattr(lock.Held, "write", only_before)
    result = machine.run(description="text", allow_rotation=True)
    assert (ended(result), result["rotated"]) == (("updated", True), True)
    assert any("could not be noted. The disk is full." in text for text in machine.warnings)


def test_names_that_would_repaint_a_terminal_are_text(simulator: Simulator, machine: Machine) -> None:
    painted = "\x1b[2J"
    values = {"secretsMapping.clientSecret": f"S{painted}", "folder.path": f"/{painted}", "connection.name": painted}
    with front(simulator.url, Shown(values)) as url:
        told = [machine.run(url=url)["msg"], machine.run(url=url, connection_name="other")["msg"]]
        machine.run(url=url, check_mode=True, secrets_mapping={"client_secret": "NEW"})
        told += machine.warnings
        told += [machine.run(url=url, check_mode=True, state="absent")["msg"]]
    assert len(told) == 4
    assert [text for text in told if "\x1b" in text] == []
