# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fastify's way of finding a route."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_to_bytes

from .errors import ApiError, bad_request, permission_denied, unauthorized
from .tokens import Caller

MAX_PARAM = 100


@dataclass
class Context:
    """One request, as a handler sees it."""

    method: str
    raw_url: str
    params: dict[str, str]
    query: dict[str, Any]
    headers: dict[str, str]
    body: Any
    address: str
    caller: Caller | None = None

    def who(self) -> Caller:
        if self.caller is None:
            raise unauthorized("Token missing")
        return self.caller

    def require(self, action: str, subject: str) -> None:
        caller = self.who()
        if not caller.can(action, subject):
            raise permission_denied(action, subject)

    def require_member(self, project_id: str) -> None:
        if not self.who().identity.member_of(project_id):
            raise ApiError(
                403,
                f"Identity is not a member of the specified project with ID '{project_id}'",
                "You are not allowed to access this resource",
            )


Handler = Callable[[Context], Awaitable[Any]]


@dataclass
class Route:
    method: str
    pattern: str
    handler: Handler
    category: str | None
    auth: bool
    segments: list[str] = field(default_factory=list)

    @property
    def key(self) -> str:
        return f"{self.method} {self.pattern}"


class BadUrl(Exception):
    """Percent-encoding in the path that cannot be decoded."""


def decode(segment: str) -> str:
    index = segment.find("%")
    while index != -1:
        code = segment[index + 1 : index + 3]
        if len(code) != 2 or any(c not in "0123456789abcdefABCDEF" for c in code):
            raise BadUrl
        index = segment.find("%", index + 1)
    try:
        return unquote_to_bytes(segment).decode()
    except UnicodeDecodeError:
        raise BadUrl from None


def parse_query(raw: str, *, strict: bool) -> dict[str, Any]:
    """Broken encoding is kept as it stands by older servers and refused by newer ones."""
    found: dict[str, Any] = {}
    for pair in raw.split("&"):
        if not pair:
            continue
        name, _unused, value = pair.partition("=")
        try:
            name, value = decode(name.replace("+", " ")), decode(value.replace("+", " "))
        except BadUrl:
            if strict:
                raise bad_request("Malformed URL encoding in query parameters") from None
        if name in found:
            earlier = found[name]
            found[name] = [*earlier, value] if isinstance(earlier, list) else [earlier, value]
        else:
            found[name] = value
    return found


class Router:
    def __init__(self) -> None:
        self.routes: list[Route] = []

    def add(self, method: str, pattern: str, handler: Handler, *, category: str | None, auth: bool = True) -> None:
        self.routes.append(Route(method, pattern, handler, category, auth, pattern.strip("/").split("/")))

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """The first fitting route in order of registration; one trailing slash is tolerated."""
        segments = [decode(segment) for segment in path.split("/")]
        if segments[0] != "":
            return None
        segments = segments[1:]
        if len(segments) > 1 and segments[-1] == "":
            segments = segments[:-1]
        wanted = "GET" if method == "HEAD" else method
        for route in self.routes:
            if route.method != wanted or len(route.segments) != len(segments):
                continue
            params = _match(route.segments, segments)
            if params is not None:
                return route, params
        return None


def _match(pattern: list[str], segments: list[str]) -> dict[str, str] | None:
    params: dict[str, str] = {}
    for expected, actual in zip(pattern, segments, strict=True):
        if expected.startswith("{"):
            if len(actual) > MAX_PARAM or not actual:
                return None
            params[expected[1:-1]] = actual
        elif expected != actual:
            return None
    return params
