"""TLS contexts: what they refuse, and that no key comes near a disk."""

from __future__ import annotations

import os
import ssl
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from coordinator.tls.contexts import Material, Unusable, asking, serving
from tests.tls.test_making import material, shake_hands, strict


@pytest.fixture(scope="module")
def made() -> Material:
    return material()


def opened() -> set[str]:
    """What this process has open now."""
    found = set()
    for link in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the listing's own
            found.add(f"{link.name} {link.readlink()}")
    return found


def test_no_file_is_made_for_a_key(
    made: Material, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "there is none"))
    before = opened()
    assert shake_hands(serving(made), strict(made.bundle), "localhost").version()
    assert not opened() - before


def test_where_there_is_no_memory_file_a_temporary_one_is_gone_at_once(
    made: Material, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen = []
    real = os.unlink

    def unlink(path: str) -> None:
        seen.append((Path(path).parent, oct(Path(path).stat().st_mode & 0o777)))
        real(path)

    monkeypatch.delattr(os, "memfd_create")
    monkeypatch.setattr(os, "unlink", unlink)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert shake_hands(serving(made), strict(made.bundle), "localhost").version()
    assert seen == [(tmp_path, "0o600")]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("chain", "key"), [(b"", None), (b"garbage", None), (None, b""), (None, b"garbage")]
)
def test_half_a_pair_is_refused(made: Material, chain: bytes | None, key: bytes | None) -> None:
    broken = Material(made.chain if chain is None else chain, made.key if key is None else key, b"")
    with pytest.raises(Unusable, match="the certificate and its key cannot be used: "):
        serving(broken)


def test_another_key_is_refused_and_not_shown(made: Material) -> None:
    other = material()
    with pytest.raises(Unusable) as refused:
        serving(Material(made.chain, other.key, None))
    assert "PRIVATE" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_an_encrypted_key_asks_nobody_for_a_password(made: Material) -> None:
    key = load_pem_private_key(made.key, None)
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
    with pytest.raises(Unusable, match="encrypted"):
        serving(Material(made.chain, locked, None))


@pytest.mark.parametrize("bundle", [b"garbage", b"\xff", b"-----BEGIN CERTIFICATE-----"])
def test_authorities_that_are_none_are_refused(made: Material, bundle: bytes) -> None:
    with pytest.raises(Unusable, match=r"ca\.crt cannot be used: "):
        asking(Material(made.chain, made.key, bundle))


def test_without_authorities_those_of_the_system_are_believed(made: Material) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(serving(made), asking(Material(made.chain, made.key, None)), "localhost")


def test_a_chain_without_a_last_newline_is_read(made: Material) -> None:
    stripped = Material(made.chain.rstrip(), made.key, made.bundle)
    assert shake_hands(serving(stripped), strict(made.bundle), "localhost").version()


@pytest.mark.parametrize(
    ("newest", "spoken"),
    [(ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.MAXIMUM_SUPPORTED, "TLSv1.3")],
)
def test_the_newest_version_of_both_is_spoken(
    made: Material, newest: ssl.TLSVersion, spoken: str
) -> None:
    client = strict(made.bundle)
    client.maximum_version = newest
    assert shake_hands(serving(made), client, "localhost").version() == spoken


def test_old_versions_and_weak_ciphers_are_refused(made: Material) -> None:
    old = strict(made.bundle)
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError):
        shake_hands(serving(made), old, "localhost")
    weak = strict(made.bundle)
    weak.maximum_version = ssl.TLSVersion.TLSv1_2
    weak.set_ciphers("AES128-SHA:ECDHE-ECDSA-AES128-SHA")
    with pytest.raises(ssl.SSLError):
        shake_hands(serving(made), weak, "localhost")


def test_a_certificate_shows_no_key(made: Material) -> None:
    assert repr(made) == "Material(...)"
