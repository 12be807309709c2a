# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A signed question to AWS, who am I, for Infisical to ask in our place: no AWS secret leaves this host."""

from __future__ import annotations

import base64
import json
import re
import sys
from typing import Any

from .._errors import InfisicalError, invalid_arguments

_BODY = "Action=GetCallerIdentity&Version=2011-06-15"
_DEFAULT_REGION = "us-east-1"
#: It becomes part of a host name.
_REGION = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)


def signed_request(region: str | None) -> tuple[dict[str, str], tuple[str, ...]]:
    """The fields of an aws-auth login, and what in them nobody may read: for minutes it can be used again."""
    missing = _missing()
    if missing:
        raise InfisicalError(
            "missing_dependency",
            f"Could not log in with aws_auth: the Python library botocore cannot be imported by {sys.executable}: "
            f"{missing}.",
            "Install it for that interpreter (pip install botocore), or set ansible_python_interpreter to one that "
            "has it.",
        )
    import botocore.auth
    import botocore.awsrequest

    frozen, found_region, fault = _found()
    region = region or found_region or _DEFAULT_REGION
    if frozen is None:
        raise _no_credentials(fault)
    if not _REGION.fullmatch(region):
        raise invalid_arguments(f"aws_region is {region!r}, which is no AWS region.")
    host = f"sts.{region}.amazonaws.com"
    request = botocore.awsrequest.AWSRequest(
        method="POST",
        url=f"https://{host}/",
        data=_BODY,
        headers={"Content-Type": "application/x-www-form-urlencoded; charset=utf-8", "Host": host},
    )
    botocore.auth.SigV4Auth(frozen, "sts", region).add_auth(request)
    headers = dict(request.headers.items())
    encoded = _encoded(json.dumps(headers))
    fields = {"iamHttpRequestMethod": "POST", "iamRequestBody": _encoded(_BODY), "iamRequestHeaders": encoded}
    return fields, (encoded, headers["Authorization"], headers.get("X-Amz-Security-Token", ""))


def _missing() -> str:
    """Why botocore can't be used; empty where it can."""
    try:
        import botocore.auth
        import botocore.awsrequest
        import botocore.session  # noqa: F401
    except ImportError as cause:
        return str(cause)
    return ""


def _found() -> tuple[Any, str, str]:
    """The credentials and the region that botocore finds, or why there are no credentials."""
    import botocore.session

    try:
        session = botocore.session.get_session()
        region = session.get_config_variable("region") or ""
        found = session.get_credentials()
        frozen = found.get_frozen_credentials() if found else None
    except Exception as cause:  # noqa: BLE001 - files, programs and services of any kind are behind it
        # Its text may quote what a credential process printed.
        return None, "", f"botocore gave up with {type(cause).__name__}"
    if frozen is None or not frozen.access_key or not frozen.secret_key:
        return None, "", "botocore found none"
    return frozen, region, ""


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _no_credentials(why: str) -> InfisicalError:
    return invalid_arguments(
        f"auth_method aws_auth needs AWS credentials on the host that runs the task, and {why}: set AWS_ACCESS_KEY_ID "
        "and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or attach a role. 'aws sts get-caller-identity' tests them."
    )
