# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the report tells of rotations, in each of its formats, whatever they are named."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import yaml
from ansible_collections.secretops.infisical.plugins.action import report as action
from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError
from ansible_collections.secretops.infisical.plugins.modules import report as documented
from ansible_collections.secretops.infisical.plugins.plugin_utils import _in_process
from ansible_collections.secretops.infisical.plugins.plugin_utils._report_files import (
    as_csv,
    as_json,
    as_prometheus,
    check_place,
    replace_all,
)
from ansible_collections.secretops.infisical.plugins.plugin_utils._report_rows import in_order, row_of
from hypothesis import given, seed, settings
from hypothesis import strategies as st
from support.reports import DAY, HOUR, MADE, report, row

ROTATION: dict[str, Any] = {
    "id": "3c90c3cc-0d44-4b50-8888-8dd25736052a",
    "name": "okta-payments",
    "environment": {"slug": "prod"},
    "folder": {"path": "/okta"},
    "parameters": {"clientId": "0oa1"},
    "lastRotatedAt": "2026-10-16T14:53:07.250Z",
    "nextRotationAt": "2026-11-15T02:00:00+02:00",
    "rotationInterval": 30,
    "isAutoRotationEnabled": True,
    "rotationStatus": "success",
    "lastRotationMessage": None,
}
SUMMARY = {"age_seconds": 40 * DAY, "overdue": True}
UNSEEN = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
#: Not the halves of characters, which the action takes out before.
TEXT = st.text(st.characters(codec="utf-8"), max_size=40)


def test_a_row_is_what_the_server_and_the_summary_tell() -> None:
    assert row_of(ROTATION, SUMMARY, "payments") == row(
        name="okta-payments",
        id="3c90c3cc-0d44-4b50-8888-8dd25736052a",
        application="0oa1",
        last_rotated=datetime(2026, 10, 16, 14, 53, 7, 250_000, timezone.utc),
        age=40 * DAY,
        next=datetime(2026, 11, 15, 0, 0, tzinfo=timezone.utc),
        overdue=True,
    )


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"isAutoRotationEnabled": False, "nextRotationAt": None}, {"interval": None, "next": None}),
        ({"rotationInterval": None}, {"interval": None}),
        ({"rotationStatus": "failed", "lastRotationMessage": "No."}, {"failed": True, "message": "No."}),
        ({"parameters": None, "lastRotationMessage": 7}, {"application": "", "message": ""}),
    ],
)
def test_what_a_rotation_may_lack(changes: dict[str, Any], expected: dict[str, Any]) -> None:
    found = row_of({**ROTATION, **changes}, SUMMARY, "payments")
    assert {name: getattr(found, name) for name in expected} == expected


def test_secrets_are_taken_out_of_texts_and_moments_stay() -> None:
    found = row_of({**ROTATION, "name": "of 2026"}, SUMMARY, "payments", lambda text: text.replace("2026", "****"))
    assert (found.name, found.last_rotated.year) == ("of ****", 2026)


def test_what_needs_attention_comes_first_and_of_that_the_oldest() -> None:
    rows = [
        row(1, age=DAY),
        row(2, age=9 * DAY),
        row(3, failed=True, age=DAY),
        row(4, overdue=True, age=31 * DAY),
        row(5, overdue=True, failed=True, age=2 * DAY),
        row(6, overdue=True, age=50 * DAY),
    ]
    assert [each.name for each in in_order(rows)] == ["app-5", "app-6", "app-4", "app-3", "app-2", "app-1"]


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([], "0 rotations in 1 project."),
        ([row(age=HOUR)], "1 rotation in 1 project: 0 overdue, 0 failed, the oldest app-1 with 1 hour."),
        (
            [row(1, age=412 * DAY + HOUR, overdue=True), row(2, failed=True)],
            "2 rotations in 1 project: 1 overdue, 1 failed, the oldest app-1 with 412 days.",
        ),
        (
            [row(1, name="a\x1b\u202eb", age=DAY)] * 1_234,
            "1,234 rotations in 1 project: 0 overdue, 0 failed, the oldest a⟨U+001B⟩⟨U+202E⟩b with 1 day.",
        ),
    ],
)
def test_the_sentence(rows: list[Any], sentence: str) -> None:
    assert report(rows).sentence == sentence


