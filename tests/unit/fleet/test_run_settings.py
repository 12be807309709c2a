# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked of the variables of a run over a fleet before anything is sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible.utils.helpers import pct_to_int
from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError
from ansible_collections.secretops.infisical.plugins.module_utils._options import AUTHENTICATION, CONNECTION
from ansible_collections.secretops.infisical.plugins.plugin_utils import _run_settings
from unit.fleet.fleet_variables import SPEC
from unit.handover import handover_variables


def settings(**variables: Any) -> dict[str, Any]:
    typed = _run_settings.typed_each(SPEC, {"h": variables})
    return _run_settings.settings(_run_settings.common(typed), {"PWD": "/"})


@pytest.mark.parametrize("spec", [SPEC, handover_variables.SPEC], ids=["fleet", "handover"])
def test_a_spec_has_every_option_of_connection_and_login(spec: dict[str, dict[str, Any]]) -> None:
    options = {**CONNECTION, **AUTHENTICATION}
    for name in ("login_data", "revoke_token"):
        del options[name]
    own = {name: details for name, details in spec.items() if name.startswith("infisical_")}
    assert {name.removeprefix("infisical_"): details["type"] for name, details in own.items()} == {
        name: details["type"] for name, details in options.items()
    }
    assert own["infisical_auth_method"]["choices"] == AUTHENTICATION["auth_method"]["choices"]


@pytest.mark.parametrize("blank", ["", " ", None, "None"])
def test_blank_variables_are_left_out(blank: Any) -> None:
    assert settings(**dict.fromkeys(SPEC, blank)) == {
        "min_age": 300,
        "serial": [1, "10%", "100%"],
        "max_fail_percentage": 0,
        "wait_timeout": 900,
        "outcome_timeout": 120,
        "report": None,
    }


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (4, [4]),
        ("4", [4]),
        ("[1, 2]", [1, 2]),
        ("1,5,10%", [1, 5, "10%"]),
        ("['1', \"50%\"]", [1, "50%"]),
        ([1, "100%"], [1, "100%"]),
        ("50 %", ["50 %"]),
    ],
)
def test_batches(value: Any, found: list[Any]) -> None:
    assert settings(rotate_serial=value)["serial"] == found
    # Of what it does not take it says so in the middle of the run.
    assert all(pct_to_int(batch, 200) > 0 for batch in found)


@pytest.mark.parametrize(
    "wrong",
    [
        {"rotate_serial": "ten"},
        {"rotate_serial": "1,"},
        {"rotate_serial": 0},
        {"rotate_serial": "0%"},
        {"rotate_serial": "101%"},
        {"rotate_serial": "12.5%"},
        {"rotate_serial": []},
        {"rotate_serial": [1, -1]},
        {"rotate_serial": {"a": 1}},
        {"rotate_min_age": "soon"},
        {"rotate_max_fail_percentage": 101},
        {"rotate_max_fail_percentage": -1},
        {"rotate_max_fail_percentage": "many"},
        {"rotate_wait_timeout": -1},
        {"rotate_outcome_timeout": -1},
        {"rotate_outcome_timeout": "soon"},
        {"rotate_wait_timeout": "long"},
        {"rotate_report": "/"},
        {"rotate_report": "/no/such/folder/r.json"},
        {"rotate_report": "/proc/r.json/x"},
        {"infisical_auth_method": "magic"},
        {"infisical_timeout": "x"},
        {"infisical_validate_certs": "perhaps"},
    ],
    ids=str,
)
def test_a_wrong_variable_is_refused_by_name(wrong: dict[str, Any]) -> None:
    with pytest.raises(InfisicalError) as caught:
        settings(**wrong)
    assert caught.value.reason == "invalid_arguments"
    assert next(iter(wrong)) in caught.value.message


def test_a_report_starts_at_home_or_where_the_shell_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert _run_settings.report_path("~/r.json", {"PWD": "/"}) == f"{tmp_path}/r.json"
    assert _run_settings.report_path("r.json", {"PWD": str(tmp_path)}) == f"{tmp_path}/r.json"
    monkeypatch.setattr("os.access", lambda path, _mode: path != str(tmp_path))
    with pytest.raises(InfisicalError, match="by this user"):
        _run_settings.report_path("r.json", {"PWD": str(tmp_path)})


def test_settings_are_of_the_whole_run() -> None:
    typed = _run_settings.typed_each(SPEC, {"a": {"rotate_min_age": "1h"}, "b": {}, "c": {}})
    with pytest.raises(InfisicalError, match="rotate_min_age of b and a differ"):
        _run_settings.common(typed)
