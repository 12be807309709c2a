# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A certificate authority of its own, with a server and a client certificate, for one run."""

from __future__ import annotations

import ipaddress
import ssl
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_Key = ec.EllipticCurvePrivateKey


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _certificate(
    subject: str, key: _Key, issuer: str, issuer_key: _Key, extensions: list[tuple[x509.ExtensionType, bool]]
) -> x509.Certificate:
    now = datetime.now(tz=timezone.utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(issuer_key, hashes.SHA256())


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _write(path: Path, *parts: bytes) -> Path:
    path.touch(mode=0o600)
    path.write_bytes(b"".join(parts))
    return path


class Certificates:
    def __init__(self, directory: Path) -> None:
        authority_key, server_key, client_key = (ec.generate_private_key(ec.SECP256R1()) for _unused in range(3))
        basic = x509.BasicConstraints(ca=True, path_length=None)
        authority = _certificate(
            "simulator CA",
            authority_key,
            "simulator CA",
            authority_key,
            [(basic, True), (_usage(signs_certificates=True), True)],
        )
        names: list[x509.GeneralName] = [
            x509.DNSName("localhost"),
            x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
            x509.IPAddress(ipaddress.ip_address("::1")),
        ]
        server = self._leaf("localhost", server_key, authority_key, ExtendedKeyUsageOID.SERVER_AUTH, names)
        client = self._leaf("client", client_key, authority_key, ExtendedKeyUsageOID.CLIENT_AUTH, [])
        self.ca_path = _write(directory / "ca.pem", _pem(authority))
        self.server_path = _write(directory / "server.pem", _pem(server), _key_pem(server_key))
        self.client_cert = _write(directory / "client.pem", _pem(client))
        self.client_key = _write(directory / "client.key", _key_pem(client_key))

    @staticmethod
    def _leaf(
        subject: str, key: _Key, issuer_key: _Key, purpose: x509.ObjectIdentifier, names: list[x509.GeneralName]
    ) -> x509.Certificate:
        extensions: list[tuple[x509.ExtensionType, bool]] = [
            (x509.BasicConstraints(ca=False, path_length=None), True),
            (_usage(signs_certificates=False), True),
            (x509.ExtendedKeyUsage([purpose]), False),
        ]
        if names:
            extensions.append((x509.SubjectAlternativeName(names), False))
        return _certificate(subject, key, "simulator CA", issuer_key, extensions)

    def context(self, *, client_cert_required: bool) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.server_path)
        if client_cert_required:
            context.load_verify_locations(self.ca_path)
            context.verify_mode = ssl.CERT_REQUIRED
        return context


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: _Key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
