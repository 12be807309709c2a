# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a refused login advises, row by row: by the method, the status and what the server said."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError
from ansible_collections.secretops.infisical.plugins.module_utils._login.advice import TABLE, explain_login
from ansible_collections.secretops.infisical.plugins.module_utils._transport import answers
from ansible_collections.secretops.infisical.plugins.module_utils._transport.redaction import Redactor

LOCKED = "This identity auth method is temporarily locked, please try again later"
ADDRESS = "You are not allowed to access this resource from the current IP address"
NO_METHOD = "auth method not found for identity, did you configure it?"
WRONG = "Something went wrong"
AUTH, DENIED, REJECTED, BROKEN = "authentication_failed", "permission_denied", "request_rejected", "server_error"
CLUSTER = "does not reach the cluster"
LOCK = "three refused logins lock the identity"

#: Method, status, the error's name, the message; then the reason and words of the next step.
CASES = [
    ("universal_auth", 429, "RateLimit", "Failed to acquire lock: rate limit exceeded", "rate_limited", "come at once"),
    ("universal_auth", 401, "UnauthorizedError", LOCKED, AUTH, "wait that long"),
    ("ldap_auth", 401, "UnauthorizedError", LOCKED, AUTH, "wait that long"),
    ("universal_auth", 403, "ForbiddenError", ADDRESS, DENIED, "trusted addresses of the identity's universal auth"),
    ("oidc_auth", 403, "ForbiddenError", ADDRESS, DENIED, "identity's trusted addresses"),
    ("universal_auth", 401, "UnauthorizedError", "Access denied due to client secret usage limit reached", AUTH,
     "make a new client secret"),
    ("universal_auth", 401, "UnauthorizedError", "Access denied due to expired client secret", AUTH,
     "make a new client secret"),
    ("universal_auth", 401, "UnauthorizedError", "Invalid credentials", AUTH, "that takes a new client secret"),
    ("universal_auth", 401, "UnauthorizedError", "Invalid credentials", AUTH, LOCK),
    ("oidc_auth", 404, "NotFound", f"OIDC {NO_METHOD}", AUTH, "this method is set up for the identity"),
    ("gcp_auth", 404, "NotFound", f"GCP {NO_METHOD}", AUTH, "this method is set up for the identity"),
    ("universal_auth", 404, "NotFound", "Sub organization with slug x not found", AUTH, "Check organization_slug"),
    ("aws_auth", 401, "UnauthorizedError", "Identity not authorized to access sub organization x", AUTH, "a member"),
    ("oidc_auth", 401, "UnauthorizedError", "Invalid JWT", AUTH, "is no JWT"),
    ("jwt_auth", 401, "UnauthorizedError", "Access denied: jwt expired", AUTH, "has expired"),
    ("oidc_auth", 401, "UnauthorizedError", "Access denied: OIDC audience not allowed.", AUTH, "audience of the JWT"),
    ("oidc_auth", 403, "ForbiddenError", "Access denied: OIDC subject not allowed.", AUTH, "The subject of the JWT"),
    ("jwt_auth", 403, "ForbiddenError", "Access denied: issuer mismatch", AUTH, "The issuer of the JWT"),
    ("jwt_auth", 401, "UnauthorizedError", "Access denied: claim mismatch", AUTH, "The claim of the JWT"),
    ("jwt_auth", 500, "InternalServerError", WRONG, BROKEN, "does not know the key that signed"),
    ("kubernetes_auth", 401, "KubernetesTokenReviewerUnauthorized", "no", AUTH, "a reviewer token"),
    ("kubernetes_auth", 403, "KubernetesTokenReviewerForbidden", "no", AUTH, "a reviewer token"),
    ("kubernetes_auth", 403, "KubernetesTokenReviewerUnauthorized", "no", AUTH, "a reviewer token"),
    ("kubernetes_auth", 401, "KubernetesTokenReviewerForbidden", "no", AUTH, "a reviewer token"),
    ("kubernetes_auth", 400, "KubernetesConnectionRefused", "no", REJECTED, CLUSTER),
    ("kubernetes_auth", 400, "KubernetesHostNotFound", "no", REJECTED, CLUSTER),
    ("kubernetes_auth", 400, "KubernetesConnectionTimeout", "no", REJECTED, CLUSTER),
    ("kubernetes_auth", 400, "KubernetesCertificateError", "no", REJECTED, CLUSTER),
    ("gcp_auth", 500, "InternalServerError", WRONG, BROKEN, "every token that Google did not sign"),
    ("azure_auth", 500, "InternalServerError", WRONG, BROKEN, "every token that is none of Azure's"),
    ("azure_auth", 403, "TokenError", "jwt audience invalid. expected: x", AUTH, "azure_resource is the audience"),
    ("azure_auth", 401, "UnauthorizedError", "Tenant ID mismatch", AUTH, "tenant id"),
    ("azure_auth", 401, "UnauthorizedError", "Service principal 'x' not allowed", AUTH, "Add the service principal"),
    ("aws_auth", 400, "BadRequest", "Invalid AWS region", REJECTED, "Check aws_region"),
    ("aws_auth", 401, "UnauthorizedError", "Access denied: AWS account ID not allowed.", AUTH, "Add the AWS account"),
    ("aws_auth", 401, "UnauthorizedError", "Access denied: AWS principal ARN not allowed. [principal-arn=x]", AUTH,
     "Add the ARN"),
    ("aws_auth", 500, "InternalServerError", WRONG, BROKEN, "AWS refuses the signature"),
    ("ldap_auth", 401, "UnauthorizedError", "LDAP configuration not found", AUTH, "that LDAP is set up"),
    ("ldap_auth", 401, "UnauthorizedError", "LDAP authentication failed", AUTH, LOCK),
    ("ldap_auth", 403, "ForbiddenError", "no", AUTH, LOCK),
    ("universal_auth", 404, "NotFound", "no", AUTH, LOCK),
    ("oidc_auth", 401, "UnauthorizedError", "no", AUTH, "Check the credentials"),
    ("gcp_auth", 403, "ForbiddenError", "no", AUTH, "Check the credentials"),
    ("aws_auth", 404, "NotFound", "no", AUTH, "Check the credentials"),
    ("universal_auth", 500, "InternalServerError", WRONG, BROKEN, "Look at the server's log under that request"),
    ("oidc_auth", 404, "Not Found", "Route POST:/x not found", "route_not_found", "Check url"),
]  # fmt: skip


