# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The official reader of Prometheus' text format takes the report's file for what it is."""

from __future__ import annotations

from ansible_collections.secretops.infisical.plugins.plugin_utils._report_files import as_prometheus
from ansible_collections.secretops.infisical.plugins.plugin_utils._report_rows import visible
from prometheus_client.parser import text_string_to_metric_families
from support.reports import DAY, HOSTILE, report, row

PREFIX = "secretops_infisical_okta_client_secret_"


def test_the_official_reader_understands_all_of_it() -> None:
    rows = [row(number, name=name, folder=f"/{name}", overdue=number == 2) for number, name in enumerate(HOSTILE)]
    rows += [row(99, name="by-hand", interval=None, next=None, failed=True, age=3 * DAY)]
    families = {each.name: each for each in text_string_to_metric_families(as_prometheus(report(rows)))}
    size = len(HOSTILE) + 1
    assert {name.removeprefix(PREFIX): len(each.samples) for name, each in families.items()} == {
        "age_seconds": size,
        "overdue": size,
        "last_rotation_success": size,
        "last_rotated_timestamp_seconds": size,
        "next_rotation_timestamp_seconds": size - 1,
        "report_timestamp_seconds": 1,
    }
    assert {each.type for each in families.values()} == {"gauge"}
    assert all(each.documentation for each in families.values())
    ages = {each.labels["id"][-2:]: each for each in families[f"{PREFIX}age_seconds"].samples}
    assert [ages[f"{number:02}"].labels["name"] for number in range(size - 1)] == [visible(name) for name in HOSTILE]
    assert ages["99"].labels == {
        "project": "payments",
        "environment": "prod",
        "path": "/okta",
        "name": "by-hand",
        "id": "00000000-0000-4000-8000-000000000099",
    }
    assert ages["99"].value == 259_200
    assert [each.labels["name"] for each in families[f"{PREFIX}overdue"].samples if each.value == 1] == [HOSTILE[2]]
    failed = [each.labels["name"] for each in families[f"{PREFIX}last_rotation_success"].samples if each.value == 0]
    assert failed == ["by-hand"]