def test_json() -> None:
    told = json.loads(
        as_json(report([row(), row(2, age=10 * DAY + 1, interval=None, next=None, failed=True, message="No.")]))
    )
    assert told["rotations"][1] == {
        "id": "00000000-0000-4000-8000-000000000001",
        "name": "app-1",
        "project": "payments",
        "environment": "prod",
        "folder": "/okta",
        "clientId": "0oa00000000000000001",
        "lastRotatedAt": "2026-11-15T14:53:07.000Z",
        "age_seconds": 864_000,
        "isAutoRotationEnabled": True,
        "rotationInterval": 30,
        "nextRotationAt": "2026-12-15T14:53:07.000Z",
        "overdue": False,
        "rotationStatus": "success",
        "lastRotationMessage": None,
    }
    by_hand = {"isAutoRotationEnabled": False, "rotationInterval": None, "nextRotationAt": None}
    assert told["rotations"][0].items() >= {**by_hand, "rotationStatus": "failed", "lastRotationMessage": "No."}.items()
    assert told["counts"] == {"rotations": 2, "projects": 1, "overdue": 0, "failed": 1, "by_hand": 1}
    assert told["oldest"] == {"id": "00000000-0000-4000-8000-000000000002", "name": "app-2", "age_seconds": 864_001}
    assert (told["made"], told["projects"]) == ("2026-11-25T14:53:07.000Z", ["payments"])
    assert json.loads(as_json(report([])))["oldest"] is None


def test_csv() -> None:
    text = as_csv(report([row(age=41 * DAY + 7, overdue=True), row(2, interval=None, next=None, failed=True)]))
    assert text == (
        "name,project,environment,folder,application,last_rotated,age_days,interval_days,next_rotation,overdue,"
        "last_result,message,id\r\n"
        "app-1,payments,prod,/okta,0oa00000000000000001,2026-10-15T14:53:00Z,41,30,2026-12-15T14:53:07Z,yes,success,,"
        "00000000-0000-4000-8000-000000000001\r\n"
        "app-2,payments,prod,/okta,0oa00000000000000002,2026-11-15T14:53:07Z,10,by hand,,no,failed,,"
        "00000000-0000-4000-8000-000000000002\r\n"
    )


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        (" =1", "' =1"),
        ("\t=1", "'⟨U+0009⟩=1"),
        ("\rx", "'⟨U+000D⟩x"),
        ("a=1", "a=1"),
        ('a "b", c', 'a "b", c'),
    ],
)
def test_no_text_is_a_formula(name: str, cell: str) -> None:
    text = as_csv(report([row(name=name, age=-5)]))
    (line,) = csv.DictReader(io.StringIO(text, newline=""))
    assert (line["name"], line["age_days"]) == (cell, "-1")


def test_prometheus() -> None:
    rows = [row(age=100, name='a"b\\c\nd', overdue=True), row(2, next=None, failed=True)]
    labels = {
        1: r'project="payments",environment="prod",path="/okta",name="a\"b\\c⟨U+000A⟩d",'
        'id="00000000-0000-4000-8000-000000000001"',
        2: 'project="payments",environment="prod",path="/okta",name="app-2",id="00000000-0000-4000-8000-000000000002"',
    }
    lines = as_prometheus(report(rows)).replace("secretops_infisical_okta_client_secret_", "").splitlines()
    assert [line for line in lines if not line.startswith("# HELP")] == [
        "# TYPE age_seconds gauge",
        f"age_seconds{{{labels[1]}}} 100.0",
        f"age_seconds{{{labels[2]}}} 864000.0",
        "# TYPE overdue gauge",
        f"overdue{{{labels[1]}}} 1.0",
        f"overdue{{{labels[2]}}} 0.0",
        "# TYPE last_rotation_success gauge",
        f"last_rotation_success{{{labels[1]}}} 1.0",
        f"last_rotation_success{{{labels[2]}}} 0.0",
        "# TYPE last_rotated_timestamp_seconds gauge",
        f"last_rotated_timestamp_seconds{{{labels[1]}}} 1795618287.0",
        f"last_rotated_timestamp_seconds{{{labels[2]}}} 1794754387.0",
        "# TYPE next_rotation_timestamp_seconds gauge",
        f"next_rotation_timestamp_seconds{{{labels[1]}}} 1797346387.0",
        "# TYPE report_timestamp_seconds gauge",
        "report_timestamp_seconds 1795618387.0",
    ]


