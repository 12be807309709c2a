# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON requests to one server: what is sent again, and what an answer is as data."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlencode

from .._errors import DONE, NONE, InfisicalError
from .._timestamps import parse_http_date
from . import answers, failures
from .connection import Connection
from .exchange import Broken, Channel, Received
from .patience import Patience, Retries
from .redaction import Redactor

_Sent = TypeVar("_Sent")

_HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "secretops.infisical"}
_UNCACHED = {"Cache-Control": "no-cache, no-store", "Pragma": "no-cache"}


class Answer(NamedTuple):
    """A successful answer: its JSON object, the server's clock at that moment if it told, and whether it is old.

    ``from_cache`` is what the header Age tells; a cache that does not send it is not seen by this.
    """

    data: dict[str, Any]
    server_time: datetime | None
    from_cache: bool = False


class Client:
    """Sends requests to one server, and again where that is safe and may help."""

    def __init__(self, connection: Connection, patience: Patience, redactor: Redactor) -> None:
        self._connection = connection
        self._patience = patience
        self._redactor = redactor
        self._channel = Channel(connection)

    @property
    def url(self) -> str:
        return self._connection.url

    def get(
        self,
        path: str,
        what: str,
        *,
        token: str | None = None,
        params: Mapping[str, str] | None = None,
        fresh: bool = False,
    ) -> Answer:
        """Read. ``what`` says in the error which request failed: 'read secret rotation X'.

        ``fresh`` is for readings that decide: request headers alone do not keep every cache from answering.
        """

        def send() -> Answer:
            more = {answers.FRESH: os.urandom(16).hex()} if fresh else {}
            return self._exchange("GET", path, what, token, {**(params or {}), **more}, None, self._timeout)

        try:
            return self._patiently(send, safe=True)
        except InfisicalError as failure:
            if fresh and failure.reason == "invalid_response" and (failure.http_status or 0) >= 400:
                failure.next_step += (
                    f" The request carries the query key {answers.FRESH}, which a gateway must let pass."
                )
            raise

    def get_text(self, path: str, what: str, *, headers: Mapping[str, str], params: Mapping[str, str]) -> str:
        """Read what is no JSON of Infisical's."""

        def send() -> str:
            received = self._received("GET", path, what, headers, params, None, self._timeout)
            if received.status != 200:
                raise self._failure(received, None, what, path, NONE)
            return received.body.decode("utf-8", "replace")

        return self._patiently(send, safe=True)

    def post_form(
        self,
        path: str,
        what: str,
        fields: Mapping[str, str],
        *,
        headers: Mapping[str, str],
        judge: Callable[[Received], _Sent],
    ) -> _Sent:
        """Ask by a form that has no effect, so that it may be sent again.

        ``judge`` is given each complete answer, whatever it says. What it raises is tried again like any other failure.
        """
        more = {"Content-Type": "application/x-www-form-urlencoded"}
        content = urlencode(fields).encode()

        def send() -> _Sent:
            try:
                told = {**_HEADERS, **_UNCACHED, **more, **headers}
                return judge(self._received("POST", path, what, told, None, content, self._timeout))
            except InfisicalError as failure:
                failure.effect = NONE
                # Whoever answered may do something else with the connection than the server would.
                self._channel.close()
                raise

        return self._patiently(send, safe=True)

    def write(
        self,
        method: str,
        path: str,
        what: str,
        body: Mapping[str, Any] | None,
        *,
        token: str | None = None,
        params: Mapping[str, str] | None = None,
        resend: bool = True,
    ) -> Answer:
        """Write. Sent again only after the server did nothing, and not at all without ``resend``."""

        def send() -> Answer:
            return self._exchange(method, path, what, token, params, body, self._timeout)

        if resend:
            return self._patiently(send, safe=False)
        # A connection that whoever keeps it is just closing would leave a doubt that a new one does not.
        self._channel.close()
        return send()

    def post_once(self, path: str, what: str, body: Mapping[str, Any], *, timeout: float) -> None:
        """Write, once and within ``timeout`` seconds whatever the connection allows."""
        self._exchange("POST", path, what, None, None, body, timeout)

    def close(self) -> None:
        self._channel.close()

    @property
    def _timeout(self) -> float:
        return self._patience.limit(self._connection.timeout)

    def _patiently(self, send: Callable[[], _Sent], *, safe: bool) -> _Sent:
        retries = Retries(self._patience)
        while True:
            try:
                return send()
            except InfisicalError as failure:
                # A refusal for the rate limit is one, whoever says it; what must not go wrong here is not sent so.
                if not retries.wait(failure, safe=safe or failure.reason == "rate_limited"):
                    raise

    def _exchange(
        self,
        method: str,
        path: str,
        what: str,
        token: str | None,
        params: Mapping[str, str] | None,
        body: Mapping[str, Any] | None,
        timeout: float,
    ) -> Answer:
        headers = dict(_HEADERS)
        if method == "GET":
            headers |= _UNCACHED
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        if body is not None:
            headers["Content-Type"] = "application/json"
        content = None if body is None else json.dumps(body).encode()
        received = self._received(method, path, what, headers, params, content, timeout)
        data = answers.parsed(received.body)
        effect = answers.effect_of(received.status, data)
        if effect != DONE:
            raise self._failure(received, data, what, path, NONE if method == "GET" else effect)
        age = failures.whole_number(received.headers.get("Age", "").strip()) or 0
        return Answer(data, parse_http_date(received.headers.get("Date")), age > 0)

    def _received(
        self,
        method: str,
        path: str,
        what: str,
        headers: Mapping[str, str],
        params: Mapping[str, str] | None,
        content: bytes | None,
        timeout: float,
    ) -> Received:
        """One complete answer, whatever it says."""
        url = self._connection.url + path + (f"?{urlencode(params)}" if params else "")
        try:
            return self._channel.exchange(method, url, headers=headers, content=content, timeout=timeout)
        except InfisicalError as failure:
            failure.problem = f"Could not {what}: {failure.problem}"
            raise
        except Broken as broken:
            found = failures.from_exception(broken.cause, broken.sent, what, self._connection.url, timeout)
            found.effect = NONE if method == "GET" else found.effect
        # Outside of the handler, so that nothing foreign is in its context.
        raise found

    def _failure(self, received: Received, data: Any, what: str, path: str, effect: str) -> InfisicalError:
        if not answers.is_infisicals(received.status, data):
            # Whoever answered may do something else with the connection than the server would.
            self._channel.close()
        failure = answers.failure_of(
            received.status,
            received.headers,
            received.body,
            data,
            what=what,
            url=self._connection.url,
            path=path,
            redactor=self._redactor,
        )
        failure.effect = effect
        return failure
