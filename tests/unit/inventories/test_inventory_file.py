# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An inventory file is templated, then typed, and nothing in it is passed over."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError
from ansible_collections.secretops.infisical.plugins.plugin_utils import _inventory_file

NAME = "secretops.infisical.okta_client_secret_rotations"
PROJECT = "8e9f0a1b-2c3d-4e5f-8a7b-9c0d1e2f3a4b"


def read(folder: Path, **options: Any) -> dict[str, Any]:
    return read_text(folder, yaml.safe_dump({"plugin": NAME, "projects": {"payments": PROJECT}, **options}))


def read_text(folder: Path, text: str) -> dict[str, Any]:
    file = folder / "fleet.okta_rotations.yml"
    file.write_text(text, encoding="utf-8")
    loader = DataLoader()
    return _inventory_file.read(str(file), loader, Templar(loader=loader, variables={"slug": "prod", "none": None}))


def refusal(folder: Path, **options: Any) -> str:
    with pytest.raises(InfisicalError) as caught:
        read(folder, **options)
    assert caught.value.reason == "invalid_arguments"
    return caught.value.message


@pytest.mark.parametrize(
    ("option", "given", "expected"),
    [
        ("validate_certs", "{{ 'yes' }}", True),
        ("validate_certs", "{{ 'no' }}", False),
        ("revoke_token", "{{ true }}", True),
        ("environment", ["{{ slug }}"], ["prod"]),
        ("environment", "{{ [slug, 'dev'] }}", ["prod", "dev"]),
        ("environment", "prod,dev", ["prod", "dev"]),
        ("timeout", "{{ 30 }}", 30),
        ("ca_path", " ", None),
        ("timeout", "", None),
        ("token", None, None),
        ("cache", "{{ 'true' }}", True),
        ("compose", {"a": "{{ untouched }}"}, {"a": "{{ untouched }}"}),
        ("host_name", None, None),
    ],
)
def test_options_are_typed_after_templating(tmp_path: Path, option: str, given: Any, expected: Any) -> None:
    assert read(tmp_path, **{option: given})[option] == expected


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"enviroment": ["prod"]}, "has the key 'enviroment', which is no option of .*: environment is meant?"),
        ({"zzzzzzzz": 1}, r"has the key 'zzzzzzzz', which is no option of [\w.]+\.$"),
        ({"validate_certs": "{{ 'perhaps' }}"}, "validate_certs"),
        ({"timeout": "soon"}, "timeout"),
        ({"status": ["asleep"]}, "asleep"),
        ({"environment": ["{{ none }}"]}, "environment holds None"),
        ({"environment": ["{{ '' }}"]}, "environment holds ''"),
        ({"environment": ["a b"]}, "'a b', which is no slug"),
        ({"environment": []}, "environment is empty"),
        ({"environment": " "}, "environment is blank"),
        ({"environment": None}, "environment is blank"),
        ({"secret_path": ["{{ ['/a'] }}"]}, r"secret_path holds \['/a'\]"),
        ({"url": True}, "url is no text, but bool"),
        ({"projects": {}}, "projects is empty"),
        ({"projects": {"payments": None}}, "projects.payments is None"),
        ({"projects": {"payments": " "}}, "projects.payments is ' '"),
        ({"projects": ["payments"]}, "projects"),
        ({"compose": ["a"]}, "compose is no dict"),
        ({"url": "{{ nowhere }}"}, "url cannot be templated: .*nowhere"),
        ({"token": "{{ hunter22 }}"}, r"token cannot be templated: \w+$"),
    ],
    ids=str,
)
def test_what_is_not_understood_is_refused(tmp_path: Path, options: dict[str, Any], said: str) -> None:
    assert re.search(said, refusal(tmp_path, **options))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- a list", "holds no options"),
        ("plugin: another.one.here", "its plugin is 'another.one.here'"),
        ("plugin: [", "cannot be read"),
    ],
)
def test_what_is_no_file_of_it(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InfisicalError, match=said):
        read_text(tmp_path, text)
