# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The only file that speaks HTTP: TLS, proxies, timeouts, JSON, and what is safe to send again."""

from __future__ import annotations

import http.client
import json
import time
import warnings
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

from .._errors import InfisicalError
from .._timestamps import parse_http_date
from . import failures
from .connection import Connection
from .patience import Patience, Retries
from .redaction import Redactor

if TYPE_CHECKING:
    import requests

_Sent = TypeVar("_Sent")

#: Connecting takes milliseconds; what takes longer than this is not going to happen.
CONNECT_TIMEOUT = 10
MAX_BODY_BYTES = 10 * 1024 * 1024
#: A load balancer may be closing a connection that idled this long, and a POST lost to that race would
#: have an unknown outcome.
MAX_IDLE_SECONDS = 4


class Answer(NamedTuple):
    """A successful answer: its JSON object as it came, and the server's clock at that moment if it told."""

    data: dict[str, Any]
    server_time: datetime | None


class Client:
    """Sends JSON requests to one server over one kept-alive connection."""

    def __init__(
        self,
        connection: Connection,
        patience: Patience,
        redactor: Redactor,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connection = connection
        self._patience = patience
        self._redactor = redactor
        self._clock = clock
        self._session: requests.Session | None = None
        self._last_used = 0.0

    def get(self, path: str, what: str, *, token: str | None = None, params: Mapping[str, str] | None = None) -> Answer:
        """Read. ``what`` says in the error which request failed: 'read secret rotation X'."""
        return self._patiently("GET", lambda: self._exchange("GET", path, what, token, params, None, self._timeout))

    def get_text(self, path: str, what: str, *, headers: Mapping[str, str], params: Mapping[str, str]) -> str:
        """Read what is no JSON of Infisical's."""
        return self._patiently("GET", lambda: self._text(path, what, headers, params))

    def post(
        self, path: str, what: str, body: Mapping[str, Any], *, token: str | None = None, resend: bool = True
    ) -> Answer:
        """Write. Sent again only after the server certainly did nothing, and not at all without ``resend``."""

        def send() -> Answer:
            return self._exchange("POST", path, what, token, None, body, self._timeout)

        return self._patiently("POST", send) if resend else send()

    def post_once(self, path: str, what: str, body: Mapping[str, Any], *, timeout: float) -> None:
        """Write, once and within ``timeout`` seconds whatever the connection allows."""
        self._exchange("POST", path, what, None, None, body, timeout)

    def close(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None

    @property
    def _timeout(self) -> float:
        return self._patience.limit(self._connection.timeout)

    def _patiently(self, method: str, send: Callable[[], _Sent]) -> _Sent:
        """Send, and again where that is safe and may help."""
        retries = Retries(self._patience)
        while True:
            try:
                return send()
            except InfisicalError as failure:
                if not retries.wait(failure, safe=method == "GET"):
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
        content = None if body is None else json.dumps(body).encode()
        headers = {} if body is None else {"Content-Type": "application/json"}
        response, received = self._transfer(method, path, what, timeout, token, params, headers, content)
        data = _parsed(received)
        if response.status_code != 200 or not isinstance(data, dict):
            raise failures.from_answer(
                response.status_code, response.headers, data, what, self._connection.url, path, self._redactor
            )
        return Answer(data, parse_http_date(response.headers.get("Date")))

    def _text(self, path: str, what: str, headers: Mapping[str, str], params: Mapping[str, str]) -> str:
        response, received = self._transfer("GET", path, what, self._timeout, None, params, headers, None)
        if response.status_code != 200:
            raise failures.from_answer(
                response.status_code, response.headers, None, what, self._connection.url, path, self._redactor
            )
        return received.decode("utf-8", "replace")

    def _transfer(
        self,
        method: str,
        path: str,
        what: str,
        timeout: float,
        token: str | None,
        params: Mapping[str, str] | None,
        headers: Mapping[str, str],
        content: bytes | None,
    ) -> tuple[requests.Response, bytes]:
        """One request and its complete answer, whatever it says."""
        session = self._open(what)
        deadline = self._clock() + timeout
        try:
            with warnings.catch_warnings():
                # The module says it once, in words of its own, when validate_certs is false.
                warnings.filterwarnings("ignore", message="Unverified HTTPS request")
                response = session.request(
                    method,
                    self._connection.url + path,
                    params=params,
                    data=content,
                    headers=headers,
                    # Given even without a token: requests would otherwise log in with ~/.netrc.
                    auth=_bearer(token),
                    timeout=(min(CONNECT_TIMEOUT, timeout), timeout),
                    # Here and not on the session, where REQUESTS_CA_BUNDLE would override it.
                    verify=(self._connection.ca_path or True) if self._connection.validate_certs else False,
                    cert=self._certificate(),
                    allow_redirects=False,
                    stream=True,
                )
                received = self._read(response, deadline)
        except _transport_errors() as cause:
            self.close()
            raise failures.from_exception(cause, what, self._connection.url, timeout) from cause
        except BaseException:
            self.close()
            raise
        self._last_used = self._clock()
        return response, received

    def _open(self, what: str) -> requests.Session:
        if self._session is not None and self._clock() - self._last_used > MAX_IDLE_SECONDS:
            self.close()
        if self._session is None:
            try:
                import requests
            except ImportError as cause:
                raise failures.missing_requests(cause, what) from cause
            if self._connection.environment:
                _check_proxy(self._connection.url, what)
            self._session = requests.Session()
            self._session.trust_env = self._connection.environment
            self._session.headers.update(
                {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "secretops.infisical"}
            )
        return self._session

    def _certificate(self) -> str | tuple[str, str] | None:
        if self._connection.client_cert and self._connection.client_key:
            return self._connection.client_cert, self._connection.client_key
        return self._connection.client_cert

    def _read(self, response: requests.Response, deadline: float) -> bytes:
        """The whole body, within the deadline and the size limit.

        ``response.content`` would wait anew for each piece, so that a server that trickles holds it for ever.
        """
        raw: Any = response.raw
        # urllib3 1.26, which Automation Platform ships, has no read1 of its own.
        read1 = getattr(raw, "read1", None) or raw._fp.read1  # noqa: SLF001
        sock = _socket(raw)
        content = bytearray()
        piece = None
        while piece != b"":
            left = deadline - self._clock()
            if left <= 0:
                raise TimeoutError
            if sock is not None:
                sock.settimeout(left)
            piece = read1(65536)
            content += piece
            if len(content) > MAX_BODY_BYTES:
                raise failures.TooLarge
        expected = failures.whole_number(response.headers.get("Content-Length", ""))
        if expected is not None and len(content) < expected and response.request.method != "HEAD":
            raise failures.CutOff
        raw.release_conn()
        return bytes(content)


def _parsed(content: bytes) -> Any:
    """The JSON value, or None where there is no JSON, or none that any server of ours sends."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def preload() -> bool:
    """Import what the first request needs; false when that is missing, which only the request reports."""
    try:
        import requests  # noqa: F401
    except ImportError:
        return False
    return True


def _socket(raw: Any) -> Any:
    """What the body comes from, to shorten its timeout; None where the library hides it, or has all already."""
    connected = getattr(getattr(raw, "_connection", None), "sock", None)
    return connected or getattr(getattr(getattr(getattr(raw, "_fp", None), "fp", None), "raw", None), "_sock", None)


def _check_proxy(url: str, what: str) -> None:
    """What is no URL would make requests fail in ways of its own."""
    from requests.utils import get_environ_proxies, select_proxy

    proxy = select_proxy(url, get_environ_proxies(url))
    try:
        if proxy and not urlsplit(proxy if "://" in proxy else f"http://{proxy}").hostname:
            raise failures.bad_proxy(what)
    except ValueError as cause:
        raise failures.bad_proxy(what) from cause


def _transport_errors() -> tuple[type[Exception], ...]:
    """Everything that a broken exchange raises; a fault of our own code must not look like one."""
    import urllib3

    return (OSError, http.client.HTTPException, urllib3.exceptions.HTTPError, UnicodeError, *failures.BROKEN_BODIES)


def _bearer(token: str | None) -> Callable[[requests.PreparedRequest], requests.PreparedRequest]:
    def authorize(request: requests.PreparedRequest) -> requests.PreparedRequest:
        if token is not None:
            request.headers["Authorization"] = f"Bearer {token}"
        return request

    return authorize
