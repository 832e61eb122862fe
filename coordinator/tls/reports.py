"""What is told about certificates: log lines, and numbers for alerts. Never a key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import structlog
from cryptography import x509

if TYPE_CHECKING:
    from collections.abc import Iterable

    from coordinator.tls.contexts import Material
    from coordinator.tls.publisher import Place


UNNAMED = "a follower cannot pass requests on to a leader that does not have this name"


class Counts(Protocol):
    """Where the numbers go."""

    def certificate_expires(self, at: float) -> None:
        """The certificate that is served ends then, in seconds since 1970."""

    def publishes_ca(self, namespaces: Iterable[str]) -> None:
        """The authority will be published in these namespaces."""

    def ca_unpublished(self, namespace: str) -> None:
        """The authority could not be published in that namespace."""


class Reports:
    """Each change once; a trouble that goes on is not told again."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._log = structlog.get_logger("coordinator.tls")
        self._trouble = ""
        self._unnamed: list[str] | None = None
        self._unpublished: dict[Place, str] = {}

    def serves(self, material: Material) -> None:
        """Another certificate is served from now on."""
        certificate = x509.load_pem_x509_certificates(material.chain)[0]
        end = certificate.not_valid_after_utc
        self._counts.certificate_expires(end.timestamp())
        serial = f"{certificate.serial_number:x}"
        self._log.info("certificate served", serial=serial, until=end.isoformat())

    def trouble(self, why: str, delay: float) -> None:
        """Certificates could not be read or renewed; another attempt follows after `delay` s."""
        if why != self._trouble:
            self._log.error("certificates", error=why, retry_after=round(delay, 1))
        self._trouble = why

    def well(self) -> None:
        """Everything is in order."""
        if self._trouble:
            self._log.info("certificates in order again")
        self._trouble = ""

    def unnamed(self, wanted: str, names: list[str]) -> None:
        """The mounted certificate is not for the name by which replicas ask each other."""
        if names != self._unnamed:
            self._log.warning(
                "certificate lacks a name", wanted=wanted, names=names, detail=UNNAMED
            )
        self._unnamed = names

    def made(self, secret: str, why: tuple[str, ...]) -> None:
        """New certificates or keys were written into the Secret."""
        self._log.info("certificates written", secret=secret, why="; ".join(why))

    def unwritten(self, secret: str, why: tuple[str, ...], error: str) -> None:
        """What was due could not be written; what is served goes on."""
        self._log.warning(
            "certificates not renewed", secret=secret, why="; ".join(why), error=error
        )

    def published(self, place: Place) -> None:
        """Whoever looks there can believe what is served."""
        self._unpublished.pop(place, None)
        self._log.info("CA published", namespace=place.namespace, into=str(place))

    def unpublished(self, place: Place, error: str, delay: float) -> None:
        """Whoever looks there may not know the authority; all are served the same."""
        self._counts.ca_unpublished(place.namespace)
        if error != self._unpublished.get(place):
            self._log.error(
                "CA not published",
                namespace=place.namespace,
                into=str(place),
                error=error,
                retry_after=round(delay, 1),
            )
        self._unpublished[place] = error
