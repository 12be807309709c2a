# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which rotations a run is about, and whose credentials go to which server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import pytest
from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError
from ansible_collections.secretops.infisical.plugins.plugin_utils import _fleet_members, _run_settings
from unit.fleet.fleet_variables import SPEC, uuid

A, B = "https://a.example", "https://b.example"
IDENTITY = {"infisical_universal_auth_client_id": "id", "infisical_universal_auth_client_secret": "secret"}
IN_ENVIRONMENT = {"INFISICAL_UNIVERSAL_AUTH_CLIENT_ID": "env id", "INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET": "env"}


def host(name: str, number: int, url: str | None = A, client: str | None = None, **more: Any) -> _fleet_members.Host:
    file = more.pop("file", None)
    options = _run_settings.typed_each(SPEC, {name: {"infisical_url": url, **more}})[name]
    rotation = {"projectId": "p", "parameters": {"clientId": client}} if client else None
    return _fleet_members.Host(name, options, uuid(number), rotation, file)


def members(
    *found: _fleet_members.Host, extra: Sequence[str] = (), environ: Mapping[str, str] = MappingProxyType({})
) -> _fleet_members.Members:
    files = {"/a": {"url": A, "token": "file-a"}, "/b": {"url": B, "token": "file-b"}, "/none": {"url": A}}
    return _fleet_members.members_of(
        found, environ=environ, in_file=files.__getitem__, extra=extra, warn=lambda _text: None
    )


def test_one_login_for_each_server() -> None:
    found = members(
        host("a", 1, file="/a"),
        host("b", 1, url=B, file="/b"),
        host("c", 2, url=f"{A}/", file="/a"),
        host("d", 3, B, **IDENTITY),
    )
    assert [(each.url, each.hosts) for each in found.logins] == [(A, ["a", "c"]), (B, ["b"]), (B, ["d"])]
    assert [member.login for member in found.members] == [0, 1, 0, 2]
    assert found.logins[0].params["token"] == "file-a"
    assert found.logins[2].params["universal_auth_client_secret"] == "secret"


def test_equal_logins_of_two_files_are_one() -> None:
    found = members(host("a", 1, file="/none"), host("b", 2), environ=IN_ENVIRONMENT)
    assert [each.hosts for each in found.logins] == [["a", "b"]]


def test_members_are_unique_by_server_and_id() -> None:
    """A staging that was restored from a backup has the same ids."""
    found = members(host("a", 1, **IDENTITY), host("again", 1, **IDENTITY), host("b", 1, url=B, **IDENTITY))
    assert [member.host for member in found.members] == ["a", "b"]
    assert found.same == {"again": "a"}


def test_the_environment_is_for_the_server_that_it_names() -> None:
    with pytest.raises(InfisicalError, match=rf"no credentials for {B}, the server of b"):
        members(host("a", 1), host("b", 2, url=B), environ={"INFISICAL_URL": A, **IN_ENVIRONMENT})
    assert (
        len(members(host("a", 1), host("b", 2, B, **IDENTITY), environ={"INFISICAL_URL": A, **IN_ENVIRONMENT}).logins)
        == 2
    )
    with pytest.raises(InfisicalError, match="no credentials for"):
        members(host("b", 2, url=B), environ={"INFISICAL_URL": A, **IN_ENVIRONMENT})


def test_the_environment_that_names_none_is_for_the_only_server() -> None:
    assert len(members(host("a", 1), environ=IN_ENVIRONMENT).logins) == 1
    with pytest.raises(InfisicalError, match="no credentials for"):
        members(host("a", 1), host("b", 2, url=B), environ=IN_ENVIRONMENT)


def test_no_credentials_at_all() -> None:
    with pytest.raises(InfisicalError, match="No credentials were given"):
        members(host("a", 1))


def test_extra_variables_go_to_no_two_servers() -> None:
    with pytest.raises(InfisicalError, match="infisical_token given as extra variable would go to each"):
        members(
            host("a", 1, infisical_token="t"), host("b", 2, B, infisical_token="t"), extra=("infisical_token", "other")
        )


@pytest.mark.parametrize("wrong", [None, "", 7, "no id"])
def test_a_host_without_an_id_is_refused_by_name(wrong: Any) -> None:
    without = _fleet_members.Host("web1", host("a", 1, **IDENTITY).options, wrong)
    with pytest.raises(InfisicalError, match="web1"):
        members(without)


def test_two_rotations_of_one_application_are_flagged() -> None:
    found = members(host("a", 1, client="0oa1", **IDENTITY), host("b", 2, client="0oa1", **IDENTITY))
    assert found.members[0].project_id == "p"
    assert [text.partition(", 0oa1")[0] for text in found.warnings] == ["a and b are rotations of one Okta application"]
