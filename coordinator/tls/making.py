"""Keys and certificates: an authority that signs itself, and what it signs for the API.

ECDSA on P-256: small, quick to sign with, and known to every client. The extensions are those that
strict verification asks for (RFC 5280; Python's VERIFY_X509_STRICT, Go's crypto/x509).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from coordinator.tls.names import alternative

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cryptography.hazmat.primitives.asymmetric.types import (
        CertificateIssuerPrivateKeyTypes as Key,
    )

MAKER = "node-slots"
"""The organization in every subject: by it a certificate is known as made here."""
SERVING_LIFE = timedelta(days=90)
AUTHORITY_LIFE = timedelta(days=3650)
BACKDATE = timedelta(hours=1)
"""A certificate counts from so long before it is made: clocks of other machines may be behind."""
_LONGEST_COMMON_NAME = 64
_PEM = serialization.Encoding.PEM


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and the key that belongs to it."""

    certificate: x509.Certificate
    key: Key

    @property
    def key_pem(self) -> bytes:
        """The key in PEM, not encrypted: where it is kept nothing could keep the password."""
        plain = serialization.NoEncryption()
        return self.key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, plain)


def pem(*certificates: x509.Certificate) -> bytes:
    """The certificates in PEM, one after the other."""
    return b"".join(one.public_bytes(_PEM) for one in certificates)


def made_at(certificate: x509.Certificate) -> datetime:
    """When a certificate of ours was made."""
    return certificate.not_valid_before_utc + BACKDATE


def make_authority(now: datetime) -> Pair:
    """A new authority. Its name is never used again, so that two of them are told apart."""
    key, serial = ec.generate_private_key(ec.SECP256R1()), x509.random_serial_number()
    name = _name(f"node-slots authority {serial:x}"[:40])
    builder = _builder(name, name, key.public_key(), serial, now, now + AUTHORITY_LIFE)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(signs=True), critical=True)
    return Pair(_signed(builder, key.public_key(), key), key)


def make_serving(authority: Pair, names: Sequence[str], now: datetime) -> Pair:
    """A new certificate for these names, which does not outlive its authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = authority.certificate
    subject = _name(next((name for name in names if len(name) <= _LONGEST_COMMON_NAME), MAKER))
    end = min(now + SERVING_LIFE, issuer.not_valid_after_utc)
    serial = x509.random_serial_number()
    builder = _builder(subject, issuer.subject, key.public_key(), serial, now, end)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
    builder = builder.add_extension(_usage(signs=False), critical=True)
    builder = builder.add_extension(
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
    )
    builder = builder.add_extension(_alternatives(names), critical=False)
    return Pair(_signed(builder, authority.key.public_key(), authority.key), key)  # type: ignore[arg-type]


def _alternatives(names: Iterable[str]) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([alternative(name) for name in names])


def _name(common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, MAKER),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    serial: int,
    now: datetime,
    end: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder(issuer, subject, key, serial)
        .not_valid_before(now - BACKDATE)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _signed(
    builder: x509.CertificateBuilder, by: ec.EllipticCurvePublicKey, key: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    known = x509.AuthorityKeyIdentifier.from_issuer_public_key(by)
    return builder.add_extension(known, critical=False).sign(key, hashes.SHA256())


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
