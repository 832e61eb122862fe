"""Certificates that strict clients believe, and only for what they are."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from coordinator.tls.contexts import Material, asking, serving
from coordinator.tls.making import (
    AUTHORITY_LIFE,
    BACKDATE,
    SERVING_LIFE,
    make_authority,
    make_serving,
    pem,
)
from coordinator.tls.names import names_in, names_of

if TYPE_CHECKING:
    from collections.abc import Sequence

NAMES = names_of("node-slots", "velero", ["10.0.0.7", "fd00::7", "slots.example"])


def material(names: Sequence[str] = NAMES, back: timedelta = timedelta(0)) -> Material:
    """As it was made so long ago."""
    now = datetime.now(UTC) - back
    authority = make_authority(now)
    pair = make_serving(authority, names, now)
    return Material(pem(pair.certificate), pair.key_pem, pem(authority.certificate))


def shake_hands(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> ssl.SSLObject:
    """A whole handshake in memory; what comes back is the client's side. Raises `ssl.SSLError`."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    theirs = server.wrap_bio(to_server, to_client, server_side=True)
    ours = client.wrap_bio(to_client, to_server, server_hostname=name)
    for side in (ours, theirs) * 3:
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    return ours


def strict(bundle: bytes | None) -> ssl.SSLContext:
    """As Python 3.13 verifies."""
    made = asking(Material(b"", b"", bundle))
    made.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    return made


@pytest.mark.parametrize("name", NAMES)
def test_a_strict_client_believes_it_for_each_name(name: str) -> None:
    made = material()
    client = shake_hands(serving(made), strict(made.bundle), name)
    assert client.version() == "TLSv1.3"


@pytest.mark.parametrize("name", ["other.velero.svc", "10.0.0.8", "node-slots.other.svc"])
def test_nobody_believes_it_for_another_name(name: str) -> None:
    made = material()
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        shake_hands(serving(made), strict(made.bundle), name)


def test_another_authority_is_not_believed() -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="unable to get local issuer"):
        shake_hands(serving(material()), strict(material().bundle), "node-slots")


def test_a_bundle_of_two_believes_both() -> None:
    one, two = material(), material()
    assert one.bundle
    assert two.bundle
    both = strict(one.bundle + two.bundle)
    for made in (one, two):
        assert shake_hands(serving(made), both, "localhost").version()


def test_a_client_whose_clock_is_behind_believes_it() -> None:
    made = material(back=-(BACKDATE - timedelta(minutes=1)))
    assert shake_hands(serving(made), strict(made.bundle), "localhost").version()


def test_lives_and_key_are_as_decided() -> None:
    now = datetime(2027, 1, 1, tzinfo=UTC)
    authority = make_authority(now)
    pair = make_serving(authority, NAMES, now)
    assert authority.certificate.not_valid_after_utc == now + AUTHORITY_LIFE
    assert pair.certificate.not_valid_after_utc == now + SERVING_LIFE
    assert pair.certificate.not_valid_before_utc == now - timedelta(hours=1)
    assert isinstance(pair.key, ec.EllipticCurvePrivateKey)
    assert pair.key.curve.name == "secp256r1"
    assert names_in(pair.certificate) == set(NAMES)


def test_no_two_authorities_have_one_name() -> None:
    now = datetime.now(UTC)
    names = {make_authority(now).certificate.subject for _ in range(3)}
    assert len(names) == 3


def test_a_serving_certificate_signs_nothing() -> None:
    """Whoever steals its key cannot make certificates that agents believe."""
    now = datetime.now(UTC)
    authority = make_authority(now)
    stolen = make_serving(authority, NAMES, now)
    forged = make_serving(stolen, ["localhost"], now)
    chain = pem(forged.certificate, stolen.certificate)
    made = Material(chain, forged.key_pem, pem(authority.certificate))
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(serving(made), strict(made.bundle), "localhost")


def test_a_name_too_long_for_a_subject_is_a_name_all_the_same() -> None:
    long = ".".join(["a" * 50] * 4)
    made = material([long])
    assert shake_hands(serving(made), strict(made.bundle), long).version()


def test_names_are_normal_and_each_is_there_once() -> None:
    names = names_of("s", "n", ["s.n.svc", "FD00:0::1", "localhost", "*.slots.example"])
    assert names == (
        "s",
        "s.n",
        "s.n.svc",
        "s.n.svc.cluster.local",
        "localhost",
        "fd00::1",
        "*.slots.example",
    )
