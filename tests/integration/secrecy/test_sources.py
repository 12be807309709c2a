# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""With -vvv a task says where each of its values came from, and never the value of a secret."""

from __future__ import annotations

import pytest
from simulator.client import Simulator
from support.ansible import MODULE, Workspace
from support.server import login


@pytest.mark.parametrize(
    "in_process", [pytest.param("0", marks=pytest.mark.before_release), "1"], ids=["as a module", "in process"]
)
def test_where_the_values_came_from(workspace: Workspace, simulator: Simulator, in_process: str) -> None:
    given = login(simulator)
    environ = {
        "SECRETOPS_INFISICAL_IN_PROCESS": in_process,
        "ANSIBLE_INJECT_INVOCATION": "true",
        "INFISICAL_URL": " ",
        "INFISICAL_DOMAIN": f"{simulator.url}/api",
        "INFISICAL_TIMEOUT": "20",
        "INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET": given["universal_auth_client_secret"],
    }
    options = {
        "rotation_id": simulator.rotation()["id"],
        "universal_auth_client_id": given["universal_auth_client_id"],
    }
    run = workspace.tasks([{"name": "task", MODULE: options}], "--check", "-vvv", env=environ)
    assert run.returncode == 0, run.output
    assert run.only["invocation"]["sources"] == {
        "url": "INFISICAL_DOMAIN",
        "validate_certs": "default",
        "timeout": "INFISICAL_TIMEOUT",
        "auth_method": "derived from the credentials",
        "universal_auth_client_id": "option",
        "universal_auth_client_secret": "INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET",
    }
    assert '"timeout": "INFISICAL_TIMEOUT"' in run.stdout
    assert given["universal_auth_client_secret"] not in run.output
