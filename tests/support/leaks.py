# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks for secrets wherever a run of Ansible may leave them."""

from __future__ import annotations

import base64
import contextlib
import html
import json
import quopri
import re
import secrets
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from urllib.parse import quote, quote_plus

from support.ansible import Workspace


def random_secret() -> str:
    return f"{secrets.token_hex(12)}\"'\\/+%&é€ {secrets.token_hex(4)}"


def random_jwt() -> str:
    return f"eyJhbGciOiJub25lIn0.{secrets.token_urlsafe(24)}.{secrets.token_urlsafe(24)}"


def ways(secret: str) -> dict[str, str]:
    """The ways to write a secret, by name."""
    content = secret.encode()
    found = {
        "raw": secret,
        "URL": quote(secret, safe=""),
        "URL, part": quote(secret),
        "URL, all of it": "".join(f"%{byte:02x}" for byte in content),
        "form": quote_plus(secret),
        "YAML": secret.replace("'", "''"),
        "JSON with slashes": json.dumps(secret)[1:-1].replace("/", "\\/"),
        "HTML": html.escape(secret),
        "HTML, decimal": "".join(f"&#{ord(letter)};" for letter in secret),
        "HTML, hexadecimal": "".join(f"&#X{ord(letter):X};" for letter in secret),
        "bytes": repr(content)[2:-1],
        "hexadecimal": content.hex(),
        "hexadecimal, upper case": content.hex().upper(),
        "quoted-printable": quopri.encodestring(content, quotetabs=True).decode(),
        "UTF-8 read as Latin-1": content.decode("latin-1"),
        "Latin-1": secret.encode("latin-1", "replace").decode("latin-1"),
        "Latin-1 read as UTF-8": secret.encode("latin-1", "replace").decode(errors="replace"),
        "ASCII": secret.encode("ascii", "replace").decode(),
    }
    for ascii_only in (True, False):
        once = json.dumps(secret, ensure_ascii=ascii_only)[1:-1]
        found[f"JSON, {ascii_only}"] = once
        found[f"JSON in JSON, {ascii_only}"] = json.dumps(once, ensure_ascii=ascii_only)[1:-1]
    for offset in range(3):
        encoded = base64.b64encode(b"x" * offset + content + b" and more").decode()
        found[f"base64, {offset}"] = encoded
        found[f"base64 for URLs, {offset}"] = encoded.replace("+", "-").replace("/", "_")
    return found


def forms(secret: str) -> dict[bytes, str]:
    """What gives a secret away, each with its name."""
    written = ways(secret)
    for name in written:
        if name.startswith("base64"):
            # Without what depends on what stands before and after it.
            offset = int(name[-1])
            written[name] = written[name][4 if offset else 0 : (offset + len(secret.encode())) * 4 // 3 - 2]
    # Whatever is done to special characters, a long run of plain ones stays as it is.
    written["part"] = max(re.findall(r"[A-Za-z0-9]+", secret), key=len)
    named: dict[bytes, str] = {}
    for name, text in written.items():
        if len(text) >= 8:
            named.setdefault(text.encode(), name.partition(",")[0])
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
