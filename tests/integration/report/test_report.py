# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook that writes a report, and the action behind it, as people run them."""

from __future__ import annotations

import csv
import json
import os
import re
import shlex
import stat
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from simulator.client import Simulator
from support.ansible import AS_MODULE, COLLECTION, Run, Workspace
from support.reports import FILES, PLAYBOOK, fill, run, written
from support.server import environment, login, tokens_left

LIST = "/api/v2/secret-rotations/okta-client-secret$"
SENTENCE = "7 rotations in 2 projects: 2 overdue, 2 failed, the oldest okta-ledger with 412 days."
OVERDUE = ["okta-ledger (billing prod:/okta)", "okta-payments (payments prod:/okta)"]
FAILED = ["okta-ledger (billing prod:/okta)", "okta-invoices (billing prod:/okta)"]


@pytest.fixture
def filled(simulator: Simulator) -> Simulator:
    fill(simulator)
    return simulator


def failed(done: Run) -> list[str]:
    """The tasks that did: a failure is told once."""
    return [result.task for result in done.results if result.status == "failed"]


def test_everything_of_two_projects_is_written(workspace: Workspace, filled: Simulator) -> None:
    done = run(workspace, filled, **FILES)
    assert done.returncode == 0, done.output
    assert done.named("Say what was found")["msg"] == SENTENCE
    assert f'"msg": "{SENTENCE}"' in done.stdout
    assert written(workspace) == set(FILES.values())
    requests = Counter(entry["path"].rpartition("/")[2] for entry in filled.log())
    # One login, each slug once, each project once, and the end of the token.
    assert requests == {"login": 1, "payments": 1, "billing": 1, "okta-client-secret": 2, "revoke": 1}
    assert tokens_left(filled) == []
    told = json.loads((workspace.folder / "r.json").read_text(encoding="utf-8"))
    assert (told["summary"], told["server"], told["title"]) == (SENTENCE, filled.url, "Okta client secrets")
    assert [each["name"] for each in told["rotations"]] == [
        "okta-ledger", "okta-payments", "okta-invoices", "okta-archive", "okta-refunds", "okta-checkout",
        "okta-sandbox",
    ]  # fmt: skip
    ledger = told["rotations"][0]
    assert {key: ledger[key] for key in ("project", "environment", "folder", "rotationInterval", "overdue")} == {
        "project": "billing", "environment": "prod", "folder": "/okta", "rotationInterval": 90, "overdue": True,
    }  # fmt: skip
    of_server = {each["id"]: each for each in filled.state()["rotations"]}
    for each in told["rotations"]:
        assert (
            each.items()
            >= {key: of_server[each["id"]][key] for key in ("name", "lastRotatedAt", "nextRotationAt")}.items()
        )
        assert each["clientId"] == of_server[each["id"]]["parameters"]["clientId"]
    with (workspace.folder / "r.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert [(line["name"], line["age_days"], line["interval_days"], line["overdue"]) for line in lines[:4]] == [
        ("okta-ledger", "412", "90", "yes"),
        ("okta-payments", "40", "30", "yes"),
        ("okta-invoices", "12", "30", "no"),
        ("okta-archive", "200", "by hand", "no"),
    ]
    metrics = (workspace.folder / "r.prom").read_text(encoding="utf-8")
    assert len(re.findall(r'_overdue\{project="billing".* 1\.0$', metrics, re.MULTILINE)) == 1
    assert metrics.count("_next_rotation_timestamp_seconds{") == 6
    page = (workspace.folder / "r.html").read_text(encoding="utf-8")
    assert page.count('<th scope="row">') == 7


@pytest.mark.uncounted
def test_files_are_those_of_an_ordinary_program(workspace: Workspace, filled: Simulator) -> None:
    (workspace.folder / "r.json").touch(mode=0o600)
    (workspace.folder / "real.html").touch()
    (workspace.folder / "r.html").symlink_to("real.html")
    before = os.umask(0o027)
    try:
        done = run(workspace, filled, **FILES)
    finally:
        os.umask(before)
    assert done.returncode == 0, done.output
    modes = {name: stat.S_IMODE((workspace.folder / name).stat().st_mode) for name in written(workspace)}
    assert modes == {"r.json": 0o600, "r.html": 0o644 & ~before, "r.csv": 0o640, "r.prom": 0o640}
    assert (workspace.folder / "r.html").is_symlink()
    assert "okta-ledger" in (workspace.folder / "real.html").read_text(encoding="utf-8")
    assert not list(workspace.folder.glob("*.tmp"))


@pytest.mark.before_release
@pytest.mark.parametrize(
    ("fail_on", "told"),
    [
        (["failed"], f"Failed: {', '.join(FAILED)}."),
        (" overdue , ", f"Overdue: {', '.join(OVERDUE)}."),
    ],
)
def test_what_is_to_fail_fails_once_and_with_the_names(
    workspace: Workspace, filled: Simulator, fail_on: Any, told: str
) -> None:
    done = run(workspace, filled, html="r.html", fail_on=fail_on)
    assert done.returncode == 2
    assert done.named("Fail with the reason")["msg"] == f"{SENTENCE} {told}"
    assert failed(done) == ["Fail with the reason"]
    assert written(workspace) == {"r.html"}
    assert tokens_left(filled) == []


