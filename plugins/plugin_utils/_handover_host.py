# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files on a consumer, through ansible-core's own modules, which run on whatever Python the consumer has."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.plugins.action import ActionBase
from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError
from ansible_collections.secretops.infisical.plugins.plugin_utils import _handover_files

Variables = dict[str, Any]
Data = Mapping[str, Any]


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
        args = {"dest": path, "content": _text(content), **{k: v for k, v in options.items() if v is not None}}
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
        result = _run(lambda: copy.run(task_vars=self._variables))
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
        return _run(
            lambda: self._action._execute_module(module_name=name, module_args=dict(args), task_vars=self._variables)
        )


def _run(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What ansible-core cannot do on the consumer, as becoming another user there, is no fault of ours."""
    try:
        return work()
    except AnsibleConnectionFailure:
        raise
    except AnsibleError as fault:
        kind = type(fault).__name__
    # Its text may quote what was to be written.
    return {"failed": True, "msg": f"{kind} of ansible-core, as its own modules would end there"}


def _text(content: bytes) -> str:
    """As ansible-core's copy makes the same bytes of it again, also of those that are no UTF-8."""
    return content.decode(errors="surrogateescape")


def _failure(what: str, result: Mapping[str, Any]) -> InfisicalError:
    # ansible-core's modules for files say what is wrong with the file, and nothing of what is in it.
    return InfisicalError("invalid_arguments", f"Could not {what} on the consumer: {result.get('msg', 'no message')}.")


@dataclass(frozen=True)
class Consumer:
    """How a consumer keeps the secret, by its ``take``, ``check`` and ``restart``."""

    host: Host
    take_options: Data
    check_options: Data
    restart_options: Data | None

    def note(self) -> dict[str, str]:
        """The id of the secret that it was restarted with, in the way that it is restarted now, and since when."""
        path = self.take_options["note"]
        try:
            found = json.loads((self.host.read(path) if path else None) or b"{}")
            if found["restart"] == self._restart:
                return {"secret_id": str(found["secret_id"]), "since": str(found["since"])}
        except (KeyError, TypeError, ValueError):
            pass
        # One that nobody can read is none: the consumer is restarted once more.
        return {"secret_id": "", "since": ""}

    def write_note(self, secret_id: str, since: str) -> dict[str, Any]:
        path = self.take_options["note"]
        if path:
            content = json.dumps({"secret_id": secret_id, "since": since, "restart": self._restart}) + "\n"
            self.host.write(path, content.encode(), mode="0600")
        return {"changed": bool(path), "secret_id": secret_id, "since": since}

    def take(self, client_id: str, client_secret: str, template: str, *, check_mode: bool) -> dict[str, Any]:
        """Write the secret into its file. What was there is for whoever has to bring it back."""
        options = self.take_options
        path, syntax = options["path"], options["format"]
        before = self.host.read(path)
        values = {options["client_secret_key"]: client_secret}
        if options["client_id_key"]:
            values[options["client_id_key"]] = client_id
        if options["way"] == "template":
            content = template
        elif options["way"] == "env_file":
            content = _handover_files.edited(_text(before or b""), values, syntax)
        else:
            content = client_secret if options["credential"] else _handover_files.drop_in(values)
            if not check_mode:
                self.host.make_folder(os.path.dirname(path))
        changed = self._write(content)
        return {"changed": changed, "before": None if before is None else base64.b64encode(before).decode()}

    def give_back(self, before: str | None) -> dict[str, Any]:
        """The content from before, in Base64; None where there was no file."""
        if before is None:
            self.host.remove(self.take_options["path"])
        else:
            self._write(_text(base64.b64decode(before)))
        return {"changed": True}

    def value(self) -> str | None:
        """The secret that its file holds."""
        check = self.check_options
        content = self.host.read(check["path"])
        if content is None:
            return None
        text = _text(content)
        if check["pattern"]:
            found = re.search(check["pattern"], text)
            return found[1] if found else None
        if check["key"]:
            take = self.take_options
            if take["way"] == "systemd" and take["path"] == check["path"]:
                return _handover_files.value_in_drop_in(text, check["key"])
            return _handover_files.value_of(text, check["key"], take["format"])
        return text.strip()

    @property
    def _restart(self) -> str:
        """What tells one way to restart from another, and no argument of it, for one may be secret."""
        return hashlib.sha256(json.dumps(self.restart_options, sort_keys=True).encode()).hexdigest()

    def _write(self, content: str) -> bool:
        options = {option: self.take_options[option] for option in ("mode", "owner", "group")}
        return self.host.write(self.take_options["path"], content.encode(errors="surrogateescape"), **options)
