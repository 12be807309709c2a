# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What went wrong with an exchange that got no complete answer, in words.

Types and texts of exceptions choose the words. What the request may have done is known from how far it came.
"""

from __future__ import annotations

import re
import socket
import ssl
import sys
from collections.abc import Iterator
from typing import Any

from .._errors import NONE, UNKNOWN, InfisicalError


class TooLarge(Exception):
    """The answer is larger than any of Infisical's."""


class CutOff(Exception):
    """The answer ends before it is complete."""


class InvalidLength(Exception):
    """The header Content-Length holds no length, or several."""


PROXY_HINT = "Check HTTPS_PROXY, HTTP_PROXY and NO_PROXY, and the credentials of the proxy."

#: requests' and urllib3's names for 'this is no request that can be made'; by name, so that neither is imported.
_UNMAKEABLE = {"InvalidURL", "InvalidSchema", "InvalidHeader", "InvalidProxyURL", "UnicodeError", "LocationParseError"}
#: What http.client and urllib3 raise about bytes that are no HTTP, and what that means.
_GARBLED = {
    "BadStatusLine": "it begins with no status line",
    "UnknownProtocol": "it begins with no status line",
    "LineTooLong": "a line of its head is too long",
    "InvalidLength": "its length is none, or several",
    "InvalidChunkLength": "a chunk has no length",
    "DecodeError": "its content encoding is broken",
}
#: OpenSSL's numbers for what no list of authorities mends.
_CERTIFICATE_HINTS = {
    9: "Check the clock of this host, and of the server that made the certificate.",
    10: "The certificate has expired, or the clock of this host is wrong: renew it, or set the clock.",
    62: "Write url with the host name that the certificate is for, or get a certificate for this one.",
    64: "Write url with the host name that the certificate is for, or get a certificate for this address.",
}


def missing_requests() -> InfisicalError:
    return InfisicalError(
        "missing_dependency",
        f"the Python library requests cannot be imported by {sys.executable}.",
        "Install it for that interpreter (pip install requests), or set ansible_python_interpreter to one that has it.",
    )


def missing_socks() -> InfisicalError:
    return InfisicalError(
        "missing_dependency",
        "the proxy variable of the environment that is for this url names a SOCKS proxy, and the Python library "
        f"PySocks cannot be imported by {sys.executable}.",
        "Install it for that interpreter (pip install pysocks), or use an HTTP proxy.",
    )


def bad_proxy() -> InfisicalError:
    # Not quoted, for it may hold a password.
    return InfisicalError(
        "invalid_arguments",
        "the proxy variable of the environment that is for this url holds no URL of a proxy.",
        "Write HTTPS_PROXY or HTTP_PROXY as http://host:port, with percent signs for special characters in a password.",
    )


def from_exception(cause: Exception, sent: bool, what: str, url: str, timeout: float) -> InfisicalError:
    """The error for a request that got no complete answer. ``sent``: some of it may have been heard."""
    chain = list(_chain(cause))
    names = {name for item in chain for name in _names(item)}
    if "TooLarge" in names:
        reason, problem = "invalid_response", f"the answer of {url} is larger than 32 MiB and was not read further"
        next_step = "Check that url is the Infisical server."
    elif sent:
        reason, problem, next_step = _after_sending(chain, names, url, timeout)
    else:
        reason, problem, next_step = _before_sending(chain, names, url)
    return InfisicalError(reason, f"Could not {what}: {problem}.", next_step, effect=UNKNOWN if sent else NONE)


