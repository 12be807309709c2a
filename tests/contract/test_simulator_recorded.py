# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulator answers as a real server was recorded to answer."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from contract.recorded_world import World
from contract.wire_client import CLOSED, OPEN, Reply, exchange, parse, request_bytes
from simulator.client import Simulator

RECORDED = Path(__file__).parent / "recorded.jsonl"
ROWS = [json.loads(line) for line in RECORDED.read_text(encoding="utf-8").splitlines()]
RAW = [row for row in ROWS if "raw" in row["request"]]
PLAIN = [row for row in ROWS if "raw" not in row["request"]]

# What today's server says more, and less, than the recorded one did.
ADDED = {
    "error": {"reqId", "details"},
    "secret": {"secretValueHidden", "secretPath", "isRotatedSecret", "rotationId", "secretMetadata"},
    "status": {"auditLogStorageDisabled"},
    "project": {"environments", "type"},
    "list": {"imports"},
    "token": {"tokenData"},
}
GONE = {"metadata"}
MAY_BE_ADDED = set().union(*ADDED.values())
SUBSTANCE = ("content-type", "retry-after", "access-control-allow-methods", "access-control-allow-headers")
RATE_HEADERS = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")
RATE_TEXT = re.compile(r"Rate limit exceeded\. Please try again in (1 minute|\d+ seconds)")


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    return "number" if isinstance(value, (int, float)) else type(value).__name__


def compare(then: Any, now: Any, world: World | None, where: str = "") -> None:
    """Same keys and same types all the way down; the words of an error are the same words."""
    assert _kind(then) == _kind(now), where
    if isinstance(then, dict):
        assert set(then) - set(now) <= GONE, where
        assert set(now) - set(then) <= MAY_BE_ADDED, where
        for key in set(then) & set(now):
            compare(then[key], now[key], world, f"{where}.{key}")
    elif isinstance(then, list) and then and where != ".message":
        assert now, where
        compare(then[0], now[0], world, f"{where}[]")


def compare_words(then: Any, now: Any, world: World) -> None:
    if not isinstance(then, dict) or "error" not in then:
        return
    then = json.loads(world.text(json.dumps(then)))
    assert now["error"] == then["error"]
    if isinstance(then["message"], str) and RATE_TEXT.fullmatch(then["message"]):
        assert RATE_TEXT.fullmatch(now["message"])
    else:
        assert now["message"] == then["message"]


def compare_headers(row: dict[str, Any], recorded: dict[str, str], reply: Reply) -> None:
    then = {name.lower(): value for name, value in recorded.items()}
    for name in SUBSTANCE:
        assert reply.headers.get(name) == then.get(name), name
    for name in ("etag", "date", "content-length"):
        assert (name in reply.headers) == (name in then), name
    assert reply.headers.get("connection") == then.get("connection")
    if "rate limit" in row["label"]:
        for name in RATE_HEADERS:
            assert (name in reply.headers) == (name in then), name
        for name in ("x-ratelimit-limit", "x-ratelimit-remaining"):
            if reply.status == 429:
                assert reply.headers[name] == then[name]
    else:
        assert "x-ratelimit-limit" not in reply.headers


def build(row: dict[str, Any], world: World) -> bytes:
    request = row["request"]
    headers = {name: value for name, value in request["headers"].items() if name != "Content-Length"}
    if "Authorization" in headers:
        headers["Authorization"] = world.authorization(headers["Authorization"])
    if "If-None-Match" in headers:
        first = parse(exchange(world.simulator.port, [build(_first_read(row), world)], idle=1)[0], ["GET"])[0]
        headers["If-None-Match"] = first.headers["etag"]
    body = request["body"]
    if body is not None:
        text = body if isinstance(body, str) else json.dumps(body)
        body = world.text(text).encode()
    return request_bytes(request["method"], world.text(request["path"]), headers, body)


def _first_read(row: dict[str, Any]) -> dict[str, Any]:
    request = row["request"]
    headers = {name: value for name, value in request["headers"].items() if name != "If-None-Match"}
    return {**row, "request": {**request, "headers": headers}}


def send(world: World, data: bytes, method: str) -> Reply:
    raw, ending = exchange(world.simulator.port, [data], idle=2)
    assert ending == CLOSED
    (reply,) = parse(raw, [method])
    return reply


