# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module for reading refuses before anything is sent."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.secretops.infisical.plugins.modules import okta_client_secret_rotation_info
from support.options import ID, refused
from support.tasks import Runner

NAMED = {"name": "okta", "project_slug": "payments", "environment": ["prod"]}


@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, "project_id or project_slug is missing"),
        ({"project_slug": " ", "rotation_id": " ", "name": ""}, "project_id or project_slug is missing"),
        ({"project_id": "a", "project_slug": "b"}, "project_id and project_slug contradict each other"),
        ({"name": "okta"}, "environment is missing"),
        ({**NAMED, "environment": [" ", ""]}, "environment is missing"),
        ({**NAMED, "environment": ["prod", "dev"]}, "environment has 2 values"),
        ({**NAMED, "secret_path": ["/", "/a"]}, "secret_path has 2 values"),
        ({**NAMED, "secret_path": ["okta"]}, "secret_path is 'okta'"),
        ({**NAMED, "older_than": "1d"}, "older_than and a rotation that is named"),
        ({**NAMED, "status": ["failed"], "due": "0"}, "status, due and a rotation that is named"),
        ({"rotation_id": "42"}, "UUID"),
        ({"rotation_id": ID, "due": "1d"}, "due and a rotation that is named"),
        ({"rotation_id": ID, "environment": ["prod"]}, "rotation_id and environment contradict each other"),
        ({"rotation_id": ID, "project_slug": "payments"}, "rotation_id and project_slug contradict each other"),
        ({"project_slug": "payments", "older_than": "soon"}, "older_than is 'soon'"),
        ({"project_slug": "payments", "due": "-1"}, "due is '-1'"),
        ({"project_slug": "payments", "secret_path": ["/okta", "okta"]}, "secret_path is 'okta'"),
    ],
)
def test_what_makes_no_sense_is_refused(options: dict[str, Any], told: str, check_mode: bool) -> None:
    runner = Runner(okta_client_secret_rotation_info)
    assert told in refused(
        lambda: runner.run({"url": "http://127.0.0.1:9", "token": "t", **options}, check_mode=check_mode)
    )
