"""What a Secret holds, read with mistrust: a pair that does not fit is none. Pure.

`ca.crt` may hold several authorities: the first one signs, the others are believed still, for what
they signed before. `next-ca.*` is the successor: believed already, signing nothing yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import NameOID

from coordinator.tls.making import MAKER, Pair, pem

if TYPE_CHECKING:
    from collections.abc import Mapping

CERT, KEY, CA, CA_KEY = "tls.crt", "tls.key", "ca.crt", "ca.key"
NEXT_CA, NEXT_KEY = "next-ca.crt", "next-ca.key"
OURS = (CERT, KEY, CA, CA_KEY, NEXT_CA, NEXT_KEY)

_UNREADABLE = (ValueError, TypeError, UnsupportedAlgorithm)


@dataclass(frozen=True, slots=True)
class Stored:
    """What can be used of it. `authorities` are believed, the first one signs if it has its key."""

    serving: Pair | None = None
    authorities: tuple[x509.Certificate, ...] = ()
    authority: Pair | None = None
    successor: Pair | None = None
    faults: tuple[str, ...] = ()
    """What is there and cannot be used."""
    foreign: str = ""
    """Why this is not ours to write over; "" where it is."""

    @property
    def bundle(self) -> bytes:
        """The certificates that agents have to believe, in PEM."""
        coming = [self.successor.certificate] if self.successor else []
        return pem(*self.authorities, *coming)

    def data(self) -> dict[str, bytes]:
        """The keys and values that hold it."""
        held: dict[str, bytes] = {CA: pem(*self.authorities)}
        if self.serving:
            held |= {CERT: pem(self.serving.certificate), KEY: self.serving.key_pem}
        if self.authority:
            held[CA_KEY] = self.authority.key_pem
        if self.successor:
            held |= {NEXT_CA: pem(self.successor.certificate), NEXT_KEY: self.successor.key_pem}
        return held


def read(data: Mapping[str, bytes]) -> Stored:
    """The contents of a Secret. Never raises: what cannot be used is told of, never touched."""
    given = {name: data[name] for name in OURS if data.get(name)}
    if not given:
        return Stored()
    found = {name: _certificates(given.get(name, b"")) for name in (CERT, CA, NEXT_CA)}
    if foreign := _foreign(given, found):
        return Stored(foreign=foreign)
    pairs = {
        name: _pair(found[name], given.get(key, b""))
        for name, key in ((CERT, KEY), (CA, CA_KEY), (NEXT_CA, NEXT_KEY))
    }
    faults = [
        f"{name} and {key} are no pair"
        for name, key in ((CERT, KEY), (CA, CA_KEY), (NEXT_CA, NEXT_KEY))
        if pairs[name] is None and (name in given or key in given)
    ]
    return Stored(
        serving=pairs[CERT],
        authorities=tuple(found[CA]),
        authority=pairs[CA],
        successor=pairs[NEXT_CA],
        faults=tuple(faults),
    )


def signed_by(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    """Whether the authority's key signed the certificate."""
    try:
        certificate.verify_directly_issued_by(authority)
    except (InvalidSignature, *_UNREADABLE):
        return False
    return True


def _certificates(text: bytes) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(text) if text else []
    except ValueError:
        return []


def _pair(certificates: list[x509.Certificate], key_text: bytes) -> Pair | None:
    if not certificates or not key_text:
        return None
    try:
        key = load_pem_private_key(key_text, password=None)
        fits = key.public_key() == certificates[0].public_key()
    except _UNREADABLE:
        return None
    return Pair(certificates[0], key) if fits else None  # type: ignore[arg-type]


def _foreign(given: Mapping[str, bytes], found: Mapping[str, list[x509.Certificate]]) -> str:
    """Why a person may have put this here: then it is theirs.

    A broken part of ours is known by the rest, which names its maker.
    """
    for name, certificates in found.items():
        for one in certificates:
            if not _made_here(one):
                return f"{name} was issued by {one.issuer.rfc4514_string() or 'nobody'}"
    if CA in given and not found[CA]:
        return f"{CA} is no certificate"
    if not any(found.values()):
        return f"{', '.join(given)} cannot be read"
    return ""


def _made_here(certificate: x509.Certificate) -> bool:
    makers = certificate.issuer.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    return [one.value for one in makers] == [MAKER]
