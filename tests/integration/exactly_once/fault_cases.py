# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that can go wrong between a task and its server, and how the task must end then."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Fault = dict[str, Any]

#: Long enough on a busy machine, and short enough to wait for.
PATIENT: dict[str, Any] = {"timeout": 10, "wait_timeout": 60}
HASTY: dict[str, Any] = {"timeout": 10, "wait_timeout": 1}
SILENT: dict[str, Any] = {"timeout": 3, "wait_timeout": 60}

#: What a message says to do next.
LOOK = "Before you run it again, look at the rotation"
LATER = "Run again"
CHECK_URL = "[Cc]heck.* url|set url to"
CONFIRMED = "confirmed by reading"
REQUEST = {"reqId": "req-4Bx9dKq1LmTz0A"}


@dataclass(frozen=True)
class Case:
    """``posts``: requests to rotate that the server saw. ``rotations``: what it made of them.

    ``ends`` is the outcome or the reason, ``says`` what the message must tell: how it is known, or what to do next.
    ``rival`` is somebody else's rotation, begun when the request has come.
    """

    what: str
    ends: str
    says: str
    posts: int = 1
    rotations: int = 0
    rotate: tuple[Fault, ...] = ()
    read: tuple[Fault, ...] = ()
    options: dict[str, Any] = field(default_factory=lambda: PATIENT)
    server: str = "usual"
    rival: dict[str, Any] | None = None
    without: tuple[str, ...] = ()


def fault(action: str, **more: Any) -> tuple[Fault, ...]:
    return ({"action": action, **more},)


def error(status: int, kind: str, message: Any, **more: Any) -> tuple[Fault, ...]:
    body = {**REQUEST, "statusCode": status, "error": kind, "message": message}
    return fault("status", status=status, body=body, **more)


def proxy(status: int, **more: Any) -> tuple[Fault, ...]:
    return fault("status", status=status, body="<html>Bad Gateway</html>", contentType="text/html", **more)


def confirmed(what: str, rotate: tuple[Fault, ...], **more: Any) -> Case:
    """The answer does not tell, the work was done, and reading shows it."""
    return Case(what, "rotated", CONFIRMED, rotations=1, rotate=rotate, **more)


def unknown(what: str, rotate: tuple[Fault, ...], **more: Any) -> Case:
    """The answer does not tell, and reading shows nothing either."""
    return Case(what, "outcome_unknown", LOOK, rotate=rotate, **{"options": HASTY, **more})


def before(what: str, ends: str, says: str, **more: Any) -> Case:
    """It fails before anything was requested."""
    return Case(what, ends, says, posts=0, **more)


NEVER_ASKED = (
    before("Connection refused", "unreachable", "nothing was sent", server="closed", options=HASTY),
    before("Host name unknown", "unreachable", "nothing was sent", server="nowhere", options=HASTY),
    before("TLS handshake with a port that speaks no TLS", "tls_failed", "speaks HTTPS", server="not_tls"),
    before("Certificate of an unknown authority", "tls_failed", "ca_path", server="tls"),
    before("Wrong base URL: 200 with the web page", "invalid_response", CHECK_URL, server="web_page"),
    before("Reading: reset", "unreachable", "Check the health", read=fault("reset_before", times=3)),
    before("Reading: half a body", "unreachable", "Check the health", read=fault("half_body", times=3)),
    before("Reading: not JSON", "invalid_response", CHECK_URL, read=fault("not_json")),
    before("Reading: silence", "unreachable", "timeout sets the limit", options=SILENT,
           read=fault("silence", seconds=100, times=3)),
    before("Reading: 302", "redirected", CHECK_URL, read=fault("redirect", status=302)),
    before("Reading: 403 permission", "permission_denied", "Give the identity", without=("read",)),
    before("Reading: 404 object", "not_found", "Check the identifiers", server="other_rotation"),
    before("Reading: 404 route", "route_not_found", CHECK_URL, server="no_route"),
    before(
        "Reading: 422 with a list of faults", "request_rejected", "Check the options",
        read=error(422, "ValidationFailure", [{"path": ["rotationId"], "message": "Invalid uuid"}]),
    ),
    before("Reading: 500", "server_error", "server's log", read=fault("status", status=500, times=3)),
    before("Reading: null where a time must be", "invalid_response", CHECK_URL,
           read=fault("mutate", null=["secretRotation.lastRotatedAt"])),
    before("Reading: 429 with a wait longer than wait_timeout", "rate_limited", LATER,
           read=fault("rate_limit", seconds=60), options=HASTY),
)  # fmt: skip

