# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a login shows of itself, as the libraries and the clouds behind the server judge it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from typing import Any

from .errors import ApiError, bad_request, forbidden, internal, token_error, unauthorized
from .tokens import Tokens, is_jwt

# What a test can ask for by name as the failure of a method; "default" is a token that is not accepted.
FAILURES: dict[str, dict[str, ApiError]] = {
    "oidc-auth": {
        "default": unauthorized("Access denied: invalid signature"),
        "audience": unauthorized("Access denied: OIDC audience not allowed."),
        "subject": forbidden("Access denied: OIDC subject not allowed."),
        "invalid": unauthorized("Invalid JWT"),
    },
    "jwt-auth": {
        "default": unauthorized("Access denied: invalid signature"),
        "audience": unauthorized("Access denied: audience not allowed"),
        "issuer": forbidden("Access denied: issuer mismatch"),
        "subject": forbidden("Access denied: subject not allowed"),
        "unknownKey": internal(),
    },
    "kubernetes-auth": {
        "default": unauthorized(
            "[invalid bearer token, Token has been invalidated]", "KubernetesTokenReviewerUnauthorized"
        ),
        "forbidden": unauthorized("tokenreviews is forbidden", "KubernetesTokenReviewerForbidden"),
        "unreachable": bad_request("connect ECONNREFUSED", "KubernetesConnectionRefused"),
        "timeout": bad_request("connect ETIMEDOUT", "KubernetesConnectionTimeout"),
    },
    "gcp-auth": {"default": internal(), "zone": unauthorized("Access denied: GCP zone not allowed.")},
    "azure-auth": {
        "default": token_error("invalid signature"),
        "tenant": unauthorized("Tenant ID mismatch"),
        "principal": unauthorized("Service principal '9f6f0b2c-7f04-4a3a-9e0f-0a1c7ec6b1aa' not allowed"),
    },
    "aws-auth": {
        "default": internal(),
        "account": unauthorized("Access denied: AWS account ID not allowed."),
        "region": bad_request("Invalid AWS region"),
        "arn": unauthorized(
            "Access denied: AWS principal ARN not allowed. "
            "[principal-arn=arn:aws:sts::123456789012:assumed-role/rotator/i-0abc]"
        ),
    },
    "ldap-auth": {"default": unauthorized("LDAP authentication failed")},
}

AZURE_ISSUER = "https://sts.windows.net/"
AZURE_RESOURCE = "https://management.azure.com/"
GCP_ISSUER = "https://accounts.google.com"
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256\s+Credential=([^/,\s]+)/([^,\s]+),\s*SignedHeaders=([^,\s]+),\s*Signature=([0-9a-f]+)"
)


def check_jwt(method: str, text: str, config: dict[str, Any], identity_id: str, tokens: Tokens) -> None:
    """Listed tokens are good, and those of the metadata service when made for this server."""
    if text in config.get("jwts", []):
        return
    if method == "gcp-auth":
        _check_gcp(text, identity_id, tokens)
    elif method == "azure-auth":
        _check_azure(text, config.get("resource", AZURE_RESOURCE), tokens)
    elif method in ("oidc-auth", "jwt-auth") and not is_jwt(text):
        raise unauthorized("Invalid JWT")
    else:
        raise FAILURES[method]["default"]


def _check_gcp(text: str, audience: str, tokens: Tokens) -> None:
    """Google's library throws what the server does not know as an answer."""
    try:
        claims = tokens.claims(text)
    except ApiError:
        raise internal() from None
    if (claims.get("iss"), claims.get("aud")) != (GCP_ISSUER, audience):
        raise internal()


def _check_azure(text: str, resource: str, tokens: Tokens) -> None:
    if not is_jwt(text):
        raise internal()
    claims = tokens.claims(text)
    if claims.get("aud") != resource:
        raise token_error(f"jwt audience invalid. expected: {resource}")
    if claims.get("iss") != AZURE_ISSUER:
        raise token_error(f"jwt issuer invalid. expected: {AZURE_ISSUER}")


def check_aws(body: dict[str, Any], access_keys: dict[str, str]) -> None:
    """The server hands the signed request on; whatever AWS refuses becomes its masked 500."""
    try:
        request = base64.b64decode(body["iamRequestBody"], validate=True).decode()
        headers = json.loads(base64.b64decode(body["iamRequestHeaders"], validate=True))
        sent = {name.lower(): str(value) for name, value in headers.items()}
    except (ValueError, AttributeError):
        raise internal() from None
    method = body["iamHttpRequestMethod"]
    if "Action=GetCallerIdentity" not in request or method != "POST" or "host" not in sent:
        raise internal()
    if not signed(method, sent, request, access_keys):
        raise internal()


def signed(method: str, headers: dict[str, str], body: str, access_keys: dict[str, str]) -> bool:
    """AWS's signature, version 4, of a request for "/" without a query; the keys by their ids."""
    found = _AUTHORIZATION.fullmatch(headers.get("authorization", "").strip())
    if found is None or found[1] not in access_keys:
        return False
    names = found[3].split(";")
    if not {"host", "x-amz-date"} <= set(names) <= set(headers):
        return False
    lines = [f"{name}:{' '.join(headers[name].split())}" for name in names]
    canonical = "\n".join([method, "/", "", *lines, "", found[3], hashlib.sha256(body.encode()).hexdigest()])
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    key = f"AWS4{access_keys[found[1]]}".encode()
    for part in found[2].split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    text = "\n".join(["AWS4-HMAC-SHA256", headers["x-amz-date"], found[2], digest])
    return hmac.compare_digest(hmac.digest(key, text.encode(), "sha256").hex(), found[4])
