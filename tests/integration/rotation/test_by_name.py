# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""No other rotation and no other server than was meant: what is found by name is compared, and a blank url is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.secretops.infisical.plugins.modules import login as login_module
from simulator.client import Simulator
from support import peers
from support.machine import Machine, ended
from support.server import login
from support.stale_front import Cache, Shown, front

BY_NAME = "/rotation-name/"
#: Of a proxy that lets nothing through.
REFUSED = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture
def machine(simulator: Simulator, tmp_path: Path) -> Machine:
    place = {"project_id": simulator.state()["project"]["id"], "environment": "prod", "secret_path": "/okta"}
    options = {"token": simulator.mint_token(), "name": "okta-payments", **place}
    return Machine(tmp_path / "tmp", {"url": simulator.url, **options})


# -- what is found


@pytest.mark.parametrize(
    "shown",
    [
        {"folder.path": "/okta/other"},
        {"folder.path": "/"},
        {"folder.path": "/OKTA"},
        {"folder.path": None},
        {"folder": None},
        {"folder": "/okta"},
        {"environment.slug": "dev"},
        {"environment": None},
        {"projectId": "11111111-2222-4333-8444-555555555555"},
        {"name": "okta-billing"},
    ],
    ids=str,
)
@pytest.mark.parametrize("check_mode", [False, True])
def test_a_rotation_of_another_place_is_refused(
    simulator: Simulator, machine: Machine, shown: dict[str, Any], check_mode: bool
) -> None:
    with front(simulator.url, Shown(shown, where=BY_NAME)) as url:
        result = machine.run(url=url, check_mode=check_mode)
    assert ended(result) == ("invalid_response", False)
    assert "another rotation" in result["msg"]
    assert simulator.posts() == 0


def test_a_cache_that_overlooks_the_query_does_not_lead_elsewhere(simulator: Simulator, machine: Machine) -> None:
    """One name in two folders: the address without its query is the same."""
    elsewhere = simulator.add_rotation(name="okta-payments", secretPath="/legacy", lastRotatedAt=90 * 86_400)
    with front(simulator.url, Cache(machine.clock, by_path=True)) as url:
        assert ended(machine.run(url=url, check_mode=True)) == ("would_rotate", True)
        result = machine.run(url=url, secret_path="/legacy")
    assert ended(result) == ("invalid_response", False)
    assert simulator.posts() == 0
    assert ended(machine.run(secret_path="/legacy")) == ("rotated", True)
    assert simulator.rotations_done(elsewhere["id"]) == 1


@pytest.mark.parametrize("given", ["/okta", "/okta/", "/okta//"])
@pytest.mark.parametrize("told", ["/okta", "/okta/"])
def test_a_slash_at_the_end_is_no_difference(simulator: Simulator, machine: Machine, given: str, told: str) -> None:
    with front(simulator.url, Shown({"folder.path": told}, where=BY_NAME)) as url:
        assert ended(machine.run(url=url, secret_path=given)) == ("rotated", True)


@pytest.mark.parametrize("given", ["/", None, ""])
def test_the_root_folder_is_found(simulator: Simulator, machine: Machine, given: str | None) -> None:
    rotation = simulator.add_rotation(name="at-the-root", secretPath="/")
    assert ended(machine.run(name="at-the-root", secret_path=given)) == ("rotated", True)
    assert simulator.rotations_done(rotation["id"]) == 1


# -- a blank url


@pytest.fixture
def nowhere(simulator: Simulator, tmp_path: Path) -> Machine:
    """It knows credentials, and no url."""
    options = {name: value for name, value in login(simulator).items() if name != "url"}
    return Machine(tmp_path / "tmp", {**options, "rotation_id": simulator.rotation()["id"]})


@pytest.mark.parametrize(
    ("given", "there"),
    [
        ({"url": ""}, {}),
        ({"url": "  "}, {}),
        ({}, {"INFISICAL_URL": ""}),
        ({}, {"INFISICAL_URL": " \t"}),
        ({"url": ""}, {"INFISICAL_URL": ""}),
    ],
)
def test_a_blank_url_does_not_send_the_credentials_to_the_vendor(
    nowhere: Machine, given: dict[str, Any], there: dict[str, str]
) -> None:
    with peers.canned(REFUSED) as proxy:
        nowhere.environ = {**there, "https_proxy": f"http://{proxy.host}"}
        result = nowhere.run(**given)
    assert ended(result) == ("invalid_arguments", False)
    assert "url is empty" in result["msg"]
    assert proxy.heads == []


def test_so_does_the_module_that_logs_in(nowhere: Machine) -> None:
    del nowhere.options["rotation_id"]
    with peers.canned(REFUSED) as proxy:
        nowhere.environ = {"https_proxy": f"http://{proxy.host}"}
        result = nowhere.run(module=login_module, url="")
    assert ended(result) == ("invalid_arguments", False)
    assert proxy.heads == []


@pytest.mark.parametrize("given", [{"url": ""}, {"url": "  "}, {}])
def test_a_blank_url_beside_a_given_one_is_none(simulator: Simulator, nowhere: Machine, given: dict[str, Any]) -> None:
    nowhere.environ = {"INFISICAL_URL": simulator.url}
    assert ended(nowhere.run(**given)) == ("rotated", True)


def test_a_blank_url_beside_login_data_is_none(simulator: Simulator, nowhere: Machine) -> None:
    nowhere.options = {"login_data": {"url": simulator.url, "access_token": simulator.mint_token()}}
    assert ended(nowhere.run(url="", rotation_id=simulator.rotation()["id"])) == ("rotated", True)


@pytest.mark.parametrize("blank", ["", " "])
def test_a_url_given_beside_a_blank_variable_is_used(simulator: Simulator, nowhere: Machine, blank: str) -> None:
    nowhere.environ = {"INFISICAL_URL": blank}
    assert ended(nowhere.run(url=simulator.url)) == ("rotated", True)


def test_a_list_that_fails_does_not_hide_what_was_not_found(simulator: Simulator, machine: Machine) -> None:
    simulator.fault("status", path="okta-client-secret$", status=500, message="No.", error="X", times=0)
    result = machine.run(name="nobody")
    assert (ended(result), result["http_status"]) == (("not_found", False), 404)
    assert "one of that name" not in result["msg"]
