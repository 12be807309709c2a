# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each fault does to the wire. The work itself is `session.work()`, which may or may not be called."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from . import errors
from .answers import HTML, Answer, json_answer
from .errors import ApiError
from .faults import Fault
from .mutations import mutate
from .pipeline import request_id
from .session import Session

Action = Callable[[Session, dict[str, Any]], Awaitable[bool]]

DEFAULT_HUGE = 64
_CHUNK = b'"' + b"a" * 65_534 + b'"'


def _wants_work(params: dict[str, Any], default: str = "none") -> str:
    wanted = params.get("work", default)
    if isinstance(wanted, bool):
        return "before" if wanted else "none"
    return str(wanted)


async def _around(session: Session, params: dict[str, Any], answer: Answer, default: str = "none") -> bool:
    """Sends `answer` with the work done before it, after it, or not at all."""
    wanted = _wants_work(params, default)
    if wanted == "before":
        await session.work()
    stays = await session.send(answer)
    if wanted == "after":
        await session.work()
    return stays


async def reset_before(session: Session, params: dict[str, Any]) -> bool:
    session.wire.reset()
    return False


async def reset_after(session: Session, params: dict[str, Any]) -> bool:
    await session.work()
    session.wire.reset()
    return False


async def close_before(session: Session, params: dict[str, Any]) -> bool:
    session.wire.close()
    return False


async def close_after(session: Session, params: dict[str, Any]) -> bool:
    await session.work()
    session.wire.close()
    return False


async def half_header(session: Session, params: dict[str, Any]) -> bool:
    if _wants_work(params, "before") == "before":
        await session.work()
    cut = str(params.get("text", "HTTP/1.1 200 OK\r\ncontent-type: application/js"))
    await session.wire.write(cut.encode())
    session.wire.close()
    return False


