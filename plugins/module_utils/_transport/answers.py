# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a complete answer that is no success means, and what the request may have done whose answer it is."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

from .._errors import DONE, NONE, UNKNOWN, InfisicalError
from .failures import PROXY_HINT, whole_number
from .redaction import Redactor, printable, whole

#: A query key that makes an URL which no cache has. Infisical drops keys that it does not know.
FRESH = "fresh"
_DENIED = re.compile(r"You are not allowed to (\S+) on (\S+)")
_TITLE = re.compile(r"<title[^>]*>(.{1,500}?)</title", re.IGNORECASE | re.DOTALL)


def parsed(content: bytes) -> Any:
    """The JSON value, of text that can be printed; None where it is none, or none that any server of ours sends."""
    try:
        return whole(json.loads(content))
    except (ValueError, RecursionError):
        return None


def effect_of(status: int, data: Any) -> str:
    """What the request may have done. Only Infisical itself can say that it did nothing."""
    if status == 200 and isinstance(data, dict):
        return DONE
    return NONE if 400 <= status < 500 and is_infisicals(status, data) else UNKNOWN


def is_infisicals(status: int, data: Any) -> bool:
    """Whether an error has Infisical's own shape. A proxy, a firewall or a login page answers in another one."""
    if not isinstance(data, dict) or not isinstance(data.get("error"), str):
        return False
    # For an unknown route there is no request's id.
    route_unknown = data["error"] == "Not Found" and str(data.get("message")).startswith("Route ")
    told = isinstance(data.get("reqId"), str) or route_unknown
    return told and "message" in data and data.get("statusCode") == status


def failure_of(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    data: Any,
    *,
    what: str,
    url: str,
    path: str,
    redactor: Redactor,
) -> InfisicalError:
    """The error for an answer to ``url + path`` that is no success. ``data`` is the body's JSON, if it is any."""
    own = is_infisicals(status, data)
    error, said = (data["error"], _said(data["message"])) if own else ("", "")
    # Decisions are made by what the server said; only what is shown is without secrets.
    head = f"Could not {what}: HTTP {status}"
    request_id = None
    if own:
        text = printable(_said(redactor.data(data["message"])))
        head += f" {printable(redactor.text(error), 200)}" + (f": {text}" if text else "")
        request_id = printable(redactor.text(data["reqId"]), 100) if isinstance(data.get("reqId"), str) else None
    if request_id:
        head += f" (request {request_id})"
    if 300 <= status < 400:
        reason, next_step = "redirected", _redirect_hint(redactor.text(headers.get("Location", "")), url, path)
    else:
        reason, next_step = _meaning(status, own, error, said, told=bool(request_id))
    if not own:
        title = title_of(body, redactor)
        head += f", a page with the title {title!r}" if title else ""
        if status != 407 and reason not in ("redirected", "rate_limited"):
            head += ", in a form that is not Infisical's"
            next_step = f"Something else answers at {url}: check url and the proxies before the server. {next_step}"
    return InfisicalError(
        reason,
        head.rstrip(".") + ".",
        next_step.strip(),
        http_status=status,
        request_id=request_id,
        server_message=said,
        server_error=error,
        effect=effect_of(status, data),
        retry_after=_retry_after(headers, said) if status == 429 else None,
    )


def _meaning(status: int, own: bool, error: str, said: str, *, told: bool) -> tuple[str, str]:
    """Reason and next step; ``told`` is whether the answer names the request."""
    if status == 407:
        return "unreachable", PROXY_HINT
    if status == 429:
        return "rate_limited", "Run again later, with fewer forks, or with a longer wait_timeout."
    if status >= 500:
        where = " under that request" if told else ""
        return "server_error", f"Look at the server's log{where}, and at its database and Redis."
    if not own:
        return "invalid_response", ""
    if status == 401 and said == "Token missing":
        return (
            "authentication_failed",
            "The task sent a token, and the server saw none: let the proxies before it pass the Authorization header.",
        )
    if status == 401 or (status == 403 and error == "TokenError"):
        return "authentication_failed", "Check the credentials, or get a new token."
    if status == 403 and "IP address" in said:
        return "permission_denied", "Add this host's address to the identity's trusted addresses."
    if status == 403 and error.startswith("Forbidden access to "):
        return (
            "permission_denied",
            "The route does not take this kind of token: log in as a machine identity, or give such a login's token.",
        )
    if status == 403:
        denied = _DENIED.fullmatch(said)
        needed = f"action {denied[1]} on the subject {denied[2]}" if denied else "right that the message names"
        return "permission_denied", printable(f"Give the identity the {needed} in the project.", 300)
    if status == 404 and error == "Not Found":
        return (
            "route_not_found",
            "Check url; if it is right, the server is older than what this collection needs.",
        )
    if status == 404:
        return "not_found", "Check the identifiers, and that the identity is a member of the project."
    return "request_rejected", "Check the options of the task against the message."


def _said(message: Any) -> str:
    """The message as text. Validation errors come as a list of {path, message}."""
    if isinstance(message, list):
        return "; ".join(
            f"{_dotted(item.get('path'))}: {item.get('message')}" for item in message if isinstance(item, dict)
        )
    return str(message) if message else ""


def _dotted(path: Any) -> str:
    return ".".join(str(part) for part in path) if isinstance(path, list) else str(path)


def title_of(body: bytes, redactor: Redactor) -> str:
    """What a page says it is, which often names the cause exactly."""
    match = _TITLE.search(body[:65536].decode("utf-8", "replace"))
    return printable(" ".join(redactor.text(html.unescape(redactor.text(match[1]))).split()), 120) if match else ""


def _retry_after(headers: Mapping[str, str], said: str) -> float | None:
    """Seconds to wait: Retry-After, else x-ratelimit-reset, else the number in the message."""
    for name in ("Retry-After", "x-ratelimit-reset"):
        value = whole_number(headers.get(name, ""))
        if value is not None:
            return float(value)
    match = re.search(r"try again in (\d{1,6}) second", said)
    return float(match[1]) if match else None


def _redirect_hint(location: str, url: str, path: str) -> str:
    try:
        parts = urlsplit(urljoin(url + path, location))
        target = parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
    except ValueError:
        location = ""
    if not location:
        return "Redirects are not followed: set url to the server's final address."
    # Most often a whole server has moved, which the end of the address tells.
    final = target.removesuffix(path) if target.endswith(path) else "the server's final address"
    return printable(f"It redirects to {target}, and redirects are not followed: set url to {final}.", 500)
