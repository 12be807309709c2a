# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays an ansible-core that lacks one of today's internals: WITHOUT names it, as MODULE:NAME or MODULE:CLASS.NAME.

It is gone for whoever looks for it by that name. What ansible-core itself does with it goes on.
"""

from __future__ import annotations

import importlib
import os
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: without
type: aggregate
short_description: Takes an internal of ansible-core away
description: Loads in the process of the controller before any task does.
"""


def _take_away(place: str) -> None:
    module, _colon, path = place.partition(":")
    *above, name = path.split(".")
    owner: Any = importlib.import_module(module)
    for part in above:
        owner = getattr(owner, part)
    kept = getattr(owner, name)
    delattr(owner, name)
    if owner is not ActionBase:
        return
    execute_module = ActionBase._execute_module

    def with_it(*arguments: Any, **keywords: Any) -> Any:
        setattr(owner, name, kept)
        return execute_module(*arguments, **keywords)

    ActionBase._execute_module = with_it


class CallbackModule(CallbackBase):  # type: ignore[misc]
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "without"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        _take_away(os.environ["WITHOUT"])
