# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our failures as those of ansible-core, which shows every exception behind the one that it gets; and its as ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ansible.errors import AnsibleError
from ansible_collections.secretops.infisical.plugins.module_utils._errors import (
    InfisicalError,
    invalid_arguments,
    unforeseen,
)

_Made = TypeVar("_Made")


def checked(work: Callable[[], _Made], error: type[AnsibleError], what: str) -> _Made:
    """What our own code makes. A failure has nothing behind it that could hold a secret."""
    try:
        return work()
    except InfisicalError as caught:
        failure = caught
    except Exception as fault:  # noqa: BLE001 - its text may quote what the server echoed
        failure = unforeseen(fault, what)
    except BaseException as end:
        end.__cause__ = end.__context__ = None
        raise
    raise error(f"{failure.message} (reason: {failure.reason})")


def templated(what: str, work: Callable[[], _Made]) -> _Made:
    """What ansible-core makes of a template. What it says where it cannot may quote a secret."""
    try:
        return work()
    except AnsibleError as error:
        kind = type(error).__name__
    raise invalid_arguments(f"{what} cannot be templated: {kind}.")


def tried(work: Callable[[], _Made], what: str) -> tuple[_Made | None, str]:
    """What the work made, or why not, for a step that goes on all the same: it has tokens or consumers in its hands."""
    try:
        return work(), ""
    except InfisicalError as failure:
        return None, failure.message
    except Exception as fault:  # noqa: BLE001 - a traceback would quote what was echoed
        return None, unforeseen(fault, what).message
