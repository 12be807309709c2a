# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of hosts, filters and what is overdue."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from ansible_collections.secretops.infisical.plugins.inventory.okta_client_secret_rotations import InventoryModule
from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError
from ansible_collections.secretops.infisical.plugins.plugin_utils._fleet import Member, Wanted, members

NOW = datetime(2026, 3, 12, 12, 0, tzinfo=timezone.utc)


def rotation(name: str = "okta-payments", path: str = "/okta", environment: str = "prod", **changes: Any) -> Any:
    return {
        "id": "3c90c3cc-0d44-4b50-8888-8dd25736052a",
        "name": name,
        "environment": {"slug": environment},
        "folder": {"path": path},
        "rotationStatus": "success",
        "lastRotatedAt": "2026-03-10T12:00:00.000Z",
        "nextRotationAt": "2026-03-14T12:00:00.000Z",
        **changes,
    }


def names(*rotations: Any, project: str = "payments") -> list[str]:
    return [member.host for member in members({project: rotations})]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", "okta-payments.prod.payments"),
        ("/okta", "okta-payments.okta.prod.payments"),
        ("/apps/okta", "okta-payments.okta.apps.prod.payments"),
        ("/a.b/c d*", "okta-payments.c_d_.a_b.prod.payments"),
    ],
)
def test_a_name_reads_from_the_special_to_the_general(path: str, expected: str) -> None:
    assert names(rotation(path=path)) == [expected]


def test_rotations_with_one_name_are_told_apart_by_their_ids() -> None:
    first = rotation(path="/a.b", id="11111111-0d44-4b50-8888-8dd25736052a")
    second = rotation(path="/a_b", id="22222222-0d44-4b50-8888-8dd25736052a")
    base = "okta-payments.a_b.prod.payments"
    assert names(first, second) == names(second, first) == [f"{base}.11111111", f"{base}.22222222"]


def test_the_order_is_that_of_the_names() -> None:
    assert names(rotation("b"), rotation("a"), rotation("c")) == [f"{name}.okta.prod.payments" for name in "abc"]


@pytest.mark.parametrize("project", ["", "a.b", "a b", "all:!", "ä"])
def test_a_project_has_a_name_that_fits(project: str) -> None:
    with pytest.raises(InfisicalError, match="use letters, digits"):
        members({project: []})


@pytest.mark.parametrize(
    "incomplete",
    [{"environment": None}, {"folder": {}}, {"nextRotationAt": 5}, {"nextRotationAt": "soon"}],
)
def test_a_rotation_without_what_is_needed(incomplete: dict[str, Any]) -> None:
    with pytest.raises(InfisicalError) as caught:
        names(rotation(**incomplete))
    assert caught.value.reason == "invalid_response"


def member(**changes: Any) -> Member:
    return members({"payments": [rotation(**changes)]})[0]


@pytest.mark.parametrize(
    ("planned", "overdue"),
    [
        ("2026-03-12T11:59:59.999Z", True),
        ("2026-03-12T12:00:00.000Z", True),
        ("2026-03-12T12:00:00.001Z", False),
        (None, False),
    ],
)
def test_overdue(planned: str | None, overdue: bool) -> None:
    assert member(nextRotationAt=planned).overdue(NOW) is overdue


@pytest.mark.parametrize(
    ("options", "changes", "expected"),
    [
        ({}, {}, True),
        ({"environment": ["dev", "prod"]}, {}, True),
        ({"environment": ["dev"]}, {}, False),
        ({"status": ["failed"]}, {}, False),
        ({"status": ["failed"]}, {"rotationStatus": "failed"}, True),
        ({"secret_path": ["/okta"]}, {}, True),
        ({"secret_path": ["/okta/"]}, {"path": "/okta/apps"}, True),
        ({"secret_path": ["/okta"]}, {"path": "/oktapus"}, False),
        ({"secret_path": ["/"]}, {"path": "/"}, True),
        ({"secret_path": ["/"]}, {}, True),
        ({"secret_path": ["/other", "/okta"]}, {}, True),
        ({"older_than": "2d"}, {}, True),
        ({"older_than": "49h"}, {}, False),
        ({"older_than": "0"}, {}, True),
        ({"due": "0"}, {}, False),
        ({"due": "2d"}, {}, True),
        ({"due": "47h"}, {}, False),
        ({"older_than": "9999999999d"}, {}, False),
        ({"due": "9999999999d"}, {}, True),
        ({"due": "9d"}, {"nextRotationAt": None}, False),
        ({"environment": ["prod"], "status": ["failed"]}, {}, False),
    ],
)
def test_filters(options: dict[str, Any], changes: dict[str, Any], expected: bool) -> None:
    found = members({"payments": [rotation(**changes)]})
    assert bool(Wanted.parse(**options).of(found, NOW)) is expected


@pytest.mark.parametrize(
    "options",
    [{"older_than": "soon"}, {"due": "-1"}, {"secret_path": ["okta"]}, {"secret_path": ["/../"]}],
)
def test_filters_that_make_no_sense(options: dict[str, Any]) -> None:
    with pytest.raises(InfisicalError) as caught:
        Wanted.parse(**options)
    assert caught.value.reason == "invalid_arguments"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("fleet.okta_rotations.yml", True),
        ("okta_rotations.yaml", True),
        ("fleet.yml", False),
        ("okta_rotations.yml.bak", False),
    ],
)
def test_which_files_are_its(tmp_path: Any, name: str, expected: bool) -> None:
    (tmp_path / name).write_text("", encoding="utf-8")
    assert InventoryModule().verify_file(str(tmp_path / name)) is expected
