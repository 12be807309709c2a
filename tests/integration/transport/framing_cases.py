# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every legal way to write one answer down, and every legal way to end its connection, byte by byte."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterable
from functools import partial
from itertools import pairwise
from typing import NamedTuple

from support.raw_peer import Ending, Reply, head, whole, with_length

OK_1_0 = "HTTP/1.0 200 OK"
CONTINUE = head("HTTP/1.1 100 Continue")
PROCESSING = head("HTTP/1.1 102 Processing")
HINTS = head("HTTP/1.1 103 Early Hints", "Link: </a.css>; rel=preload", "Content-Length: 7", "Connection: close")


def until_close(body: bytes, fields: tuple[str, ...], *, line: str = "HTTP/1.1 200 OK") -> bytes:
    return head(line, *fields) + body


def chunked(
    body: bytes,
    fields: tuple[str, ...],
    *,
    size: int = 1_000_000,
    written: str = "{:x}",
    trailer: bytes = b"",
    name: str = "Transfer-Encoding: chunked",
    before: bytes = b"",
) -> bytes:
    """``written`` is how the length of a chunk is written, extensions included."""
    chunks = [body[start : start + size] for start in range(0, len(body), size)]
    lines = b"".join(written.format(len(chunk)).encode() + b"\r\n" + chunk + b"\r\n" for chunk in chunks)
    return (
        before
        + head("HTTP/1.1 200 OK", *fields, name)
        + lines
        + written.format(0).encode()
        + b"\r\n"
        + (trailer + b"\r\n")
    )


def encoded(coding: str, encode: Callable[[bytes], bytes], reply: Reply) -> Reply:
    return lambda body, fields: reply(encode(body), (*fields, f"Content-Encoding: {coding}"))


def with_fields(*extra: str, reply: Reply = with_length) -> Reply:
    return lambda body, fields: reply(body, (*fields, *extra))


def rewritten(old: bytes, new: bytes, reply: Reply = with_length) -> Reply:
    """With other bytes for some of the head."""

    def make(body: bytes, fields: tuple[str, ...]) -> bytes:
        fields_sent, end, content = reply(body, fields).partition(b"\r\n\r\n")
        assert old in fields_sent + end
        return (fields_sent + end).replace(old, new) + content

    return make


def same_length_twice(body: bytes, fields: tuple[str, ...]) -> bytes:
    return with_length(body, (*fields, f"Content-Length: {len(body)}"))


def list_of_lengths(body: bytes, fields: tuple[str, ...]) -> bytes:
    return head("HTTP/1.1 200 OK", *fields, f"Content-Length: {len(body)}, {len(body)}") + body


def _raw_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


def _members(body: bytes) -> bytes:
    return gzip.compress(body[:50]) + gzip.compress(body[50:])


EXTENSIONS = '{:x} ; name=value;quoted="a, b";alone'
TRAILER = b"X-Checksum: 0\r\nServer-Timing: total;dur=3\r\n"

