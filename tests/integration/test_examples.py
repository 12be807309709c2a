# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every example that a user may copy runs as it stands."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from simulator.client import Simulator
from support.ansible import COLLECTION, Workspace
from support.server import environment, login

MODULES = sorted((COLLECTION / "plugins" / "modules").glob("*.py"))
DOCUMENTS = [COLLECTION / "README.md", *sorted((COLLECTION / "docs" / "docsite" / "rst").glob("*.rst"))]


def examples(module: Path) -> str:
    """The EXAMPLES of a module, without importing it."""
    for node in ast.parse(module.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "EXAMPLES":
            return str(ast.literal_eval(node.value))
    raise AssertionError(f"{module.name} has no EXAMPLES")


def snippets(document: Path) -> list[str]:
    """The YAML blocks of a Markdown or reStructuredText document."""
    text = document.read_text(encoding="utf-8")
    if document.suffix == ".md":
        return re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    blocks = re.findall(r"\.\. code-block:: yaml\+jinja\n\n((?:    .*\n|\n)+)", text)
    return [re.sub(r"^    ", "", block, flags=re.MULTILINE).rstrip() + "\n" for block in blocks]


def variables(simulator: Simulator) -> dict[str, str]:
    """What the examples leave to their reader."""
    options = login(simulator)
    rotation = simulator.rotation()
    return {
        "okta_rotation_id": rotation["id"],
        "infisical_project_id": rotation["projectId"],
        "infisical_url": options["url"],
        "infisical_client_id": options["universal_auth_client_id"],
        "infisical_client_secret": options["universal_auth_client_secret"],
    }


def plays(snippet: str, simulator: Simulator) -> list[dict[str, Any]]:
    """Tasks become a play; plays are taken as they are."""
    parsed = yaml.safe_load(snippet)
    found = parsed if "hosts" in parsed[0] else [{"hosts": "localhost", "gather_facts": False, "tasks": parsed}]
    return [{**play, "vars": {**variables(simulator), **play.get("vars", {})}} for play in found]


@pytest.mark.parametrize("module", MODULES, ids=[module.stem for module in MODULES])
def test_the_examples_of_a_module_run(workspace: Workspace, simulator: Simulator, module: Path) -> None:
    run = workspace.playbook(plays(examples(module), simulator), env=environment(simulator))
    assert run.returncode == 0, run.output
    assert [result.task for result in run.results if result.status in ("failed", "unreachable")] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=[document.name for document in DOCUMENTS])
def test_the_snippets_of_a_document_run(workspace: Workspace, simulator: Simulator, document: Path) -> None:
    found = [snippet for snippet in snippets(document) if "secretops.infisical" in snippet]
    for snippet in found:
        run = workspace.playbook(plays(snippet, simulator), env=environment(simulator))
        assert run.returncode == 0, run.output


def test_the_readme_has_snippets_and_they_rotate(simulator: Simulator) -> None:
    found = snippets(COLLECTION / "README.md")
    assert len(found) >= 2
    assert all("okta_client_secret_rotation" in snippet for snippet in found)


def test_the_commands_of_the_readme_run(workspace: Workspace, simulator: Simulator) -> None:
    """The ad-hoc command, with the id of a rotation that is there."""
    text = (COLLECTION / "README.md").read_text(encoding="utf-8")
    (adhoc,) = re.findall(r"^ansible localhost -m \S+ -a \"(.*)\"$", text, re.MULTILINE)
    arguments = re.sub(r"rotation_id=\S+", f"rotation_id={simulator.rotation()['id']}", adhoc)
    command = ["ansible", "localhost", "-m", "secretops.infisical.okta_client_secret_rotation", "-a", arguments]
    run = workspace.command(command, environment(simulator))
    assert run.returncode == 0, run.output
    assert simulator.posts() == 1
    for target in ("demo", "test"):
        assert f"\nmake {target}\n" in text
        assert re.search(rf"^{target}:", (COLLECTION / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


def test_the_snippets_pass_the_linter(workspace: Workspace) -> None:
    """The examples of modules are linted with the collection; those of documents are found only here."""
    for document in DOCUMENTS:
        for number, snippet in enumerate(snippets(document)):
            folder = workspace.folder / ("playbooks" if "hosts:" in snippet else "tasks")
            folder.mkdir(exist_ok=True)
            (folder / f"{document.stem.lower()}_{number}.yml").write_text(f"---\n{snippet}", encoding="utf-8")
    run = workspace.command(["ansible-lint", "--profile", "production", "--offline", "--strict"])
    assert run.returncode == 0, run.output
    assert "Passed" in run.output
