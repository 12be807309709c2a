# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked of the variables of consumers before anything is sent, and what a refusal says."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.secretops.infisical.plugins.module_utils._options import AUTHENTICATION, CONNECTION
from ansible_collections.secretops.infisical.plugins.plugin_utils import _handover_settings
from support.options import refused
from unit.handover.handover_variables import ENV_FILE, NEEDED, SPEC, typed

SECRET = "kW3-very_secret_kW3"


def checked(environ: dict[str, str] | None = None, **variables: Any) -> dict[str, Any]:
    return _handover_settings.checked(typed(**variables), environ or {"PWD": "/"})


# -- of the whole run


@pytest.mark.parametrize("blank", ["", " ", None, "None"])
def test_blank_variables_are_left_out(blank: Any) -> None:
    assert checked(**dict.fromkeys(SPEC.keys() - NEEDED.keys(), blank)) == {
        "rotate": True,
        "min_age": 86_400,
        "window": 3600,
        "count": None,
        "serial": [1, "10%", "100%"],
        "require": "proven",
        "restore": True,
        "leaked_secret_id": "",
        "cut_off": [],
        "report": None,
    }


def test_settings_of_a_run(tmp_path: Path) -> None:
    found = checked(
        {"PWD": str(tmp_path)},
        handover_rotate="no",
        handover_min_age="2d",
        handover_window=0,
        handover_consumers_count="12",
        handover_serial="2, 50%",
        handover_require="checked",
        handover_restore=False,
        handover_leaked_secret_id=" ocs1a2b3c4d5e6f7g8h9 ",
        handover_leaked_secret=SECRET,
        handover_cut_off="web1,web2",
        handover_report="r.json",
    )
    assert found == {
        "rotate": False,
        "min_age": 172_800,
        "window": 0,
        "count": 12,
        "serial": [2, "50%"],
        "require": "checked",
        "restore": False,
        "leaked_secret_id": "ocs1a2b3c4d5e6f7g8h9",
        "cut_off": ["web1", "web2"],
        "report": f"{tmp_path}/r.json",
    }


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        (
            {"handover_leaked_secret": SECRET},
            "handover_leaked_secret is of no use without handover_leaked_secret_id: give the id.",
        ),
        ({"handover_cut_off": ["web1"]}, "handover_cut_off names consumers that may be cut off, which is for a leaked"),
        ({"handover_consumers_count": 0}, "handover_consumers_count is 0: give the number of consumers, 1 or more."),
        ({"handover_min_age": "soon"}, "handover_min_age is 'soon', which is not a duration"),
        ({"handover_window": "-1h"}, "handover_window is '-1h', which is not a duration"),
        ({"handover_serial": "ten"}, "handover_serial is 'ten': give numbers from 1 on and percentages up to 100%"),
        ({"handover_report": "/no/such/r.json"}, "handover_report is '/no/such/r.json', which cannot be written"),
        ({"handover_require": "delivered"}, "value of handover_require must be one of: checked, proven"),
        ({"handover_consumers_count": "many"}, "handover_consumers_count"),
        ({"handover_rotate": "perhaps"}, "handover_rotate"),
        ({"handover_okta_url": ""}, "missing required arguments: handover_okta_url"),
        ({"handover_rotation_id": " "}, "missing required arguments: handover_rotation_id"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_wrong_setting_is_refused_by_name(variables: dict[str, Any], told: str) -> None:
    said = refused(partial(checked, **variables))
    assert told in said
    assert SECRET not in said


#: As Okta makes them: 64 characters, or 40 by older ones, of which one in eight has neither "-" nor "_".
SECRETS = (SECRET, "abcDEF123-_" * 4, "aB3" * 21 + "x", "aB3" * 13 + "x", "ocs1 2", "ocs\u0661", "ocs1\nocs2")


@pytest.mark.parametrize("given", SECRETS, ids=ascii)
def test_what_is_no_id_may_be_the_secret_and_is_not_quoted(given: str) -> None:
    said = refused(lambda: checked(handover_leaked_secret_id=given))
    assert said.startswith("handover_leaked_secret_id is no id of an Okta secret: give the id, as ocs1a2b3c4d5e6f7g8h9")
    assert given not in said


def test_consumers_share_the_settings_of_the_run_and_no_digest_tells_one() -> None:
    first = _handover_settings.digests(typed(infisical_token=SECRET))
    assert first.keys() == SPEC.keys() - {
        "handover_rotation_id",
        "handover_take",
        "handover_restart",
        "handover_check",
    }
    assert SECRET not in json.dumps(first)
    own_only = typed(infisical_token=SECRET, handover_take={**ENV_FILE, "path": "/x"}, handover_rotation_id="x")
    same = _handover_settings.digests(own_only)
    other = _handover_settings.digests(typed(infisical_token=f"{SECRET}2", handover_min_age="1h"))
    _handover_settings.check_shared({"a": {"shared": first}, "b": {"shared": same}})
    owns = {"a": {"shared": first}, "b": {"shared": same}, "c": {"shared": other}}
    assert refused(lambda: _handover_settings.check_shared(owns)) == (
        "infisical_token and handover_min_age of c and a differ: they are settings of the whole run. Hand over what "
        "differs in a run of its own, or set them for all consumers."
    )


def test_who_told_nothing_is_named() -> None:
    shared = {"shared": _handover_settings.digests(typed())}
    owns: dict[str, dict[str, Any]] = {"a": shared, "b": {}, "c": {"failed": True, "msg": SECRET}, "d": shared}
    assert refused(lambda: _handover_settings.check_shared(owns)) == (
        "The variables of b, c are wrong, as its task said, or it could not be reached. Nothing was delivered or "
        "rotated."
    )


def test_the_options_of_login_and_connection() -> None:
    given = typed(infisical_url="https://infisical.example", infisical_token=SECRET, infisical_timeout=7)
    params = _handover_settings.task_params({**given, "handover_wait_timeout": 60})
    told = {name: value for name, value in params.items() if value is not None}
    assert told == {
        "url": "https://infisical.example",
        "token": SECRET,
        "timeout": 7,
        "wait_timeout": 60,
        "revoke_token": True,
    }
    assert params.keys() == {*CONNECTION, *AUTHENTICATION, "wait_timeout"}
    said = refused(lambda: _handover_settings.task_params({**given, "handover_wait_timeout": -1}))
    assert said == "handover_wait_timeout is -1: give 0 to 86400 seconds."


RUN: dict[str, Any] = {"rotate": True, "cut_off": [], "count": None, "total": 3}
ROTATION = {"listed": ["a", "b", "c"], "hosts": ["a", "b", "c"]}


@pytest.mark.parametrize(
    ("run", "rotation", "why"),
    [
        ({}, {}, ""),
        ({"count": 3}, {}, ""),
        ({"rotate": False}, {"hosts": ["a"]}, "handover_rotate is false."),
        (
            {},
            {"hosts": ["b"]},
            "a, c takes the same secret and is not in this run, by --limit, a retry file or a slice. ",
        ),
        ({"cut_off": ["c"]}, {"hosts": ["b"]}, "a takes the same secret"),
        ({"cut_off": ["a", "c"]}, {"hosts": ["b"]}, ""),
        ({"count": 4}, {}, "handover_consumers_count is 4, and the inventory has 3: an inventory that is a slice or "),
        ({"count": 2}, {}, "handover_consumers_count is 2, and the inventory has 3"),
    ],
)
def test_why_a_run_delivers_only(run: dict[str, Any], rotation: dict[str, Any], why: str) -> None:
    found = _handover_settings.why_deliver_only({**RUN, **run}, {**ROTATION, **rotation})
    assert found.startswith(why)
    assert bool(found) == bool(why)


def test_the_settings_of_the_rule() -> None:
    rule = _handover_settings.rule_settings(checked(handover_leaked_secret_id="ocs1", handover_cut_off=["b"]))
    assert (rule.min_age, rule.window, rule.require) == (86_400, 3600, "proven")
    assert (rule.leaked_secret_id, rule.cut_off) == ("ocs1", ["b"])


def test_who_may_be_cut_off_is_a_consumer() -> None:
    _handover_settings.check_cut_off([], [])
    _handover_settings.check_cut_off(["a"], ["b", "a"])
    said = refused(lambda: _handover_settings.check_cut_off(["a", "x", "y"], ["a"]))
    assert said == "handover_cut_off names x, y, which is no listed consumer."
