# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The execution environment of the skeleton, as far as ansible-builder comes without a registry of images."""

from __future__ import annotations

import yaml
from support.ansible import COLLECTION, Run, Workspace
from support.tower import SKELETON

REQUIREMENT = {"name": "secretops.infisical", "version": ">=1.0.0,<2.0.0"}


def run(workspace: Workspace, *command: str) -> Run:
    done = workspace.command(list(command))
    assert done.returncode == 0, done.output
    return done


def test_what_the_built_collection_needs_is_found(workspace: Workspace) -> None:
    """As ansible-builder finds it in an image into which Galaxy has installed the collection."""
    run(workspace, "ansible-galaxy", "collection", "build", str(COLLECTION), "--output-path", str(workspace.folder))
    (tarball,) = workspace.folder.glob("secretops-infisical-*.tar.gz")
    place = str(workspace.folder / "collections")
    # By force, for this environment is linked to the checkout.
    run(workspace, "ansible-galaxy", "collection", "install", str(tarball), "--offline", "--force", "-p", place)
    found = yaml.safe_load(run(workspace, "ansible-builder", "introspect", place).stdout)
    assert found["python"] == ["requests>=2.31.0  # from collection secretops.infisical"]
    assert found["system"] == []


def test_the_definition_gives_a_context_that_installs_the_collection(workspace: Workspace) -> None:
    context = workspace.folder / "context"
    options = ("--context", str(context), "--output-filename", "Containerfile")
    run(workspace, "ansible-builder", "create", "--file", str(SKELETON / "execution-environment.yml"), *options)
    containerfile = (context / "Containerfile").read_text(encoding="utf-8")
    assert 'ARG EE_BASE_IMAGE="quay.io/ansible/awx-ee:latest"' in containerfile
    assert "ansible-galaxy collection install" in containerfile
    required = yaml.safe_load((context / "_build" / "requirements.yml").read_text(encoding="utf-8"))
    assert required["collections"] == [REQUIREMENT]


def test_project_and_image_hold_the_same_collection() -> None:
    """And one that this checkout is."""
    required = yaml.safe_load((SKELETON / "collections" / "requirements.yml").read_text(encoding="utf-8"))
    assert required["collections"] == [REQUIREMENT]
    galaxy = yaml.safe_load((COLLECTION / "galaxy.yml").read_text(encoding="utf-8"))
    assert galaxy["version"].split(".")[0] == "1"
