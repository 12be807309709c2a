# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of certificates and keys, tried before anything is sent: OpenSSL and requests explain them in riddles."""

from __future__ import annotations

import os
import re
import ssl

from .._errors import InfisicalError, invalid_arguments

#: OpenSSL looks for no other file of a folder.
_HASHED = re.compile(r"[0-9a-f]{8}\.[0-9]+", re.ASCII)


def check_authorities(name: str, path: str) -> None:
    """The file or folder of trusted authorities that ``name``, an option or a variable, gives."""
    fault = _authorities_fault(path)
    if fault:
        raise invalid_arguments(
            f"{name} is {path}, which holds no certificate that could be read on the host that runs the task: {fault}. "
            f"Give a file in PEM form, or a folder of such files prepared with openssl rehash, or leave {name} out."
        )


def _authorities_fault(path: str) -> str:
    try:
        if os.path.isdir(path):
            # Its certificates are looked up by name only when one of them is needed.
            if not any(_HASHED.fullmatch(name) for name in os.listdir(path)):
                return "no file of the folder has a name from openssl rehash"
        else:
            ssl.create_default_context(cafile=path)
    except OSError as cause:
        return _why(cause)
    return ""


def check_certificate(
    certificate: str | None, key: str | None, names: tuple[str, str] = ("client_cert", "client_key")
) -> None:
    """Refuse here what would otherwise ask for a pass phrase on the terminal.

    ``names`` are the options or variables that give the two.
    """
    if key and not certificate:
        raise invalid_arguments(f"{names[1]} is given without client_cert: give both, or one file that holds both.")
    for name, path in zip(names, (certificate, key), strict=True):
        if path and not os.path.isfile(path):
            raise invalid_arguments(f"{name} is {path}, which is no file on the host that runs the task.")
    fault = _certificate_fault(certificate, key, names) if certificate else None
    if fault:
        raise fault


def _certificate_fault(certificate: str, key: str | None, names: tuple[str, str]) -> InfisicalError | None:
    try:
        ssl.create_default_context().load_cert_chain(certificate, key, password=_no_pass_phrase)
    except _Encrypted:
        holder = f"{names[1]} {key}" if key else f"{names[0]} {certificate}"
        return invalid_arguments(f"{holder} is encrypted: give a key without a pass phrase.")
    except OSError as cause:
        return invalid_arguments(
            f"{names[0]} {certificate} with its key could not be used: {_why(cause)}. Give the certificate and the "
            "key that belongs to it, in PEM form; the key in client_key, or in the same file."
        )
    return None


class _Encrypted(Exception):
    pass


def _no_pass_phrase() -> str:
    raise _Encrypted


def _why(cause: OSError) -> str:
    if isinstance(cause, ssl.SSLError):
        return (cause.reason or "not in PEM form").lower().replace("_", " ")
    return cause.strerror or type(cause).__name__
