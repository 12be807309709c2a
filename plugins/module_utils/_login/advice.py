# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do about a refused login or token, by the method and by what the server said."""

from __future__ import annotations

from typing import NamedTuple

from .._errors import NONE, InfisicalError

_REFUSED = "authentication_failed"
#: The methods whose refused logins the server counts.
_COUNTED = ("universal_auth", "ldap_auth")
_LOCK = "Do not run it again unchanged: three refused logins lock the identity for five minutes."


class Advice(NamedTuple):
    """Holds for an answer with this status, of these methods (of all where there are none), that holds the words.

    Without a reason the failure keeps its own. A next step that ends in three dots goes on with the failure's own.
    """

    methods: tuple[str, ...]
    status: int
    words: str
    reason: str
    next_step: str


#: The first that holds counts. The words are looked for in the error's name and its message.
TABLE = (
    Advice(
        (), 429, "Failed to acquire lock", "",
        "Logins of this identity come at once, and some are refused: find out who uses wrong credentials, and share "
        "one login among the hosts.",
    ),
    Advice(
        (), 401, "temporarily locked", _REFUSED,
        "Three refused logins lock an identity for five minutes, for everybody and with the right credentials too: "
        "wait that long, and find out who used wrong ones before you run again.",
    ),
    Advice(
        ("universal_auth",), 403, "IP address", "permission_denied",
        "Add this host's address to the trusted addresses of the identity's universal auth.",
    ),
    Advice((), 403, "IP address", "permission_denied", "Add this host's address to the identity's trusted addresses."),
    Advice(
        ("universal_auth",), 401, "client secret usage limit reached", _REFUSED,
        "The uses of this client secret are spent: make a new client secret. From now on the server only says "
        "'Invalid credentials' about this one.",
    ),
    Advice(
        ("universal_auth",), 401, "expired client secret", _REFUSED,
        "This client secret has expired: make a new client secret. From now on the server only says "
        "'Invalid credentials' about this one.",
    ),
    Advice(
        ("universal_auth",), 401, "Invalid credentials", _REFUSED,
        "Check the client id and the client secret. The server says the same about a client secret that was revoked, "
        f"has expired or is used up, once it has refused it: that takes a new client secret. {_LOCK}",
    ),
    Advice(
        (), 404, "auth method not found", _REFUSED,
        "Check identity_id, and that this method is set up for the identity; else choose its method in auth_method.",
    ),
    Advice((), 404, "Sub organization", _REFUSED, "Check organization_slug: it names no sub-organisation there."),
    Advice(
        (), 401, "sub organization", _REFUSED,
        "Make the identity a member of the sub-organisation that organization_slug names, or check organization_slug.",
    ),
    Advice(
        ("oidc_auth", "jwt_auth"), 401, "Invalid JWT", _REFUSED,
        "What jwt or jwt_path gives is no JWT: check where it comes from, and that it is whole.",
    ),
    Advice(
        ("oidc_auth", "jwt_auth"), 401, "expired", _REFUSED,
        "The JWT has expired: get a new one just before the login, or check the clock of the server.",
    ),
    *(
        Advice(
            ("oidc_auth", "jwt_auth"), status, words, _REFUSED,
            f"The {claim} of the JWT is not what the identity's method is set up for: make both the same.",
        )
        for status, words, claim in (
            (401, "audience", "audience"), (403, "subject", "subject"), (403, "issuer", "issuer"),
            (401, "claim", "claim"),
        )
    ),
    Advice(
        ("jwt_auth",), 500, "", "",
        "With jwt_auth the server answers 500 also when it does not know the key that signed the JWT. ...",
    ),
    *(
        Advice(
            ("kubernetes_auth",), status, words, _REFUSED,
            "The cluster refuses the token with which the server reviews others: give the identity's method a reviewer "
            "token that is good and may create token reviews (role system:auth-delegator).",
        )
        for status in (401, 403)
        for words in ("KubernetesTokenReviewerUnauthorized", "KubernetesTokenReviewerForbidden")
    ),
    *(
        Advice(
            ("kubernetes_auth",), 400, words, "",
            "The server does not reach the cluster: check the Kubernetes host in the identity's method, its "
            "certificate and the network between the two.",
        )
        for words in (
            "KubernetesConnectionRefused", "KubernetesHostNotFound", "KubernetesConnectionTimeout",
            "KubernetesCertificateError",
        )
    ),
    Advice(
        ("gcp_auth",), 500, "", "",
        "With gcp_auth the server answers 500 also for every token that Google did not sign for it: check jwt, "
        "jwt_path or metadata_url, and the kind (ID token or IAM) that the identity is set up for. ...",
    ),
    Advice(
        ("azure_auth",), 500, "", "",
        "With azure_auth the server answers 500 also for every token that is none of Azure's: check jwt, jwt_path or "
        "metadata_url. ...",
    ),
    Advice(
        ("azure_auth",), 403, "TokenError", _REFUSED,
        "Check that azure_resource is the audience that the identity is set up for, its tenant, and that the token has "
        "not expired.",
    ),
    Advice(
        ("azure_auth",), 401, "Tenant ID mismatch", _REFUSED,
        "Set the identity's tenant id to that of the machine's Azure account.",
    ),
    Advice(
        ("azure_auth",), 401, "Service principal", _REFUSED,
        "Add the service principal to those that the identity's method allows.",
    ),
    Advice(("aws_auth",), 400, "Invalid AWS region", "", "Check aws_region, or the region that the environment names."),
    Advice(
        ("aws_auth",), 401, "account ID not allowed", _REFUSED,
        "Add the AWS account of these credentials to those that the identity's method allows.",
    ),
    Advice(
        ("aws_auth",), 401, "principal ARN not allowed", _REFUSED,
        "Add the ARN that the message names to those that the identity's method allows.",
    ),
    Advice(
        ("aws_auth",), 500, "", "",
        "With aws_auth the server answers 500 also when AWS refuses the signature: check the AWS credentials and the "
        "clock of the host. ...",
    ),
    Advice(
        ("ldap_auth",), 401, "LDAP configuration not found", _REFUSED,
        "Check identity_id, and that LDAP is set up for the identity.",
    ),
    *(
        Advice(
            _COUNTED, status, "", _REFUSED,
            f"Check the credentials and that this method is set up for the identity. {_LOCK}",
        )
        for status in (401, 403, 404)
    ),
    *(
        Advice(
            (), status, "", _REFUSED,
            "Check the credentials and that this method is set up for the identity before you run it again.",
        )
        for status in (401, 403, 404)
    ),
)  # fmt: skip


