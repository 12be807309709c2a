# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nobody is cut off, whatever goes wrong: the real steps, run after run, in a small world with two slots."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from ansible_collections.secretops.infisical.plugins.action.handover import ActionModule
from ansible_collections.secretops.infisical.plugins.module_utils._task import Task
from ansible_collections.secretops.infisical.plugins.modules import okta_client_secret_rotation
from ansible_collections.secretops.infisical.plugins.plugin_utils import (
    _handover_cycle,
    _handover_look,
    _handover_settings,
)
from ansible_collections.secretops.infisical.plugins.plugin_utils import _handover_rule as rule
from support.repeated import REPEATED
from unit.handover.handover_model import KilledError, World

WORLDS = 100 if REPEATED else 300
DAY = 86_400


@pytest.fixture
def build(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], World]:
    """The world of a number, which is all that there is from then on."""

    def built(number: int) -> World:
        chance = random.Random(number)  # noqa: S311
        world = World(chance, chance.randint(1, 4))
        monkeypatch.setattr(_handover_look, "Api", lambda _session: world)
        monkeypatch.setattr(okta_client_secret_rotation, "execute", world.execute)
        monkeypatch.setattr(_handover_cycle, "_now", lambda: world.now)
        monkeypatch.setattr(ActionModule, "_cycle", lambda _self, given: world.cycle(given))
        return world

    return built


def settings(world: World, **more: Any) -> dict[str, Any]:
    return {
        "rotate": True,
        "min_age": DAY,
        "window": 3600,
        "serial": [1, "50%", "100%"],
        "require": "proven",
        "leaked_secret_id": "",
        "cut_off": [],
        "there": list(world.consumers),
        **more,
    }


def any_settings(world: World) -> dict[str, Any]:
    """A planned handover, one after a leak, or one that only delivers, over all or some."""
    chance, names = world.chance, list(world.consumers)
    leaked = chance.choice(["", "", *world.slots, "ocsGone"])
    return settings(
        world,
        rotate=chance.random() < 0.8,
        min_age=chance.choice([0, DAY]),
        serial=chance.choice([[1, "50%", "100%"], ["100%"], [2]]),
        require=chance.choice(["proven", "checked"]),
        leaked_secret_id=leaked,
        cut_off=[name for name in names if leaked and chance.random() < 0.2],
        there=names if chance.random() < 0.7 else chance.sample(names, chance.randint(1, len(names))),
    )


def troubled_run(world: World) -> None:
    """Any run in which something goes wrong. It rotates once at most, unless for a leak; and not over some only."""
    given = any_settings(world)
    world.trouble = world.chance.choice([0.0, 0.03, 0.1])
    before = world.rotations
    with suppress(KilledError):
        world.handover(**given)
    done = world.rotations - before
    absent = set(world.consumers).difference(given["there"], given["cut_off"])
    if not given["rotate"] or absent:
        assert done == 0
    elif not given["leaked_secret_id"]:
        assert done <= 1
    assert world.broken == []
    world.backup()
    world.now += timedelta(seconds=world.chance.choice([60, 3600, 2 * DAY]))


def calm_run(world: World, **more: Any) -> int:
    """How often it rotated. Nothing goes wrong, and everybody holds the active secret at its end."""
    world.trouble = 0.0
    before = world.rotations
    summary = world.handover(**settings(world, **more))
    states = {each["state"] for each in summary["report"]["consumers"]}
    assert states <= {"proven", "checked"}
    assert summary["marked"] == {}
    assert world.broken == []
    for each in world.consumers.values():
        assert (each.file, each.memory, each.note) == (world.slots[0],) * 3
    return world.rotations - before


def everybody_can_prove(world: World) -> None:
    for each in world.consumers.values():
        if each.stubborn:
            # It is restarted in another way from now on, and the note is of the one before.
            each.note = ""
        each.proves = True


def test_no_run_cuts_anybody_off(build: Callable[[int], World]) -> None:
    rotated = 0
    for number in range(WORLDS):
        world = build(number)
        for _run in range(world.chance.randint(1, 5)):
            troubled_run(world)
        rotated += world.rotations
    # Many of them come as far as that.
    assert rotated > WORLDS / 4


def test_after_the_trouble_a_planned_handover_ends_well(build: Callable[[int], World]) -> None:
    for number in range(WORLDS // 2):
        world = build(number)
        troubled_run(world)
        due = (world.now - world.rotated_at).total_seconds() >= DAY
        everybody_can_prove(world)
        assert calm_run(world) == int(due)
        # Once more, at once: it is done.
        assert calm_run(world) == 0


def test_after_the_trouble_a_leaked_secret_dies(build: Callable[[int], World]) -> None:
    for number in range(WORLDS // 2):
        world = build(number)
        troubled_run(world)
        everybody_can_prove(world)
        slot = number % 2
        leaked = world.slots[slot]
        # The active one needs two rotations, the one before needs one.
        assert calm_run(world, leaked_secret_id=leaked) == 2 - slot
        assert leaked not in world.slots
        assert calm_run(world, leaked_secret_id=leaked) == 0


def test_whoever_can_prove_nothing_is_enough_where_a_check_is(build: Callable[[int], World]) -> None:
    for number in range(50):
        world = build(number)
        for each in world.consumers.values():
            each.proves = each.stubborn = False
        assert world.handover(**settings(world))["report"]["stopped"].startswith("Not rotated. Not every consumer")
        assert world.rotations == 0
        assert calm_run(world, require="checked") == 1


# -- the judge is worth something only if it can condemn


def _opens(*_arguments: Any) -> str:
    return ""


def _any_secret(held: rule.Held | None, _active_id: str, required: str) -> str:
    return "" if held and rule.STATES.index(held.state) >= rule.STATES.index(required) else "behind"


def _of_any_run(self: ActionModule, host: str, _run: Any) -> Any:
    return self._variables["hostvars"][host].get("handover_state")


def _never_rotated(standing: rule.Standing, given: rule.Settings) -> rule.Decision:
    return _WANTED(replace(standing, rotated=False), given)


def _whatever_came_between(world: World, task: Task) -> dict[str, Any]:
    return _EXECUTE(world, replace(task, params={**task.params, "only_if_last_rotated_at": None}))


_WANTED, _EXECUTE = rule.wanted, World.execute


#: Each is a rule that is broken in one place, or in two where each makes up for the other.
BROKEN: dict[str, tuple[tuple[Any, str, Any], ...]] = {
    "takes a check for a proof": ((rule, "gate", _opens),),
    "takes any secret for the active one": ((rule, "_behind", _any_secret), (rule, "why_stop", _opens)),
    "rotates again and again": ((rule, "wanted", _never_rotated),),
    "believes what another run recorded": ((ActionModule, "_state", _of_any_run),),
    "rotates after somebody else did": ((World, "execute", _whatever_came_between),),
    "counts only who is there": ((_handover_settings, "why_deliver_only", _opens), (rule, "gate", _opens)),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_rule_is_caught(build: Callable[[int], World], monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    for owner, name, replacement in BROKEN[broken]:
        monkeypatch.setattr(owner, name, replacement)
    with pytest.raises(AssertionError):
        test_no_run_cuts_anybody_off(build)
