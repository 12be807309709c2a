# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One exchange of a request and its complete answer, within one deadline, and how far it came.

The only file that imports requests. Its session is not used to send, for that would follow, or at least parse, what
a redirect says; its adapter below is, with connections that note when the sending begins.
"""

from __future__ import annotations

import http.client
import importlib.util
import io
import socket
import time
import warnings
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from .._errors import InfisicalError
from . import failures
from .certificates import check_authorities
from .connection import Connection

if TYPE_CHECKING:
    import requests

#: Connecting to all addresses and the TLS handshakes take milliseconds; what takes longer than this altogether is
#: not going to happen.
CONNECT_TIMEOUT = 15
MAX_BODY_BYTES = 10 * 1024 * 1024
#: Everything that comes over the wire for one answer: a body and whatever stands around it.
_MAX_WIRE_BYTES = MAX_BODY_BYTES + 1024 * 1024
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


class _Progress:
    """How far the running exchange came, and how much time it has left."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.begin(0)

    def begin(self, timeout: float) -> None:
        self._deadline = self._clock() + timeout
        self._received = 0
        self.connecting = False
        self.sent = False

    def left(self) -> float:
        left = self._deadline - self._clock()
        if left <= 0:
            raise TimeoutError
        return left

    def received(self, count: int) -> None:
        self._received += count
        if self._received > _MAX_WIRE_BYTES:
            raise failures.TooLarge


class Channel:
    """One kept-alive connection to one server."""

    def __init__(self, connection: Connection, clock: Callable[[], float] = time.monotonic) -> None:
        self._connection = connection
        self._clock = clock
        self._progress = _Progress(clock)
        self._session: requests.Session | None = None
        self._last_used = 0.0

    def exchange(
        self, method: str, url: str, *, headers: Mapping[str, str], content: bytes | None, timeout: float
    ) -> Received:
        """Send once and read the whole answer. Raises Broken, or InfisicalError where nothing could be sent."""
        try:
            self._progress.begin(timeout)
            session = self._opened()
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
                self._session.mount(scheme, _adapter(self._progress))
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
                check_authorities("REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE", bundle)

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


def _adapter(progress: _Progress) -> requests.adapters.HTTPAdapter:
    from requests.adapters import HTTPAdapter

    class Adapter(HTTPAdapter):
        """Makes connections that tell how far they come."""

        def init_poolmanager(self, *given: Any, **more: Any) -> None:
            super().init_poolmanager(*given, **more)
            _watch(self.poolmanager, progress, _count_addresses)

        def proxy_manager_for(self, proxy: str, **more: Any) -> Any:
            known = proxy in self.proxy_manager
            manager = super().proxy_manager_for(proxy, **more)
            if not known:
                # What a SOCKS proxy is to look up is none of this host's business.
                by_proxy = proxy.lower().startswith("socks")
                _watch(manager, progress, _one_address if by_proxy else _count_addresses)
            return manager

    return Adapter()


def _watch(manager: Any, progress: _Progress, addresses: Callable[[str, int], int]) -> None:
    manager.pool_classes_by_scheme = {
        scheme: type(pool.__name__, (pool,), {"ConnectionCls": _watched(pool.ConnectionCls, progress, addresses)})
        for scheme, pool in manager.pool_classes_by_scheme.items()
    }


def _watched(base: Any, progress: _Progress, addresses: Callable[[str, int], int]) -> Any:
    class Watched(base):  # type: ignore[misc]
        """A connection that notes when the request begins to leave, and that waits no longer than the deadline."""

        response_class = staticmethod(partial(_Answer, progress))

        def connect(self) -> None:
            progress.connecting = True
            # It is the limit of each single step: one for each address, TLS with a proxy, and TLS with the server.
            steps = addresses(self.host, self.port) + 2
            self.timeout = min(CONNECT_TIMEOUT, progress.left()) / steps
            try:
                super().connect()
            finally:
                progress.connecting = False

        def send(self, data: Any) -> None:
            if self.sock is None:
                self.connect()
            self.sock.settimeout(progress.left())
            if not progress.connecting:
                progress.sent = True
            super().send(data)

    return Watched


def _one_address(_host: str, _port: int) -> int:
    return 1


def _count_addresses(host: str, port: int) -> int:
    try:
        return len(socket.getaddrinfo(host.strip("[]"), port, 0, socket.SOCK_STREAM)) or 1
    except (OSError, UnicodeError):
        # Said by the attempt to connect.
        return 1


class _Answer(http.client.HTTPResponse):
    """Reads no longer than the deadline, and past every interim answer, of which http.client knows only 100."""

    def __init__(self, progress: _Progress, sock: Any, *given: Any, **more: Any) -> None:
        super().__init__(_Reader(sock, progress), *given, **more)  # type: ignore[arg-type]

    def begin(self) -> None:
        super().begin()
        while 102 <= self.status < 200:
            self.headers = self.msg = None  # type: ignore[assignment]
            super().begin()
        if self.headers.get("Content-Encoding", "").lower() == "x-gzip":
            # The old name of the same thing, which urllib3 1.26 does not know.
            self.headers.replace_header("Content-Encoding", "gzip")
        if not self.chunked:
            self._check_length()

    def _check_length(self) -> None:
        """http.client overlooks a length that it does not understand, and would wait for the connection to close."""
        lengths = {text.strip() for line in self.headers.get_all("Content-Length", []) for text in line.split(",")}
        if not lengths:
            return
        length = failures.whole_number(lengths.pop())
        if length is None or lengths:
            raise failures.InvalidLength
        if self.length is None:
            self.length = length


class _Lines(io.BufferedReader):
    """Lines that are whole: http.client takes the end of the connection for the end of a head."""

    begun = False

    def readline(self, size: int | None = -1, /) -> bytes:
        line = super().readline(size)
        limit = size if size is not None and size >= 0 else None
        if not line.endswith(b"\n") and len(line) != limit and (line or self.begun):
            raise failures.CutOff
        self.begun = True
        return line


class _Reader(io.RawIOBase):
    """What comes from a socket, each piece within what is left of the time."""

    def __init__(self, sock: Any, progress: _Progress) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        self._progress = progress

    def makefile(self, _mode: str) -> io.BufferedReader:
        """As http.client asks a socket for it."""
        return _Lines(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(self._progress.left())
        count: int | None = self._raw.readinto(buffer)
        self._progress.received(count or 0)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()
