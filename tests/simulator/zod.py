# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Just enough of Zod to give the issues a client sees in a 422."""

from __future__ import annotations

import re
import uuid as uuidlib
from collections.abc import Callable
from typing import Any

from .errors import validation

Issue = dict[str, Any]
Path = tuple[str, ...]
Check = Callable[[Any, Path], "tuple[Any, list[Issue]]"]

_SLUG = re.compile(r"^[a-z0-9]+(?:-[a-z0-9]+)*$")


class _Missing:
    pass


MISSING = _Missing()


def js_type(value: Any) -> str:
    if value is MISSING:
        return "undefined"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


def _wrong_type(expected: str, value: Any, path: Path) -> Issue:
    received = js_type(value)
    text = "Required" if received == "undefined" else f"Expected {expected}, received {received}"
    return {
        "code": "invalid_type",
        "expected": expected,
        "received": received,
        "path": list(path),
        "message": text,
    }


def _too_small(minimum: int, kind: str, message: str, path: Path) -> Issue:
    return {
        "code": "too_small",
        "minimum": minimum,
        "type": kind,
        "inclusive": True,
        "exact": False,
        "message": message,
        "path": list(path),
    }


def is_uuid(text: str) -> bool:
    try:
        return str(uuidlib.UUID(text)) == text.lower()
    except ValueError:
        return False


def is_slug(text: str) -> bool:
    return _SLUG.match(text) is not None


def string(
    *,
    trim: bool = False,
    minimum: int | None = None,
    maximum: int | None = None,
    too_short: str | None = None,
    too_long: str | None = None,
    refuse: tuple[Callable[[str], bool], str] | None = None,
) -> Check:
    def check(value: Any, path: Path) -> tuple[Any, list[Issue]]:
        if not isinstance(value, str):
            return value, [_wrong_type("string", value, path)]
        text = value.strip() if trim else value
        issues: list[Issue] = []
        if minimum is not None and len(text) < minimum:
            message = too_short or f"String must contain at least {minimum} character(s)"
            issues.append(_too_small(minimum, "string", message, path))
        if maximum is not None and len(text) > maximum:
            issues.append(
                {
                    "code": "too_big",
                    "maximum": maximum,
                    "type": "string",
                    "inclusive": True,
                    "exact": False,
                    "message": too_long or f"String must contain at most {maximum} character(s)",
                    "path": list(path),
                }
            )
        if refuse is not None and not issues and refuse[0](text):
            issues.append({"code": "custom", "message": refuse[1], "path": list(path)})
        return text, issues

    return check


def slug(field: str, maximum: int = 64) -> Check:
    return string(
        trim=True,
        minimum=1,
        maximum=maximum,
        too_long=f"{field} field must be at most {maximum} lowercase characters",
        refuse=(
            lambda text: not is_slug(text),
            f"{field} field can only contain lowercase letters, numbers, and hyphens",
        ),
    )


def uuid() -> Check:
    def check(value: Any, path: Path) -> tuple[Any, list[Issue]]:
        if not isinstance(value, str):
            return value, [_wrong_type("string", value, path)]
        if is_uuid(value):
            return value, []
        issue = {"validation": "uuid", "code": "invalid_string", "message": "Invalid uuid", "path": list(path)}
        return value, [issue]

    return check


def enum(*options: str) -> Check:
    def check(value: Any, path: Path) -> tuple[Any, list[Issue]]:
        if value in options and isinstance(value, str):
            return value, []
        if not isinstance(value, str):
            return value, [_wrong_type(" | ".join(f"'{option}'" for option in options), value, path)]
        shown = " | ".join(f"'{option}'" for option in options)
        issue = {
            "received": value,
            "code": "invalid_enum_value",
            "options": list(options),
            "path": list(path),
            "message": f"Invalid enum value. Expected {shown}, received '{value}'",
        }
        return value, [issue]

    return check


def number(*, coerce: bool = False, minimum: int | None = None, maximum: int | None = None) -> Check:
    def check(value: Any, path: Path) -> tuple[Any, list[Issue]]:
        if coerce and isinstance(value, str):
            try:
                value = float(value)
            except ValueError:
                issue = _wrong_type("number", 0, path)
                issue.update(received="nan", message="Expected number, received nan")
                return value, [issue]
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return value, [_wrong_type("number", value, path)]
        if minimum is not None and value < minimum:
            message = f"Number must be greater than or equal to {minimum}"
            return value, [_too_small(minimum, "number", message, path)]
        if maximum is not None and value > maximum:
            issue = _too_small(maximum, "number", f"Number must be less than or equal to {maximum}", path)
            issue["code"] = "too_big"
            issue["maximum"] = issue.pop("minimum")
            return value, [issue]
        return int(value) if float(value).is_integer() else value, []

    return check


def boolean() -> Check:
    def check(value: Any, path: Path) -> tuple[Any, list[Issue]]:
        return (value, []) if isinstance(value, bool) else (value, [_wrong_type("boolean", value, path)])

    return check


def loose_boolean() -> Check:
    """In a query any text is one: false are only the empty one, zero, and "false" in whatever case."""

    def check(value: Any, path: Path) -> tuple[Any, list[Issue]]:
        if not isinstance(value, str):
            return value, [_wrong_type("string", value, path)]
        return value.strip().lower() not in ("", "0", "false"), []

    return check


def optional(inner: Check, default: Any = MISSING) -> Check:
    return lambda value, path: (default, []) if value is MISSING else inner(value, path)


def nullable(inner: Check) -> Check:
    return lambda value, path: (None, []) if value is None else inner(value, path)


def obj(fields: dict[str, Check]) -> Check:
    """Unknown keys are dropped without a word, as the server's schemas are not strict."""

    def check(value: Any, path: Path) -> tuple[Any, list[Issue]]:
        if not isinstance(value, dict):
            return value, [_wrong_type("object", value, path)]
        parsed: dict[str, Any] = {}
        issues: list[Issue] = []
        for name, inner in fields.items():
            result, found = inner(value.get(name, MISSING), (*path, name))
            issues.extend(found)
            if result is not MISSING:
                parsed[name] = result
        return parsed, issues

    return check


def parse(check: Check, value: Any) -> dict[str, Any]:
    parsed, issues = check(value, ())
    if issues:
        raise validation(issues)
    result: dict[str, Any] = parsed
    return result
