# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files in which consumers keep a secret: one key changed and the rest as it was, and a value read back. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ansible_collections.secretops.infisical.plugins.module_utils._errors import invalid_arguments

#: What a shell, systemd, Docker, a dotenv reader and Java all take as it stands. Okta's secrets are in it.
_SAFE = re.compile(r"[A-Za-z0-9_.~+/=@%:,-]+", re.ASCII)
_KEY = {
    "env": r"[ \t]*(?:export[ \t]+)?{key}=",
    "properties": r"[ \t]*{key}(?:[ \t]*[=:][ \t]*|[ \t]+)",
}
#: What may stand behind a value; a properties file knows no comment there.
_REST = {"env": r"(?:[ \t]+#[^\r\n]*)?[ \t]*\r?", "properties": r"[ \t]*\r?"}


def edited(content: str, values: Mapping[str, str], syntax: str) -> str:
    """The content with these values. A key that is there twice is changed twice, for readers differ on which counts."""
    for key, value in values.items():
        if not _SAFE.fullmatch(value):
            raise invalid_arguments(
                f"The value for {key} has characters that readers of {syntax} files take in different ways. Use the "
                "way template, and quote it as the consumer needs it."
            )
        content = _with(content, key, value, syntax)
    return content


def _with(content: str, key: str, value: str, syntax: str) -> str:
    line = _line(key, syntax)
    if line.search(content):
        return line.sub(lambda found: f"{found[1]}{_quoted_as(found[2], value)}{found[3]}", content)
    end = "\r\n" if "\r\n" in content else "\n"
    begun = content + (end if content and not content.endswith("\n") else "")
    return f"{begun}{key}={value}{end}"


def value_of(content: str, key: str, syntax: str) -> str | None:
    """The value of a key, the last one where it is there twice; None where it is not there."""
    found = list(_line(key, syntax).finditer(content))
    return _unquoted(found[-1][2]) if found else None


def _line(key: str, syntax: str) -> re.Pattern[str]:
    beginning = _KEY[syntax].format(key=re.escape(key))
    value = r"""("[^"\r\n]*"|'[^'\r\n]*'|[^\r\n]*?)"""
    return re.compile(rf"^({beginning}){value}({_REST[syntax]})$", re.MULTILINE)


def _quotes(text: str) -> str:
    return text[0] if len(text) > 1 and text[0] in "\"'" and text[-1] == text[0] else ""


def _quoted_as(old: str, value: str) -> str:
    quote = _quotes(old)
    return f"{quote}{value}{quote}"


def _unquoted(text: str) -> str:
    return text[1:-1] if _quotes(text) else text


def drop_in(values: Mapping[str, str]) -> str:
    """A drop-in of systemd that sets variables of the service."""
    lines = [f'Environment="{key}={_escaped(value)}"' for key, value in values.items()]
    return "\n".join(["[Service]", *lines, ""])


def value_in_drop_in(content: str, key: str) -> str | None:
    """The value of a variable in such a drop-in, the last one where it is there twice; None where it is not there."""
    found = re.findall(rf'^Environment="{re.escape(key)}=(.*)"[ \t\r]*$', content, re.MULTILINE)
    return re.sub(r"\\(.)|%%", lambda pair: pair[1] or "%", found[-1]) if found else None


def _escaped(value: str) -> str:
    if not value.isprintable():
        raise invalid_arguments("The secret has control characters, which no unit file can hold.")
    # A percent sign begins a specifier.
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
