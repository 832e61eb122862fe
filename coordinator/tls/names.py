"""The names that a certificate is for."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

from cryptography import x509

if TYPE_CHECKING:
    from collections.abc import Iterable


def server_name(service: str, namespace: str) -> str:
    """By what name one replica asks for another: each has the Service's certificate."""
    return f"{service}.{namespace}.svc"


def names_of(service: str, namespace: str, more: Iterable[str] = ()) -> tuple[str, ...]:
    """All names of the Service, `localhost` for a port forward, and `more`; each once."""
    full = server_name(service, namespace)
    own = [service, f"{service}.{namespace}", full, f"{full}.cluster.local", "localhost"]
    return tuple(dict.fromkeys([*own, *(_plain(name) for name in more)]))


def alternative(name: str) -> x509.GeneralName:
    """The name as a certificate has it."""
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def names_in(certificate: x509.Certificate) -> set[str]:
    """Every DNS name and IP address that the certificate is for."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return set()
    addresses = found.get_values_for_type(x509.IPAddress)
    return {*found.get_values_for_type(x509.DNSName), *(str(one) for one in addresses)}


def _plain(name: str) -> str:
    """An address in its one spelling; it is compared with those in certificates."""
    try:
        return str(ip_address(name))
    except ValueError:
        return name
