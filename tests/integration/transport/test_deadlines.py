# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever trickles, floods or does not answer at all, an exchange ends within its timeout, on a clock of its own.

Each piece that the peer sends takes a second of that clock. A client that does not end by it hears the peer out,
which then gives a right answer: that is the failure. No second of anybody else's clock passes, with one exception.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from ansible_collections.secretops.infisical.plugins.module_utils._login.session import Session
from ansible_collections.secretops.infisical.plugins.module_utils._transport.connection import Connection
from ansible_collections.secretops.infisical.plugins.module_utils._transport.exchange import Broken, Channel
from ansible_collections.secretops.infisical.plugins.module_utils._transport.patience import Patience
from integration.transport.framing_cases import CONTINUE, HINTS, PROCESSING
from support import truths
from support.raw_peer import CONNECT, READ, READ_AFTER, ROTATE, Ending, Step, head, with_length
from support.truths import TRUTHS, Clock, Stage, Truth, VirtualTask, refused

TIMEOUT = 10
#: So much more than a client within its timeout hears, and few enough to be heard out.
PIECES = 300
CHUNKED = head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked")


@pytest.fixture
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with truths.stage(tmp_path_factory.mktemp("temporary")) as stage:
        yield stage


@dataclass(frozen=True)
class Slow:
    """``before`` comes at once, ``piece`` again and again, and what makes a right answer of it at the end."""

    before: bytes
    piece: bytes
    after: Callable[[bytes], bytes]

    def step(self, clock: Clock, **more: Any) -> Step:
        def pieces(right: bytes) -> Iterable[bytes]:
            yield self.before
            for _unused in range(PIECES):
                clock.sleep(1)
                yield self.piece
            yield self.after(right)

        return Step(lambda body, fields: body, ending=Ending.CLOSE, pieces=pieces, **more)


def plain(body: bytes) -> bytes:
    return with_length(body, ())


def rest_of_head(body: bytes) -> bytes:
    return f"\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def one_chunk(body: bytes) -> bytes:
    return f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n"


def rest_of_chunk(body: bytes) -> bytes:
    return b"\r\n" + body + b"\r\n0\r\n\r\n"


def redirect(*fields: str) -> bytes:
    return head("HTTP/1.1 302 Found", "Location: https://sso.example.com/", *fields)


SLOW = {
    "the status line": Slow(b"HTTP/1.1 200 ", b"O", rest_of_head),
    "a field": Slow(b"HTTP/1.1 200 OK\r\nX: ", b"y", rest_of_head),
    "fields": Slow(b"HTTP/1.1 200 OK\r\nX: y", b"\r\n z", rest_of_head),
    "a flood of 100": Slow(b"", CONTINUE, plain),
    "a flood of 102": Slow(b"", PROCESSING, plain),
    "a flood of 103": Slow(b"", HINTS, plain),
    "a field of an interim answer": Slow(b"HTTP/1.1 103 Hints\r\nX: ", b"y", lambda body: b"\r\n\r\n" + plain(body)),
    "a body with a length": Slow(
        head("HTTP/1.1 200 OK", f"Content-Length: {PIECES + 1000}"), b" ", lambda body: body.ljust(1000)
    ),
    "a body until close": Slow(head("HTTP/1.0 200 OK"), b" ", lambda body: body),
    "chunks": Slow(CHUNKED, b"1\r\n \r\n", one_chunk),
    "a chunk": Slow(CHUNKED + f"{PIECES:x}\r\n".encode(), b" ", lambda body: b"\r\n" + one_chunk(body)),
    "a chunk extension": Slow(CHUNKED + b"1;", b"x", lambda body: b"\r\n \r\n" + one_chunk(body)),
    "a trailer": Slow(CHUNKED + b"2\r\n{}\r\n0\r\nX: ", b"y", lambda _body: b"\r\n\r\n"),
    "a redirect's body with a length": Slow(redirect(f"Content-Length: {PIECES}"), b"x", lambda _body: b""),
    "a redirect's body until close": Slow(redirect(), b"x", lambda _body: b""),
    "a redirect's chunks": Slow(redirect("Transfer-Encoding: chunked"), b"1\r\nx\r\n", lambda _body: b"0\r\n\r\n"),
    "a redirect's head": Slow(
        b"HTTP/1.1 302 Found\r\nLocation: /", b"x", lambda _body: b"\r\nContent-Length: 0\r\n\r\n"
    ),
}
every_slow_answer = pytest.mark.parametrize("slow", SLOW.values(), ids=SLOW)


@every_slow_answer
def test_an_exchange_ends_by_its_clock(stage: Stage, slow: Slow) -> None:
    clock = Clock()
    stage.peer.begin({READ: slow.step(clock)})
    path = f"/{stage.peer.world.rotation['id']}"
    with pytest.raises(Broken) as caught:
        channel(stage.peer.url, clock).exchange("GET", stage.peer.url + path, headers={}, content=None, timeout=TIMEOUT)
    assert caught.value.sent


