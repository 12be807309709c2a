# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What creating, changing and removing a rotation share: their surroundings, how they end, and how they begin."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, NamedTuple

from .._errors import InfisicalError
from .._transport.patience import Patience
from .._transport.redaction import printable
from . import finding
from .api import Api, Reading, place_of
from .finding import Target
from .lock import Held
from .observer import Observer
from .projects import Projects

#: What is waited for then, in words that follow "for".
SHOWN = "a reading that shows the outcome, because the answer did not tell"


class Surroundings(NamedTuple):
    """``hold`` keeps other tasks of this machine away from what an id tells: a rotation, or an application.

    ``outcome_timeout`` is how many seconds of the patience may go into an outcome that an answer did not tell.
    """

    api: Api
    projects: Projects
    observer: Observer
    patience: Patience
    outcome_timeout: float
    now: Callable[[], datetime]
    hold: Callable[[str], AbstractContextManager[Held]]
    warn: Callable[[str], None]


class Ended(NamedTuple):
    """How a task ended. ``outcome`` is one of those that the module documents.

    ``before`` and ``after`` show the configuration, ``rotation`` is the server's object, ``rotated`` whether a change
    rotated, or would.
    """

    outcome: str
    message: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    rotation: Mapping[str, Any] | None = None
    rotated: bool = False


def found(around: Surroundings, target: Target, *, folder_needed: bool = True) -> Reading | None:
    """The rotation, or None where the server says that there is none; in a folder that is not there, it says."""
    try:
        return around.observer.fresh(lambda: finding.look(around.api, target))
    except InfisicalError as failure:
        # Of the folder it speaks with another status.
        if failure.reason != "not_found" or (folder_needed and failure.http_status != 404):
            raise
    return None


def told(rotation: Mapping[str, Any]) -> str:
    """A rotation in words, of whatever shape it is."""
    place = ":".join("?" if each is None else str(each) for each in place_of(rotation))
    return f"{rotation['name']!r} in {printable(place, 300)} ({printable(rotation['id'], 100)})"
