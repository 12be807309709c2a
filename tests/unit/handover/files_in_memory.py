# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A consumer of a secret that has its files in memory, as an action sees it."""

from __future__ import annotations

import base64
import copy
from types import SimpleNamespace
from typing import Any

from ansible.module_utils.common.text.converters import to_bytes

VARIABLES = {"ansible_become": False}


class _Task:
    """Of the action that writes: its own arguments and its switches stay as they are."""

    def __init__(self) -> None:
        self.args: dict[str, Any] = {"step": "file"}
        self.diff = True
        self.async_val = 7

    def copy(self) -> _Task:
        return copy.copy(self)


class Machine:
    """Stands in for the action: what ansible-core's modules would do.

    ``fails`` are modules with their message, or with what ansible-core raises before they run.
    """

    def __init__(self, files: dict[str, bytes] | None = None, **fails: str | Exception | None) -> None:
        self.files = dict(files or {})
        self.fails = fails
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self._task = _Task()
        self._connection = self._play_context = self._loader = self._templar = object()
        self._shared_loader_obj = SimpleNamespace(action_loader=SimpleNamespace(get=self._action))

    def _execute_module(
        self, module_name: str, module_args: dict[str, Any], task_vars: dict[str, Any]
    ) -> dict[str, Any]:
        assert task_vars is VARIABLES
        name = module_name.removeprefix("ansible.legacy.")
        self.calls.append((name, module_args))
        if name in self.fails:
            return self._failed(name)
        return self.__getattribute__(f"_{name}")(module_args)  # type: ignore[no-any-return]

    def _failed(self, name: str) -> dict[str, Any]:
        told = self.fails[name]
        if isinstance(told, Exception):
            raise told
        return {"failed": True} if told is None else {"failed": True, "msg": told}

    def _slurp(self, args: dict[str, Any]) -> dict[str, Any]:
        if args["src"] not in self.files:
            return {"failed": True, "msg": f"file not found: {args['src']}"}
        return {"content": base64.b64encode(self.files[args["src"]]).decode(), "encoding": "base64"}

    def _stat(self, args: dict[str, Any]) -> dict[str, Any]:
        assert args == {"path": args["path"], "get_checksum": False, "get_mime": False}
        return {"stat": {"exists": args["path"] in self.files}}

    def _file(self, args: dict[str, Any]) -> dict[str, Any]:
        if args["state"] == "absent":
            self.files.pop(args["path"], None)
        return {"changed": True}

    def _action(self, name: str, *, task: Any, **given: Any) -> Any:
        assert name == "ansible.legacy.copy"
        assert given.pop("shared_loader_obj") is self._shared_loader_obj
        assert given == {
            "connection": self._connection,
            "play_context": self._play_context,
            "loader": self._loader,
            "templar": self._templar,
        }
        # A difference would show the secret, and the task itself stays as it is.
        assert (task.diff, task.async_val, self._task.diff) == (False, 0, True)
        return SimpleNamespace(run=lambda task_vars: self._copy(task.args))

    def _copy(self, args: dict[str, Any]) -> dict[str, Any]:
        self.calls.append(("copy", args))
        if "copy" in self.fails:
            return self._failed("copy")
        content = to_bytes(args["content"])
        changed = self.files.get(args["dest"]) != content
        self.files[args["dest"]] = content
        return {"changed": changed}

    def asked(self) -> list[str]:
        return [name for name, _args in self.calls]
