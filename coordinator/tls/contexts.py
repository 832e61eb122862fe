"""TLS contexts out of certificates and keys that are in memory.

A change makes new contexts instead of altering those in use: a connection keeps the one that it
began with, so none is dropped, and an earlier certificate of another kind of key is not served on
beside the new one (a context has a place for each kind). A pair that does not fit is refused here,
before anybody is served with it.
"""

from __future__ import annotations

import os
import ssl
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""Of TLS 1.2: forward secrecy and authenticated encryption only. Those of 1.3 all are that."""


class Unusable(Exception):
    """No TLS can be spoken with this; the text says why, and never holds a key."""


@dataclass(frozen=True, slots=True)
class Material:
    """What is served and believed, in PEM: the chain and its key, and the authorities of other
    replicas (None: those that the system knows). Never shown in a log.
    """

    chain: bytes
    key: bytes
    bundle: bytes | None

    def __repr__(self) -> str:
        return "Material(...)"


def serving(material: Material) -> ssl.SSLContext:
    """What the API speaks TLS with. Raises `Unusable`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_CIPHERS)
    context.set_alpn_protocols(["http/1.1"])
    context.options |= ssl.OP_NO_RENEGOTIATION
    try:
        with _file(material.chain.rstrip() + b"\n" + material.key) as path:
            context.load_cert_chain(path, password=_refuse_password)
    except (OSError, ValueError) as error:  # TLS errors are OSErrors
        raise Unusable(f"the certificate and its key cannot be used: {_why(error)}") from None
    return context


def asking(material: Material) -> ssl.SSLContext:
    """What other replicas are asked with; it verifies them. Raises `Unusable`."""
    try:
        text = None if material.bundle is None else material.bundle.decode("ascii")
        context = ssl.create_default_context(cadata=text)
    except (OSError, ValueError) as error:
        raise Unusable(f"ca.crt cannot be used: {_why(error)}") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _why(error: Exception) -> str:
    return getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)


def _refuse_password() -> bytes:
    raise ValueError("the key is encrypted; it has to be kept without a password")


@contextmanager
def _file(content: bytes) -> Iterator[str]:
    """A name under which OpenSSL, which takes keys from files only, can read this once.

    It is memory, on no disk. Where the system has no such files, a temporary one that only this
    user may read, removed at once.
    """
    number, path = _in_memory() or tempfile.mkstemp()
    try:
        with os.fdopen(number, "wb") as file:
            file.write(content)
            file.flush()
            yield path or f"/proc/self/fd/{number}"
    finally:
        if path:
            os.unlink(path)  # noqa: PTH108 - its counterpart mkstemp has no Path either


def _in_memory() -> tuple[int, str] | None:
    if not (hasattr(os, "memfd_create") and os.path.isdir("/proc/self/fd")):  # noqa: PTH112
        return None
    return os.memfd_create("node-slots"), ""