def test_what_is_handed_on_is_small_and_text(workspace: Workspace, filled: Simulator) -> None:
    done = run(
        workspace, filled, fail_on="overdue,failed", env={**environment(filled), "ANSIBLE_SHOW_CUSTOM_STATS": "1"}
    )
    told = f"{SENTENCE} Overdue: {', '.join(OVERDUE)}. Failed: {', '.join(FAILED)}."
    assert (done.returncode, done.named("Fail with the reason")["msg"]) == (2, told)
    (stats,) = re.findall(r"RUN: (\{.*\})", done.stdout)
    ledger = next(each for each in filled.state()["rotations"] if each["name"] == "okta-ledger")
    assert json.loads(stats)["secretops_infisical"] == {
        "playbook": "report",
        "check_mode": "false",
        "summary": SENTENCE,
        "counts": {"rotations": "7", "projects": "2", "overdue": "2", "failed": "2", "by_hand": "1"},
        "failures": [
            "okta-ledger (billing prod:/okta): overdue and failed",
            "okta-payments (payments prod:/okta): overdue",
            "okta-invoices (billing prod:/okta): failed",
        ],
        "moments": {"oldest": ledger["lastRotatedAt"]},
    }


def test_check_mode_writes_nothing(workspace: Workspace, filled: Simulator) -> None:
    done = run(workspace, filled, "--check", **FILES)
    assert done.returncode == 0, done.output
    assert done.named("Say what was found")["msg"] == f"Check mode, nothing is written: {SENTENCE}"
    made = done.named("Read and write")
    assert (made.status, made["outcome"], made["changed"]) == ("ok", "would_write", True)
    assert sorted(made["files"]) == ["csv", "html", "json", "prometheus"]
    assert written(workspace) == set()
    assert tokens_left(filled) == []


@pytest.mark.before_release
@pytest.mark.parametrize(
    ("variables", "wrong_secret", "reason", "told"),
    [
        ({"projects": "payments,nobody"}, False, "not_found", "'nobody'"),
        ({"projects": "payments,3c90c3cc-0d44-4b50-8888-8dd25736052a"}, False, "not_found", "3c90c3cc-0d44"),
        ({}, True, "authentication_failed", "Could not log in with universal_auth"),
        ({"projects": "a/b"}, False, "request_rejected", "'a/b'"),
    ],
)
def test_nothing_is_touched_where_something_cannot_be_read(
    workspace: Workspace, filled: Simulator, variables: dict[str, Any], wrong_secret: bool, reason: str, told: str
) -> None:
    for name in FILES.values():
        (workspace.folder / name).write_text("of yesterday", encoding="utf-8")
    env = environment(filled)
    if wrong_secret:
        env["INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET"] = "b0c9d3-not-it"
    done = run(workspace, filled, env=env, **{**FILES, **variables})
    assert done.returncode == 2
    made = done.named("Read and write")
    assert made["reason"] == reason
    failure = done.named("Fail with the reason")["msg"]
    assert told in failure
    assert failed(done) == ["Fail with the reason"]
    assert made["stats"]["failures"] == [f"report: {failure}"]
    assert {(workspace.folder / name).read_text(encoding="utf-8") for name in FILES.values()} == {"of yesterday"}
    assert not list(workspace.folder.glob("*.tmp"))
    assert "b0c9d3-not-it" not in done.output
    assert tokens_left(filled) == []


def test_what_makes_no_sense_is_refused_before_anything_is_sent(workspace: Workspace, simulator: Simulator) -> None:
    wrong: dict[str, dict[str, Any]] = {
        "there is no folder": {"html": "gone/r.html"},
        "which is no regular file": {"html": "/dev/null"},
        "names end in .prom": {"prometheus": "r.txt"},
        "which another option names too": {"json": "r.json", "csv": "./r.json"},
        "fail_on has 'late'": {"fail_on": "late"},
        "projects is empty": {"projects": [" , "]},
        "project_slug is 'a\\nb'": {"projects": "a\nb"},
        "Unsupported parameters": {"pdf": "r.pdf"},
    }
    given = {"projects": "payments", **login(simulator)}
    done = workspace.tasks(
        [{"name": told, PLAYBOOK: {**given, **options}, "ignore_errors": True} for told, options in wrong.items()]
    )
    assert [result.task for result in done.results] == list(wrong)
    for result in done.results:
        assert (result.status, result["reason"]) == ("failed", "invalid_arguments")
        assert result.task in result["msg"]
    assert (simulator.log(), written(workspace)) == ([], set())


