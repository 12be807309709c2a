# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Data between ansible-core and the code of this collection, which knows only JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

try:
    from ansible.template import trust_as_template
except ImportError:
    trust_as_template = None

#: From 2.19 on data is no template unless it is marked as one; before, it is one unless it is marked.
TAGS_DATA = trust_as_template is not None
#: What our inventory says of each of its hosts: a template, for it may be read in one image and used in another.
PYTHON_OF_CONTROLLER = "{{ ansible_playbook_python }}"


def plain(data: Mapping[str, Any]) -> dict[str, Any]:
    """The data as a module would be sent it: without tags, vaults and the like."""
    sent: dict[str, Any] = json.loads(json.dumps(dict(data), default=_as_modules_see))
    return sent


def _as_modules_see(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else str(value)


def untrusted(data: dict[str, Any]) -> dict[str, Any]:
    """The same data, of which nothing is ever taken for a template."""
    if TAGS_DATA:
        return data
    from ansible.utils.unsafe_proxy import wrap_var  # noqa: PLC0415 - nobody needs it from 2.19 on

    marked: dict[str, Any] = wrap_var(data)
    return marked


def template(text: str) -> Any:
    """A text that ansible-core takes for a template, whoever passes it on."""
    return trust_as_template(text) if trust_as_template else text
