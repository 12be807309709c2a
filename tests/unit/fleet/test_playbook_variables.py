# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of the playbooks: what their meta files list, and how they are read."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible_collections.secretops.infisical.plugins.action import playbook_variables
from ansible_collections.secretops.infisical.plugins.module_utils._options import AUTHENTICATION, CONNECTION
from ansible_collections.secretops.infisical.plugins.modules import playbook_variables as documented
from ansible_collections.secretops.infisical.plugins.plugin_utils._data import template

PLAYBOOKS = Path(__file__).resolve().parents[3] / "playbooks"
METAS = sorted(path.name.removesuffix(".meta.yml") for path in PLAYBOOKS.glob("*.meta.yml"))
#: How a playbook logs in is told by these; a token of another task has no place among them.
LOGIN = {
    **CONNECTION,
    **{name: each for name, each in AUTHENTICATION.items() if name not in ("login_data", "revoke_token")},
}


def options(playbook: str) -> dict[str, dict[str, Any]]:
    meta = yaml.safe_load((PLAYBOOKS / f"{playbook}.meta.yml").read_text(encoding="utf-8"))
    found: dict[str, dict[str, Any]] = meta["argument_specs"][playbook]["options"]
    return found


@pytest.mark.parametrize("playbook", [name for name in METAS if name != "tower_setup"])
def test_the_login_of_every_playbook_has_the_options_of_the_modules(playbook: str) -> None:
    said = {
        name.removeprefix("infisical_"): (option["type"], option.get("choices"))
        for name, option in options(playbook).items()
        if name.startswith("infisical_")
    }
    assert said == {name: (each["type"], each.get("choices")) for name, each in LOGIN.items()}


@pytest.mark.parametrize("playbook", METAS)
def test_a_refusal_cannot_print_a_secret(playbook: str) -> None:
    """ansible-core's own words quote what is no choice, or of another type. Any text is a text."""
    for name, option in options(playbook).items():
        if AUTHENTICATION.get(name.removeprefix("infisical_"), {}).get("no_log"):
            assert (option["type"], "choices" in option) == ("str", False), name


@pytest.mark.parametrize("playbook", METAS)
def test_every_variable_is_used_by_its_playbook(playbook: str) -> None:
    """By name, where it is not the action of the playbook that knows it."""
    code = PLAYBOOKS.parent / "plugins" / "action" / "rotate_fleet.py"
    files = [code] if playbook == "rotate_fleet" else [PLAYBOOKS / f"{playbook}.yml"]
    files += [*(PLAYBOOKS / "tasks").rglob("*.yml"), *(PLAYBOOKS / "vars").glob("*.yml")]
    files += (code.parents[1] / "plugin_utils").glob("_run_*.py")
    text = "\n".join(path.read_text(encoding="utf-8") for path in files)
    own = [name for name in options(playbook) if not (playbook == "rotate_fleet" and name.startswith("infisical_"))]
    assert [name for name in own if not re.search(rf"\b{name}\b", text)] == []


def read(variables: dict[str, Any], playbook: str = "rotate") -> dict[str, Any]:
    loader = DataLoader()
    there = {"inventory_hostname": "localhost", **variables}
    action = playbook_variables.ActionModule(
        task=SimpleNamespace(args={"playbook": playbook}, async_val=0, check_mode=False, action="x", environment=None),
        connection=SimpleNamespace(_shell=SimpleNamespace(tmpdir=None)),
        play_context=SimpleNamespace(),
        loader=loader,
        templar=Templar(loader=loader, variables=there),
        shared_loader_obj=None,
    )
    return dict(action.run(task_vars=there))


def test_blank_is_left_out_and_text_is_converted() -> None:
    found = read({"rotate_rotation": "x", "rotate_dry_run": "yes", "rotate_wait_timeout": "30", "rotate_project": " "})
    assert found == {
        "changed": False,
        "variables": {
            "rotate_rotation": "x",
            "rotate_min_age": "5m",
            "rotate_dry_run": True,
            "rotate_wait_timeout": 30,
            "rotate_outcome_timeout": 120,
        },
    }


def test_what_a_survey_answers_is_typed_from_2_19_on() -> None:
    assert read({"rotate_rotation": 7, "rotate_min_age": 0})["variables"]["rotate_min_age"] == "0"


def test_a_secret_is_never_returned() -> None:
    found = read({"rotate_rotation": "x", "infisical_token": "a-token", "infisical_url": "https://there"})
    assert found["variables"]["infisical_url"] == "https://there"
    assert "a-token" not in repr(found)


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({}, "The variables of localhost are wrong: missing required arguments: rotate_rotation"),
        ({"rotate_rotation": "x", "rotate_wait_timeout": "soon"}, "rotate_wait_timeout"),
        ({"rotate_rotation": "x", "infisical_auth_method": "by_hand"}, "infisical_auth_method"),
    ],
)
def test_what_is_wrong_is_named(variables: dict[str, Any], told: str) -> None:
    found = read(variables)
    assert (found["failed"], found["reason"]) == (True, "invalid_arguments")
    assert told in found["msg"]


def test_a_variable_that_cannot_be_templated_is_named_and_not_quoted() -> None:
    found = read({"rotate_rotation": template("{{ 'a-token' | no_such_filter }}")})
    assert (found["failed"], found["reason"]) == (True, "invalid_arguments")
    assert found["msg"].startswith("The variable rotate_rotation cannot be templated: ")
    assert "a-token" not in repr(found)


def test_a_fault_of_ours_is_no_traceback() -> None:
    found = read({}, "no_such_playbook")
    assert (found["failed"], found["changed"]) == (True, False)
    assert "check the variables of the playbook" in found["msg"]


def test_it_is_documented() -> None:
    assert set(yaml.safe_load(documented.DOCUMENTATION)["options"]) == {"playbook"}
    assert yaml.safe_load(documented.EXAMPLES)
    assert set(yaml.safe_load(documented.RETURN)) == {"variables"}