@pytest.mark.before_release
@pytest.mark.counted
def test_a_list_that_cannot_be_read_names_the_project(workspace: Workspace, filled: Simulator) -> None:
    filled.fault("status", path=LIST, method="GET", status=403, after=1, times=0)
    done = run(workspace, filled, **FILES)
    assert done.returncode == 2
    assert "Project billing: Could not list" in done.named("Fail with the reason")["msg"]
    assert written(workspace) == set()


def test_without_projects_nothing_is_sent(workspace: Workspace, filled: Simulator) -> None:
    done = run(workspace, filled, projects="")
    assert done.returncode == 2
    assert "report_projects" in done.output
    assert filled.log() == []


def test_a_task_needs_no_file_and_takes_defaults_of_the_group(workspace: Workspace, filled: Simulator) -> None:
    project = filled.state()["project"]["id"]
    tasks = [
        # Each project once, whatever it is called; and on the controller whatever the task's host.
        {"name": "count", PLAYBOOK: {"projects": ["payments", project.upper(), "payments"]}},
        {"name": "nobody", PLAYBOOK: {"projects": "empty"}},
        {"name": "all", PLAYBOOK: {"projects": project, "fail_on": "failed"}},
    ]
    filled.add_project("empty")
    play = {
        "hosts": "nowhere",
        "gather_facts": False,
        "module_defaults": {"group/secretops.infisical.all": login(filled)},
        "tasks": tasks,
    }
    done = workspace.playbook([play], "-i", "nowhere,", env=AS_MODULE)
    assert done.returncode == 0, done.output
    count = done.named("count")
    assert (count["outcome"], count["changed"], count["files"]) == ("counted", False, {})
    assert count["msg"] == "4 rotations in 1 project: 1 overdue, 0 failed, the oldest okta-payments with 40 days."
    assert count["names"] == {"overdue": ["okta-payments (payments prod:/okta)"], "failed": []}
    assert done.named("nobody")["msg"] == "0 rotations in 1 project."
    assert done.named("nobody")["stats"]["moments"] == {}
    assert done.named("all")["names"]["overdue"] == [f"okta-payments ({project} prod:/okta)"]


@pytest.mark.before_release
def test_blank_answers_are_left_out_and_credentials_may_be_variables(workspace: Workspace, filled: Simulator) -> None:
    credentials = {f"infisical_{name}": value for name, value in login(filled).items()}
    blank = dict.fromkeys(("html", "csv", "prometheus", "fail_on", "title", "wait_timeout"), " ")
    answers = {**blank, "projects": " payments , ,billing,", "json": "r.json"}
    given = {**credentials, **{f"report_{name}": value for name, value in answers.items()}}
    done = workspace.command(["ansible-playbook", PLAYBOOK, "-vvv", "-e", json.dumps(given)], {"INFISICAL_URL": ""})
    assert done.returncode == 0, done.output
    assert done.named("Say what was found")["msg"] == SENTENCE
    assert written(workspace) == {"r.json"}
    assert credentials["infisical_universal_auth_client_secret"] not in done.output


def test_a_file_that_cannot_be_written_leaves_all_as_they_were(workspace: Workspace, filled: Simulator) -> None:
    folder = workspace.folder / "full"
    folder.mkdir()
    (workspace.folder / "r.json").write_text("of yesterday", encoding="utf-8")
    # As long as names may be, so that there is no room for that of the file beside it.
    name = "x" * 250
    (folder / name).touch()
    done = run(workspace, filled, json="r.json", csv=str(folder / name))
    assert done.returncode == 2
    assert "File name too long. No file was replaced." in done.named("Fail with the reason")["msg"]
    assert (workspace.folder / "r.json").read_text(encoding="utf-8") == "of yesterday"
    assert not list(Path(workspace.folder).glob("*.tmp"))


@pytest.mark.before_release
def test_the_commands_of_the_guide_run_and_its_metrics_are_written(workspace: Workspace, filled: Simulator) -> None:
    guide = COLLECTION / "docs" / "docsite" / "rst" / "guide_report.rst"
    text = guide.read_text(encoding="utf-8").replace("\\\n", "")
    commands = re.findall(r"^    (ansible-playbook .*)$", text, re.MULTILINE)
    assert len(commands) == 2
    for command in commands:
        done = workspace.command(shlex.split(command), environment(filled))
        assert done.returncode == 0, done.output
        assert done.named("Say what was found")["msg"].endswith(SENTENCE)
    names = {path.name for path in workspace.folder.glob("okta-secrets.*")}
    # The second one has --check.
    assert names == {"okta-secrets.html"}
    run(workspace, filled, prometheus="r.prom")
    metrics = set(re.findall(r"^# TYPE (\w+)", (workspace.folder / "r.prom").read_text(encoding="utf-8"), re.MULTILINE))
    prefix = "secretops_infisical_okta_client_secret"
    told = {prefix + end for end in re.findall(r"``(_\w+)``", text)} | set(re.findall(rf"{prefix}_\w+", text))
    assert told == metrics
