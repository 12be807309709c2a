# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Okta's answer to an introspection means: yes, no, or a failure, whoever gave it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from .._errors import InfisicalError
from .._timestamps import parse_http_date
from .answers import parsed, title_of
from .exchange import Received
from .failures import PROXY_HINT, whole_number
from .redaction import Redactor, printable

#: How an organisation's address is written.
EXAMPLE = "https://company.okta.com"


def word_of(received: Received) -> bool | None:
    """Okta's yes or no; None for every other answer, whoever gave it."""
    data = parsed(received.body)
    if not isinstance(data, dict):
        return None
    if received.status == 200 and isinstance(data.get("active"), bool):
        return True
    described = data.get("error_description")
    if received.status == 401 and data.get("error") == "invalid_client" and isinstance(described, str):
        # Other texts blame the client, the way in which it proves itself, or a header that went lost.
        return False if "client secret" in described.lower() else None
    return None


def failure_of(received: Received, what: str, url: str, redactor: Redactor) -> InfisicalError:
    """The error for a complete answer that is neither yes nor no."""
    status, headers = received.status, received.headers
    said = _said(parsed(received.body))
    head = f"Could not {what} at {url}: HTTP {status}"
    if said:
        head += f" {printable(redactor.text(said[0]), 200)}: {printable(redactor.text(said[1]))}".rstrip(".")
    request_id = printable(redactor.text(headers.get("X-Okta-Request-Id", "")), 100) or None
    if request_id:
        head += f" (request {request_id})"
    if 300 <= status < 400:
        reason, next_step = "redirected", _redirect_hint(redactor.text(headers.get("Location", "")))
    else:
        reason, next_step = _meaning(status, said)
    if not said:
        title = title_of(received.body, redactor)
        head += f", a page with the title {title!r}" if title else ""
    if reason == "invalid_response":
        head += ", in a form that is not Okta's"
        next_step = f"Something else answers at {url}: check okta_url and the proxies before Okta."
    return InfisicalError(
        reason,
        f"{head}.",
        next_step,
        http_status=status,
        request_id=request_id,
        retry_after=_retry_after(headers) if status == 429 else None,
    )


def _said(data: Any) -> tuple[str, str] | None:
    """Error and text of an answer in one of Okta's two forms, that of OAuth and that of its own API."""
    for error, text in (("error", "error_description"), ("errorCode", "errorSummary")):
        if isinstance(data, dict) and isinstance(data.get(error), str) and isinstance(data.get(text), str):
            return data[error], data[text]
    return None


def _meaning(status: int, said: tuple[str, str] | None) -> tuple[str, str]:
    """Reason and next step."""
    if status == 407:
        return "unreachable", PROXY_HINT
    if status == 429:
        return "rate_limited", "Run again later, with fewer forks, or with a longer wait_timeout."
    if status >= 500:
        return "server_error", "Look at https://status.okta.com, and at the proxies before Okta."
    if not said or status < 400:
        return "invalid_response", ""
    error, text = said
    if error == "invalid_client":
        return _meaning_for_client(text)
    if status == 401:
        return "authentication_failed", "Check client_id and client_auth_method against the application, and okta_url."
    if status == 403:
        return "permission_denied", "Check whether a network zone or a policy at Okta refuses this host's address."
    if status == 404 and "AuthorizationServer" in text:
        return "not_found", "Check authorization_server; left out, the organisation's own is asked."
    if status == 404:
        return "route_not_found", "Check okta_url."
    return "request_rejected", "Check the options of the task against the message."


def _meaning_for_client(text: str) -> tuple[str, str]:
    if "client_id" in text:
        return "not_found", "Check client_id and okta_url, and whether the application is active."
    if "No client credentials" in text:
        return (
            "authentication_failed",
            "The task sent them: let the proxies before Okta pass them, or set the other client_auth_method.",
        )
    return (
        "authentication_failed",
        "Set client_auth_method as the application has it. One that proves itself with a private key has no secret.",
    )


def _redirect_hint(location: str) -> str:
    try:
        host = urlsplit(location).hostname or ""
    except ValueError:
        host = ""
    target = f"It redirects to {printable(host, 200)}, and redirects" if host else "Redirects"
    return f"{target} are not followed: set okta_url to the organisation's own address, as {EXAMPLE}."


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait. Okta tells the second at which the limit ends, by its own clock; a proxy how long to wait."""
    told = whole_number(headers.get("Retry-After", ""))
    if told is not None:
        return float(told)
    end, now = whole_number(headers.get("X-Rate-Limit-Reset", "")), parse_http_date(headers.get("Date"))
    return None if end is None or now is None else max(0.0, end - now.timestamp())
