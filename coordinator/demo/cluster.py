"""The emulated cluster: its API server, its kubeconfig, and what was changed in it by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import time
from typing import TYPE_CHECKING

import yaml
from aiohttp import ClientSession, web

from coordinator.demo import scenario
from coordinator.embedded import objects, server
from coordinator.embedded.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from aiohttp.typedefs import Handler

COORDINATOR = "node-slots/"
"""How the coordinator's requests begin their User-Agent."""
OWN = "node-slots-demo"
WRITES = {"PUT", "PATCH", "DELETE"}
WATCHED = {"leases", "configmaps", "nodes"}


@dataclass(frozen=True, slots=True)
class Hand:
    """A write by somebody who is neither the coordinator nor this demo."""

    at: float
    """Seconds since the epoch, when the request came in."""
    program: str
    verb: str
    resource: str
    name: str

    def __str__(self) -> str:
        """The write as an event line tells it."""
        return f"by hand ({self.program}): {self.verb} {self.resource}/{self.name}"


@dataclass
class Cluster:
    """The API server of the demo, with the sample's nodes and ConfigMap in it."""

    on_hand: Callable[[Hand], None]
    hands: list[Hand] = field(default_factory=list)
    _server: server.EmbeddedServer | None = None

    async def start(self) -> None:
        """Serve on a free port."""
        store = Store()
        objects.put(store, objects.namespace(scenario.NAMESPACE))
        for name, labels in scenario.NODES.items():
            objects.put(store, objects.node(name, labels))
        data = {scenario.CONFIG_KEY: scenario.SAMPLE}
        objects.put(store, objects.config_map(scenario.NAMESPACE, scenario.CONFIG_MAP, data))
        self._server = await server.start(store, middlewares=[self._notice])

    def write_kubeconfig(self, path: Path) -> None:
        """Write how it is reached, for the coordinator and for kubectl; it must be started."""
        if self._server:
            path.write_text(yaml.safe_dump(self._server.kubeconfig()))

    async def stop(self) -> None:
        """End it; may be called twice."""
        if self._server:
            await self._server.stop()
            self._server = None

    async def edit_limits(self, session: ClientSession) -> str:
        """Change the ConfigMap over HTTP as `kubectl edit` does. Returns "" or what went wrong."""
        if self._server is None:
            return "the API server is gone"
        path = f"/api/v1/namespaces/{scenario.NAMESPACE}/configmaps/{scenario.CONFIG_MAP}"
        headers = {"Content-Type": "application/merge-patch+json", "User-Agent": OWN}
        change = {"data": {scenario.CONFIG_KEY: scenario.EDITED}}
        async with session.patch(self._server.url + path, json=change, headers=headers) as answer:
            return "" if answer.ok else f"{answer.status}: {await answer.text()}"

    @web.middleware
    async def _notice(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Tell of each write by hand before it is done: what follows from it comes later."""
        agent = request.headers.get("User-Agent", "")
        if request.method in WRITES and not agent.startswith((COORDINATOR, OWN)):
            _, resource, name = request.path.rsplit("/", 2)
            if resource in WATCHED:
                hand = Hand(time(), agent.split("/")[0], request.method, resource, name)
                self.hands.append(hand)
                self.on_hand(hand)
        return await handler(request)
