# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an answer that is no success means."""

from __future__ import annotations

import pytest
from ansible_collections.secretops.infisical.plugins.module_utils import _failures
from ansible_collections.secretops.infisical.plugins.module_utils._redaction import Redactor


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("https://user:word@new.example/api?token=a#b", "It points to https://new.example/api: "),
        ("/elsewhere", "It points to /elsewhere: "),
        ("http://[broken", ""),
        ("", ""),
    ],
)
def test_a_redirect_says_where_to_without_what_nobody_may_see(location: str, said: str) -> None:
    failure = _failures.from_answer(302, {"Location": location}, None, "read it", "https://x.example", Redactor())
    assert failure.reason == "redirected"
    assert f" {said}redirects are not followed" in failure.message
    assert failure.nothing_done