async def half_body(session: Session, params: dict[str, Any]) -> bool:
    done = _wants_work(params, "before") == "before"
    answer = await session.work() if done else json_answer(200, {"secretRotation": {"id": "x" * 200}})
    await session.wire.write(session.head(answer) + answer.body[: len(answer.body) // 2])
    session.entry.status = answer.status
    session.wire.close()
    return False


async def trickle(session: Session, params: dict[str, Any]) -> bool:
    answer = await session.work()
    await session.wire.write(session.head(answer))
    session.entry.status = answer.status
    for index in range(len(answer.body)):
        await asyncio.sleep(float(params.get("seconds", 1)))
        await session.wire.write(answer.body[index : index + 1])
    return session.stays


async def silence(session: Session, params: dict[str, Any]) -> bool:
    session.wire.disarm()
    if _wants_work(params, "before") == "before":
        await session.work()
    await asyncio.sleep(float(params.get("seconds", 30)))
    session.wire.close()
    return False


async def status(session: Session, params: dict[str, Any]) -> bool:
    code = int(params.get("status", 500))
    body = params.get("body")
    if body is None:
        message = params.get("message", errors.GENERIC)
        error = params.get("error", "InternalServerError")
        answer = json_answer(code, ApiError(code, error, message).body(request_id()))
    elif isinstance(body, str):
        answer = Answer(code, body.encode())
    else:
        answer = json_answer(code, body)
    answer.headers.update(params.get("headers", {}))
    if "contentType" in params:
        answer.content_type = params["contentType"]
    return await _around(session, params, answer)


async def html_200(session: Session, params: dict[str, Any]) -> bool:
    return await _around(session, params, Answer(200, HTML, {}, "text/html; charset=UTF-8"))


async def empty_200(session: Session, params: dict[str, Any]) -> bool:
    return await _around(session, params, Answer(200), "before")


async def not_json(session: Session, params: dict[str, Any]) -> bool:
    body = str(params.get("body", '{"secretRotation": {"id": "cut off he'))
    return await _around(session, params, Answer(200, body.encode()), "before")


async def redirect(session: Session, params: dict[str, Any]) -> bool:
    location = str(params.get("location", "/elsewhere"))
    return await _around(session, params, Answer(int(params.get("status", 302)), b"", {"location": location}, None))


async def mutate_answer(session: Session, params: dict[str, Any]) -> bool:
    answer = await session.work()
    if answer.status == 200 or params.get("anyStatus"):
        answer = json_answer(answer.status, mutate(answer.json(), params), answer.headers)
    return await session.send(answer)


async def reflect(session: Session, params: dict[str, Any]) -> bool:
    """A careless proxy or server that shows the request, secrets included, in its error text."""
    received = session.received
    seen = {
        "url": received.raw_url,
        "authorization": received.headers.get("authorization"),
        "body": (received.body or b"").decode("utf-8", "replace"),
    }
    code = int(params.get("status", 500))
    error = str(params.get("error", "InternalServerError"))
    problem = ApiError(code, error, f"Could not handle {json.dumps(seen)}")
    return await _around(session, params, json_answer(code, problem.body(request_id())))


async def huge(session: Session, params: dict[str, Any]) -> bool:
    """`megabytes` 0 never ends."""
    megabytes = int(params.get("megabytes", DEFAULT_HUGE))
    if _wants_work(params) == "before":
        await session.work()
    total = megabytes * 1024 * 1024
    await session.wire.write(session.raw_head(200, [("content-type", "application/json; charset=utf-8")], close=True))
    session.entry.status = 200
    sent = 0
    while session.wire.alive and (not total or sent < total):
        await session.wire.write(_CHUNK)
        sent += len(_CHUNK)
    session.wire.close()
    return False


async def delay(session: Session, params: dict[str, Any]) -> bool:
    """`work` "before" does the work at once and only holds the answer back."""
    seconds = float(params.get("seconds", 1))
    if _wants_work(params) == "before":
        answer = await session.work()
        await asyncio.sleep(seconds)
        return await session.send(answer)
    await asyncio.sleep(seconds)
    return await session.send(await session.work())


async def rate_limit(session: Session, params: dict[str, Any]) -> bool:
    seconds = int(params.get("seconds", 1))
    default = {
        "x-ratelimit-limit": "60",
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": str(seconds),
        "retry-after": str(seconds),
    }
    headers = params.get("headers", default)
    text = params.get("message", f"Rate limit exceeded. Please try again in {seconds} seconds")
    problem = ApiError(429, "RateLimitExceeded", text)
    return await _around(session, params, json_answer(429, problem.body(request_id()), dict(headers)))


async def token_error(session: Session, params: dict[str, Any]) -> bool:
    problem = errors.token_error(str(params.get("message", errors.EXPIRED)))
    return await _around(session, params, json_answer(403, problem.body(request_id())))


async def unauthorized(session: Session, params: dict[str, Any]) -> bool:
    text = str(params.get("message", "Failed to authorize: token has been revoked"))
    return await _around(session, params, json_answer(401, errors.unauthorized(text).body(request_id())))


async def kill(session: Session, params: dict[str, Any]) -> bool:
    if _wants_work(params) == "before":
        await session.work()
    session.kill()
    return False


ACTIONS: dict[str, Action] = {
    "reset_before": reset_before,
    "reset_after": reset_after,
    "close_before": close_before,
    "close_after": close_after,
    "half_header": half_header,
    "half_body": half_body,
    "trickle": trickle,
    "silence": silence,
    "status": status,
    "html_200": html_200,
    "empty_200": empty_200,
    "not_json": not_json,
    "redirect": redirect,
    "mutate": mutate_answer,
    "reflect": reflect,
    "huge": huge,
    "delay": delay,
    "rate_limit": rate_limit,
    "token_error": token_error,
    "unauthorized": unauthorized,
    "kill": kill,
}


async def perform(session: Session, fault: Fault | None) -> bool:
    if fault is None:
        return await session.send(await session.work())
    session.entry.fault = fault.action
    return await ACTIONS[fault.action](session, fault.params)