def refused(method: str, status: int, error: str, message: str, *, request_id: str | None = "req-1") -> InfisicalError:
    data: dict[str, Any] = {"statusCode": status, "error": error, "message": message, "reqId": request_id}
    failure = answers.failure_of(
        status, {}, b"", data, what="log in", url="https://x.example", path="/login", redactor=Redactor()
    )
    explain_login(failure, method)
    return failure


@pytest.mark.parametrize(("method", "status", "error", "message", "reason", "words"), CASES)
def test_a_refused_login_says_what_it_takes(
    method: str, status: int, error: str, message: str, reason: str, words: str
) -> None:
    failure = refused(method, status, error, message)
    assert failure.reason == reason
    assert words in failure.next_step
    assert failure.effect == "none"
    assert "..." not in failure.next_step


def test_every_row_is_tried() -> None:
    """Each row decides at least one of the cases: without it another one would."""
    for row in TABLE:
        tried = [
            case
            for case in CASES
            if next(
                (
                    each
                    for each in TABLE
                    if each.status == case[1]
                    and each.words in f"{case[2]} {case[3]}"
                    and (not each.methods or case[0] in each.methods)
                ),
                None,
            )
            == row
        ]
        assert tried, row


@pytest.mark.parametrize("method", ["oidc_auth", "jwt_auth", "kubernetes_auth", "gcp_auth", "azure_auth", "aws_auth"])
@pytest.mark.parametrize("status", [401, 403, 404])
def test_only_where_refused_logins_are_counted_is_a_lock_named(method: str, status: int) -> None:
    assert "lock" not in refused(method, status, "UnauthorizedError", "no").next_step


def test_a_kind_of_token_that_a_route_does_not_take_asks_for_no_permissions() -> None:
    data = {"statusCode": 403, "error": "Forbidden access to /api/v2/x", "message": "no", "reqId": "req-1"}
    failure = answers.failure_of(
        403, {}, b"", data, what="read", url="https://x.example", path="/x", redactor=Redactor()
    )
    assert failure.reason == "permission_denied"
    assert "does not take this kind of token" in failure.next_step
    assert "rotate-secrets" not in failure.next_step


def test_an_answer_without_a_request_sends_nobody_to_look_for_it() -> None:
    failure = answers.failure_of(
        502, {}, b"<html>", None, what="read", url="https://x.example", path="/x", redactor=Redactor()
    )
    assert "server's log" in failure.next_step
    assert "under that request" not in failure.next_step
