"""What a real API server says to objects that it is only to try."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.deploy.rendering import OTHERS
from tests.e2e.cluster import place

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.deploy.rendering import Object
    from tests.e2e.cluster import Cluster


def complaints(cluster: Cluster, found: Iterable[Object]) -> list[str]:
    """What it refuses to make, to the letter of every field, or warns of; each as a sentence."""
    told = [(f"{one['kind']} {one['metadata']['name']}", _complaint(cluster, one)) for one in found]
    return [f"{name}: {said}" for name, said in told if said]


def known(found: Iterable[Object]) -> list[Object]:
    """Those of kinds that every API server has."""
    return [one for one in found if one["apiVersion"] not in OTHERS]


def _complaint(cluster: Cluster, one: Object) -> str:
    answer = cluster.api.post(f"{place(one)}?dryRun=All&fieldValidation=Strict", one)
    return answer.headers.get("warning") or "" if answer.status == 201 else answer.text
