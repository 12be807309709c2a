# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can become of a request, what stands between a task and the server, and what really came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from unit.exactly_once.model_server import Rival, State, Work

#: What can become of one request. The first is that nothing special does.
WHOLE = ("ok", "extra")
NEVER_SENT = ("refused", "no_such_host", "connect_timeout", "tls_broken", "tunnel_refused")
LOST_BEFORE = ("reset_before", "silent_before")
TOKEN_REFUSED = ("expired", "revoked")
REFUSED = ("forbidden", "no_route", *TOKEN_REFUSED)
#: Somebody else's answer, in a shape of its own, in place of the server's: see FOREIGN of the network.
ANSWERED_BEFORE = ("foreign_before", "masked_500")
LIMITED = ("429_after", "429_reset", "429_zero", "429_text", "429_bare", "429_hour")
LOST_AFTER = ("reset_after", "reset_during", "silent_after", "half_body", "trickle")
GARBLED_AFTER = ("not_json", "empty", "other_id", "other_type", "missing", "null", "foreign_after")
ROTATE_ONLY = (
    "lock_lost", "unmoved", "okta_fails", "okta_limit", "late_failure", "restart", "gateway_timeout",
    # The proxy sends the request twice, one after the other or both at once.
    "repeated", "repeated_busy",
    # The request reaches the server when the task has long given it up; the task is killed as it waits.
    "late", "killed",
)  # fmt: skip
READ_KINDS = (
    *WHOLE, *NEVER_SENT, *LOST_BEFORE, *REFUSED, *ANSWERED_BEFORE, *LIMITED, *LOST_AFTER, *GARBLED_AFTER
)  # fmt: skip
KINDS = (*READ_KINDS, *ROTATE_ONLY)


@dataclass(frozen=True)
class Fate:
    """What becomes of one request. ``seconds`` is the time of the work, or the delay of the answer.

    ``pick`` chooses among the ways in which that can look to the client.
    """

    kind: str = "ok"
    seconds: float = 0.0
    rival: Rival | None = None
    skew: float | None = None
    pick: int = 0


@dataclass(frozen=True)
class Cache:
    """Keeps answers to GETs for ``seconds``, whatever the request says against it.

    ``whole_url`` says that the query is part of the key. ``tells_age`` sends the header Age, ``keeps_date`` the
    server's Date of then.
    """

    seconds: float
    whole_url: bool = False
    tells_age: bool = False
    keeps_date: bool = False


@dataclass(frozen=True)
class Way:
    """What lies between a task and the server.

    GETs by name and by id are answered by replicas, each a number of seconds behind, in turns. ``date`` is by how
    much the proxy's clock is ahead, None where it sends no Date.
    """

    find: tuple[float, ...] = (0.0,)
    read: tuple[float, ...] = (0.0,)
    cache: Cache | None = None
    date: float | None = 0.0

    def lag(self, role: str, number: int) -> float:
        lags = self.find if role == "find" else self.read
        return lags[number % len(lags)]


@dataclass(frozen=True)
class Schedule:
    """The fates of one task's requests, by role and in order; after them all goes well."""

    login: Sequence[Fate] = ()
    read: Sequence[Fate] = ()
    rotate: Sequence[Fate] = ()
    revoke: Sequence[Fate] = ()
    find: Sequence[Fate] = ()
    way: Way = Way()

    def of(self, role: str, number: int) -> Fate:
        fates: Sequence[Fate] = getattr(self, role)
        return fates[number] if number < len(fates) else Fate()


@dataclass
class Exchange:
    """One request as it really went, and as the client got to see it.

    ``refused`` says that the client can know from this alone that nothing was done. It is not taken from what the
    answer looks like: the network sets it where it keeps a request from leaving, or passes on whole what the server
    said when it refused.
    """

    role: str
    kind: str
    started: float
    ended: float = 0.0
    status: int | None = None
    #: The rotation that the client got to see, if it did, and whether a cache told that it had kept it.
    state: State | None = None
    aged: bool = False
    #: Out of a cache that would have had no answer to an URL of its own.
    avoidable: bool = False
    #: How wrong the Date of the answer was; None where it had none.
    date_error: float | None = None
    #: How long the server asked to wait.
    told_to_wait: float | None = None
    token: str | None = None
    refused: bool = False
    #: Refused because a rotation is in progress.
    busy: bool = False
    #: The server itself told of a failure, after the work.
    answered: bool = False
    #: What it set off at the server, when it reached the code that rotates.
    work: Work | None = field(default=None)

    @property
    def reached(self) -> bool:
        return self.work is not None
