# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks Okta itself whether it accepts a client secret, by the introspection of a meaningless token (RFC 7662).

That has no effect at Okta, and an application may ask it whatever else it may do. Anything but Okta's own yes or no is
a failure: a proxy's page must never look like a secret that Okta refuses, nor like one that it accepts.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from . import _settings
from ._errors import InfisicalError, invalid_arguments
from ._options import is_blank
from ._timestamps import parse_http_date
from ._transport import urls
from ._transport.answers import parsed, title_of
from ._transport.certificates import check_authorities, check_certificate
from ._transport.client import Client
from ._transport.connection import Connection
from ._transport.exchange import Received
from ._transport.failures import PROXY_HINT, whole_number
from ._transport.patience import Patience
from ._transport.redaction import Redactor, printable

BASIC, POST = "client_secret_basic", "client_secret_post"
EXAMPLE = "https://company.okta.com"

_FORM = {"token": "secretops.infisical-asks-for-no-token", "token_type_hint": "access_token"}
_SERVER = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_ISSUER = re.compile(r"/oauth2(?:/(?!v1(?:/|$))([A-Za-z0-9_-]+))?(?=/|$)", re.ASCII)
_ADMIN_CONSOLE = re.compile(r"-admin(?=\.(okta(preview|-emea|-gov)?\.com|okta\.mil)$)", re.IGNORECASE)
#: Control characters, and what ansible-core makes of bytes that are no UTF-8.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
#: The transport's advice is about the option of Infisical's modules.
_URL = re.compile(r"\burl\b")


@dataclass(frozen=True, repr=False)
class Question:
    """What Okta is asked, checked; ``question`` makes it of options."""

    connection: Connection
    client_id: str
    client_secret: str
    authorization_server: str = ""
    client_auth_method: str = BASIC

    @property
    def path(self) -> str:
        """Without an authorization server, the organisation's own is meant."""
        server = f"/{self.authorization_server}" if self.authorization_server else ""
        return f"/oauth2{server}/v1/introspect"


def question(params: Mapping[str, Any]) -> Question:
    """The question of a task with the options of ``okta_client_secret_check``. Those with a default may be missing.

    All checks are made here, before anything is sent. Raises InfisicalError with the reason ``invalid_arguments``.
    """
    return Question(
        _connection(params),
        _credential("client_id", params["client_id"]),
        _credential("client_secret", params["client_secret"]),
        _authorization_server(params.get("authorization_server")),
        params.get("client_auth_method") or BASIC,
    )


def accepts(
    asked: Question, patience: Patience, warn: Callable[[str], None], environ: Mapping[str, str] = os.environ
) -> bool:
    """Whether Okta accepts the client secret: true and false only by Okta's own word.

    ``patience`` bounds the waiting for a rate limit and for an Okta that cannot be reached, ``warn`` is told of what
    is unsafe in the connection, and of ``environ`` only the passwords of proxies are taken, to be hidden. Raises
    InfisicalError for everything else that was answered, and where nothing was.
    """
    connection = asked.connection
    if not connection.validate_certs:
        warn("validate_certs is false: whoever is on the network path can read the client secret.")
    if urls.is_unprotected(connection.url):
        warn(f"okta_url is {connection.url}: the client secret travels unencrypted. Use https.")
    pair = base64.b64encode(f"{asked.client_id}:{asked.client_secret}".encode()).decode()
    redactor = Redactor()
    redactor.add_proxies(environ)
    for secret in (asked.client_secret, pair):
        redactor.add(secret)
    fields, headers = dict(_FORM), {}
    if asked.client_auth_method == POST:
        fields |= {"client_id": asked.client_id, "client_secret": asked.client_secret}
    else:
        headers["Authorization"] = f"Basic {pair}"
    what = f"ask Okta whether it accepts the client secret of {printable(asked.client_id, 100)}"

    def judge(received: Received) -> bool:
        word = word_of(received)
        if word is None:
            raise failure_of(received, what, connection.url, redactor)
        return word

    client = Client(connection, patience, redactor)
    try:
        return client.post_form(asked.path, what, fields, headers=headers, judge=judge)
    except InfisicalError as failure:
        if failure.http_status is None:
            failure.next_step = _URL.sub("okta_url", failure.next_step)
        if failure.http_status is None and failure.reason == "invalid_response":
            failure.next_step = "Check that okta_url is Okta's address, and the proxies before it."
        raise
    finally:
        client.close()


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


def _connection(params: Mapping[str, Any]) -> Connection:
    """No variable of Infisical's is read: what is switched off for that server must not be for Okta."""
    ca_path, certificate, key = (
        None if is_blank(params.get(option)) else str(params[option])
        for option in ("ca_path", "client_cert", "client_key")
    )
    url = _okta_url(str(params["okta_url"]))
    if ca_path:
        check_authorities("ca_path", ca_path)
    check_certificate(certificate, key)
    return Connection(
        url=url,
        validate_certs=params.get("validate_certs", True),
        ca_path=ca_path,
        client_cert=certificate,
        client_key=key,
        timeout=_settings.seconds("timeout", params.get("timeout", 90), least=1),
    )


def _okta_url(value: str) -> str:
    url = urls.base_url("okta_url", value, example=EXAMPLE)
    parts = urlsplit(url)
    issuer = _ISSUER.search(parts.path)
    if issuer:
        base = parts._replace(path=parts.path[: issuer.start()]).geturl()
        also = f", and {issuer[1]!r} as authorization_server" if issuer[1] else ""
        raise invalid_arguments(f"okta_url is {url}, an issuer or an endpoint of it: give okta_url as {base}{also}.")
    host = parts.hostname or ""
    if _ADMIN_CONSOLE.search(host):
        own = _ADMIN_CONSOLE.sub("", host)
        raise invalid_arguments(f"okta_url is {url}, the host of the admin console: give it as https://{own}.")
    return url


def _credential(option: str, value: Any) -> str:
    """Nothing is quoted, for either of the two may hold the secret."""
    text = str(value)
    if is_blank(value):
        raise invalid_arguments(f"{option} is blank: give that of the Okta application.")
    if _CONTROL.search(text) or text != text.strip():
        raise invalid_arguments(
            f"{option} holds outer blanks or control characters, such as the end of a line in the file that it was "
            "read from: give it without them."
        )
    if option == "client_id" and ":" in text:
        raise invalid_arguments("client_id holds a colon, which no client id of Okta's does: give only the id.")
    return text


def _authorization_server(value: Any) -> str:
    if is_blank(value):
        return ""
    if not _SERVER.fullmatch(str(value)):
        raise invalid_arguments(
            f"authorization_server is {value!r}: give its id, as 'default', in letters, digits, '_' and '-', or leave "
            "it out for the organisation's own."
        )
    return str(value)


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
