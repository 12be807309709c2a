# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person is asked at a launch: AWX takes the questions, and the playbooks take the answers."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from support.ansible import COLLECTION

from .awx_rules import check_survey, refused_answer
from .setting_up import PLAYBOOKS, data

DATA = data(tower_setup_report_projects="payments,billing", tower_setup_report_folder="/srv/reports")
QUESTIONS = {question["variable"]: question for question in DATA["tower_setup_questions"]}
TEMPLATES = {template["playbook"]: template for template in DATA["tower_setup_templates"]}


def options(playbook: str) -> dict[str, Any]:
    """The variables that the playbook of the collection checks."""
    name = playbook.removesuffix(".yml")
    if name == "handover":
        file, entry = COLLECTION / "roles" / "handover" / "meta" / "argument_specs.yml", "main"
    else:
        file, entry = PLAYBOOKS / f"{name}.meta.yml", name
    found: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))["argument_specs"][entry]["options"]
    return found


def test_what_is_asked() -> None:
    assert {playbook: template["survey"] for playbook, template in TEMPLATES.items()} == {
        "rotate.yml": [
            "rotate_rotation",
            "rotate_project",
            "rotate_environment",
            "rotate_secret_path",
            "rotate_min_age",
            "rotate_dry_run",
        ],
        "rotate_fleet.yml": [
            "rotate_min_age",
            "rotate_max_fail_percentage",
            "rotate_wait_timeout",
            "rotate_outcome_timeout",
        ],
        "handover.yml": ["handover_rotation_id", "handover_consumers_count", "handover_rotate"],
        "report.yml": ["report_projects", "report_fail_on"],
    }
    # The rest may be left out: a schedule has to answer every question that may not.
    assert [name for name, question in QUESTIONS.items() if question["required"]] == [
        "rotate_rotation",
        "handover_rotation_id",
        "handover_consumers_count",
        "handover_rotate",
        "report_projects",
    ]


@pytest.mark.parametrize("playbook", TEMPLATES)
def test_every_playbook_is_in_the_skeleton_and_knows_its_variables(playbook: str) -> None:
    assert (COLLECTION / "examples" / "tower" / playbook).is_file()
    template = TEMPLATES[playbook]
    asked = {*template["survey"], *template.get("extra_vars", {})}
    assert asked <= set(options(playbook))


def test_the_workflow_asks_what_its_templates_need() -> None:
    workflow = DATA["tower_setup_workflow"]
    names = {node.get("unified_job_template") for node in workflow["nodes"]} - {None}
    templates = [template for template in TEMPLATES.values() if template["name"] in names]
    assert [template["playbook"] for template in templates] == ["handover.yml", "report.yml"]
    needed = {name for template in templates for name in template["survey"] if QUESTIONS[name]["required"]}
    assert needed == set(workflow["survey"])


@pytest.mark.parametrize(
    "asked", [*(each["survey"] for each in TEMPLATES.values()), DATA["tower_setup_workflow"]["survey"]]
)
def test_awx_takes_the_survey(asked: list[str]) -> None:
    assert len(asked) == len(set(asked))
    spec = [question for name, question in QUESTIONS.items() if name in asked]
    assert len(spec) == len(asked)
    check_survey({"name": "A survey", "description": "", "spec": spec})


@pytest.mark.parametrize("variable", QUESTIONS)
def test_defaults_and_choices_are_answers_that_awx_and_the_playbook_take(variable: str) -> None:
    question = QUESTIONS[variable]
    (spec, *more) = [options(playbook)[variable] for playbook, each in TEMPLATES.items() if variable in each["survey"]]
    assert all(other["type"] == spec["type"] for other in more)
    answers = [[choice] if question["type"] == "multiselect" else choice for choice in question.get("choices", [])]
    if question.get("default", "") != "":
        answers.append(question["default"])
    for answer in answers:
        assert not refused_answer(question, answer)
        # Up to ansible-core 2.18 every answer but a list is a text.
        for value in (answer, answer if isinstance(answer, list) else str(answer)):
            known = {
                "argument_spec": {variable: {key: spec[key] for key in ("type", "elements", "choices") if key in spec}}
            }
            assert ArgumentSpecValidator(**known).validate({variable: value}).error_messages == []
    if question["type"] == "text" and not question["required"]:
        assert not refused_answer(question, "")


def test_what_is_scheduled_is_asked() -> None:
    schedule = DATA["tower_setup_schedule"]
    (template,) = [each for each in TEMPLATES.values() if each["name"] == schedule["unified_job_template"]]
    for variable, answer in schedule["extra_data"].items():
        assert variable in template["survey"]
        assert not refused_answer(QUESTIONS[variable], answer)
