# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks Okta itself whether it accepts a client secret, by the introspection of a meaningless token (RFC 7662).

That has no effect at Okta, and an application may ask it whatever else it may do. Anything but Okta's own yes or no is
a failure: a proxy's page must never look like a secret that Okta refuses, nor like one that it accepts.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from . import _settings
from ._errors import InfisicalError, invalid_arguments
from ._options import is_blank
from ._transport import okta, urls
from ._transport.certificates import check_authorities, check_certificate
from ._transport.client import Client
from ._transport.connection import Connection
from ._transport.exchange import Received
from ._transport.patience import Patience
from ._transport.redaction import Redactor, printable

BASIC, POST = "client_secret_basic", "client_secret_post"

_FORM = {"token": "secretops.infisical-asks-for-no-token", "token_type_hint": "access_token"}
_SERVER = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_ISSUER = re.compile(r"/oauth2(?:/(?!v1(?:/|$))([A-Za-z0-9_-]+))?(?=/|$)", re.ASCII)
_ADMIN_CONSOLE = re.compile(r"-admin(?=\.(okta(preview|-emea|-gov)?\.com|okta\.mil)$)", re.IGNORECASE)
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


def accepts(asked: Question, patience: Patience, warn: Callable[[str], None], environ: Mapping[str, str]) -> bool:
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
        word = okta.word_of(received)
        if word is None:
            raise okta.failure_of(received, what, connection.url, redactor)
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
    url = urls.base_url("okta_url", value, example=okta.EXAMPLE)
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
    if _settings.CONTROL.search(text) or text != text.strip():
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
