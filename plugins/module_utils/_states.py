# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rotation's module does for each state, from a task's options to its result."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timezone
from functools import partial
from typing import Any

from . import _settings
from ._errors import DONE, NONE, invalid_arguments, unforeseen
from ._login.session import Session
from ._options import is_blank
from ._rotations import finding, lock
from ._rotations.api import Api, Reading
from ._rotations.durations import parse_duration
from ._rotations.finding import Target
from ._rotations.kinds import Kind
from ._rotations.lifecycle import Ended, Surroundings, found
from ._rotations.observer import Observer
from ._rotations.projects import Projects
from ._rotations.rule import Outcome, Rotator
from ._task import Task
from ._transport.redaction import printable

#: Which options each state has besides those that say which rotation is meant.
OPTIONS: dict[str, tuple[str, ...]] = {
    "rotated": ("min_age", "only_if_last_rotated_at"),
    "present": (
        "new_name",
        "description",
        "connection_id",
        "connection_name",
        "parameters",
        "secrets_mapping",
        "rotation_interval",
        "rotate_at_utc",
        "auto_rotation_enabled",
        "allow_shared_application",
        "allow_rotation",
        "min_age",
    ),
    "absent": ("delete_secrets", "revoke_credentials"),
}
_MIN_AGE = "5m"


def execute(task: Task, kind: Kind) -> dict[str, Any]:
    """Reach the state, or predict it under check mode. Raises InfisicalError."""
    params = task.params
    state = params["state"]
    foreign = [
        option
        for option in sorted({option for options in OPTIONS.values() for option in options} - {*OPTIONS[state]})
        if not is_blank(params[option])
    ]
    if foreign:
        raise invalid_arguments(f"state {state} has no {', '.join(foreign)}: leave it out, or give another state.")
    return _STATES[state](task, kind)


def _rotated(task: Task, kind: Kind) -> dict[str, Any]:
    min_age = _min_age(task.params)
    only_if = _settings.moment("only_if_last_rotated_at", task.params["only_if_last_rotated_at"])
    with _begun(task, kind) as (around, target, session):
        rotator = Rotator(
            around.api,
            min_age=min_age,
            only_if_last_rotated_at=only_if,
            outcome_timeout=around.outcome_timeout,
            patience=around.patience,
            now=around.now,
            hold=around.hold,
            warn=around.warn,
        )
        outcome = outcome_of(rotator, around.api, target, task.check_mode)
        with _telling(outcome.outcome, changed=outcome.outcome == "rotated"):
            return _shown(outcome, session.clean)


def outcome_of(rotator: Rotator, api: Api, target: Target, check_mode: bool) -> Outcome:
    if target.rotation_id and not check_mode:
        return rotator.rotate(target.rotation_id)
    predicted = rotator.predict(lambda: finding.read(api, target))
    if check_mode or predicted.outcome != "would_rotate":
        return predicted
    return rotator.rotate(predicted.after.id)


def _present(task: Task, kind: Kind) -> dict[str, Any]:
    from ._rotations import wanted
    from ._rotations.change import Change
    from ._rotations.creation import Creation

    params = task.params
    desired = wanted.parse(params, kind)
    allow_rotation, min_age = bool(params["allow_rotation"]), _min_age(params)
    shared = bool(params["allow_shared_application"])
    _check_place(params)
    with _begun(task, kind) as (around, target, session):
        change = Change(around, desired, allow_rotation=allow_rotation, min_age=min_age)
        creation = Creation(around, target, desired, shared=shared)
        reading = _there(around, target, desired.new_name)
        if reading is None:
            ended = creation.predict() if task.check_mode else creation.make(change.make)
        else:
            ended = change.predict(reading) if task.check_mode else change.make(reading)
        with _telling(ended.outcome, changed=ended.outcome in ("created", "updated")):
            return {**_told(ended, session.clean), "rotated": ended.rotated}


def _check_place(params: Mapping[str, Any]) -> None:
    """An id with a place may be the wish to move the rotation."""
    place = [
        name for name in ("project_id", "project_slug", "environment", "secret_path") if not is_blank(params[name])
    ]
    if place and not is_blank(params["rotation_id"]):
        raise invalid_arguments(
            f"rotation_id and {', '.join(place)} contradict each other: the id tells which rotation is meant, and the "
            "server cannot move one to another project, environment or folder. Leave the place out; or, to have the "
            "rotation elsewhere, create one there for an application of its own, or remove this one first (state: "
            "absent)."
        )


