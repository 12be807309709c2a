# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Galaxy would deliver: it installs, it works without the checkout, and it holds what users need only."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest
from simulator.client import Simulator
from support.ansible import COLLECTION, MODULE, Workspace
from support.server import login

pytestmark = pytest.mark.uncounted

#: The first step of every path in the tarball.
EXPECTED = {
    "CHANGELOG.rst",
    "CODE_OF_CONDUCT.md",
    "CONTRIBUTING.md",
    "FILES.json",
    "LICENSE",
    "LICENSES",
    "MANIFEST.json",
    "README.md",
    "REUSE.toml",
    "SECURITY.md",
    "changelogs",
    "docs",
    "examples",
    "extensions",
    "meta",
    "playbooks",
    "plugins",
    "roles",
    "tests",
}
#: Which Pythons the modules need. No other test, and no list of what sanity tests are to ignore.
TESTS = "tests/config.yml"


@pytest.fixture(scope="module")
def tarball(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tarball")
    arguments = ["ansible-galaxy", "collection", "build", str(COLLECTION), "--output-path", str(folder)]
    run = Workspace(folder / "build").command(arguments)
    assert run.returncode == 0, run.output
    (built,) = folder.glob("secretops-infisical-*.tar.gz")
    return built


def test_it_holds_what_users_need_only(tarball: Path) -> None:
    with tarfile.open(tarball) as archive:
        paths = [member.name for member in archive.getmembers() if member.isfile()]
    assert {path.partition("/")[0] for path in paths} == EXPECTED
    wrong = [path for path in paths if any(part.startswith((".", "test", "bench")) for part in path.split("/"))]
    assert wrong == [TESTS]
    assert [path for path in paths if path.endswith((".pyc", ".tar.gz"))] == []
    assert "plugins/modules/okta_client_secret_rotation.py" in paths


def test_it_installs_and_rotates_without_the_checkout(
    workspace: Workspace, simulator: Simulator, tarball: Path
) -> None:
    target = workspace.folder / "collections"
    only_there = {"ANSIBLE_COLLECTIONS_PATH": str(target), "ANSIBLE_COLLECTIONS_SCAN_SYS_PATH": "false"}
    install = ["ansible-galaxy", "collection", "install", str(tarball), "--offline", "-p", str(target)]
    run = workspace.command(install, only_there)
    assert run.returncode == 0, run.output
    verify = ["ansible-galaxy", "collection", "verify", "secretops.infisical", "--offline"]
    verified = workspace.command(verify, only_there)
    assert verified.returncode == 0, verified.output
    found = workspace.command(["ansible-doc", "-l", "-t", "module", "secretops.infisical"], only_there)
    assert MODULE in found.stdout
    rotation_id = simulator.rotation()["id"]
    task = workspace.task({**login(simulator), "rotation_id": rotation_id}, env=only_there).only
    assert task["outcome"] == "rotated"