@every_slow_answer
def test_a_task_ends_by_its_clock_and_tells_the_truth(stage: Stage, slow: Slow) -> None:
    done = TRUTHS["the request to rotate was done, and its answer is cut"]
    not_done = TRUTHS["the request to rotate was not done, and something else answers"]
    cases: list[tuple[dict[str, bool], Truth]] = [
        ({ROTATE: True}, done),
        ({ROTATE: False}, not_done),
        ({ROTATE: False, READ_AFTER: True}, not_done),
        ({READ: True}, refused("unreachable")),
    ]
    for works, truth in cases:
        task, clock = timed()
        script = {which: slow.step(clock, works=work) for which, work in works.items()}
        assert stage.run(script, task=task, wait_timeout=12).problems(truth) == []
        assert clock.now < PIECES / 2, "it was heard out"


def channel(url: str, clock: Clock, **more: Any) -> Channel:
    return Channel(Connection(url, timeout=TIMEOUT, **more), clock)


def timed() -> tuple[type[VirtualTask], Clock]:
    """Tasks whose exchanges and pauses have one clock."""
    clock = Clock()

    class Timed(VirtualTask):
        def patience(self) -> Patience:
            return Patience(self.params["wait_timeout"], clock, clock.sleep)

        def session(self, connection: Connection, patience: Patience) -> Session:
            session = super().session(connection, patience)
            session._client._channel = Channel(connection, clock)
            return session

    return Timed, clock


def test_what_is_quick_enough_is_heard_out(stage: Stage) -> None:
    """The peer itself: without its clock the slowest answer is a right one."""
    for slow in (SLOW["a body until close"], SLOW["chunks"], SLOW["the status line"]):
        done = stage.run({ROTATE: slow.step(Clock())})
        assert done.problems(TRUTHS["any request, answered in any legal framing"]) == []


class Dead:
    """Addresses that do not answer: connecting to one takes as long as the socket allows."""

    def __init__(self, clock: Clock, *dead: str) -> None:
        self.tried: list[str] = []
        self._clock = clock
        self._dead = dead

    def socket(self) -> type[socket.socket]:
        outer = self

        class Socket(socket.socket):
            def connect(self, address: Any) -> None:
                outer.tried.append(address[0])
                if address[0] not in outer._dead:
                    return super().connect(address)
                seconds = self.gettimeout()
                assert seconds, "a connection without a limit"
                outer._clock.sleep(seconds)
                raise TimeoutError("timed out")

        return Socket


ADDRESSES = ("192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4")


@pytest.mark.parametrize("alive", [False, True], ids=["all are dead", "the last one is not"])
@pytest.mark.parametrize("timeout", [1, TIMEOUT, 1000])
def test_many_dead_addresses_share_one_timeout(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, alive: bool, timeout: float
) -> None:
    clock = Clock()
    dead = Dead(clock, *ADDRESSES)
    port = stage.peer.port
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in ADDRESSES]
    found += [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))] if alive else []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *given, **more: found)
    monkeypatch.setattr(socket, "socket", dead.socket())
    url = f"http://many-addresses.test:{port}/{stage.peer.begin({}).rotation['id']}"
    exchange = channel(url, clock).exchange
    if alive:
        assert exchange("GET", url, headers={}, content=None, timeout=timeout).status == 200
    else:
        with pytest.raises(Broken) as caught:
            exchange("GET", url, headers={}, content=None, timeout=timeout)
        assert not caught.value.sent
    assert dead.tried == [*ADDRESSES, *(["127.0.0.1"] if alive else [])]
    assert clock.now <= timeout


def test_a_slow_answer_to_connect(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was sent yet, however long the proxy takes."""
    clock = Clock()
    monkeypatch.setenv("https_proxy", stage.peer.url)
    for slow in (Slow(b"HTTP/1.1 200 ", b"O", plain), Slow(b"HTTP/1.1 200 OK\r\nX: ", b"y", plain)):
        world = stage.peer.begin({CONNECT: slow.step(clock)})
        with pytest.raises(Broken) as caught:
            channel("https://infisical.example.com", clock).exchange(
                "GET", "https://infisical.example.com/", headers={}, content=None, timeout=TIMEOUT
            )
        assert not caught.value.sent
        assert world.seen == [CONNECT]


def test_a_slow_handshake() -> None:
    """The one exception: what reads here is OpenSSL, which knows no other clock. It ends, and that is the test."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(Broken) as caught:
            Channel(Connection(url)).exchange("GET", url, headers={}, content=None, timeout=0.3)
        assert not caught.value.sent
