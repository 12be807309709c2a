# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a request to its answer, in the order of the server's hooks: identity, body, rate limit, handler."""

from __future__ import annotations

import contextlib
import secrets
import string
import sys
import traceback
from dataclasses import dataclass

from . import errors
from .answers import HTML, Answer, json_answer
from .bodies import UnsupportedType, parse_body
from .errors import ApiError
from .limits import RateLimiter
from .router import BadUrl, Context, Route, Router, parse_query
from .store import Store
from .tokens import SERVICE_KIND, Tokens

EXEMPT_IN_MAINTENANCE = "/api/v1/auth/universal-auth/login"
_PREFLIGHT_METHODS = "GET,HEAD,PUT,PATCH,POST,DELETE"


@dataclass
class Received:
    """A request as it came; `body` is None when it was larger than the server reads."""

    method: str
    raw_url: str
    headers: dict[str, str]
    body: bytes | None
    peer: str

    @property
    def path(self) -> str:
        return self.raw_url.split("?", 1)[0]

    @property
    def raw_query(self) -> str:
        return self.raw_url.partition("?")[2]

    @property
    def address(self) -> str:
        forwarded = self.headers.get("x-forwarded-for")
        return forwarded.split(",")[0].strip() if forwarded else self.peer


def request_id() -> str:
    return "req-" + "".join(secrets.choice(string.ascii_letters + string.digits) for _unused in range(14))


class Pipeline:
    def __init__(self, store: Store, router: Router, tokens: Tokens, limiter: RateLimiter) -> None:
        self._store = store
        self._router = router
        self._tokens = tokens
        self._limiter = limiter

    async def answer(self, received: Received) -> Answer:
        if received.method == "OPTIONS":
            return _preflight(received)
        try:
            found = self._router.find(received.method, received.path)
            if found is not None and self._is_newer(found[0]):
                found = None
        except BadUrl:
            message = f"'{received.raw_url}' is not a valid url component"
            body = {"error": "Bad Request", "code": "FST_ERR_BAD_URL", "message": message, "statusCode": 400}
            answer = json_answer(400, body)
            answer.content_type, answer.etag = "application/json", False
            return answer
        rate_headers: dict[str, str] = {}
        try:
            self._refuse_in_maintenance(received)
            if found is None:
                return self._unknown(received)
            result = await self._run(received, *found, rate_headers)
        except ApiError as problem:
            return json_answer(problem.status, problem.body(request_id()), {**rate_headers, **problem.headers})
        except Exception:  # noqa: BLE001 - whatever it is, the server answers its masked 500
            traceback.print_exc(file=sys.stderr)
            return json_answer(500, errors.internal().body(request_id()), rate_headers)
        answer = json_answer(200, result, rate_headers)
        if received.headers.get("if-none-match") == answer.tag() and received.method in ("GET", "HEAD"):
            return Answer(304, b"", {**answer.headers, "etag": answer.tag()}, etag=False)
        return answer

    def _is_newer(self, route: Route) -> bool:
        """Whether the server is set to be older than the route."""
        settings = self._store.settings
        newer = {"/api/v4/secrets": settings.secretsV4, "/api/v1/projects/slug": settings.projectsV1}
        return any(route.pattern.startswith(start) and not known for start, known in newer.items())

    def _refuse_in_maintenance(self, received: Received) -> None:
        if not self._store.settings.maintenance or received.method in ("GET", "HEAD"):
            return
        if received.path != EXEMPT_IN_MAINTENANCE:
            raise errors.internal()

    def _unknown(self, received: Received) -> Answer:
        """No route: neither the token nor the content type is looked at, but broken JSON still fails."""
        outside = received.path != "/api" and not received.path.startswith("/api/")
        if outside and received.method == "GET" and self._store.settings.standalone:
            return Answer(200, HTML, {}, "text/html; charset=UTF-8")
        with contextlib.suppress(UnsupportedType):
            parse_body(received.method, received.headers, self._body(received))
        return json_answer(404, errors.route_not_found(received.method, received.raw_url))

    @staticmethod
    def _body(received: Received) -> bytes:
        if received.body is None:
            raise errors.internal()
        return received.body

    async def _run(
        self, received: Received, route: Route, params: dict[str, str], rate_headers: dict[str, str]
    ) -> object:
        if "x-api-key" in received.headers:
            raise errors.bad_request(
                "API key authentication is not supported anymore. Please switch to identity authentication."
            )
        caller = self._tokens.caller(received.headers.get("authorization"), received.address)
        if route.auth and caller is None:
            raise errors.unauthorized("Token missing")
        if route.auth and caller is not None and caller.token.kind == SERVICE_KIND:
            raise errors.forbidden(error=f"Forbidden access to {received.raw_url}")
        try:
            body = parse_body(received.method, received.headers, self._body(received))
        except UnsupportedType:
            raise errors.internal() from None
        rate_headers.update(self._limiter.check(route.key, route.category, received.address))
        strict = self._store.settings.generation == "new"
        context = Context(
            method=received.method,
            raw_url=received.raw_url,
            params=params,
            query=parse_query(received.raw_query, strict=strict),
            headers=received.headers,
            body=body,
            address=received.address,
            caller=caller,
        )
        result: object = await route.handler(context)
        return result


def _preflight(received: Received) -> Answer:
    if "origin" not in received.headers or "access-control-request-method" not in received.headers:
        return Answer(400, b"Invalid Preflight Request", {}, "text/plain")
    headers = {"access-control-allow-methods": _PREFLIGHT_METHODS}
    wanted = received.headers.get("access-control-request-headers")
    if wanted:
        headers["access-control-allow-headers"] = wanted
    return Answer(204, b"", {**headers, "content-length": "0"}, None)
