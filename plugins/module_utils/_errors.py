# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one family of errors: why something failed, on which request, and what to do next."""

from __future__ import annotations

import os
import traceback
from typing import Any

#: The closed list of ``reason`` values. Playbooks branch on them, so a value is never renamed.
REASONS = {
    "invalid_arguments": "An option is missing, malformed or contradicts another one. Nothing was sent.",
    "missing_dependency": "A Python library is missing on the host that runs the task. Nothing was sent.",
    "lock_unavailable": "The folder or the file of the lock in the temporary folder cannot be used. Nothing was sent.",
    "unreachable": "No connection, or no answer in time.",
    "tls_failed": "TLS failed, most often because the certificate is not trusted.",
    "redirected": "The server answered with a redirect, which is never followed.",
    "authentication_failed": "The login was refused, or the token is expired, revoked, used up or malformed.",
    "permission_denied": "The identity may not do this, or not from this address.",
    "not_found": "The object does not exist, or not for this identity.",
    "route_not_found": "The server does not know the endpoint: wrong URL, or a server that is too old.",
    "wrong_type": "The rotation exists and is not an Okta client secret rotation.",
    "conflict": "Another object has the name, or is for the same application. Nothing was changed.",
    "not_changeable": "The server cannot change this of a rotation that exists, or must not. Nothing was sent.",
    "rotation_not_allowed": "The change would make the server rotate, which was not allowed. Nothing was sent.",
    "revocation_failed": "The provider refused to revoke a secret. Those before it may be gone, the rotation is there.",
    "plan_restricted": "The plan of the Infisical organisation does not include secret rotation.",
    "rate_limited": "The server kept refusing with HTTP 429 for longer than the task may wait.",
    "request_rejected": "The server refused the request as invalid.",
    "server_error": "The server, or a proxy before it, failed with HTTP 5xx while reading or logging in.",
    "invalid_response": "The answer is not what Infisical sends: not JSON, too large, or without required keys.",
    "stale_reading": "Only readings older than what is known already came: a cache or a replica. Nothing was sent.",
    "clock_unreliable": "The server's clock and this host's disagree on whether it is due. Nothing was sent.",
    "rotation_failed": "The server recorded a failed attempt, which left the active secret as it was.",
    "okta_secret_limit": "Okta refused a further secret, because the application already holds two.",
    "rotation_in_progress": "Another rotation held the lock for longer than the task may wait.",
    "outcome_unknown": "The request was sent, and whether it was done could not be learned.",
    "attention_needed": "Rotations are overdue or failed, and fail_on names that. The report itself was made.",
    "internal_error": "A fault of this collection. The message names the place.",
}

#: What a request may have done: certainly nothing, perhaps something, certainly what it asked for.
NONE, UNKNOWN, DONE = "none", "unknown", "done"


class InfisicalError(Exception):
    """A failure with everything that a person or a playbook needs to act on it.

    ``effect`` is what the request may have done, one of NONE, UNKNOWN and DONE. ``retry_after`` is the number of
    seconds that the server asked for.
    """

    def __init__(
        self,
        reason: str,
        problem: str,
        next_step: str = "",
        *,
        http_status: int | None = None,
        request_id: str | None = None,
        server_message: str = "",
        server_error: str = "",
        effect: str = NONE,
        retry_after: float | None = None,
    ) -> None:
        if reason not in REASONS:
            raise ValueError(f"{reason!r} is not a documented reason")
        super().__init__(problem)
        self.reason = reason
        self.problem = problem
        self.next_step = next_step
        self.http_status = http_status
        self.request_id = request_id
        self.server_message = server_message
        self.server_error = server_error
        self.effect = effect
        self.retry_after = retry_after
        self.secret_rotation: dict[str, Any] | None = None

    @property
    def token_refused(self) -> bool:
        """Whether a new token may help. Infisical answers 403 ``TokenError`` for an expired one, not 401."""
        return self.reason == "authentication_failed"

    def __str__(self) -> str:
        return self.message

    @property
    def message(self) -> str:
        return " ".join(part for part in (self.problem, self.next_step) if part)

    def chain(self) -> list[InfisicalError]:
        """This failure and those that led to it, which a traceback would quote too."""
        found: list[BaseException] = []
        error: BaseException | None = self
        while error is not None and error not in found:
            found.append(error)
            error = error.__cause__ or error.__context__
        return [error for error in found if isinstance(error, InfisicalError)]

    def result(self) -> dict[str, Any]:
        """The result keys of a failed task, ``msg`` included."""
        result: dict[str, Any] = {
            "msg": self.message,
            "outcome": "failed" if self.effect == NONE else "unknown",
            "reason": self.reason,
            "http_status": self.http_status,
            "request_id": self.request_id,
            "changed": False,
        }
        if self.secret_rotation is not None:
            result["secretRotation"] = self.secret_rotation
        return result


def invalid_arguments(problem: str) -> InfisicalError:
    return InfisicalError("invalid_arguments", problem)


def not_infisical(problem: str) -> InfisicalError:
    """What answered is no Infisical that we know, or something between it and us rewrites its answers."""
    return InfisicalError(
        "invalid_response",
        problem,
        "Check that url is an Infisical server of a supported version and that nothing rewrites its answers.",
        http_status=200,
    )


def unforeseen(fault: Exception, what: str) -> InfisicalError:
    """A fault of our own code. Its text is not quoted, for it may hold a secret."""
    plugins = os.path.dirname(os.path.dirname(__file__))
    places = [each for each in traceback.extract_tb(fault.__traceback__) if each.filename.startswith(plugins)]
    where = f" at {os.path.relpath(places[-1].filename, plugins)}:{places[-1].lineno}" if places else ""
    return InfisicalError(
        "internal_error",
        f"Could not {what}: {type(fault).__name__}{where}, a fault of this collection.",
        "Look at the rotation in Infisical before you run again, and report it with this message.",
    )
