# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The work of the action ``report``: reads the rotations of some projects, and writes what it read."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from ansible_collections.secretops.infisical.plugins.module_utils import _settings
from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError, invalid_arguments
from ansible_collections.secretops.infisical.plugins.module_utils._login.credentials import UUID
from ansible_collections.secretops.infisical.plugins.module_utils._login.session import Session
from ansible_collections.secretops.infisical.plugins.module_utils._options import AUTHENTICATION, CONNECTION, merged
from ansible_collections.secretops.infisical.plugins.module_utils._rotations import finding
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.api import Api
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.finding import Target
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.projects import Projects
from ansible_collections.secretops.infisical.plugins.module_utils._rotations.selection import (
    Selection,
    of_both_clocks,
    summary,
)
from ansible_collections.secretops.infisical.plugins.module_utils._task import Task
from ansible_collections.secretops.infisical.plugins.module_utils._transport.patience import Patience
from ansible_collections.secretops.infisical.plugins.module_utils._transport.redaction import printable, whole
from ansible_collections.secretops.infisical.plugins.plugin_utils import _report_files, _report_page, _surroundings
from ansible_collections.secretops.infisical.plugins.plugin_utils._report_rows import (
    Report,
    Row,
    exact,
    in_order,
    row_of,
)
from ansible_collections.secretops.infisical.plugins.plugin_utils._run_hosts import is_blank
from ansible_collections.secretops.infisical.plugins.plugin_utils._run_settings import report_path
from ansible_collections.secretops.infisical.plugins.plugin_utils._run_stats import some_of, stats

_FORMATS: dict[str, Callable[[Report], str]] = {
    "html": _report_page.page,
    "json": _report_files.as_json,
    "csv": _report_files.as_csv,
    "prometheus": _report_files.as_prometheus,
}
_FAIL_ON = ("overdue", "failed")
_TITLE = "Okta client secrets"

ARGUMENT_SPEC = merged(
    {
        "projects": {"type": "list", "elements": "str", "required": True},
        **{name: {"type": "path"} for name in _FORMATS},
        # No choices: they would be compared before the blanks of 'overdue, failed' are taken away.
        "fail_on": {"type": "list", "elements": "str"},
        "title": {"type": "str"},
        "wait_timeout": {"type": "int", "default": 120},
    },
    CONNECTION,
    AUTHENTICATION,
)


def execute(task: Task) -> dict[str, Any]:
    """Read, and write unless it is check mode. Raises InfisicalError."""
    _surroundings.refuse_unsafe_fork()
    projects = _asked(task.params["projects"])
    fail_on = _fail_on(task.params["fail_on"])
    paths = _paths(task.params)
    patience = task.patience()
    connection = task.connection()
    with task.session(connection, patience) as session:
        found = _rows(session, patience, projects)
    title = _TITLE if is_blank(task.params["title"]) else task.params["title"].strip()
    rows = in_order([row for rows in found.values() for row in rows])
    report = Report(title, connection.url, datetime.now(timezone.utc), list(found), rows)
    contents = {path: _FORMATS[name](report) for name, path in paths.items()}
    if not task.check_mode:
        _report_files.replace_all(contents)
    return _result(report, fail_on, paths, task.check_mode)


def _asked(given: Iterable[str]) -> list[Target]:
    """The projects, each once. A blank one stands between two commas."""
    texts = dict.fromkeys(_terms(given))
    if not texts:
        raise invalid_arguments("projects is empty: give ids or slugs of projects.")
    found = []
    for text in texts:
        option = "project_id" if UUID.fullmatch(text) else "project_slug"
        project_id, project_slug = _settings.project({"project_id": None, "project_slug": None, option: text})
        found.append(Target(project_id=project_id.lower(), project_slug=project_slug))
    return found


def _terms(given: Iterable[str]) -> list[str]:
    return [term.strip() for text in given for term in text.split(",") if not is_blank(term)]


def _fail_on(given: Iterable[str] | None) -> list[str]:
    found = _terms(given or ())
    for text in found:
        if text not in _FAIL_ON:
            raise invalid_arguments(f"fail_on has {text!r}: give {' and '.join(_FAIL_ON)}, or one of them.")
    return [each for each in _FAIL_ON if each in found]


def _paths(params: Mapping[str, Any]) -> dict[str, str]:
    """Where the files are written, by format, as far as can be told before anything is sent."""
    found: dict[str, str] = {}
    for name in _FORMATS:
        path = None if is_blank(params[name]) else report_path(params[name], os.environ, name)
        if path is None:
            continue
        real = _report_files.check_place(name, path)
        if name == "prometheus" and not real.endswith(".prom"):
            raise invalid_arguments(f"prometheus is {path}: node_exporter reads only files whose names end in .prom.")
        if real in found.values():
            raise invalid_arguments(f"{name} is {path}, which another option names too.")
        found[name] = real
    return found


def _rows(session: Session, patience: Patience, projects: Sequence[Target]) -> dict[str, list[Row]]:
    """The rotations by what their project was called, each project once. One that cannot be read is a failure."""
    # A refused login is no fault of a project.
    session.log_in()
    api, places = Api(session), Projects(session)
    found: dict[str, list[Row]] = {}
    known: set[str] = set()
    for target in projects:
        called = target.project_slug or target.project_id
        project_id = finding.with_project(places, target).project_id
        if project_id in known:
            continue
        known.add(project_id)
        try:
            found[called] = _of_project(session, patience, api, project_id, called)
        except InfisicalError as failure:
            failure.problem = f"Project {called}: {failure.problem}"
            raise
    return found


def _of_project(session: Session, patience: Patience, api: Api, project_id: str, called: str) -> list[Row]:
    readings = finding.listed(api, project_id, patience)
    host_now = datetime.now(timezone.utc)
    rotations = [finding.complete(reading.rotation) for reading in readings]
    _all, overdue, moment = of_both_clocks(rotations, Selection(), finding.ahead(readings, host_now), host_now)

    def clean(text: str) -> Any:
        return whole(session.clean(text))

    return [row_of(each, summary(each, moment, overdue), called, clean) for each in rotations]


def _result(report: Report, fail_on: Sequence[str], paths: Mapping[str, str], check_mode: bool) -> dict[str, Any]:
    names = {
        "overdue": [row.told for row in report.rows if row.overdue],
        "failed": [row.told for row in report.rows if row.failed],
    }
    sentence = printable(report.sentence)
    if check_mode and paths:
        sentence = f"Check mode, nothing is written: {sentence}"
    outcome = "counted" if not paths else "would_write" if check_mode else "written"
    result = {
        # When it was made is a part of each.
        "changed": bool(paths),
        "outcome": outcome,
        "msg": sentence,
        "counts": report.counts,
        "names": names,
        "files": dict(paths),
    }
    alarms = [f"{each.capitalize()}: {printable(some_of(names[each]))}." for each in fail_on if names[each]]
    if alarms:
        failure = InfisicalError("attention_needed", " ".join([sentence, *alarms]))
        result = {**result, **failure.result(), "changed": result["changed"], "failed": True}
    reasons = {
        row.told: " and ".join(each for each in fail_on if row.told in names[each])
        for row in report.rows
        if (row.overdue and "overdue" in fail_on) or (row.failed and "failed" in fail_on)
    }
    oldest = report.oldest
    moments = {} if oldest is None else {"oldest": exact(oldest.last_rotated)}
    told = stats("report", sentence, counts=report.counts, failures=reasons, moments=moments, check_mode=check_mode)
    return {**result, "stats": told}