@seed(7)
@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(TEXT, TEXT, TEXT)
def test_whatever_the_texts_are_each_format_holds_them_and_nothing_else(name: str, folder: str, message: str) -> None:
    made = report([row(name=name, folder=folder, message=message), row(2)])
    told = {each["id"][-1]: each for each in json.loads(as_json(made))["rotations"]}
    assert (told["1"]["name"], told["1"]["folder"], told["1"]["lastRotationMessage"]) == (name, folder, message or None)
    lines = list(csv.reader(io.StringIO(as_csv(made), newline="")))
    assert [len(line) for line in lines] == [13, 13, 13]
    assert not [cell for line in lines for cell in line if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    metrics = as_prometheus(made)
    assert len(re.findall(r'^[a-z_]+(\{([a-z]+="([^"\\\n]|\\["\\])*",?){5}\})? [0-9.]+$', metrics, re.MULTILINE)) == 11
    assert metrics.count("\n") == 11 + 12
    assert not UNSEEN.search(metrics)


def test_files_are_replaced_together_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = tmp_path / "a.json", tmp_path / "b.csv"
    first.write_text("old", encoding="utf-8")
    replace_all({str(first): "new", str(second): "new\r\n"})
    assert (first.read_bytes(), second.read_bytes()) == (b"new", b"new\r\n")

    def full(beside: str, *_rest: str) -> str:
        return "No space left on device" if beside.startswith(str(second)) else ""

    files = "ansible_collections.secretops.infisical.plugins.plugin_utils._report_files"
    monkeypatch.setattr(f"{files}._write", full)
    with pytest.raises(InfisicalError, match="No space left on device. No file was replaced."):
        replace_all({str(first): "newer", str(second): "newer"})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "b.csv"]
    assert first.read_bytes() == b"new"


def test_a_folder_that_cannot_be_written_to_is_told_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", Mock(return_value=False))
    with pytest.raises(InfisicalError, match="may not write into its folder"):
        check_place("html", str(tmp_path / "r.html"))


def acted() -> dict[str, Any]:
    plugin = action.ActionModule(
        task=Mock(args={}, check_mode=False, async_val=0, action="secretops.infisical.report"),
        connection=Mock(),
        play_context=Mock(),
        loader=Mock(),
        templar=Mock(),
        shared_loader_obj=Mock(),
    )
    result: dict[str, Any] = plugin.run(task_vars={})
    return result


def test_an_ansible_core_that_lacks_something_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_in_process, "_LACKING", "this ansible-core lacks something")
    result = acted()
    assert (result["failed"], result["reason"]) == (True, "missing_dependency")
    assert result["stats"]["failures"] == [f"report: {result['msg']}"]
    assert sys.modules[action.__name__].ActionModule._supports_async is False


def test_time_in_another_zone_is_told_in_utc() -> None:
    moment = row_of({**ROTATION, "lastRotatedAt": "2026-11-25T16:53:07+02:00"}, SUMMARY, "p").last_rotated
    assert (moment, moment.utcoffset()) == (MADE, timedelta(0))


def test_what_is_returned_for_each_format_is_documented() -> None:
    """What has no module still has its documentation where ansible-doc looks for it."""
    options = yaml.safe_load(documented.DOCUMENTATION)["options"]
    assert {"html", "json", "csv", "prometheus"} <= set(options)
    assert yaml.safe_load(documented.EXAMPLES)
    assert {"counts", "files", "names", "stats"} <= set(yaml.safe_load(documented.RETURN))
