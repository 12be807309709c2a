# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files on a consumer, through ansible-core's own modules, which run on whatever Python the consumer has."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError

Variables = dict[str, Any]


class Host:
    """The consumer of the task that ``action`` runs."""

    def __init__(self, action: ActionBase, variables: Variables) -> None:
        self._action = action
        self._variables = variables

    def read(self, path: str) -> bytes | None:
        """The file's content; None where there is no such file."""
        result = self._module("ansible.legacy.slurp", {"src": path})
        if "content" in result:
            return base64.b64decode(result["content"])
        there = self._module("ansible.legacy.stat", {"path": path, "get_checksum": False, "get_mime": False})
        if there.get("stat", {}).get("exists") is False:
            return None
        raise _failure(f"read {path}", result)

    def write(self, path: str, content: bytes, **options: Any) -> bool:
        """Whether the file changed, its mode and owner included."""
        args = {"dest": path, "content": content.decode(), **{k: v for k, v in options.items() if v is not None}}
        # Nothing that shows a difference may show it.
        task = self._action._task.copy()
        task.args, task.diff, task.async_val = args, False, 0
        copy = self._action._shared_loader_obj.action_loader.get(
            "ansible.legacy.copy",
            task=task,
            connection=self._action._connection,
            play_context=self._action._play_context,
            loader=self._action._loader,
            templar=self._action._templar,
            shared_loader_obj=self._action._shared_loader_obj,
        )
        result = copy.run(task_vars=self._variables)
        if result.get("failed"):
            raise _failure(f"write {path}", result)
        return bool(result.get("changed"))

    def make_folder(self, path: str) -> None:
        self._done(f"make the folder {path}", {"path": path, "state": "directory"})

    def remove(self, path: str) -> None:
        self._done(f"remove {path}", {"path": path, "state": "absent"})

    def _done(self, what: str, args: Mapping[str, Any]) -> None:
        result = self._module("ansible.legacy.file", args)
        if result.get("failed"):
            raise _failure(what, result)

    def _module(self, name: str, args: Mapping[str, Any]) -> dict[str, Any]:
        result: dict[str, Any] = self._action._execute_module(
            module_name=name, module_args=dict(args), task_vars=self._variables
        )
        return result


def _failure(what: str, result: Mapping[str, Any]) -> InfisicalError:
    # ansible-core's modules for files say what is wrong with the file, and nothing of what is in it.
    return InfisicalError("invalid_arguments", f"Could not {what} on the consumer: {result.get('msg', 'no message')}.")


def note_of(content: bytes | None) -> dict[str, str]:
    """What a consumer's note says: the id of the secret that it was restarted with, and since when."""
    try:
        found = json.loads(content or b"{}")
        return {"secret_id": str(found["secret_id"]), "since": str(found["since"])}
    except (KeyError, TypeError, ValueError):
        # One that nobody can read is none: the consumer is restarted once more.
        return {"secret_id": "", "since": ""}


def as_note(secret_id: str, since: str) -> bytes:
    return json.dumps({"secret_id": secret_id, "since": since}).encode() + b"\n"
