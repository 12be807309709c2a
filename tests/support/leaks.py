# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks for secrets wherever a run of Ansible may leave them."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from urllib.parse import quote, quote_plus

from support.ansible import Workspace


def forms(secret: str) -> dict[bytes, str]:
    """The ways to write a secret, each with its name."""
    written = [(secret, "raw"), (quote(secret, safe=""), "URL"), (quote(secret), "URL"), (quote_plus(secret), "form")]
    written.append((secret.replace("'", "''"), "YAML"))
    for ascii_only in (True, False):
        once = json.dumps(secret, ensure_ascii=ascii_only)[1:-1]
        written += [(once, "JSON"), (json.dumps(once, ensure_ascii=ascii_only)[1:-1], "JSON in JSON")]
    for offset in range(3):
        # Without the characters that depend on what stands before and after it.
        encoded = base64.b64encode(b"x" * offset + secret.encode()).decode().rstrip("=")[4 if offset else 0 : -2]
        written += [(encoded, "base64"), (encoded.replace("+", "-").replace("/", "_"), "base64")]
    # Whatever is done to special characters, a long run of plain ones stays as it is.
    written.append((max(re.findall(r"[A-Za-z0-9]+", secret), key=len), "in part"))
    named: dict[bytes, str] = {}
    for text, name in written:
        if len(text) >= 8:
            named.setdefault(text.encode(), name)
    return named


class Watch:
    """Samples the command lines of all processes while a run lasts, and afterwards searches what it left."""

    def __init__(self, secrets: Mapping[str, str], workspace: Workspace) -> None:
        self._secrets = dict(secrets)
        self._folders = {"": workspace.folder, "tmp": workspace.tmp}
        self._command_lines: set[bytes] = set()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._over.wait(0.05):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                with contextlib.suppress(OSError):
                    self._command_lines.add(path.read_bytes())

    def add(self, name: str, secret: str) -> None:
        self._secrets[name] = secret

    @property
    def command_lines(self) -> int:
        return len(self._command_lines)

    def _places(self, output: str) -> Iterator[tuple[str, bytes]]:
        yield "output", output.encode("utf-8", "surrogateescape")
        yield "command lines", b"\n".join(self._command_lines)
        for name, folder in self._folders.items():
            for path in sorted(folder.rglob("*")):
                if path.is_file():
                    yield str(Path(name) / path.relative_to(folder)), path.read_bytes()

    def leaks(self, output: str) -> list[str]:
        """Each place with the name of the secret in it and how it is written there."""
        wanted = {name: forms(secret) for name, secret in self._secrets.items()}
        return [
            f"{place}: {name} ({how})"
            for place, content in self._places(output)
            for name, written in wanted.items()
            for form, how in written.items()
            if form in content
        ]
