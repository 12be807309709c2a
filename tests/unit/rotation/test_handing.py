# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which credentials are handed out, on a clock of its own: none from before the rotation that a task has seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.api import Generated, Reading
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.handing import Handing, parse_after
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.kinds import OKTA_CLIENT_SECRET
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.projects import Secret
from ansible_collections.secretops.infisical.plugins.module_utils._transport.patience import Patience
from support.options import ID, refused

OTHER = "11111111-0d44-4b50-8888-8dd25736052a"
ROTATED = "2026-03-12T09:30:01.000Z"
AFTER = {"id": ID.upper(), "activeIndex": 1, "lastRotatedAt": ROTATED}
SLOTS = [{"clientId": "0oa", "clientSecret": secret, "secretId": f"ocs-{secret}"} for secret in ("a", "b")]
ROTATION: dict[str, Any] = {
    "id": ID,
    "name": "okta",
    "secretsMapping": {"clientId": "THE_ID", "clientSecret": "THE_SECRET"},
    "environment": {"slug": "prod"},
    "folder": {"path": "/okta"},
    "projectId": "p",
    "lastRotatedAt": ROTATED,
}


class World:
    """``answers`` come one after the other, and the last one again and again."""

    kind = OKTA_CLIENT_SECRET

    def __init__(self, *answers: Any, rotated_again: bool | None = False) -> None:
        self.answers = answers
        self.asked: list[Any] = []
        self.now = 0.0
        self.rotated_again = rotated_again

    def read_credentials(self, rotation_id: str) -> Generated:
        assert rotation_id == ID
        return Generated(*self._next(rotation_id))

    def secret(self, name: str, *place: str) -> Secret:
        assert place == ("p", "prod", "/okta")
        secret = {
            "secretKey": name,
            "secretValue": f"{name}, 42",
            "updatedAt": ROTATED,
            "secretValueHidden": False,
        }
        changes, cached = self._next(name)
        return Secret({**secret, **changes}, cached)

    def read(self, rotation_id: str) -> Reading:
        assert rotation_id == ID
        if self.rotated_again is None:
            raise InfisicalError("permission_denied", "Could not read it.")
        last = "2026-03-12T10:00:00.000Z" if self.rotated_again else ROTATED
        return Reading({**ROTATION, "lastRotatedAt": last}, None)

    def _next(self, asked: Any) -> Any:
        self.asked.append(asked)
        return self.answers[min(len(self.asked), len(self.answers)) - 1]

    def handing(self, after: Any = None, seconds: float = 5) -> Handing:
        world: Any = self
        return Handing(world, world, Patience(seconds, lambda: self.now, self._sleep), parse_after(after))

    def _sleep(self, seconds: float) -> None:
        self.now += seconds

    def generated(self, after: Any = None) -> Generated:
        return self.handing(after).generated(ID)

    def mapped(self, after: Any = None, **changes: Any) -> dict[str, str]:
        return self.handing(after).mapped(Reading({**ROTATION, **changes}, None))


def failure(call: Callable[[], Any]) -> InfisicalError:
    with pytest.raises(InfisicalError) as caught:
        call()
    return caught.value


def test_without_after_what_the_server_shows_is_taken() -> None:
    for active in (0, 1):
        world = World((SLOTS, active, False))
        assert world.generated() == Generated(SLOTS, active, False)
        assert (len(world.asked), world.now) == (1, 0)


def test_the_slot_that_the_task_saw_is_waited_for() -> None:
    world = World((SLOTS, 0, False), (SLOTS, 0, False), (SLOTS, 1, False))
    assert world.generated(AFTER).active_index == 1
    assert (len(world.asked), world.now) == (3, 1.5)


def test_what_a_cache_answers_is_not_taken() -> None:
    world = World((SLOTS, 1, True), (SLOTS, 1, False))
    assert world.generated() == Generated(SLOTS, 1, False)
    stale = failure(lambda: World((SLOTS, 1, True)).generated())
    assert (stale.reason, "cache" in stale.problem) == ("stale_reading", True)
    assert "Nothing was handed out" in stale.next_step