LOST = (
    unknown("Reset before the work", fault("reset_before")),
    confirmed("Reset after the work", fault("reset_after")),
    unknown("Closed before the work", fault("close_before")),
    confirmed("Closed after the work", fault("close_after")),
    confirmed("Half a header, after the work", fault("half_header")),
    unknown("Half a body, before the work", fault("half_body", work=False)),
    confirmed("Half a body, after the work", fault("half_body")),
    confirmed("A body that trickles past the timeout", fault("trickle", seconds=0.1), options=SILENT),
    confirmed("Silence of 100 seconds, the work done", fault("silence", seconds=100), options=SILENT),
    unknown("Silence of 100 seconds, nothing done", fault("silence", seconds=100, work=False),
            options={"timeout": 3, "wait_timeout": 1}),
    confirmed("An answer after the timeout", fault("delay", seconds=6), options=SILENT),
    confirmed("Server killed after the work, and started again", fault("kill", work="before"), server="killed_after"),
    unknown("Server killed before the work, and started again", fault("kill"), server="killed_before",
            options={"timeout": 10, "wait_timeout": 14}),
    Case("Lost answer, and reading is refused from then on", "outcome_unknown", LOOK, rotations=1,
         rotate=fault("reset_after"), read=error(403, "PermissionDenied", "No.", after=1)),
)  # fmt: skip

GARBLED = (
    confirmed("200, not JSON", fault("not_json")),
    confirmed("200, empty", fault("empty_200")),
    unknown("200, HTML, nothing done", fault("html_200")),
    confirmed("200, HTML, the work done", fault("html_200", work="before")),
    confirmed("200, the id of another rotation",
              fault("mutate", set={"secretRotation.id": "11111111-2222-4333-8444-555555555555"})),
    confirmed("200, another type of rotation", fault("mutate", set={"secretRotation.type": "aws-iam-user-secret"})),
    confirmed("200, a list instead of an object", fault("mutate", replace=[])),
    confirmed("200, lastRotatedAt missing", fault("mutate", delete=["secretRotation.lastRotatedAt"])),
    confirmed("200, lastRotatedAt null", fault("mutate", null=["secretRotation.lastRotatedAt"])),
    Case("200, unknown keys more", "rotated", "Rotated: ", rotations=1,
         rotate=fault("mutate", set={"secretRotation.novelty": {"a": [1]}, "another": None})),
    confirmed("200, an endless body", fault("huge", megabytes=34, work="before")),
    *(unknown(f"{status}, nothing done", fault("redirect", status=status)) for status in (301, 302, 303, 307, 308)),
    *(
        confirmed(f"{status}, the work done", fault("redirect", status=status, work="before"))
        for status in (301, 302, 303, 307, 308)
    ),
)  # fmt: skip

