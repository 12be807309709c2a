# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the documentation says is what the code does: options, environment variables, groups, reasons."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.plugins.doc_fragments import constructed, inventory_cache
from ansible_collections.secretops.infisical.plugins.module_utils._errors import REASONS, invalid_arguments
from ansible_collections.secretops.infisical.plugins.module_utils._options import (
    CONNECTION,
    DEFAULTS,
    ENVIRONMENT,
)

COLLECTION = Path(__file__).resolve().parents[3]
NAME = "secretops.infisical"
#: Actions that are a part of a playbook or a role: their documentation is for those who maintain these.
PARTS = {"handover", "playbook_variables", "rotate_fleet"}
MODULES = sorted({path.stem for path in (COLLECTION / "plugins" / "modules").glob("*.py")} - PARTS)
#: Which folders of plugins/ hold what ansible-doc can show.
DOCUMENTED = ("modules", "inventory", "lookup")
#: These are the library's own: no option takes its value from them.
OF_REQUESTS = {"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"}
#: Options of every inventory plugin: their texts are ansible-core's.
OF_ANSIBLE = {
    option
    for fragment in (constructed, inventory_cache)
    for option in yaml.safe_load(fragment.ModuleDocFragment.DOCUMENTATION)["options"]
}
Options = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What ansible-doc shows of every plugin of this collection, by type and name; fragments are filled in."""
    environment = dict(os.environ, HOME=str(tmp_path_factory.mktemp("home")), ANSIBLE_NOCOLOR="1")
    environment.pop("ANSIBLE_HOME", None)
    if COLLECTION.parents[1].name == "ansible_collections":
        environment["ANSIBLE_COLLECTIONS_PATH"] = str(COLLECTION.parents[2])
    # One call for all: starting ansible-doc is what takes the time.
    command = [str(Path(sys.executable).parent / "ansible-doc"), "--metadata-dump", NAME]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    plugins: dict[str, dict[str, Any]] = json.loads(done.stdout)["all"]
    return plugins


def documented(shown: dict[str, dict[str, Any]]) -> Iterator[tuple[str, Options]]:
    for kind, plugins in shown.items():
        for name, plugin in plugins.items():
            if not name.startswith(NAME):
                continue
            if kind == "role":
                yield name, plugin["entry_points"]["main"]["options"]
            else:
                yield name, plugin["doc"].get("options") or {}


def every(options: Options, above: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    for name, option in options.items():
        yield above + name, option
        yield from every(option.get("suboptions") or {}, f"{above}{name}.")


def text(option: dict[str, Any]) -> str:
    description = option["description"]
    return description if isinstance(description, str) else " ".join(description)


def facts(option: dict[str, Any], inner: str) -> dict[str, Any]:
    """What documentation and argument spec both say of an option. In the former its suboptions have another key."""
    return {
        "type": option.get("type", "str"),
        "elements": option.get("elements"),
        "required": option.get("required", False),
        "default": option.get("default"),
        "choices": list(option.get("choices") or []),
        "aliases": sorted(option.get("aliases") or []),
        "suboptions": {name: facts(below, inner) for name, below in (option.get(inner) or {}).items()},
    }


def test_every_plugin_is_shown(shown: dict[str, dict[str, Any]]) -> None:
    files = {path.stem for folder in DOCUMENTED for path in (COLLECTION / "plugins" / folder).glob("*.py")}
    assert {name.rpartition(".")[2] for name, _options in documented(shown)} >= files


@pytest.mark.parametrize("module", MODULES)
def test_options_are_those_of_the_argument_spec(shown: dict[str, dict[str, Any]], module: str) -> None:
    code = importlib.import_module(f"ansible_collections.{NAME}.plugins.action.{module}").ActionModule.module
    options = shown["module"][f"{NAME}.{module}"]["doc"]["options"]
    said = {name: facts(option, "suboptions") for name, option in options.items()}
    assert said == {name: facts(option, "options") for name, option in code.ARGUMENT_SPEC.items()}


def test_every_option_says_what_happens_when_it_is_left_out(shown: dict[str, dict[str, Any]]) -> None:
    silent = [
        f"{plugin}: {name}"
        for plugin, options in documented(shown)
        for name, option in every(options)
        if name.partition(".")[0] not in OF_ANSIBLE
        and not option.get("required")
        and not re.search(r"(^|\. )Left out, ", text(option))
    ]
    assert not silent


def test_environment_variables_are_documented_where_they_are_read(shown: dict[str, dict[str, Any]]) -> None:
    for plugin, options in documented(shown):
        for name, option in options.items():
            said = set(re.findall(r"E\((\w+)\)", text(option))) - OF_REQUESTS
            # They are about Infisical: a plugin that does not talk to it reads none.
            read = ENVIRONMENT.get(name, ()) if "url" in options else ()
            assert said == set(read), f"{plugin}: {name}"


def test_every_environment_variable_belongs_to_an_option(shown: dict[str, dict[str, Any]]) -> None:
    assert set(ENVIRONMENT) <= {name for _plugin, options in documented(shown) for name in options}


def test_the_guide_tells_for_each_option_where_its_value_comes_from() -> None:
    guide = COLLECTION / "docs" / "docsite" / "rst" / "guide_authentication.rst"
    table = (
        guide.read_text(encoding="utf-8").partition("\nWhere a value comes from\n")[2].partition("\nWhere several ")[0]
    )
    rows = re.findall(r"^   \* - (.*)\n     -(.*)\n     -(.*)\n     -(.*)$", table, re.MULTILINE)
    # A cell names an option or a variable by a role, and a default as code.
    named = [[re.findall(r"(?:#module:|envvar:`|``)([^`]+)`", cell) for cell in row] for row in rows[1:]]
    told = {option: cells for (option,), _login_data, *cells in named}
    # Of the variables the one that wins stands first; those of the url say the same.
    winning = {option: list(names if option == "url" else reversed(names)) for option, names in ENVIRONMENT.items()}
    defaults = {option: [str(value).lower()] for option, value in DEFAULTS.items()}
    assert told == {option: [names, defaults.get(option, [])] for option, names in winning.items()}
    assert [option for (option, *_cells), row in zip(named, rows[1:], strict=True) if row[1].strip()] == [["url"]]
    assert told.keys() >= CONNECTION.keys()


def test_the_action_group_holds_every_module_that_talks_to_infisical(shown: dict[str, dict[str, Any]]) -> None:
    """Its defaults are a server and a login there, which others have no options for."""
    runtime = yaml.safe_load((COLLECTION / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    talking = [module for module in MODULES if "url" in shown["module"][f"{NAME}.{module}"]["doc"]["options"]]
    assert sorted(runtime["action_groups"]["all"]) == talking


def test_the_guide_lists_every_reason_and_no_other() -> None:
    guide = COLLECTION / "docs" / "docsite" / "rst" / "guide_failures.rst"
    rows = re.findall(r"^ +\* - ``(\w+)``\n +- (.+)$", guide.read_text(encoding="utf-8"), re.MULTILINE)
    listed = [(reason, meaning) for reason, meaning in rows if reason != "reason"]
    assert listed == list(REASONS.items())


@pytest.mark.parametrize("module", MODULES)
def test_what_every_result_and_every_failure_holds_is_documented(shown: dict[str, dict[str, Any]], module: str) -> None:
    """One condition on outcome does for all tasks, for it is always there."""
    returned = shown["module"][f"{NAME}.{module}"]["return"]
    failure = invalid_arguments("No.").result()
    assert {key: returned[key]["returned"] for key in failure} == {
        **dict.fromkeys(("changed", "msg", "outcome"), "always"),
        **dict.fromkeys(("reason", "http_status", "request_id"), "failure"),
    }
    described = " ".join(returned["outcome"]["description"])
    assert "V(failed)" in described
    assert returned["outcome"]["sample"] != "failed"
    assert f"V({returned['outcome']['sample']})" in described
    assert returned["reason"]["sample"] in REASONS
