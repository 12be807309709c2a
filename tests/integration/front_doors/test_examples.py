# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every example that a user may copy runs as it stands."""

from __future__ import annotations

import ast
import re
import shlex
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import yaml
from simulator.client import Simulator
from support.ansible import COLLECTION, Workspace
from support.server import environment, login

pytestmark = pytest.mark.uncounted

#: Their examples are tasks.
PLUGINS = [path for kind in ("modules", "lookup") for path in sorted((COLLECTION / "plugins" / kind).glob("*.py"))]
INVENTORIES = sorted((COLLECTION / "plugins" / "inventory").glob("*.py"))
GUIDES = COLLECTION / "docs" / "docsite" / "rst"
FIRST, FLEETS = GUIDES / "guide_first_rotation.rst", GUIDES / "guide_fleets.rst"
DOCUMENTS = sorted(GUIDES.glob("*.rst"))
#: Its playbooks are about consumers, and a test of their own runs them.
OF_CONSUMERS = "guide_handover"
#: The kinds of code blocks that are run as they stand, and those that show what stands elsewhere.
RUN, SHOWN = ("yaml", "yaml+jinja", "bash"), ("console", "json", "text")
#: The name that the guides and examples give the inventory's file.
FLEET = "fleet.okta_rotations.yml"


def examples(plugin: Path) -> str:
    """The EXAMPLES of a plugin, without importing it."""
    for node in ast.parse(plugin.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "EXAMPLES":
            return str(ast.literal_eval(node.value))
    raise AssertionError(f"{plugin.name} has no EXAMPLES")


def blocks(document: Path, *languages: str) -> list[str]:
    """The blocks of a Markdown or reStructuredText document that are in one of the languages."""
    text, names = document.read_text(encoding="utf-8"), "|".join(map(re.escape, languages))
    if document.suffix == ".md":
        return re.findall(rf"```(?:{names})\n(.*?)```", text, re.DOTALL)
    found = re.findall(rf"^\.\. code-block:: (?:{names})\n\n((?: .*\n|\n)+)", text, re.MULTILINE)
    return [dedent(block).rstrip() + "\n" for block in found]


def snippets(document: Path) -> list[str]:
    """Tasks and plays."""
    return [block for block in blocks(document, "yaml", "yaml+jinja") if isinstance(yaml.safe_load(block), list)]


def inventory(document: Path) -> str | None:
    found = [block for block in blocks(document, "yaml") if isinstance(yaml.safe_load(block), dict)]
    assert len(found) <= 1
    return found[0] if found else None


def commands(document: Path) -> list[list[str]]:
    """Command lines of Ansible's tools, without what is to be run before."""
    lines = "\n".join(blocks(document, "bash")).replace("\\\n", "").splitlines()
    return [shlex.split(line) for line in lines if line.startswith("ansible")]


def write_inventory(workspace: Workspace, simulator: Simulator, text: str) -> Path:
    """As it stands, but for what its reader has to fill in."""
    config = yaml.safe_load(text)
    config["projects"] = {
        name: simulator.state()["project"]["id"] if not number else simulator.add_project(name)["id"]
        for number, name in enumerate(config["projects"])
    }
    # Left out, it is the environment's.
    config.pop("url", None)
    if "cache_connection" in config:
        config["cache_connection"] = str(workspace.folder / "cache")
    path = workspace.folder / FLEET
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return path


def variables(simulator: Simulator) -> dict[str, str]:
    """What the examples leave to their reader."""
    options = login(simulator)
    rotation = simulator.rotation()
    return {
        "okta_rotation_id": rotation["id"],
        "okta_application_client_id": rotation["parameters"]["clientId"],
        "okta_url": simulator.okta_url,
        "okta_client_id": rotation["parameters"]["clientId"],
        "okta_client_secret": simulator.okta_secrets()[0]["client_secret"],
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


@pytest.mark.before_release
@pytest.mark.parametrize("plugin", PLUGINS, ids=[plugin.stem for plugin in PLUGINS])
def test_the_examples_of_tasks_run(workspace: Workspace, simulator: Simulator, plugin: Path) -> None:
    # An example fails where a rotation is overdue.
    simulator.change_rotation(simulator.rotation()["id"], nextRotationAt=86_400)
    run = workspace.playbook(plays(examples(plugin), simulator), env=environment(simulator))
    assert run.returncode == 0, run.output
    assert [result.task for result in run.results if result.status in ("failed", "unreachable")] == []


def test_the_example_of_an_alarm_fails(workspace: Workspace, simulator: Simulator) -> None:
    """The rotation of the seed is overdue."""
    (info,) = (plugin for plugin in PLUGINS if plugin.stem == "okta_client_secret_rotation_info")
    run = workspace.playbook(plays(examples(info), simulator), env=environment(simulator))
    assert run.named("Show a table of ages, the oldest first")["msg"] == ["   40 days  overdue  okta-payments"]
    last = run.results[-1]
    assert (last.task, last.status) == ("Fail when anything is overdue", "failed")
    assert last["msg"] == "Overdue: okta-payments"


@pytest.mark.before_release
@pytest.mark.parametrize("plugin", INVENTORIES, ids=[plugin.stem for plugin in INVENTORIES])
def test_the_examples_of_an_inventory_are_read(workspace: Workspace, simulator: Simulator, plugin: Path) -> None:
    text = examples(plugin)
    # The linter of ansible-core allows one document, so that further ones are comments.
    others = re.findall(r"^# plugin:.*\n(?:#.*\n)+", text, re.MULTILINE)
    assert others
    found = [text, *(re.sub(r"^# ?", "", other, flags=re.MULTILINE) for other in others)]
    env = {**environment(simulator), "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true"}
    for text in found:
        path = write_inventory(workspace, simulator, text)
        run = workspace.command(["ansible-inventory", "-i", str(path), "--graph"], env)
        assert run.returncode == 0, run.output
        assert "okta-payments.okta.prod.payments" in run.stdout


OF_ROTATIONS = [document for document in DOCUMENTS if document.stem != OF_CONSUMERS]


@pytest.mark.before_release
@pytest.mark.parametrize("document", OF_ROTATIONS, ids=[document.name for document in OF_ROTATIONS])
def test_the_snippets_of_a_document_run(workspace: Workspace, simulator: Simulator, document: Path) -> None:
    fleet = inventory(document)
    hosts = ["-i", str(write_inventory(workspace, simulator, fleet))] if fleet else []
    for snippet in snippets(document):
        run = workspace.playbook(plays(snippet, simulator), *hosts, env=environment(simulator))
        assert run.returncode == 0, run.output
        assert run.results, "nothing was done"


def test_every_code_block_of_the_guides_is_looked_at() -> None:
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        written = re.findall(r"^ *\.\. code-block::(.*)$", text, re.MULTILINE)
        assert {kind.strip() for kind in written} <= {*RUN, *SHOWN}, document.name
        assert len(written) == len(blocks(document, *RUN, *SHOWN)), document.name
    # Of each of them a test runs the commands.
    guides = {"guide_first_rotation", "guide_fleets", "guide_report", "guide_tower"}
    assert {document.stem for document in DOCUMENTS if commands(document)} == guides


def test_the_first_rotation_goes_as_its_guide_says(workspace: Workspace, simulator: Simulator) -> None:
    exported = set(re.findall(r"^export (\w+)=", "".join(blocks(FIRST, "bash")), re.MULTILINE))
    assert exported == set(environment(simulator))
    (playbook,) = snippets(FIRST)
    (workspace.folder / "rotate.yml").write_text(playbook, encoding="utf-8")
    runs = [workspace.command(command, environment(simulator)) for command in commands(FIRST)]
    assert [run.returncode for run in runs] == [0] * 5, [run.output for run in runs]
    assert [run.results[0]["outcome"] for run in runs] == ["read", "would_rotate", "rotated", "not_due", "not_due"]
    assert simulator.posts() == simulator.rotations_done() == 1
    answer, said = (block.splitlines() for block in blocks(FIRST, "text"))
    assert {line.strip() for line in answer} - {"..."} <= {line.strip() for line in runs[2].stdout.splitlines()}
    # It may have been one second, too.
    words = re.sub(r"\d+(\\ second)s", r"\\d+\1s?", re.escape(said[0]))
    assert [len(re.findall(words, run.stdout)) for run in runs] == [0, 0, 0, 1, 1]


@pytest.mark.before_release
@pytest.mark.parametrize("number", range(len(commands(FLEETS))))
def test_the_commands_of_the_emergency_run(workspace: Workspace, simulator: Simulator, number: int) -> None:
    simulator.add_rotation(name="staging", environment="dev")
    write_inventory(workspace, simulator, str(inventory(FLEETS)))
    command = commands(FLEETS)[number]
    run = workspace.command(command, environment(simulator))
    assert run.returncode == 0, run.output
    rotates = command[0] == "ansible-playbook" and "--check" not in command
    assert simulator.posts() == (0 if not rotates else 1 if "--limit" in command else 2)
    assert (workspace.folder / "report.json").exists() == ("rotate_report=report.json" in command)


@pytest.mark.before_release
def test_the_snippets_pass_the_linter(workspace: Workspace) -> None:
    """The examples of modules are linted with the collection; those of documents are found only here."""
    for document in OF_ROTATIONS:
        for number, snippet in enumerate(snippets(document)):
            folder = workspace.folder / ("playbooks" if "hosts:" in snippet else "tasks")
            folder.mkdir(exist_ok=True)
            (folder / f"{document.stem.lower()}_{number}.yml").write_text(f"---\n{snippet}", encoding="utf-8")
    run = workspace.command(["ansible-lint", "--profile", "production", "--offline", "--strict"])
    assert run.returncode == 0, run.output
    assert "Passed" in run.output
