"""Certificates from a folder with tls.crt, tls.key and ca.crt, as cert-manager's Secrets mount.

The kubelet changes a mounted Secret by one link, `..data`, to a folder with the new files: what is
read through the link's target is of one time. In a plain folder the files change one by one, so a
pair that does not fit is looked at again, and the last good one is served on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509

from coordinator.tls.certificates import Trouble
from coordinator.tls.contexts import Material
from coordinator.tls.names import names_in
from coordinator.tls.stored import CA, CERT, KEY

if TYPE_CHECKING:
    from pathlib import Path

    from coordinator.tls.reports import Reports

_LINK = "..data"


class FolderSource:
    """The files of `folder`, read again every few seconds."""

    interval = 10.0
    """Seconds. Certificates are renewed weeks ahead; one withdrawn in haste should not linger."""

    def __init__(self, folder: Path, server_name: str, reports: Reports) -> None:
        self._folder = folder
        self._server_name = server_name
        self._reports = reports

    async def read(self) -> Material:
        """What the folder holds now. Raises `Trouble`."""
        try:
            place = (self._folder / _LINK).resolve() if self._linked else self._folder
            chain, key = (place / CERT).read_bytes(), (place / KEY).read_bytes()
            authority = place / CA
            bundle = authority.read_bytes() if authority.exists() else None
        except OSError as error:
            raise Trouble(
                f"{error.filename or self._folder} cannot be read ({error.strerror}): --tls mounted"
                f" needs {CERT} and {KEY} in --tls-dir"
            ) from None
        self._look_at(chain)
        return Material(chain, key, bundle or None)

    @property
    def _linked(self) -> bool:
        return (self._folder / _LINK).is_symlink()

    def _look_at(self, chain: bytes) -> None:
        """Tell of a certificate by which the replicas do not know each other."""
        try:
            certificate = x509.load_pem_x509_certificates(chain)[0]
        except ValueError as error:
            raise Trouble(f"{self._folder / CERT} is no certificate: {error}") from None
        names = names_in(certificate)
        if self._server_name not in names:
            self._reports.unnamed(self._server_name, sorted(names))