REFUSED = (
    *(
        Case(f"{what}, then a new login", "rotated", "Rotated: ", posts=2, rotations=1, rotate=rotate)
        for what, rotate in (
            ("401 revoked token", fault("unauthorized")),
            ("401 used-up token", fault("unauthorized", message="Failed to authorize: token usage limit reached")),
            ("403 TokenError, expired", fault("token_error")),
            ("403 TokenError, malformed", fault("token_error", message="The provided access token is malformed.")),
        )
    ),
    Case("401 again after a new login", "authentication_failed", "Check the credentials", posts=2,
         rotate=fault("unauthorized", times=2)),
    Case("403 TokenError for a given token", "authentication_failed", "The token given has expired",
         rotate=fault("token_error"), server="given_token"),
    Case("403 permission to rotate", "permission_denied", "Give the identity", without=("rotate-secrets",)),
    Case("403 address", "permission_denied", "address",
         rotate=error(403, "ForbiddenError", "You are not allowed to access this from the current IP address")),
    Case("400 plan", "plan_restricted", "paid feature",
         rotate=error(400, "BadRequest", "Failed to rotate due to plan restriction. Upgrade plan to rotate secrets.")),
    Case("404 object, gone since it was read", "not_found", "Check the identifiers",
         rotate=error(404, "NotFound", "Could not find Okta Client Secret Rotation")),
    Case("404 route", "route_not_found", CHECK_URL,
         rotate=fault("status", status=404, body={"statusCode": 404, "error": "Not Found", "message": "Route /x"})),
    Case("422 with a list of faults", "request_rejected", "Check the options",
         rotate=error(422, "ValidationFailure", [{"path": ["rotationId"], "message": "Invalid uuid"}])),
    Case("429 with Retry-After", "rotated", "Rotated: ", posts=2, rotations=1,
         rotate=fault("rate_limit", headers={"retry-after": "1"}, message="Slow down.")),
    Case("429 with x-ratelimit-reset", "rotated", "Rotated: ", posts=2, rotations=1,
         rotate=fault("rate_limit", headers={"x-ratelimit-reset": "1"}, message="Slow down.")),
    Case("429 with neither", "rotated", "Rotated: ", posts=2, rotations=1,
         rotate=fault("rate_limit", headers={}, message="Slow down.")),
    # A second pause has no room, and a first one has it on a slow machine too.
    Case("429 for ever", "rate_limited", LATER, posts=2, rotate=fault("rate_limit", seconds=12, times=0),
         options={"timeout": 10, "wait_timeout": 20}),
)  # fmt: skip

FAILED = (
    unknown("500 masked, nothing recorded", fault("status", status=500)),
    Case("500 with the real reason, recorded", "rotation_failed", "Mend the cause and run again", server="okta_fails"),
    Case("500, Okta holds two secrets", "okta_secret_limit", "deactivate and delete it", server="orphan"),
    confirmed("500 after the commit", fault("status", status=500, work="before")),
    confirmed("500 after the commit, status failed", (), server="late_failure"),
    *(unknown(f"{status} HTML before the work", proxy(status)) for status in (502, 503, 504)),
    *(confirmed(f"{status} HTML after the work", proxy(status, work="before")) for status in (502, 503, 504)),
    unknown("404 HTML of a proxy", proxy(404)),
    Case("Lock held, the rival finishes", "rotated_by_another", "a second rotation was not made", rotations=1,
         rotate=fault("delay", seconds=2), rival={"seconds": 4}),
    Case("Lock held for ever", "rotation_in_progress", "Run again in a minute",
         rotate=fault("delay", seconds=2), rival={"seconds": 100}, options=HASTY),
    Case("Lock held, the rival fails", "rotation_failed", "Mend the cause and run again",
         rotate=fault("delay", seconds=2), rival={"seconds": 4, "failure": True}),
    Case("Lock lost, the rival finishes", "rotated_by_another", "a second rotation was not made", rotations=1,
         rotate=fault("delay", seconds=2), rival={"seconds": 4, "hidden": True}),
    Case("A rival finishes during the pause for a 429", "rotated_by_another", "to send its own again, which it did not",
         rotations=1, rotate=fault("rate_limit", seconds=4), rival={"seconds": 0}),
)  # fmt: skip

CASES = (*NEVER_ASKED, *LOST, *GARBLED, *REFUSED, *FAILED)
