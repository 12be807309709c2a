# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What went wrong with an HTTP request, in words, and whether the server may have acted on it."""

from __future__ import annotations

import re
import socket
import ssl
import sys
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

from .._errors import InfisicalError
from .redaction import Redactor, printable


class TooLarge(Exception):
    """The body is larger than any answer of Infisical."""


class CutOff(Exception):
    """The body is shorter than announced."""


_PROXY_HINT = "Check HTTPS_PROXY, HTTP_PROXY and NO_PROXY, and the credentials of the proxy."

BROKEN_BODIES = (TooLarge, CutOff)

#: urllib3's names for 'the connection was never made'; by name, so that urllib3 need not be imported.
_NEVER_CONNECTED = {"NewConnectionError", "NameResolutionError", "ConnectTimeoutError"}


def _chain(cause: BaseException) -> Iterator[BaseException]:
    """The exception and everything it wraps: requests and urllib3 hide the cause in four places."""
    seen: set[int] = set()
    waiting: list[Any] = [cause]
    while waiting:
        item = waiting.pop(0)
        # An earlier failure of ours, while which this one was raised, is not its cause.
        if isinstance(item, BaseException) and not isinstance(item, InfisicalError) and id(item) not in seen:
            seen.add(id(item))
            yield item
            waiting += [getattr(item, "reason", None), getattr(item, "original_error", None)]
            waiting += [*item.args, item.__cause__, item.__context__]


def missing_requests(cause: ImportError, what: str) -> InfisicalError:
    return InfisicalError(
        "missing_dependency",
        f"Could not {what}: the Python library requests cannot be imported by {sys.executable}: {cause}.",
        "Install it for that interpreter (pip install requests), or set ansible_python_interpreter to one that has it.",
        nothing_done=True,
    )


def bad_proxy(what: str) -> InfisicalError:
    # Not quoted, for it may hold a password.
    return InfisicalError(
        "invalid_arguments",
        f"Could not {what}: the proxy variable of the environment that is for this url holds no URL.",
        "Write HTTPS_PROXY or HTTP_PROXY as http://host:port, with percent signs for special characters in a password.",
        nothing_done=True,
    )


def from_exception(cause: Exception, what: str, url: str, timeout: float) -> InfisicalError:
    """The error for a request that got no complete answer."""
    chain = list(_chain(cause))
    names = {type(item).__name__ for item in chain}
    if isinstance(cause, TooLarge):
        return InfisicalError(
            "invalid_response",
            f"Could not {what}: the answer of {url} is larger than 10 MiB and was not read further.",
            "Check that url is the Infisical server.",
        )
    if any(isinstance(item, ssl.SSLCertVerificationError) for item in chain):
        problem = next(item.verify_message for item in chain if isinstance(item, ssl.SSLCertVerificationError))
        return InfisicalError(
            "tls_failed",
            f"Could not {what}: the certificate of {url} was not accepted: {problem}.",
            "If the server's authority is your own, give its certificate in ca_path.",
            nothing_done=True,
        )
    never_connected = bool(names & _NEVER_CONNECTED)
    if "SSLError" in names and not never_connected:
        return InfisicalError(
            "tls_failed",
            f"Could not {what}: TLS with {url} failed: {_detail(chain)}.",
            "Check that the port speaks HTTPS, that the url's scheme is right, "
            "and whether the server asks for a client certificate.",
        )
    if names & {"InvalidURL", "InvalidSchema", "InvalidHeader", "InvalidProxyURL", "UnicodeError"} or (
        isinstance(cause, OSError) and names == {"OSError"}
    ):
        return InfisicalError(
            "invalid_arguments",
            f"Could not {what}: the request to {url} cannot be made: {_detail(chain)}.",
            "Check url, the files of ca_path or REQUESTS_CA_BUNDLE and of client_cert, and the proxy variables of the "
            "environment.",
            nothing_done=True,
        )
    if _tunnel_refused(chain):
        return InfisicalError(
            "unreachable",
            f"Could not {what}: the proxy refused to connect to {url}: {_detail(chain)}.",
            _PROXY_HINT,
            nothing_done=True,
            may_resend=True,
        )
    if never_connected:
        by_proxy = " through the proxy" if "ProxyError" in names else ""
        return InfisicalError(
            "unreachable",
            f"Could not {what}: no connection to {url}{by_proxy}: {_detail(chain)}.",
            "Check url, the network and the proxy variables of the environment; nothing was sent.",
            nothing_done=True,
            may_resend=True,
        )
    if names & {"ReadTimeout", "ReadTimeoutError", "TimeoutError"}:
        return InfisicalError(
            "unreachable",
            f"Could not {what}: {url} gave no complete answer within {timeout:g} seconds.",
            "Check the health of the server and of the proxies before it; option timeout sets the limit.",
        )
    # With TLS 1.3 a server that misses a client certificate accepts the connection first and then drops it.
    wanted = ", and whether it asks for a client certificate" if url.startswith("https") else ""
    return InfisicalError(
        "unreachable",
        f"Could not {what}: the connection to {url} broke before a complete answer came: {_detail(chain)}.",
        f"Check the health of the server and of the proxies before it{wanted}.",
        may_resend=True,
    )


