# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an answer that is no success means."""

from __future__ import annotations

import pytest
from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError
from ansible_collections.secretops.infisical.plugins.module_utils._transport import answers
from ansible_collections.secretops.infisical.plugins.module_utils._transport.redaction import Redactor

PATH = "/api/v2/thing"
ADDRESS = "the server's final address"


@pytest.mark.parametrize(
    ("location", "target", "final"),
    [
        ("https://user:word@new.example/infisical/api/v2/thing?token=a#b", "https://new.example/infisical/api/v2/thing",
         "https://new.example/infisical"),
        ("https://new.example/login", "https://new.example/login", ADDRESS),
        ("/base/api/v2/thing", "https://x.example/base/api/v2/thing", "https://x.example/base"),
        ("//y.example/api/v2/thing", "https://y.example/api/v2/thing", "https://y.example"),
    ],
)  # fmt: skip
def test_a_redirect_says_which_url_to_use_without_what_nobody_may_see(location: str, target: str, final: str) -> None:
    failure = _redirected(location)
    assert failure.reason == "redirected"
    assert failure.next_step.endswith(f"redirects to {target}, and redirects are not followed: set url to {final}.")
    assert failure.effect == "unknown"


@pytest.mark.parametrize("location", ["http://[broken", ""])
def test_a_redirect_to_nowhere(location: str) -> None:
    assert _redirected(location).next_step.endswith(f"Redirects are not followed: set url to {ADDRESS}.")


def _redirected(location: str) -> InfisicalError:
    return answers.failure_of(
        302, {"Location": location}, b"", None, what="read", url="https://x.example", path=PATH, redactor=Redactor()
    )
