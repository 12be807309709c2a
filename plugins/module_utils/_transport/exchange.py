# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One exchange of a request and its complete answer, within one deadline, and how far it came.

The session of requests is not used to send, for that would follow, or at least parse, what a redirect says; its
adapter below is, with connections that note when the sending begins.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from .._errors import InfisicalError
from . import failures
from .certificates import check_authorities
from .connection import Connection
from .wire import Progress, adapter_noting

if TYPE_CHECKING:
    import requests

#: The server lists all rotations of a project in one answer, a KiB each.
MAX_BODY_BYTES = 32 * 1024 * 1024
#: A load balancer may be closing a connection that idled this long, and a POST lost to that race would
#: have an unknown outcome.
MAX_IDLE_SECONDS = 4
#: Small, for what is compressed can become a thousand times as large.
_PIECE_BYTES = 8192
_PROXY_SCHEMES = ("http", "https", "socks4", "socks4a", "socks5", "socks5h")


class Received(NamedTuple):
    """A complete answer, whatever it says. The names of ``headers`` may be written in any case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Broken(Exception):
    """No complete answer came. ``sent`` says whether a byte of the request was handed to the connection."""

    def __init__(self, cause: Exception, sent: bool) -> None:
        super().__init__()
        self.cause = cause
        self.sent = sent


class Channel:
    """One kept-alive connection to one server."""

    def __init__(self, connection: Connection, clock: Callable[[], float] = time.monotonic) -> None:
        self._connection = connection
        self._clock = clock
        self._progress = Progress(clock)
        self._session: requests.Session | None = None
        self._last_used = 0.0

    def exchange(
        self, method: str, url: str, *, headers: Mapping[str, str], content: bytes | None, timeout: float
    ) -> Received:
        """Send once and read the whole answer. Raises Broken, or InfisicalError where nothing could be sent."""
        try:
            self._progress.begin(timeout)
            session = self._opened()
            with _unlogged():
                received = self._exchanged(session, method, url, headers, content)
        except InfisicalError:
            self.close()
            raise
        except Exception as cause:  # noqa: BLE001 - whatever it is, how far it came decides
            broken = Broken(cause, self._progress.sent)
        except BaseException:
            self.close()
            raise
        else:
            self._last_used = self._clock()
            return received
        self.close()
        # Outside of the handler: what requests raises can quote secrets, and would be in this one's context.
        raise broken

    def close(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None

    def _opened(self) -> requests.Session:
        if self._session is not None and self._clock() - self._last_used > MAX_IDLE_SECONDS:
            self.close()
        if self._session is None:
            if not preload():
                raise failures.missing_requests()
            import requests

            if self._connection.environment:
                self._check_environment()
            self._session = requests.Session()
            self._session.trust_env = self._connection.environment
            for scheme in ("http://", "https://"):
                self._session.mount(scheme, adapter_noting(self._progress))
        return self._session

    def _check_environment(self) -> None:
        """What is wrong there would make requests fail in ways of its own."""
        import requests
        from requests.utils import get_environ_proxies, select_proxy

        url = self._connection.url
        _check_proxy(select_proxy(url, get_environ_proxies(url)))
        if self._connection.validate_certs and not self._connection.ca_path and url.startswith("https"):
            bundle = requests.Session().merge_environment_settings(url, {}, True, True, None)["verify"]
            if isinstance(bundle, str):
                names = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
                check_authorities(next(name for name in names if os.environ.get(name)), bundle)

    def _exchanged(
        self, session: requests.Session, method: str, url: str, headers: Mapping[str, str], content: bytes | None
    ) -> Received:
        import requests

        connection = self._connection
        # The function stands for a login of its own: requests would otherwise log in with ~/.netrc.
        request = session.prepare_request(
            requests.Request(method, url, headers=dict(headers), data=content, auth=_as_it_is)
        )
        # Here and not on the session, where REQUESTS_CA_BUNDLE would override it.
        verify = (connection.ca_path or True) if connection.validate_certs else False
        settings = session.merge_environment_settings(request.url or url, {}, True, verify, _certificate(connection))
        with warnings.catch_warnings():
            # The module says it once, in words of its own, when validate_certs is false.
            warnings.filterwarnings("ignore", message="Unverified HTTPS request")
            left = self._progress.left()
            adapter: Any = session.get_adapter(url)
            response: requests.Response = adapter.send(request, timeout=(left, left), **settings)
        body = _body(response)
        response.raw.release_conn()
        return Received(response.status_code, response.headers, body)


@contextmanager
def _unlogged() -> Iterator[None]:
    """urllib3 logs headers that it does not understand, and ansible-core writes every log to its file."""
    logger = logging.getLogger("urllib3")
    propagates, logger.propagate = logger.propagate, False
    try:
        yield
    finally:
        logger.propagate = propagates


def preload() -> bool:
    """Import what the first request needs; false when that is missing, which only the request reports."""
    try:
        import requests  # noqa: F401
    except ImportError:
        return False
    return True


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _certificate(connection: Connection) -> str | tuple[str, str] | None:
    if connection.client_cert and connection.client_key:
        return connection.client_cert, connection.client_key
    return connection.client_cert


def _check_proxy(proxy: str | None) -> None:
    if not proxy:
        return
    try:
        parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        valid = parts.scheme.lower() in _PROXY_SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise failures.bad_proxy()
    if parts.scheme.lower().startswith("socks") and importlib.util.find_spec("socks") is None:
        raise failures.missing_socks()


def _body(response: requests.Response) -> bytes:
    """The whole body, decoded."""
    content = bytearray()
    for piece in response.raw.stream(_PIECE_BYTES, decode_content=True):
        content += piece
        if len(content) > MAX_BODY_BYTES:
            raise failures.TooLarge
    announced = failures.whole_number(response.headers.get("Content-Length", ""))
    chunked = "chunked" in response.headers.get("Transfer-Encoding", "").lower()
    # urllib3 1.26, which Automation Platform ships, does not look at it.
    bodiless = chunked or response.status_code in (204, 304)
    if announced is not None and not bodiless and response.raw.tell() < announced:
        raise failures.CutOff
    return bytes(content)
