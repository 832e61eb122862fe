"""What a Secret may hold: ours, broken, half, or somebody else's."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from coordinator.tls.making import make_authority, make_serving
from coordinator.tls.plan import carry_out, plan
from coordinator.tls.stored import CA, CA_KEY, CERT, KEY, NEXT_CA, NEXT_KEY, Stored, read
from tests.agent_client.certificates import Authority
from tests.tls.scene import NAMES, NOW

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def ours() -> dict[str, bytes]:
    """All six values, as they were written."""
    first, second = make_authority(NOW), make_authority(NOW)
    serving = make_serving(first, NAMES, NOW)
    held = Stored(serving, (first.certificate,), first, second)
    return held.data()


@pytest.fixture
def theirs(tmp_path: Path) -> tuple[bytes, bytes]:
    """The authority of somebody else, and a certificate of it with its key."""
    authority = Authority("theirs")
    authority.write(tmp_path / "ca.crt")
    pair = authority.server(tmp_path, until=dt.timedelta(days=3650))
    return (tmp_path / "ca.crt").read_bytes(), pair.read_bytes()


def made_from(data: dict[str, bytes]) -> Stored:
    """What stands there after everything that is planned was done."""
    stored = read(data)
    assert not stored.foreign
    return carry_out(plan(stored, NAMES, NOW), stored, NAMES, NOW)


def test_what_was_written_is_read(ours: dict[str, bytes]) -> None:
    stored = read(ours | {"other": b"key"})
    assert (stored.faults, stored.foreign) == ((), "")
    assert stored.data() == ours
    assert not plan(stored, NAMES, NOW)


@pytest.mark.parametrize("data", [{}, {CERT: b"", KEY: b""}, {"other": b"x"}])
def test_nothing_is_an_empty_secret(data: dict[str, bytes]) -> None:
    assert read(data) == Stored()


@pytest.mark.parametrize("key", [CERT, KEY])
@pytest.mark.parametrize("value", [b"", b"garbage", b"\xff\xfe"])
def test_half_a_serving_pair_is_made_anew_by_the_same_authority(
    ours: dict[str, bytes], key: str, value: bytes
) -> None:
    made = made_from(ours | {key: value})
    assert made.authorities == read(ours).authorities
    assert made.serving


def test_a_key_of_another_certificate_is_none(ours: dict[str, bytes]) -> None:
    stored = read(ours | {KEY: ours[CA_KEY]})
    assert (stored.serving, stored.faults) == (None, ("tls.crt and tls.key are no pair",))


def test_an_encrypted_key_is_none(ours: dict[str, bytes]) -> None:
    pair = read(ours).serving
    assert pair is not None
    locked = pair.key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")
    )
    assert read(ours | {KEY: locked}).serving is None


@pytest.mark.parametrize("value", [b"", b"garbage"])
def test_an_authority_without_key_goes_on_being_believed(
    ours: dict[str, bytes], value: bytes
) -> None:
    stored = read(ours | {CA_KEY: value})
    assert (stored.authority, stored.authorities) == (None, read(ours).authorities)
    assert stored.serving
    assert not plan(stored, NAMES, NOW).urgent


@pytest.mark.parametrize("key", [NEXT_CA, NEXT_KEY])
def test_half_a_successor_is_none_and_goes_with_the_next_write(
    ours: dict[str, bytes], key: str
) -> None:
    stored = read({name: value for name, value in ours.items() if name != key})
    assert stored.successor is None
    assert stored.faults == ("next-ca.crt and next-ca.key are no pair",)
    assert {NEXT_CA, NEXT_KEY}.isdisjoint(stored.data())


def test_certificates_of_two_of_our_authorities_get_a_new_one(ours: dict[str, bytes]) -> None:
    other = make_authority(NOW)
    serving = make_serving(other, NAMES, NOW)
    stray = Stored(serving, (other.certificate,), other).data()
    mixed = ours | {CERT: stray[CERT], KEY: stray[KEY]}
    wanted = plan(read(mixed), NAMES, NOW)
    assert (wanted.serving, wanted.authority) == (True, "keep")


def test_what_cert_manager_wrote_is_left_alone(theirs: tuple[bytes, bytes]) -> None:
    authority, pair = theirs
    stored = read({CERT: pair, KEY: pair, CA: authority})
    assert stored.foreign == "tls.crt was issued by CN=theirs"
    assert not stored.data()[CA]


@pytest.mark.parametrize("name", [CERT, CA, NEXT_CA])
def test_one_certificate_of_somebody_else_is_enough(
    ours: dict[str, bytes], theirs: tuple[bytes, bytes], name: str
) -> None:
    authority, pair = theirs
    value = pair if name == CERT else ours[CA] + authority
    assert "was issued by CN=theirs" in read(ours | {name: value}).foreign


@pytest.mark.parametrize(
    "data", [{CERT: b"garbage", KEY: b"x"}, {KEY: b"x"}, {CA_KEY: b"x"}, {CA: b"garbage"}]
)
def test_what_cannot_be_read_at_all_is_left_alone(data: dict[str, bytes]) -> None:
    assert read(data).foreign


def test_an_authority_that_cannot_be_read_is_left_alone(ours: dict[str, bytes]) -> None:
    assert read(ours | {CA: b"-----BEGIN CERTIFICATE-----\n"}).foreign == "ca.crt is no certificate"


def test_a_key_of_another_kind_does_not_fit(ours: dict[str, bytes]) -> None:
    key = rsa.generate_private_key(65537, 2048)
    text = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    assert read(ours | {KEY: text}).serving is None


def test_no_key_is_shown(ours: dict[str, bytes]) -> None:
    shown = repr(read(ours))
    assert "PRIVATE" not in shown
    assert "BEGIN" not in shown


def test_our_certificates_are_known_by_their_maker(ours: dict[str, bytes]) -> None:
    for name in (CERT, CA, NEXT_CA):
        issuer = x509.load_pem_x509_certificate(ours[name]).issuer
        assert "O=node-slots" in issuer.rfc4514_string()
