# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A playbook logs in to a sub-organisation of the server's organisation."""

from __future__ import annotations

from typing import Any

import pytest
from simulator.client import Simulator
from support.ansible import Run, Workspace

LOGIN = "secretops.infisical.login"


def log_in(simulator: Simulator, workspace: Workspace, slug: str, *, by: str = "option") -> Run:
    """With an identity that is a member of `payments-eu`, and not of `payments-us`."""
    for name in ("payments-eu", "payments-us"):
        simulator.add_organization(name)
    identity = simulator.add_identity(subOrganizations=["payments-eu"])
    options: dict[str, Any] = {
        "url": simulator.url,
        "universal_auth_client_id": identity["clientId"],
        "universal_auth_client_secret": identity["clientSecret"],
    }
    environment = {}
    if by == "option":
        options["organization_slug"] = slug
    else:
        environment["INFISICAL_AUTH_ORGANIZATION_SLUG"] = slug
    return workspace.tasks([{"name": "task", LOGIN: options}], env=environment)


def organizations(simulator: Simulator) -> list[str | None]:
    return [token["organization"] for token in simulator.state()["tokens"]]


@pytest.mark.parametrize(
    ("generation", "by"),
    [
        ("new", "option"),
        pytest.param("old", "environment", marks=pytest.mark.before_release),
    ],
)
def test_a_playbook_logs_in_to_a_sub_organisation(
    simulator: Simulator, workspace: Workspace, generation: str, by: str
) -> None:
    simulator.settings(generation=generation)
    run = log_in(simulator, workspace, "payments-eu", by=by)
    assert run.returncode == 0, run.output
    assert organizations(simulator) == ["payments-eu"]


@pytest.mark.before_release
@pytest.mark.parametrize(
    ("slug", "status"),
    [("payments-us", 401), ("nowhere", 404)],
)
def test_a_sub_organisation_that_is_not_the_identity_s_is_said(
    simulator: Simulator, workspace: Workspace, slug: str, status: int
) -> None:
    run = log_in(simulator, workspace, slug)
    assert run.returncode == 2, run.output
    assert run.only["http_status"] == status
    assert slug in run.only["msg"]
    assert organizations(simulator) == []


@pytest.mark.before_release
def test_what_is_no_slug_is_refused_before_anything_is_sent(simulator: Simulator, workspace: Workspace) -> None:
    run = log_in(simulator, workspace, "No Slug")
    assert run.returncode == 2, run.output
    assert run.only["reason"] == "invalid_arguments"
    assert "organization_slug" in run.only["msg"]
    assert simulator.log() == []
