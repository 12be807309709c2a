# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report for programs: JSON, CSV, and the text format of Prometheus."""

from __future__ import annotations

import csv
import io
import json
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from typing import Any

from ansible_collections.secretops.infisical.plugins.module_utils._errors import invalid_arguments
from ansible_collections.secretops.infisical.plugins.plugin_utils._report_rows import (
    DAY,
    Report,
    Row,
    exact,
    iso,
    visible,
)

_PREFIX = "secretops_infisical_okta_client_secret"
#: A cell that begins so is a formula for spreadsheets.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_json(report: Report) -> str:
    """Names are the server's where it has one."""
    oldest = report.oldest
    told = {
        "title": report.title,
        "server": report.server,
        "made": exact(report.made),
        "summary": report.sentence,
        "projects": list(report.projects),
        "counts": report.counts,
        "oldest": None if oldest is None else {"id": oldest.id, "name": oldest.name, "age_seconds": oldest.age},
        "rotations": [_as_dict(row) for row in report.rows],
    }
    return json.dumps(told, indent=2) + "\n"


def _as_dict(row: Row) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "project": row.project,
        "environment": row.environment,
        "folder": row.folder,
        "clientId": row.application,
        "lastRotatedAt": exact(row.last_rotated),
        "age_seconds": row.age,
        "isAutoRotationEnabled": row.interval is not None,
        "rotationInterval": row.interval,
        "nextRotationAt": None if row.next is None else exact(row.next),
        "overdue": row.overdue,
        "rotationStatus": "failed" if row.failed else "success",
        "lastRotationMessage": row.message or None,
    }


_COLUMNS: dict[str, Callable[[Row], Any]] = {
    "name": lambda row: row.name,
    "project": lambda row: row.project,
    "environment": lambda row: row.environment,
    "folder": lambda row: row.folder,
    "application": lambda row: row.application,
    "last_rotated": lambda row: iso(row.last_rotated),
    "age_days": lambda row: row.age // DAY,
    "interval_days": lambda row: "by hand" if row.interval is None else row.interval,
    "next_rotation": lambda row: "" if row.next is None else iso(row.next),
    "overdue": lambda row: "yes" if row.overdue else "no",
    "last_result": lambda row: "failed" if row.failed else "success",
    "message": lambda row: row.message,
    "id": lambda row: row.id,
}


def as_csv(report: Report) -> str:
    """As RFC 4180 has it. No text of a rotation is a formula."""
    written = io.StringIO(newline="")
    writer = csv.writer(written)
    writer.writerow(_COLUMNS)
    writer.writerows([_cell(value(row)) for value in _COLUMNS.values()] for row in report.rows)
    return written.getvalue()


def _cell(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    # What is shown in place of a tab is no tab any more, so that the text as it came decides.
    return f"'{visible(value)}" if value.lstrip().startswith(_FORMULA) or value.startswith(_FORMULA) else visible(value)


#: By the end of the name: what it is, and its value, None where it has none.
_METRICS: dict[str, tuple[str, Callable[[Row], float | None]]] = {
    "age_seconds": ("Seconds since the last rotation, when the report was made.", lambda row: row.age),
    "overdue": ("Whether the next scheduled rotation should have happened already.", lambda row: row.overdue),
    "last_rotation_success": ("Whether the last attempt to rotate succeeded.", lambda row: not row.failed),
    "last_rotated_timestamp_seconds": ("When it was last rotated.", lambda row: row.last_rotated.timestamp()),
    "next_rotation_timestamp_seconds": (
        "When it is to be rotated next. Without those that have no schedule.",
        lambda row: None if row.next is None else row.next.timestamp(),
    ),
}


def as_prometheus(report: Report) -> str:
    """For the textfile collector of node_exporter."""
    return "".join(f"{line}\n" for line in _lines(report))


def _lines(report: Report) -> Iterator[str]:
    labels = [_labels(row) for row in report.rows]
    for name, (text, value) in _METRICS.items():
        yield f"# HELP {_PREFIX}_{name} {text}"
        yield f"# TYPE {_PREFIX}_{name} gauge"
        for row, label in zip(report.rows, labels, strict=True):
            found = value(row)
            if found is not None:
                yield f"{_PREFIX}_{name}{{{label}}} {float(found)!r}"
    yield f"# HELP {_PREFIX}_report_timestamp_seconds When the report was made."
    yield f"# TYPE {_PREFIX}_report_timestamp_seconds gauge"
    yield f"{_PREFIX}_report_timestamp_seconds {report.made.timestamp()!r}"


def _labels(row: Row) -> str:
    values = {
        "project": row.project,
        "environment": row.environment,
        "path": row.folder,
        "name": row.name,
        "id": row.id,
    }
    return ",".join(f'{name}="{_escaped(visible(value))}"' for name, value in values.items())


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"")


def check_place(option: str, path: str) -> str:
    """The file itself where the path is a link; it and its folder can be replaced and written to."""
    real = os.path.realpath(path)
    if os.path.exists(real) and not os.path.isfile(real):
        raise invalid_arguments(f"{option} is {path}, which is no regular file.")
    if not os.access(os.path.dirname(real), os.W_OK):
        raise invalid_arguments(f"{option} is {path}, and this user may not write into its folder.")
    return real


def replace_all(contents: Mapping[str, str]) -> None:
    """Write the files by path. None is replaced before all are written, so that no reader sees a part of one."""
    with ExitStack() as undo:
        written = {}
        for path, content in contents.items():
            # Not with the end .prom, by which node_exporter knows its files.
            beside = f"{path}.{os.getpid()}.tmp"
            undo.callback(_remove, beside)
            fault = _write(beside, path, content)
            if fault:
                raise invalid_arguments(f"{path} was not written: {fault}. No file was replaced.")
            written[beside] = path
        for beside, path in written.items():
            os.replace(beside, path)


def _write(beside: str, path: str, content: str) -> str:
    """Why it could not be written; empty where it was."""
    try:
        with open(beside, "x", encoding="utf-8", newline="") as file:
            with suppress(FileNotFoundError):
                os.fchmod(file.fileno(), stat.S_IMODE(os.stat(path).st_mode))
            file.write(content)
    except OSError as fault:
        return str(fault.strerror)
    return ""


def _remove(path: str) -> None:
    with suppress(OSError):
        os.unlink(path)
