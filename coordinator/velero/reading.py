"""Read what can be seen of Velero: get and list only, on whatever rights the caller has.

What the API server does not have or does not show becomes a sentence in `World.unread`. Only an
API server that does not answer, or takes no credentials, raises.
"""

from __future__ import annotations

import asyncio
from operator import attrgetter
from typing import TYPE_CHECKING

from coordinator.core.movers import Kind
from coordinator.kube import errors
from coordinator.kube.calls import Call, resource_path
from coordinator.kube.lists import TIMEOUT, whole_list
from coordinator.velero import objects
from coordinator.velero.world import Limits, World

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coordinator.kube.client import KubeClient
    from coordinator.velero.objects import Json
    from coordinator.velero.world import Mover, NodeAgent, Work

RESOURCES = {
    Kind.POD_VOLUME_BACKUP: ("podvolumebackups", "apis/velero.io/v1"),
    Kind.POD_VOLUME_RESTORE: ("podvolumerestores", "apis/velero.io/v1"),
    Kind.DATA_UPLOAD: ("datauploads", "apis/velero.io/v2alpha1"),
    Kind.DATA_DOWNLOAD: ("datadownloads", "apis/velero.io/v2alpha1"),
}
"""The resource and the API of each kind of work."""

_APPS = "apis/apps/v1"


class Reader:
    """One look, piece by piece; it gathers what could not be read."""

    def __init__(self, client: KubeClient, namespace: str) -> None:
        self._client = client
        self._namespace = namespace
        self.unread: list[str] = []

    async def version(self) -> str:
        """Kubernetes' version, such as v1.36.3; "" where it is not told."""
        try:
            told = await self._client.request("GET", "/version", timeout=TIMEOUT)
        except errors.Refused as error:
            self.unread.append(f"Kubernetes' version is not known: {error.message}")
            return ""
        return str(told.get("gitVersion") or "")

    async def all(
        self, resource: str, api: str = "api/v1", *, selector: str = "", everywhere: bool = False
    ) -> list[Json]:
        """All objects of a resource; none, and a sentence, where they are not to be had."""
        namespace = "" if everywhere else self._namespace
        path = resource_path(resource, namespace, api=api)
        try:
            params = {"labelSelector": selector} if selector else {}
            return await whole_list(self._client, path, params)
        except errors.ApiError as error:
            self._note(error)
            return []

    async def config_map(self, name: str) -> Limits | None:
        """A ConfigMap; None, and a sentence, where it may not be read."""
        path = resource_path("configmaps", self._namespace, name)
        try:
            found = await self._client.request("GET", path, timeout=TIMEOUT)
        except errors.NotFound:
            return Limits(name, None)
        except errors.ApiError as error:
            self._note(error)
            return None
        return Limits(name, found.get("data") or {})

    def _note(self, error: errors.ApiError) -> None:
        """Put down what is missing; raise what is no answer."""
        if isinstance(error, errors.Forbidden):
            self.unread.append(_forbidden(error.call))
        elif error.status == 404:
            self.unread.append(_not_served(error.call))
        else:
            raise error


async def read(client: KubeClient, namespace: str, wall: float) -> World:
    """Velero in that namespace as it is now; `wall` is the time, in seconds since 1970.

    Raises `ApiError` where the API server does not answer or does not know the caller.
    """
    reader = Reader(client, namespace)
    version, deployments, sets, nodes, movers, works = await asyncio.gather(
        reader.version(),
        reader.all("deployments", _APPS),
        reader.all("daemonsets", _APPS),
        reader.all("nodes", everywhere=True),
        _movers(reader),
        _works(reader),
    )
    agents = tuple(found for one in sets if (found := objects.node_agent(one)))
    velero, server = "", None
    for one in deployments:
        if server is None and (server := objects.server(one)):
            velero = objects.version_of(one, server.image)
    return World(
        namespace=namespace,
        taken=wall,
        kubernetes=version,
        velero=velero,
        server=server,
        node_agents=agents,
        limits=await _limits(reader, agents),
        nodes=tuple(sorted(map(objects.node, nodes), key=attrgetter("name"))),
        movers=movers,
        works=works,
        unread=tuple(sorted(set(reader.unread))),
    )


async def _limits(reader: Reader, agents: Sequence[NodeAgent]) -> tuple[Limits, ...]:
    names = sorted({agent.config_map for agent in agents} - {""})
    found = await asyncio.gather(*map(reader.config_map, names))
    return tuple(one for one in found if one is not None)


async def _movers(reader: Reader) -> tuple[Mover, ...]:
    """Asked for by label, so that a node-agent on each of many nodes is not sent each time."""
    lists = await asyncio.gather(*(reader.all("pods", selector=kind.label) for kind in Kind))
    found = {mover.uid: mover for pods in lists for pod in pods if (mover := objects.mover(pod))}
    return tuple(sorted(found.values(), key=_age))


async def _works(reader: Reader) -> tuple[Work, ...]:
    lists = await asyncio.gather(*(reader.all(*RESOURCES[kind]) for kind in Kind))
    found = [
        work
        for kind, items in zip(Kind, lists, strict=True)
        for item in items
        if (work := objects.work(item, kind))
    ]
    return tuple(sorted(found, key=_age))


def _age(one: Mover | Work) -> tuple[float, str, str]:
    return one.created, one.kind.value, one.name


def _forbidden(call: Call) -> str:
    place = f" in namespace {call.namespace}" if call.namespace else ""
    return (
        f"{call.resource}{place}: you may not {call.verb} them; ask for that right"
        f" (kubectl auth can-i {call.verb} {call.resource}"
        f"{' -n ' + call.namespace if call.namespace else ''})"
    )


def _not_served(call: Call) -> str:
    return (
        f"{call.resource}: this cluster does not have that resource; its Velero is older, or is"
        " not installed"
    )