def _tunnel_refused(chain: list[BaseException]) -> bool:
    return any(isinstance(item, OSError) and "Tunnel connection failed" in str(item) for item in chain)


def _detail(chain: list[BaseException]) -> str:
    """The operating system's words for the innermost cause.

    Never the text of requests or urllib3, which may hold the credentials of a proxy.
    """
    for item in reversed(chain):
        if isinstance(item, socket.gaierror):
            return f"the host name could not be resolved ({item.strerror})"
        if isinstance(item, ssl.SSLError):
            return (item.reason or "handshake failure").lower().replace("_", " ")
    for item in reversed(chain):
        if isinstance(item, OSError) and item.strerror:
            return item.strerror
        if isinstance(item, OSError) and "Tunnel connection failed" in str(item):
            match = re.search(r"Tunnel connection failed: (\d{3})", str(item))
            return f"HTTP {match[1]}" if match else "tunnel connection failed"
    names = {type(item).__name__ for item in chain}
    if "ConnectTimeoutError" in names:
        return "connecting timed out"
    if names & {"CutOff", "IncompleteRead"}:
        return "the body is shorter than announced"
    if "RemoteDisconnected" in names:
        return "closed without an answer"
    return type(chain[-1]).__name__


def from_answer(
    status: int,
    headers: Mapping[str, str],
    data: Any,
    what: str,
    url: str,
    path: str,
    redactor: Redactor,
) -> InfisicalError:
    """The error for a complete answer to ``url + path`` that is no success. ``data`` is its JSON, if it has any."""
    body = data if isinstance(data, dict) else {}
    # A proxy, a firewall or a login page answers for the server in a shape of its own, and proves nothing.
    own = isinstance(body.get("error"), str) and "message" in body and body.get("statusCode") == status
    error = body["error"] if own else ""
    said = _said(body.get("message")) if own else ""
    # Decisions are made by what the server said; only what is shown is without secrets.
    request_id = printable(redactor.text(body["reqId"]), 100) if isinstance(body.get("reqId"), str) else None
    head = f"Could not {what}: HTTP {status}"
    if own:
        text = printable(_said(redactor.data(body["message"])))
        head += f" {printable(redactor.text(error), 200)}" + (f": {text}" if text else "")
    if request_id:
        head += f" (request {request_id})"
    if 300 <= status < 400:
        # 303 is what a server says after it did the work.
        reason, nothing_done = "redirected", status != 303
        next_step = _redirect_hint(printable(redactor.text(headers.get("Location", "")), 300), url, path)
    else:
        reason, next_step, nothing_done = _meaning(status, own, error, said)
    if not own and status not in (407, 429) and reason != "redirected":
        head += ", in a form that is not Infisical's"
        next_step = f"Something else answers at {url}: check url and the proxies before the server. " + next_step
    return InfisicalError(
        reason,
        head.rstrip(".") + ".",
        next_step.strip(),
        status=status,
        request_id=request_id,
        server_message=said,
        nothing_done=nothing_done,
        may_resend=status >= 500,
        retry_after=_retry_after(headers, said) if status == 429 else None,
    )


def _meaning(status: int, own: bool, error: str, said: str) -> tuple[str, str, bool]:
    """Reason, next step, and whether the server certainly did nothing."""
    if status == 200:
        return "invalid_response", "", False
    if status == 407:
        return "unreachable", _PROXY_HINT, True
    if status == 429:
        return "rate_limited", "Run again later, with fewer forks, or with a longer wait_timeout.", True
    if status >= 500:
        return "server_error", "Look at the server's log under that request, and at its database and Redis.", False
    if not own:
        return "invalid_response", "", False
    if status == 401 or (status == 403 and error == "TokenError"):
        return "authentication_failed", "Check the credentials, or get a new token.", True
    if status == 403 and "IP address" in said:
        return "permission_denied", "Add this host's address to the identity's trusted addresses.", True
    if status == 403:
        return (
            "permission_denied",
            "Give the identity the actions read and rotate-secrets on the subject secret-rotation in the project.",
            True,
        )
    if status == 404 and error == "Not Found":
        return (
            "route_not_found",
            "Check url; if it is right, the server is older than Okta client secret rotation (July 2025).",
            True,
        )
    if status == 404:
        return "not_found", "Check the identifiers, and that the identity is a member of the project.", True
    return "request_rejected", "Check the options of the task against the message.", True


def _said(message: Any) -> str:
    """The message as text. Validation errors come as a list of {path, message}."""
    if isinstance(message, list):
        issues = [item for item in message if isinstance(item, dict)]
        paths = (".".join(str(part) for part in item.get("path") or []) for item in issues)
        return "; ".join(f"{path}: {item.get('message')}" for path, item in zip(paths, issues, strict=True))
    return str(message) if message else ""


def whole_number(value: str) -> int | None:
    """The number in a header. ``isdigit`` would let pass what ``int`` then chokes on, after the work was done."""
    return int(value) if re.fullmatch(r"\d{1,15}", value, re.ASCII) else None


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
    except ValueError:
        location = ""
    if not location:
        return "Redirects are not followed: set url to the server's final address."
    target = parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
    # Most often a whole server has moved, which the end of the address tells.
    final = target.removesuffix(path) if target.endswith(path) else "the server's final address"
    return f"It redirects to {target}, and redirects are not followed: set url to {final}."
