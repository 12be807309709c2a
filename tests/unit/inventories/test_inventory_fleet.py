# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of hosts."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.secretops.infisical.plugins.inventory.okta_client_secret_rotations import InventoryModule
from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError
from ansible_collections.secretops.infisical.plugins.plugin_utils._fleet import (
    Member,
    check_host_names,
    check_known,
    members,
)


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


def test_ids_that_begin_alike_are_told_in_full() -> None:
    first, second = (
        rotation(path=path, id=f"11111111-0d44-4b50-8888-8dd25736052{digit}")
        for path, digit in (("/a.b", 1), ("/a_b", 2))
    )
    base = "okta-payments.a_b.prod.payments"
    assert names(first, second) == [f"{base}.{first['id']}", f"{base}.{second['id']}"]


@pytest.mark.parametrize("name", ["", "a b", "a:b", "a,b", "!a", "a[0]", "all", "localhost"])
def test_a_name_of_a_host_is_fit_for_patterns(name: str) -> None:
    with pytest.raises(InfisicalError, match=r"host_name gives the rotation okta-payments \(3c90c3cc-.*\) the name"):
        check_host_names([member().named(name)])


def test_names_that_clash_are_told() -> None:
    two = members({"payments": [rotation("a"), rotation("b")]})
    check_host_names(two)
    with pytest.raises(InfisicalError, match=r"^a \(.*\) and b \(.*\) both have the name same"):
        check_host_names([each.named("same") for each in two])
    for clashing in (
        members({"p-1": [rotation("a")], "p_1": [rotation("b")]}),
        members({"p": [rotation("a", environment="x-y"), rotation("b", environment="x_y")]}),
    ):
        with pytest.raises(InfisicalError, match="would be one group"):
            check_host_names(clashing)


def test_a_host_that_is_there_already() -> None:
    own = member()
    url = "https://a.example"
    check_known([own], {}, url)
    same = {"infisical_url": url, "rotation_id": own.rotation["id"], "infisical_inventory": "/b.yml"}
    check_known([own], {own.host: same}, url)
    for other, source in (({**same, "infisical_url": "https://b.example"}, "/b.yml"), ({}, "another source")):
        with pytest.raises(InfisicalError, match=f"in the inventory already, from {source}"):
            check_known([own], {own.host: other}, url)


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