@pytest.mark.parametrize("row", PLAIN, ids=lambda row: row["label"])
def test_answers_as_recorded(simulator: Simulator, row: dict[str, Any]) -> None:
    world = World(simulator, row["label"])
    data = build(row, world)
    world.prepare()
    for _unused in range(world.earlier_attempts() + world.drain_limit()):
        send(world, data, row["request"]["method"])
    world.limit_uses()
    reply = send(world, data, row["request"]["method"])

    recorded = {**row["response"]["body"]} if isinstance(row["response"]["body"], dict) else row["response"]["body"]
    status = row.get("today", {}).get("status", row["response"]["status"])
    assert reply.status == status, reply.text
    if isinstance(recorded, dict):
        recorded = {**recorded, "statusCode": status} if "statusCode" in recorded else recorded
        compare(recorded, reply.body, world)
        compare_words(recorded, reply.body, world)
    else:
        assert reply.text == recorded
    compare_headers(row, row["response"]["headers"], reply)


def _expand(text: str) -> str:
    """Long fillings were recorded as their beginning and the number of characters."""
    found = re.search(r"(.)\u2026\((\d+) characters in all\)$", text)
    if found is None:
        return text
    start = text[: found.start() + 1]
    missing = int(found.group(2)) - len(start)
    ending = {"a": "\r\n\r\n" if "X-A" in text else " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "y": '"}'}[found.group(1)]
    if "chunked" in text:
        ending += "\r\n0\r\n\r\n"
    return start + found.group(1) * (missing - len(ending)) + ending


def _pieces(row: dict[str, Any], world: World) -> list[bytes]:
    raw = row["request"]["raw"]
    texts = [raw] if isinstance(raw, str) else [piece["text"] for piece in raw]
    texts = [world.text(_expand(text)) for text in texts]
    if "takes longer" in row["label"]:
        # Our client secret has the length of the recorded one only by chance; the announced length must fit.
        head, body = texts[0].split("\r\n\r\n", 1)
        texts = [re.sub(r"Content-Length: \d+", f"Content-Length: {len(body)}", head) + "\r\n\r\n" + body]
    return [text.encode("latin-1") for text in texts]


def _methods(texts: list[bytes]) -> list[str]:
    return re.findall(r"^([A-Z]+) \S+ HTTP/1\.[01]\r?$", b"".join(texts).decode("latin-1"), re.MULTILINE) or ["GET"]


def _recorded_replies(row: dict[str, Any], methods: list[str]) -> list[Reply]:
    return parse(row["response"]["raw"].encode(), methods)


@pytest.mark.parametrize("row", [row for row in RAW if "raw" in row["response"]], ids=lambda row: row["label"])
def test_raw_bytes_are_answered_as_recorded(simulator: Simulator, row: dict[str, Any]) -> None:
    world = World(simulator, row["label"])
    pieces = _pieces(row, world)
    methods = _methods(pieces)
    then = _recorded_replies(row, methods)
    raw, ending = exchange(simulator.port, pieces, idle=0.5)
    now = parse(raw, methods)

    assert (ending == OPEN) == row["response"]["connection"].startswith("open")
    today = row.get("today", {}).get("status")
    assert [reply.status for reply in now] == [today or reply.status for reply in then]
    for recorded, reply in zip(then, now, strict=True):
        if today is None:
            compare(recorded.body, reply.body, world)
        for name in ("content-type", "keep-alive", "connection", "transfer-encoding"):
            assert reply.headers.get(name) == recorded.headers.get(name), name
        for name in ("etag", "date"):
            assert (name in reply.headers) == (name in recorded.headers), name


@pytest.mark.parametrize("row", [row for row in RAW if "events" in row["response"]], ids=lambda row: row["label"])
def test_silence_ends_as_recorded_without_a_byte(simulator: Simulator, row: dict[str, Any]) -> None:
    world = World(simulator, row["label"])
    simulator.settings(silenceLimit=0.4)
    if "takes longer" in row["label"]:
        simulator.fault("delay", path="login", seconds=0.8)
    raw, ending = exchange(simulator.port, _pieces(row, world), idle=5)
    assert (raw, ending) == (b"", row["response"]["closed"])


def test_most_of_what_was_recorded_is_replayed() -> None:
    assert len(ROWS) >= 200
