# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long ago something was, by two clocks that may both be wrong: the server's and this host's."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from .._errors import InfisicalError
from .durations import in_words

#: A header Date has whole seconds, and an answer takes a while. Clocks that differ by less agree.
TOLERANCE = 5.0


class Decision(NamedTuple):
    """Whether a rotation is due, and why, in words. ``doubt`` says what is wrong with the clocks, if anything is.

    ``reliable`` is false when the clocks do not allow the decision.
    """

    due: bool
    why: str
    doubt: str = ""
    reliable: bool = True


def decide(last_rotated_at: datetime, server_now: datetime | None, host_now: datetime, min_age: int) -> Decision:
    """Due when the last rotation is at least ``min_age`` seconds ago, which both clocks must say."""
    host_age = (host_now - last_rotated_at).total_seconds()
    age = host_age if server_now is None else (server_now - last_rotated_at).total_seconds()
    ago = f"last rotated {ago_in_words(age)}"
    doubt, reliable = _doubt(age, host_age, server_now is not None, min_age)
    if not min_age:
        return Decision(True, f"{ago}, min_age is 0", doubt)
    if age < min_age:
        return Decision(False, f"{ago}, less than min_age {in_words(min_age)}", doubt, reliable)
    return Decision(True, f"{ago}, at least min_age {in_words(min_age)}", doubt, reliable)


def check(decision: Decision, name: str, warn: Callable[[str], None]) -> None:
    """Fail where the clocks do not allow the decision about the rotation of that name."""
    if not decision.reliable:
        raise InfisicalError(
            "clock_unreliable",
            f"Could not decide whether {name!r} is due: {decision.doubt}",
            "Nothing was sent. Set the clock that is wrong (that of this host, of the proxy before the server, or "
            "of the server). With min_age 0 no clock is asked.",
        )
    if decision.doubt:
        warn(decision.doubt)


def _doubt(age: float, host_age: float, told: bool, min_age: int) -> tuple[str, bool]:
    """What is wrong with the clocks, in words, and whether they allow a decision all the same."""
    if not told:
        by_host = (
            "The server's answer has no Date header: the age is taken from the clock of this host, by which the last "
            f"rotation was {ago_in_words(host_age)}."
        )
        return by_host, host_age >= -TOLERANCE
    differ = abs(age - host_age) > TOLERANCE
    if not differ and age >= -TOLERANCE:
        return "", True
    both = (
        f"The last rotation was {ago_in_words(age)} by the server's clock (the header Date of its answer) and "
        f"{ago_in_words(host_age)} by the clock of this host."
    )
    return both, age >= -TOLERANCE and (age >= min_age) == (host_age >= min_age)


def ago_in_words(age: float) -> str:
    """``3 hours ago``, or that it lies in the future, which no clock may hide."""
    return f"{in_words(age)} ago" if age > -1 else f"{in_words(-age)} in the future"
