# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pattern for automation controller: as its specification wants it, and of one mind with tower_setup."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from support.tower import COLLECTION, questions, setup

pytestmark = pytest.mark.run_once

NAME = "rotate_okta_client_secrets"
FOLDER = COLLECTION / "extensions" / "patterns" / NAME
PATTERN = json.loads((FOLDER / "meta" / "pattern.json").read_text(encoding="utf-8"))
RESOURCES = PATTERN["aap_resources"]
TEMPLATES = {each["playbook"]: each for each in RESOURCES["controller_job_templates"]}
PLAYBOOKS = ["rotate.yml", "rotate_fleet.yml", "handover.yml", "report.yml"]
PREFIX = "{{ tower_setup_name }}"


def of_setup(playbook: str) -> dict[str, Any]:
    (found,) = (each for each in setup()["tower_setup_templates"] if each["playbook"] == playbook)
    return dict(found)


def read(*path: str) -> Any:
    return yaml.safe_load(COLLECTION.joinpath(*path).read_text(encoding="utf-8"))


def test_it_is_what_the_specification_wants() -> None:
    """Version 1.0.0 of ansible/pattern-service; ansible-lint has no rule for it at present."""
    assert PATTERN["schema_version"] == "1.0.0"
    assert PATTERN["name"] == NAME
    assert len(PATTERN["title"]) <= 64
    assert not PATTERN["short_description"].endswith(".")
    assert set(RESOURCES["controller_project"]) == {"name", "description"}
    environment = RESOURCES["controller_execution_environment"]
    assert set(environment) == {"name", "description", "image_name"}
    assert [each["playbook"] for each in TEMPLATES.values() if each.get("primary")] == ["rotate.yml"]
    assert {each["execution_environment"] for each in TEMPLATES.values()} == {environment["name"]}
    assert all(set(each["labels"]) <= set(RESOURCES["controller_labels"]) for each in TEMPLATES.values())
    defaults = [
        question["default"]
        for each in TEMPLATES.values()
        for question in each["survey"]["spec"]
        if "default" in question
    ]
    # The controller wants a number of an integer question, the specification a text.
    assert all(isinstance(default, str) for default in defaults)
    assert (FOLDER / "README.md").exists()


def test_it_has_the_job_templates_of_tower_setup() -> None:
    assert list(TEMPLATES) == PLAYBOOKS == [each["playbook"] for each in setup()["tower_setup_templates"]]
    assert sorted(path.name for path in (FOLDER / "playbooks").iterdir()) == sorted(
        [*PLAYBOOKS, *(playbook.replace(".yml", ".meta.yml") for playbook in PLAYBOOKS)]
    )


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_a_job_template_is_that_of_tower_setup(playbook: str) -> None:
    template, other = TEMPLATES[playbook], of_setup(playbook)
    assert template["name"] == other["name"].replace(PREFIX, "Okta secrets")
    assert template["description"] == other["description"]
    for option in ("ask_limit_on_launch", "ask_job_type_on_launch", "forks", "allow_simultaneous"):
        assert template.get(option) == other.get(option), option
    assert template["ask_credential_on_launch"] is template["ask_inventory_on_launch"] is True


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_a_survey_is_that_of_tower_setup(playbook: str) -> None:
    expected = questions(playbook)
    for question in expected:
        if question["type"] == "integer":
            # What is left out is the playbook's own.
            question.pop("default", None)
        elif "{{" in question.get("default", ""):
            # A pattern knows no default that a team has chosen.
            del question["default"]
            question.update(required=True, min=1)
    assert TEMPLATES[playbook]["survey"]["spec"] == expected


def _checked(option: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in option.items() if key != "description"}


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_what_a_playbook_takes_is_what_its_survey_asks(playbook: str) -> None:
    name = playbook.removesuffix(".yml")
    (play,) = read("extensions", "patterns", NAME, "playbooks", playbook)
    assert play["ansible.builtin.import_playbook"] == f"secretops.infisical.{name}"
    options = read("extensions", "patterns", NAME, "playbooks", f"{name}.meta.yml")["argument_specs"][name]["options"]
    assert list(options) == of_setup(playbook)["survey"]
    own = (
        read("roles", "handover", "meta", "argument_specs.yml")["argument_specs"]["main"]["options"]
        if name == "handover"
        else read("playbooks", f"{name}.meta.yml")["argument_specs"][name]["options"]
    )
    assert {variable: _checked(options[variable]) for variable in options} == {
        variable: _checked(own[variable]) for variable in options
    }


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_an_integer_that_is_left_out_is_the_playbook_s_own(playbook: str) -> None:
    asked = [each for each in questions(playbook) if each["type"] == "integer" and "default" in each]
    if not asked:
        return
    name = playbook.removesuffix(".yml")
    own = read("playbooks", f"{name}.meta.yml")["argument_specs"][name]["options"]
    assert {each["variable"]: each["default"] for each in asked} == {
        each["variable"]: own[each["variable"]]["default"] for each in asked
    }