FRAMINGS: dict[str, Reply] = {
    "length": with_length,
    "length, leading zeros": rewritten(b"Content-Length: ", b"Content-Length: 000"),
    "length twice": same_length_twice,
    "length twice in one field": list_of_lengths,
    "length, 1.0": partial(with_length, line=OK_1_0),
    "until close": until_close,
    "until close, 1.0": partial(until_close, line=OK_1_0),
    "one chunk": chunked,
    "many chunks": partial(chunked, size=7),
    "chunks of one byte": partial(chunked, size=1),
    "chunk extensions": partial(chunked, size=100, written=EXTENSIONS),
    "trailers": partial(chunked, size=100, trailer=TRAILER),
    "upper-case hex": partial(chunked, size=0xAB, written="{:04X}"),
    "chunked in odd case": partial(chunked, name="tRANSFER-eNCODING: Chunked"),
    "100 before": partial(with_length, before=CONTINUE),
    "102 before": partial(with_length, before=PROCESSING),
    "103 before": partial(with_length, before=HINTS),
    "100, 102 and 103 before": partial(with_length, before=CONTINUE + PROCESSING + HINTS),
    "103 before, twenty times": partial(with_length, before=HINTS * 20),
    "103 before chunks": partial(chunked, before=HINTS),
    "103 before until close": lambda body, fields: HINTS + until_close(body, fields),
    "gzip": encoded("gzip", gzip.compress, with_length),
    "gzip in odd case": encoded("GZip", gzip.compress, with_length),
    "gzip by its old name": encoded("x-gzip", gzip.compress, with_length),
    "gzip in two members": encoded("gzip", _members, with_length),
    "gzip in chunks": encoded("gzip", gzip.compress, partial(chunked, size=50)),
    "gzip until close": encoded("gzip", gzip.compress, until_close),
    "deflate": encoded("deflate", zlib.compress, with_length),
    "deflate without zlib's head": encoded("deflate", _raw_deflate, with_length),
    "deflate in chunks": encoded("deflate", zlib.compress, partial(chunked, size=50)),
    "identity by name": encoded("identity", bytes, with_length),
    "names in odd case": rewritten(b"Content-Length:", b"cONTENT-lENGTH:"),
    "blanks around values": rewritten(b"Content-Length: ", b"Content-Length:\t  "),
    "no blank before values": rewritten(b": ", b":"),
    "a folded field": with_fields("X-Folded: one,\r\n\ttwo"),
    "a field in Latin-1": with_fields("X-Served-By: café"),
    "an empty field": with_fields("X-Empty:"),
    "bare line feeds": rewritten(b"\r\n", b"\n"),
    "no reason": rewritten(b"200 OK", b"200 "),
    "no blank after the status": rewritten(b"200 OK", b"200"),
    "a reason in Latin-1": rewritten(b"200 OK", "200 Très bien".encode("latin-1")),
    "a reason about a tunnel": rewritten(b"200 OK", b"200 Tunnel connection failed: 407"),
}
#: Their end is the end of the connection.
UNTIL_CLOSE = [name for name in FRAMINGS if "until close" in name]


class Handling(NamedTuple):
    fields: tuple[str, ...]
    ending: Ending


HANDLINGS = {
    "kept": Handling((), Ending.KEEP),
    "kept, said": Handling(("Connection: keep-alive", "Keep-Alive: timeout=5, max=100"), Ending.KEEP),
    "closed, said": Handling(("Connection: close",), Ending.CLOSE),
    "closed, unsaid": Handling((), Ending.CLOSE),
    "half-closed, unsaid": Handling((), Ending.HALF),
    "close said, left to the client": Handling(("Connection: close",), Ending.OPEN),
}


def is_possible(framing: str, handling: str) -> bool:
    return framing not in UNTIL_CLOSE or HANDLINGS[handling].ending in (Ending.CLOSE, Ending.HALF)


def byte_by_byte(answer: bytes) -> Iterable[bytes]:
    return (answer[place : place + 1] for place in range(len(answer)))


def around_line_ends(answer: bytes) -> Iterable[bytes]:
    """In the midst of every line end, and right before and after it."""
    places = {place + more for place, byte in enumerate(answer) if byte in b"\r\n" for more in (0, 1)}
    return (answer[start:end] for start, end in pairwise(sorted({0, *places, len(answer)})))


def within_characters(answer: bytes) -> Iterable[bytes]:
    """In the midst of every character that takes several bytes, and of whatever else looks so."""
    places = {place for place, byte in enumerate(answer) if 0x80 <= byte < 0xC0}
    return (answer[start:end] for start, end in pairwise(sorted({0, *places, len(answer)})))


PIECES = {
    "whole": whole,
    "around line ends": around_line_ends,
    "within characters": within_characters,
    "byte by byte": byte_by_byte,
}
