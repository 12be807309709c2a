# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Python keeps what it compiles, but not out of a zip archive, which is how Ansible sends a module, and more than half
of a small module's time is compiling. This keeps it too, by its source, where Python keeps the rest.
"""

from __future__ import annotations

import _imp
import hashlib
import marshal
import os
import sys
import zipimport
from contextlib import suppress
from pathlib import Path
from types import CodeType

_compile = zipimport._compile_source  # type: ignore[attr-defined]


def _kept(path: str, source: bytes) -> CodeType:
    name = f"{hashlib.sha256(source).hexdigest()}.{sys.implementation.cache_tag}"
    file = Path(str(sys.pycache_prefix)) / "zipped" / name
    with suppress(OSError, ValueError, EOFError):
        code: CodeType = marshal.loads(file.read_bytes())  # noqa: S302 - as Python reads its own
        # As Python does where a file was moved.
        _imp._fix_co_filename(code, path)  # type: ignore[attr-defined]
        return code
    code = _compile(path, source)
    part = file.with_name(f"{name}.{os.getpid()}")
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(marshal.dumps(code))
        part.rename(file)
    return code


if sys.pycache_prefix:
    zipimport._compile_source = _kept  # type: ignore[attr-defined]
