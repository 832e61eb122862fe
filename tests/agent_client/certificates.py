"""A certificate authority made on the fly, and what it signs."""

from __future__ import annotations

import datetime as dt
import ssl
from ipaddress import ip_address
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from pathlib import Path

DAY = dt.timedelta(days=1)


class Authority:
    """Signs server certificates. `write` puts its own into a CA file."""

    def __init__(self, name: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named(name)
        use = x509.KeyUsage(
            digital_signature=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )
        own = self._builder(self._name, self._key.public_key(), DAY)
        own = own.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        self._certificate = own.add_extension(use, critical=True).sign(self._key, hashes.SHA256())

    def write(self, file: Path) -> None:
        file.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    def server(self, folder: Path, host: str = "127.0.0.1", *, until: dt.timedelta = DAY) -> Path:
        """A file with a key and a certificate for `host`, which ends `until` from now."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = self._builder(_named("coordinator"), key.public_key(), until)
        names = x509.SubjectAlternativeName([_alternative(host)])
        signed = builder.add_extension(names, critical=False).sign(self._key, hashes.SHA256())
        pem = serialization.Encoding.PEM
        plain = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        file = folder / f"{signed.serial_number}.pem"
        file.write_bytes(key.private_bytes(pem, *plain) + signed.public_bytes(pem))
        return file

    def _builder(
        self, name: x509.Name, key: ec.EllipticCurvePublicKey, until: dt.timedelta
    ) -> x509.CertificateBuilder:
        now = dt.datetime.now(dt.UTC)
        known = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        return (
            x509.CertificateBuilder(self._name, name, key, x509.random_serial_number())
            .not_valid_before(now - 10 * DAY)
            .not_valid_after(now + until)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(known, critical=False)
        )


def serving_with(certificate: Path) -> ssl.SSLContext:
    """What a server needs to speak TLS with the key and certificate in that file."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)
