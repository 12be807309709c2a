# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a consumer's check is read from its variables, and what is refused of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.secretops.infisical.plugins.plugin_utils import _handover_settings
from support.options import refused
from unit.handover.handover_variables import ENV_FILE, typed

SYSTEMD = {"way": "systemd", "unit": "app.service"}
COMMAND = {"way": "command", "argv": ["store"], "note": "/var/note"}


FETCHES_TOKEN = (
    "handover_check of the way okta reads a file and makes nobody fetch a token: leave fetches_token out, and use http "
    "or command for a consumer that must be proven."
)


def consumer(**variables: Any) -> dict[str, Any]:
    given = {f"handover_{name}": value for name, value in variables.items()}
    return _handover_settings.consumer("app", typed(**given), "/base")


@pytest.mark.parametrize("url", ["localhost:80", "ftp://x", "HTTP//x", " http://x"])
def test_a_url_begins_as_one(url: str) -> None:
    said = refused(lambda: consumer(check={"way": "http", "url": url}))
    assert said == f"app: handover_check.url is '{url}': begin it with http:// or https://."


@pytest.mark.parametrize(
    ("take", "check", "path", "key", "pattern"),
    [
        (ENV_FILE, {}, "/etc/app.env", "KEY", None),
        (ENV_FILE, {"path": "/run/x"}, "/run/x", "KEY", None),
        (ENV_FILE, {"key": "OTHER"}, "/etc/app.env", "OTHER", None),
        (ENV_FILE, {"pattern": "x(.)"}, "/etc/app.env", None, "x(.)"),
        (ENV_FILE, {"pattern": "x(?:y)(?P<secret>.)", "key": "A"}, "/etc/app.env", "A", "x(?:y)(?P<secret>.)"),
        # The whole file is the value.
        ({**SYSTEMD, "credential": "c", "client_secret_key": "KEY"}, {}, "/etc/credstore/c", None, None),
        (
            {**SYSTEMD, "client_secret_key": "KEY"},
            {},
            "/etc/systemd/system/app.service.d/okta-client-secret.conf",
            "KEY",
            None,
        ),
        (COMMAND, {"path": "/run/x"}, "/run/x", None, None),
    ],
)
def test_what_okta_is_asked_about(
    take: dict[str, Any], check: dict[str, Any], path: str, key: str | None, pattern: str | None
) -> None:
    found = consumer(take=take, check={"way": "okta", **check})["check"]
    assert (found["path"], found["key"], found["pattern"]) == (path, key, pattern)


@pytest.mark.parametrize(
    ("take", "check", "told"),
    [
        (
            ENV_FILE,
            {"fetches_token": True},
            FETCHES_TOKEN,
        ),
        (COMMAND, {}, "handover_check of the way okta needs path: handover_take writes no file."),
        (
            ENV_FILE,
            {"pattern": "secret"},
            "handover_check.pattern has 0 groups: give one, around the value.",
        ),
        (
            ENV_FILE,
            {"pattern": "(secret)=(.*)"},
            "handover_check.pattern has 2 groups: give one, around the value.",
        ),
        (
            ENV_FILE,
            {"pattern": "("},
            "handover_check.pattern is no regular expression: missing ), unterminated subpattern at position 0.",
        ),
    ],
)
def test_what_okta_cannot_be_asked(take: dict[str, Any], check: dict[str, Any], told: str) -> None:
    assert refused(lambda: consumer(take=take, check={"way": "okta", **check})) == f"app: {told}"


def test_what_a_template_writes_needs_a_key_or_a_pattern(tmp_path: Path) -> None:
    source = tmp_path / "app.j2"
    source.write_text("", encoding="utf-8")
    take = {"way": "template", "src": str(source), "path": "/etc/app"}
    said = refused(lambda: consumer(take=take, check={"way": "okta"}))
    assert said == "app: handover_check of the way okta needs key or pattern for what a template writes."
    for check in ({"key": "KEY"}, {"pattern": "(.)"}):
        assert consumer(take=take, check={"way": "okta", **check})["check"]["path"] == "/etc/app"


@pytest.mark.parametrize(
    ("check", "missing"), [({"way": "http"}, "url"), ({"way": "command"}, "argv"), ({"way": "tasks"}, "file")]
)
@pytest.mark.parametrize("blank", [None, "", " ", "None"])
def test_what_a_check_needs_is_missing_also_where_it_is_blank(
    check: dict[str, Any], missing: str, blank: str | None
) -> None:
    said = refused(lambda: consumer(check={**check, missing: blank}))
    assert f"missing: {missing} found in handover_check" in said
