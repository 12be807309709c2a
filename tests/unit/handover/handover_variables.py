# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of the role handover, as its specification has them, and those of one consumer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from ansible_collections.secretops.infisical.plugins.plugin_utils import _run_settings
from support.options import ID

SPEC: dict[str, dict[str, Any]] = yaml.safe_load(
    (Path(__file__).resolve().parents[3] / "roles" / "handover" / "meta" / "argument_specs.yml").read_text("utf-8")
)["argument_specs"]["main"]["options"]
ENV_FILE = {"way": "env_file", "path": "/etc/app.env", "client_secret_key": "KEY"}
HTTP = {"way": "http", "url": "https://localhost/"}
NEEDED = {
    "handover_rotation_id": ID,
    "handover_okta_url": "https://example.okta.com",
    "handover_take": ENV_FILE,
    "handover_check": HTTP,
}


def typed(**variables: Any) -> dict[str, Any]:
    return _run_settings.typed_each(SPEC, {"app": {**NEEDED, **variables}})["app"]