def _before_sending(chain: list[BaseException], names: set[str], url: str) -> tuple[str, str, str]:
    """Reason, problem and next step of what failed while connecting, so that nothing was sent."""
    by_proxy = "ProxyError" in names
    for item in chain:
        if isinstance(item, ssl.SSLCertVerificationError):
            whose = "the proxy" if by_proxy else url
            hint = _CERTIFICATE_HINTS.get(
                item.verify_code, "If the server's authority is your own, give its certificate in ca_path."
            )
            return "tls_failed", f"the certificate of {whose} was not accepted: {item.verify_message}", hint
    if "CertificateError" in names:
        # urllib3 1.26 compares the name by itself.
        return "tls_failed", f"the certificate of {url} was not accepted: Hostname mismatch", _CERTIFICATE_HINTS[62]
    if "SSLError" in names and not _is_broken_off(chain):
        if by_proxy:
            return (
                "tls_failed",
                f"TLS with the proxy failed: {_detail(chain)}",
                "The proxy variable begins with https://, which means TLS with the proxy itself: most want http://.",
            )
        return (
            "tls_failed",
            f"TLS with {url} failed: {_detail(chain)}",
            "Check that the port speaks HTTPS (else begin url with http://), and whether it asks for a certificate.",
        )
    if _tunnel_status(chain):
        return "unreachable", f"the proxy refused to connect to {url}: {_tunnel_status(chain)}", PROXY_HINT
    if names & _UNMAKEABLE:
        return (
            "invalid_arguments",
            f"the request to {url} cannot be made: {_detail(chain)}",
            "Check url and the proxy variables of the environment.",
        )
    through = " through the proxy" if by_proxy else ""
    if names & {"OSError", "HTTPError", "HTTPException", "CutOff"}:
        return (
            "unreachable",
            f"no connection to {url}{through}: {_detail(chain)}",
            "Check url, the network and the proxy variables of the environment; nothing was sent.",
        )
    return "internal_error", f"the request to {url} was not made: {_detail(chain)}", "Report it; nothing was sent."


def _after_sending(chain: list[BaseException], names: set[str], url: str, timeout: float) -> tuple[str, str, str]:
    """Reason, problem and next step of what failed when the request may have been heard."""
    if "SSLError" in names and not _is_broken_off(chain):
        # With TLS 1.3 a server that misses a client certificate says so only after the handshake.
        return (
            "tls_failed",
            f"TLS with {url} failed: {_detail(chain)}",
            "Check whether the server asks for a client certificate: options client_cert and client_key.",
        )
    if names & {"ReadTimeout", "ReadTimeoutError", "TimeoutError"}:
        return (
            "unreachable",
            f"{url} gave no complete answer within {timeout:g} seconds",
            "Check the health of the server and of the proxies before it; option timeout sets the limit.",
        )
    garbled = [meaning for name, meaning in _GARBLED.items() if name in names]
    if garbled and "RemoteDisconnected" not in names:
        return (
            "invalid_response",
            f"the answer of {url} is no valid HTTP: {garbled[0]}",
            "Check that url is an Infisical server, and the proxies before it.",
        )
    wanted = ", and whether it asks for a client certificate" if url.startswith("https") else ""
    return (
        "unreachable",
        f"the connection to {url} broke before a complete answer came: {_detail(chain)}",
        f"Check the health of the server and of the proxies before it{wanted}.",
    )


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


def _names(item: BaseException) -> Iterator[str]:
    """Its type and those above it, without the most general ones of errors that have a name of their own."""
    yield from (base.__name__ for base in type(item).__mro__)


def _is_broken_off(chain: list[BaseException]) -> bool:
    """Whether a handshake was not refused, but ended by a connection that broke or kept silent."""
    broken = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ConnectionError, TimeoutError)
    return any(isinstance(item, broken) for item in chain)


def _tunnel_status(chain: list[BaseException]) -> str:
    for item in chain:
        match = re.search(r"Tunnel connection failed: (\d{3})", str(item)) if isinstance(item, OSError) else None
        if match:
            return f"HTTP {match[1]}"
    return ""


def _detail(chain: list[BaseException]) -> str:
    """The operating system's words for the innermost cause.

    Never the text of requests or urllib3, which may hold the credentials of a proxy, or what the server echoed.
    """
    for item in reversed(chain):
        if isinstance(item, socket.gaierror):
            return f"the host name could not be resolved ({item.strerror})"
        if isinstance(item, ssl.SSLError):
            # What Python itself raises has no reason.
            return (getattr(item, "reason", None) or "handshake failure").lower().replace("_", " ")
    for item in reversed(chain):
        if isinstance(item, OSError) and item.strerror:
            return item.strerror
    names = {name for item in chain for name in _names(item)}
    if names & {"ConnectTimeoutError", "TimeoutError"}:
        return "connecting timed out"
    if names & {"CutOff", "IncompleteRead"}:
        return "the answer is cut off"
    if "RemoteDisconnected" in names:
        return "closed without an answer"
    return type(chain[-1]).__name__


def whole_number(value: str) -> int | None:
    """The number in a header. ``isdigit`` would let pass what ``int`` then chokes on, after the work was done."""
    return int(value) if re.fullmatch(r"\d{1,15}", value, re.ASCII) else None
