# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every option that tower_setup and the handover give is one of the released modules', with their types and choices."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from support import other_collections
from support.ansible import COLLECTION, Workspace

from .awx_api import Awx
from .setting_up import CLIENT_SECRET, data, tasks, way_to


def flat(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [each for task in found for each in flat([*task.get("block", []), *task.get("always", [])]) or [task]]


DATA = data()
TASKS = [(state, task) for state in ("present", "absent") for task in flat(tasks(state))]
MODULES = sorted({name for _where, task in TASKS for name in task if "awx.awx." in name})
TYPES: dict[str, Any] = {"str": str, "bool": bool, "int": int, "dict": dict, "list": list, "float": (int, float)}


@pytest.fixture(scope="module")
def documented(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The options of the released modules, as ansible-doc shows them."""
    command = [str(Path(sys.executable).parent / "ansible-doc"), "--json", *MODULES, "kubernetes.core.k8s"]
    home = str(tmp_path_factory.mktemp("home"))
    done = subprocess.run(command, env={"HOME": home, "LC_ALL": "C.UTF-8"}, capture_output=True, text=True, check=True)
    return {name: each["doc"]["options"] for name, each in json.loads(done.stdout).items()}


GIVEN = [(f"{state}: {task['name']}", name, task[name]) for state, task in TASKS for name in task if name in MODULES]


@pytest.mark.parametrize(("where", "module", "options"), GIVEN, ids=[each[0] for each in GIVEN])
def test_the_set_up(documented: dict[str, dict[str, Any]], where: str, module: str, options: dict[str, Any]) -> None:
    check(documented[module], options)


def check(spec: dict[str, Any], options: dict[str, Any]) -> None:
    assert set(options) <= set(spec), "no aliases, no options of other releases"
    assert [name for name, option in spec.items() if option.get("required") and name not in options] == []
    for name, value in options.items():
        if isinstance(value, str) and "{{" in value:
            continue
        assert isinstance(value, TYPES[spec[name].get("type", "str")]), name
        assert value in spec[name].get("choices", [value]), name


def test_what_the_data_file_hands_on(documented: dict[str, dict[str, Any]]) -> None:
    known = ("name", "description", "playbook", "inventory", "credentials", "extra_vars", "survey")
    for template in DATA["tower_setup_templates"]:
        own = {name: value for name, value in template.items() if name != "survey"}
        check(documented["awx.awx.job_template"], {**own, "survey_spec": {}})
        handed = next(task for task in tasks("present") if task["name"] == "Make the job templates")[
            "awx.awx.job_template"
        ]
        assert {name for name in template if name not in known} <= {
            name for name, value in handed.items() if f"item.{name} " in str(value)
        }
    for node in DATA["tower_setup_workflow"]["nodes"]:
        check(
            documented["awx.awx.workflow_job_template_node"],
            {**node, "workflow_job_template": "x", "organization": "x"},
        )
    check(documented["awx.awx.schedule"], DATA["tower_setup_schedule"])
    check(documented["awx.awx.credential_type"], DATA["tower_setup_credential_type"])
    check(documented["awx.awx.credential"], {"name": "x", "credential_type": "x", "inputs": DATA["tower_setup_inputs"]})


def test_every_input_is_a_field() -> None:
    fields = {field["id"] for field in DATA["tower_setup_credential_type"]["inputs"]["fields"]}
    assert set(DATA["tower_setup_inputs"]) == fields - {"skip_verify"}


@pytest.mark.parametrize(
    ("file", "module"),
    [("take_awx_credential", "awx.awx.credential"), ("take_kubernetes_secret", "kubernetes.core.k8s")],
)
def test_the_handover(documented: dict[str, dict[str, Any]], file: str, module: str) -> None:
    path = COLLECTION / "roles" / "handover" / "tasks" / f"{file}.yml"
    (task,) = yaml.safe_load(path.read_text(encoding="utf-8"))
    spec = documented[module]
    by_alias = {alias: name for name, option in spec.items() for alias in option.get("aliases", [])}
    check(spec, {by_alias.get(name, name): value for name, value in task[module].items() if name != "definition"})
    assert {by_alias.get(name, name) for name in task[module]} <= set(spec)


#: How the stand-ins of the handover's tests write what a released module takes.
STAND_INS = {
    "awx.awx.credential": other_collections._CREDENTIAL,
    "kubernetes.core.k8s": other_collections._K8S,
}


def facts(option: dict[str, Any]) -> tuple[Any, ...]:
    kind = option.get("type", "str")
    # The released one checks it with a function of its own.
    kind = "raw" if callable(kind) else kind
    several = (sorted(option.get("aliases") or []), sorted(option.get("choices") or []))
    return (kind, option.get("elements"), bool(option.get("required")), option.get("default"), *several)


@pytest.mark.parametrize("module", STAND_INS)
def test_the_stand_ins_of_the_handovers_tests_have_the_released_options(
    documented: dict[str, dict[str, Any]], module: str
) -> None:
    found: dict[str, Any] = {}
    exec(STAND_INS[module].split("\ndef ")[0], found)  # noqa: S102 - it is ours
    released = documented[module]
    if module == "kubernetes.core.k8s":
        # Its documentation tells less than it takes.
        released = importlib.import_module(
            f"ansible_collections.{module.replace('k8s', 'plugins.modules.k8s')}"
        ).argspec()
    assert {name: facts(option) for name, option in found["SPEC"].items()} == {
        name: facts(option) for name, option in released.items()
    }


def test_the_handover_writes_a_credential_of_tower(workspace: Workspace, awx: Awx) -> None:
    """Its own task file by the released module: what the credential holds besides stays, and a second run is silent."""
    fields = [
        {"id": name, "label": name, "type": "string", "secret": name != "user"} for name in ("user", "secret", "pin")
    ]
    kind = awx.add("credential_types", name="App", kind="cloud", inputs={"required": [], "fields": fields})
    held = {"user": "old", "secret": "old", "pin": "1234"}
    awx.add("credentials", name="app", organization=1, credential_type=kind["id"], inputs=held)
    take = {"name": "app", "organization": "Default", "credential_type": "App"}
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "vars": {
            "handover_own": {"take": {**take, "client_secret_key": "secret", "client_id_key": "user"}},
            "handover_secret_id": "id-of-it",
            "handover_client_secret": CLIENT_SECRET,
            "handover_client_id": "new",
        },
        "tasks": [
            {
                "ansible.builtin.include_tasks": str(
                    COLLECTION / "roles" / "handover" / "tasks" / "take_awx_credential.yml"
                )
            }
        ],
    }
    for changed in (True, False):
        done = workspace.playbook([play], "-vvvv", env=way_to(awx))
        assert done.returncode == 0, done.output
        result = done.named("Write the AWX credential")
        assert bool(result.result.get("changed")) is changed
        assert CLIENT_SECRET not in done.output
        assert awx.named("credentials", "app")["inputs"] == {"user": "new", "secret": CLIENT_SECRET, "pin": "1234"}
