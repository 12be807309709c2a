# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What carries a task's connections to its server, one of which may end before anything was sent over it."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from support.listener import accepting, pump

#: In the place of an answer: the connection is reset.
RESET = b"RESET"


@dataclass
class Relay:
    """``trouble`` is asked at each connection: None carries it, bytes are all that it gets back."""

    port: int
    target: int
    trouble: Callable[[], bytes | None]
    #: Whether it is a proxy, which is told by CONNECT where to.
    connects: bool = False
    #: Of each connection, what it was given.
    given: list[bytes | None] = field(default_factory=list)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def carry(self, client: socket.socket) -> None:
        trouble = self.trouble()
        self.given.append(trouble)
        with client, contextlib.suppress(OSError):
            # A TLS handshake and CONNECT both begin with the client.
            first = client.recv(65536)
            if trouble == RESET:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            elif trouble is not None:
                client.sendall(trouble)
                client.shutdown(socket.SHUT_WR)
                client.recv(65536)
            else:
                self._carry_on(client, first)

    def _carry_on(self, client: socket.socket, first: bytes) -> None:
        with socket.create_connection(("127.0.0.1", self.target)) as server:
            if self.connects:
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                server.sendall(first)
            back = threading.Thread(target=pump, args=(server, client), daemon=True)
            back.start()
            pump(client, server)
            back.join()


@contextlib.contextmanager
def relay(target: int, trouble: Callable[[], bytes | None], *, connects: bool = False) -> Iterator[Relay]:
    """To a port of this machine."""
    found = Relay(0, target, trouble, connects)
    with accepting(found.carry) as port:
        found.port = port
        yield found


@contextlib.contextmanager
def handshakes(certificate: Path) -> Iterator[int]:
    """The port of a server with that certificate and its key, which does nothing beyond the TLS handshake."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def meet(client: socket.socket) -> None:
        with client, contextlib.suppress(OSError), context.wrap_socket(client, server_side=True) as secured:
            secured.recv(65536)

    with accepting(meet) as port:
        yield port


def certificate(
    folder: Path, *, host: str = "localhost", begins: timedelta = timedelta(-1), ends: timedelta = timedelta(30)
) -> tuple[Path, Path]:
    """A certificate that is its own authority, with its key, and the file by which it is trusted."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(timezone.utc)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + begins)
        .not_valid_after(now + ends)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = signed.public_bytes(serialization.Encoding.PEM)
    no_pass_phrase = serialization.NoEncryption()
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, no_pass_phrase)
    paths = folder / "served.pem", folder / "trusted.pem"
    paths[0].write_bytes(pem + secret)
    paths[1].write_bytes(pem)
    return paths
