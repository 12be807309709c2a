# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The server's error answers, one constructor for each kind."""

from __future__ import annotations

from typing import Any

GENERIC = "Something went wrong"
MALFORMED = "The provided access token is malformed. Please use a valid token or generate a new one and try again."
EXPIRED = "Your token has expired. Please re-authenticate."
WRONG_ALGORITHM = "The access token is signed with an invalid algorithm. Please provide a valid token and try again."
WRONG_IP = "You are not allowed to access this resource from the current IP address"
NOT_ALLOWED = "You are not allowed to access this resource"

_NO_DETAILS = object()


class ApiError(Exception):
    """An answer that is not a success; `message` is a list for validation errors."""

    def __init__(
        self,
        status: int,
        error: str,
        message: Any,
        *,
        details: Any = _NO_DETAILS,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(str(message))
        self.status = status
        self.error = error
        self.message = message
        self.details = details
        self.headers = headers or {}

    def body(self, req_id: str) -> dict[str, Any]:
        body: dict[str, Any] = {
            "reqId": req_id,
            "statusCode": self.status,
            "message": self.message,
            "error": self.error,
        }
        if self.details is not _NO_DETAILS:
            body["details"] = self.details
        return body


def bad_request(message: str, error: str = "BadRequest") -> ApiError:
    return ApiError(400, error, message)


def unauthorized(message: str = NOT_ALLOWED, error: str = "UnauthorizedError") -> ApiError:
    return ApiError(401, error, message)


def forbidden(message: str = NOT_ALLOWED, error: str = "ForbiddenError") -> ApiError:
    return ApiError(403, error, message)


def permission_denied(action: str, subject: str, rules: list[dict[str, Any]] | None = None) -> ApiError:
    return ApiError(403, "PermissionDenied", f"You are not allowed to {action} on {subject}", details=rules or [])


def token_error(message: str) -> ApiError:
    return ApiError(403, "TokenError", message)


def not_found(message: str, error: str = "NotFound") -> ApiError:
    return ApiError(404, error, message)


def validation(issues: list[dict[str, Any]]) -> ApiError:
    return ApiError(422, "ValidationFailure", issues)


def internal(message: str = GENERIC, error: str = "InternalServerError") -> ApiError:
    return ApiError(500, error, message)


def route_not_found(method: str, raw_url: str) -> dict[str, Any]:
    """Fastify's own 404, which has no reqId: that tells it from a missing entity."""
    return {"message": f"Route {method}:{raw_url} not found", "error": "Not Found", "statusCode": 404}
