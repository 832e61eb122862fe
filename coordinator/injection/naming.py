"""What the three ways call themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coordinator.injection.source import Object

NAME = "node-slots-movers"
GROUP = "admissionregistration.k8s.io/v1"


def head(kind: str, name: str, version: str = GROUP) -> Object:
    """The beginning of an object that is in no namespace."""
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": name, "labels": {"app.kubernetes.io/name": "node-slots"}},
    }
