"""Which claim or node a person means by a name: the kinds are tried in a fixed order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from coordinator.core.names import split_lease_name
from coordinator.kubectl.connect import Refused
from coordinator.kubectl.together import together

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from coordinator.kubectl.asking import Pool

Json = dict[str, Any]


@dataclass(frozen=True)
class Found:
    """What a name stands for: a node, or claims; nothing of both where it is not known."""

    node: str = ""
    claims: tuple[Json, ...] = ()


async def find(pool: Pool, name: str) -> Found:
    """A node of that name, else the claim of that id, else the claims of that Pod (NAME or
    NAMESPACE/NAME), else of that load, else the holder of the Lease.
    """
    nodes, *claims = await together(
        _told(pool.nodes(name)),
        _told(pool.claims(claim=name)),
        _told(pool.claims(pod=name)),
        _told(pool.claims(load=name)),
        _told(_of_lease(pool, name)),
    )
    if any(one["node"] == name for one in nodes):
        return Found(node=name)
    return Found(claims=tuple(next(filter(None, claims), [])))


async def _told(asked: Coroutine[Any, Any, list[Json]]) -> list[Json]:
    """What is found; nothing where the name cannot be one of that kind (a `/`, too long)."""
    try:
        return await asked
    except Refused as refused:
        if refused.name not in {"malformed", "out-of-range"}:
            raise
        return []


async def _of_lease(pool: Pool, name: str) -> list[Json]:
    if (split := split_lease_name(name)) is None:
        return []
    claims = await pool.claims(node=split[0])
    return [one for one in claims if one.get("lease") == name]
