"""The names that a command takes, as the cluster has them now, for completion."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from coordinator.kube.calls import resource_path
from coordinator.kube.leases import leases_path
from coordinator.kube.lists import whole_list
from coordinator.kube.records import parse, place_of
from coordinator.kube.reflector import METADATA_LIST
from coordinator.kubectl.asking import Pool
from coordinator.kubectl.connect import connect
from coordinator.kubectl.together import together

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from coordinator.kubectl.connect import Cluster, Options

    Look = Callable[[Cluster], Awaitable[list[str]]]

PATIENCE = 3.0
"""Seconds; who presses tab does not wait for longer."""


def look_up(command: str, options: Options) -> list[str]:
    """Lines of `NAME<tab>DESCRIPTION`, by name. Raises what goes wrong on the way."""
    look = _LOOKS.get(command)
    return asyncio.run(_look(look, replace(options, timeout=PATIENCE))) if look else []


async def _look(look: Look, options: Options) -> list[str]:
    async with asyncio.timeout(PATIENCE), connect(options) as cluster:
        return sorted(set(await look(cluster)))


async def _nodes(cluster: Cluster) -> list[str]:
    found = await whole_list(cluster.kube, resource_path("nodes"), accept=METADATA_LIST)
    return [str(one["metadata"]["name"]) for one in found]


async def _namespaces(cluster: Cluster) -> list[str]:
    found = await whole_list(cluster.kube, resource_path("namespaces"), accept=METADATA_LIST)
    return [str(one["metadata"]["name"]) for one in found]


async def _held(cluster: Cluster) -> list[str]:
    """The Leases that somebody holds, with the load."""
    found = map(parse, await whole_list(cluster.kube, leases_path(cluster.namespace)))
    return [f"{one.name}\t{one.holder.terms.load}" for one in found if one.holder and place_of(one)]


async def _explained(cluster: Cluster) -> list[str]:
    """Nodes, and what runs or waits: by its Pod where it has one, else by its claim's id."""
    pool = Pool(await cluster.coordinator(), cluster.namespace)
    nodes, claims = await together(pool.nodes(), pool.claims())
    return [f"{one['node']}\tnode" for one in nodes] + list(map(_claim, claims))


def _claim(claim: dict[str, Any]) -> str:
    name = str(claim.get("pod") or "").rpartition("/")[2] or claim["claim"]
    return f"{name}\t{claim['state']}, {claim['load']}"


_LOOKS: dict[str, Look] = {
    **dict.fromkeys(("nodes", "node", "watch", "hold", "unhold"), _nodes),
    "release": _held,
    "explain": _explained,
    "--namespace": _namespaces,
}