def explain_login(failure: InfisicalError, method: str) -> None:
    """Say what a login that failed takes, in place of what holds for any request."""
    # What the token was for has not been sent, or was refused.
    failure.effect = NONE
    if failure.reason in ("invalid_response", "redirected", "route_not_found"):
        return
    said = f"{failure.server_error} {failure.server_message}"
    for advice in TABLE:
        if (
            failure.http_status == advice.status
            and advice.words in said
            and (not advice.methods or method in advice.methods)
        ):
            failure.reason = advice.reason or failure.reason
            failure.next_step = advice.next_step.replace("...", failure.next_step)
            return


#: What both generations of the server say about a token that ended by itself, and of none that was revoked.
_EXPIRED = ("Your token has expired", "TTL expiration", "exceeded max age")
_USED_UP = ("token usage limit reached", "number of uses limit reached")
_REPLACED = (
    "give the credentials too, with which the task logs in by itself: beside the login_data of "
    "secretops.infisical.login they replace a token that has ended, where they are of the same identity and server."
)


def has_ended(failure: InfisicalError) -> bool:
    """Whether the token has expired or is used up, which nobody decided."""
    return any(words in failure.server_message for words in _EXPIRED + _USED_UP)


def explain_given_token(failure: InfisicalError) -> None:
    """Say what a token takes that the task was given, where the server refuses it."""
    if not failure.token_refused or failure.server_message == "Token missing":
        return
    if any(words in failure.server_message for words in _USED_UP):
        failure.next_step = (
            "The token given has a use limit, and it is reached. A rotation takes two requests, and one for each "
            f"reading while it waits: get a new token, or {_REPLACED}"
        )
    elif has_ended(failure):
        failure.next_step = f"The token given has expired: get a new one, or {_REPLACED}"
    else:
        failure.next_step = (
            "The token given is wrong or no longer good: get a new one, or give the credentials, with which the task "
            "logs in by itself."
        )