def _there(around: Surroundings, target: Target, new_name: str | None) -> Reading | None:
    """The rotation, which may have its new name already."""
    if target.rotation_id:
        return around.observer.fresh(lambda: finding.look(around.api, target))
    reading = found(around, target)
    if reading is None and new_name:
        return found(around, target._replace(name=new_name))
    return reading


def _absent(task: Task, kind: Kind) -> dict[str, Any]:
    from ._rotations.removal import Removal, absent

    delete_secrets, revoke = bool(task.params["delete_secrets"]), bool(task.params["revoke_credentials"])
    with _begun(task, kind) as (around, target, session):
        removal = Removal(around, delete_secrets=delete_secrets, revoke_credentials=revoke)
        reading = found(around, target, folder_needed=False)
        if reading is None:
            # A misspelt name would be taken for one that is gone.
            hint = "" if target.rotation_id else finding.places(around.api, target)
            if hint:
                around.warn(f"There is no {target.name!r} in {target.environment}:{target.secret_path}. {hint}")
            ended = absent(target)
        else:
            ended = removal.predict(reading) if task.check_mode else removal.make(reading)
        with _telling(ended.outcome, changed=ended.outcome == "deleted"):
            return _told(ended, session.clean)


_STATES: Mapping[str, Callable[[Task, Kind], dict[str, Any]]] = {
    "rotated": _rotated,
    "present": _present,
    "absent": _absent,
}


def _min_age(params: Mapping[str, Any]) -> int:
    return parse_duration("min_age", _MIN_AGE if is_blank(params["min_age"]) else params["min_age"])


@contextmanager
def _begun(task: Task, kind: Kind) -> Iterator[tuple[Surroundings, Target, Session]]:
    """The session, once all options are checked."""
    target = _settings.target(task.params)
    patience = task.patience()
    outcome_timeout = _settings.seconds("outcome_timeout", task.params["outcome_timeout"], least=0)
    connection = task.connection()
    now = partial(datetime.now, timezone.utc)
    with task.session(connection, patience) as session:
        around = Surroundings(
            Api(session, kind),
            Projects(session),
            Observer(patience, now),
            patience,
            outcome_timeout,
            now,
            partial(lock.hold, connection.url, patience=patience),
            lambda text: task.warn(printable(session.clean(text))),
        )
        with around.observer.showing_the_newest():
            yield around, finding.with_project(around.projects, target), session


@contextmanager
def _telling(outcome: str, *, changed: bool) -> Iterator[None]:
    """What was done is known, whatever is wrong with saying so."""
    try:
        yield
    except Exception as fault:  # noqa: BLE001
        failure = unforeseen(fault, f"tell how the task ended, which is {outcome}")
    else:
        return
    failure.effect = DONE if changed else NONE
    raise failure


def _told(ended: Ended, clean: Callable[[Any], Any]) -> dict[str, Any]:
    """``clean`` takes secrets out of what the server sent."""
    result = {
        "changed": ended.outcome not in ("unchanged", "absent"),
        "outcome": ended.outcome,
        "msg": printable(clean(ended.message)),
        "diff": {"before": clean(ended.before), "after": clean(ended.after)},
    }
    if ended.rotation is None:
        return result
    rotation = clean(ended.rotation)
    stays = ended.outcome not in ("deleted", "would_delete")
    return {**result, "secretRotation": rotation, **({"ansible_facts": {"secretRotation": rotation}} if stays else {})}


def _shown(outcome: Outcome, clean: Callable[[Any], Any]) -> dict[str, Any]:
    """``clean`` takes secrets out of what the server sent."""
    rotation = clean(outcome.after.rotation)
    predicted = outcome.outcome == "would_rotate"
    return {
        "changed": predicted or outcome.after.last_rotated_at != outcome.before.last_rotated_at,
        "outcome": outcome.outcome,
        "msg": clean(outcome.message),
        "secretRotation": rotation,
        "ansible_facts": {"secretRotation": rotation},
        "diff": {
            "before": _compared(outcome.before, clean),
            "after": _foretold(outcome.before) if predicted else _compared(outcome.after, clean),
        },
    }


def _compared(reading: Reading, clean: Callable[[Any], Any]) -> dict[str, Any]:
    keys = ("lastRotatedAt", "activeIndex", "rotationStatus", "nextRotationAt")
    return {key: clean(reading.rotation.get(key)) for key in keys}


def _foretold(before: Reading) -> dict[str, Any]:
    next_at = "(set by the server)" if before.rotation.get("isAutoRotationEnabled") else None
    return {
        "lastRotatedAt": "(the time of the rotation)",
        "activeIndex": 0 if before.rotation.get("activeIndex") else 1,
        "rotationStatus": "success",
        "nextRotationAt": next_at,
    }