@pytest.mark.parametrize("rotated_again", [False, True, None])
def test_a_slot_that_never_comes_is_stale_or_rotated_once_more(rotated_again: bool | None) -> None:
    world = World((SLOTS, 0, False), rotated_again=rotated_again)
    stale = failure(lambda: world.generated(AFTER))
    assert stale.reason == "stale_reading"
    assert "activeIndex is 0, and after has 1" in stale.problem
    assert ("rotated once more" in stale.next_step) is bool(rotated_again)
    assert world.now == 5


@pytest.mark.parametrize(
    "after",
    [
        {"id": ID},
        {"id": ID, "activeIndex": 0},
        {"id": ID, "activeIndex": "x", "lastRotatedAt": ROTATED},
        {"id": 5, "activeIndex": 0, "lastRotatedAt": ROTATED},
        {"id": ID, "activeIndex": 0, "lastRotatedAt": "soon"},
        {"id": ID, "activeIndex": None, "lastRotatedAt": ROTATED},
    ],
)
def test_what_is_no_rotation_is_refused(after: Any) -> None:
    assert "after is no secretRotation" in refused(lambda: parse_after(after))


def test_a_blank_after_is_none() -> None:
    assert parse_after(None) is None
    assert parse_after({}) is None


def test_another_rotation_is_refused_before_anything_is_handed_out() -> None:
    world = World((SLOTS, 1, False))
    other = {**AFTER, "id": OTHER}
    assert OTHER in refused(lambda: world.generated(other))
    assert OTHER in refused(lambda: world.mapped(other))
    assert world.asked == []


def test_mapped_secrets() -> None:
    world = World(({}, False))
    assert world.mapped() == {"clientId": "THE_ID, 42", "clientSecret": "THE_SECRET, 42"}
    assert world.asked == ["THE_ID", "THE_SECRET"]


@pytest.mark.parametrize(
    ("updated", "fresh"),
    [
        (ROTATED, True),
        ("2026-03-13T00:00:00.000Z", True),
        # A moment before the server takes the time of the rotation.
        ("2026-03-12T09:30:00.980Z", True),
        ("2026-03-12T09:29:56.000Z", True),
        ("2026-03-12T09:29:55.999Z", False),
        ("2026-03-11T09:30:01.000Z", False),
        ("soon", False),
        (None, False),
    ],
)
def test_a_mapped_secret_from_before_the_rotation_is_waited_for(updated: Any, fresh: bool) -> None:
    world = World(({"updatedAt": updated}, False))
    assert world.mapped()["clientSecret"] == "THE_SECRET, 42"
    if fresh:
        assert world.mapped(AFTER)["clientSecret"] == "THE_SECRET, 42"
        return
    stale = failure(lambda: world.mapped(AFTER))
    assert (stale.reason, "THE_ID" in stale.problem, world.now) == ("stale_reading", True, 5)
    later = World(({"updatedAt": updated}, False), ({}, True), ({}, False))
    assert later.mapped(AFTER)["clientId"] == "THE_ID, 42"
    assert later.now == 1.5


@pytest.mark.parametrize(
    ("changes", "reason", "told"),
    [
        ({"secretValueHidden": True}, "permission_denied", "readValue"),
        ({"secretValue": None}, "invalid_response", "it has none"),
        ({"rotationId": OTHER}, "conflict", OTHER),
        ({"isRotatedSecret": False, "rotationId": None}, "conflict", "belongs to no rotation"),
    ],
)
def test_a_value_that_is_none_is_not_handed_out(changes: dict[str, Any], reason: str, told: str) -> None:
    found = failure(lambda: World((changes, False)).mapped())
    assert (found.reason, told in found.message) == (reason, True)
    assert "42" not in found.message


def test_a_secret_of_the_rotation_says_so_or_nothing() -> None:
    for rotation_id in (ID, None):
        assert World(({"rotationId": rotation_id}, False)).mapped()


@pytest.mark.parametrize(
    "changes",
    [
        {"environment": None},
        {"environment": {}},
        {"folder": None},
        {"folder": {"path": None}},
        {"projectId": None},
        {"secretsMapping": {"clientId": "THE_ID"}},
    ],
)
def test_a_rotation_without_a_place(changes: dict[str, Any]) -> None:
    found = failure(lambda: World(({}, False)).mapped(**changes))
    assert (found.reason, "Could not tell the place" in found.message) == ("invalid_response", True)
