# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a rotation fails, in words, and what to do then."""

from __future__ import annotations

from .._errors import NONE, UNKNOWN, InfisicalError
from .._transport.redaction import printable
from .api import Reading
from .kinds import KINDS


def stale(reading: Reading, why: str, note_path: str) -> InfisicalError:
    noted = f", or, if it was not rotated, remove {note_path}" if note_path else ""
    return InfisicalError(
        "stale_reading",
        f"Could not get a fresh reading of the secret rotation {reading.id} within wait_timeout: {why}.",
        "Nothing was sent. A cache, a replica that lags, or a request that is still under way: look at the rotation "
        f"in Infisical, and run again in ten minutes{noted}.",
    )


def unknown(before: Reading, lost: InfisicalError, obstacle: InfisicalError | None) -> InfisicalError:
    seen = f" Reading it failed too: {obstacle.problem}" if obstacle else ""
    return InfisicalError(
        "outcome_unknown",
        f"{lost.problem} Whether the secret was rotated could not be learned: lastRotatedAt was "
        f"{before.rotation['lastRotatedAt']} before the request and was not seen to move.{seen}",
        f"Before you run it again, look at the rotation {before.rotation['name']!r} in Infisical: if "
        "lastRotatedAt has moved, it is done. A second rotation would delete the secret before it.",
        http_status=lost.http_status,
        request_id=lost.request_id,
        effect=UNKNOWN,
    )


def failed(after: Reading, what: str, *, effect: str = NONE) -> InfisicalError:
    """The error for a failed attempt that a reading shows. With an unknown ``effect`` it may be somebody else's."""
    limit = KINDS[after.rotation["type"]].limit
    limited = limit.text in after.last_message
    if limited:
        next_step = limit.next_step
    elif effect != NONE:
        next_step = (
            "The answer to this task's own request was lost, so that the attempt may be somebody else's: look at the "
            "rotation in Infisical before you run it again."
        )
    else:
        next_step = (
            "The active secret is unchanged; the older one may be deleted already. Mend the cause and run again."
        )
    reason = limit.reason if limited else "rotation_failed"
    problem = f"Could not rotate the secret of {after.id}: {what}: {printable(after.last_message)}"
    return InfisicalError(reason, problem, next_step, effect=effect)


def unmoved(before: Reading) -> InfisicalError:
    return InfisicalError(
        "invalid_response",
        f"Could not confirm the rotation of {before.id}: HTTP 200, but lastRotatedAt did not move.",
        http_status=200,
    )


def twice(before: Reading) -> str:
    """What to warn of after readings.rotated_more_than_once."""
    return (
        f"The secret of {before.rotation['name']!r} was rotated more than once: lastRotatedAt moved, and activeIndex "
        "is as before. Somebody else rotated as well, or a proxy repeated the request. The secret that was in use "
        "before is deleted: give the present one to every consumer now, and find out who rotated in Infisical's audit "
        "log."
    )


def lost(
    name: str,
    what: str,
    answer: InfisicalError | None,
    obstacle: InfisicalError | None,
    within: str = "outcome_timeout and wait_timeout",
) -> InfisicalError:
    """Whether a request did ``what`` did not show. Without ``answer`` the server said that it did."""
    told = answer.problem if answer else f"The server answered that it {what} {name!r}."
    seen = f" Reading it failed too: {obstacle.problem}" if obstacle else ""
    return InfisicalError(
        "outcome_unknown",
        f"{told} Whether it {what} {name!r} could not be learned: no reading within {within} showed it.{seen}",
        "Look at it in Infisical before you run again. A run that finds it as wanted changes nothing.",
        http_status=answer.http_status if answer else 200,
        request_id=answer.request_id if answer else None,
        effect=UNKNOWN,
    )
