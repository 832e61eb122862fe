"""A real coordinator on an embedded API server, and what a test does to it."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

import orjson

from coordinator.api.app import api_app, listen
from coordinator.core.claims import Policy
from coordinator.core.messages import Ask
from coordinator.core.model import PodRef, Terms
from coordinator.core.views import Granted
from coordinator.embedded import objects, server
from coordinator.embedded.resources import CONFIG_MAPS, NODES, PODS
from coordinator.embedded.store import Store
from coordinator.kube.client import KubeClient
from coordinator.kube.credentials import OpenAccess
from coordinator.service.coordinator import Coordinator
from coordinator.service.metrics import Metrics
from coordinator.service.sources import PoolSpec

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from aiohttp import web

    from coordinator.service.pool import Pool
    from tests.api.conftest import Caller

POOL = "/v1/namespaces/velero"
NAMES = ("node1", "node2", "node3")
DEADLINE = 60.0
"""Seconds that nothing takes."""


@dataclass
class Living:
    """Three nodes with one slot each, and whoever asks."""

    store: Store
    coordinator: Coordinator
    app: web.Application
    api: Caller

    @property
    def pool(self) -> Pool:
        return self.coordinator.pool("velero")

    async def grant(self, node: str, claim: str, **more: Any) -> int:
        """The claim gets a slot; its fencing token."""
        view = await self.pool.ask(node, ask(claim, **more), 20)
        assert isinstance(view, Granted), view
        return view.token

    async def queue(self, node: str, claim: str, **more: Any) -> None:
        """The claim waits."""
        view = await self.pool.ask(node, ask(claim, **more), 0)
        assert not isinstance(view, Granted), view

    async def release(self, node: str, claim: str) -> None:
        await self.pool.leave(node, claim, 20)

    def configure(self, text: str) -> None:
        """The ConfigMap's only key."""
        obj = objects.config_map("velero", "limits", {"limits.json": text})
        self.store.update(CONFIG_MAPS, "velero", "limits", obj)

    def add_pod(self, node: str, name: str) -> str:
        """A Pod that runs there; its uid."""
        made = objects.put(self.store, objects.pod("velero", name, node))
        return str(made["metadata"]["uid"])

    def finish_pod(self, name: str) -> None:
        done = {"status": {"phase": "Succeeded"}}
        self.store.patch(PODS, "velero", name, done, subresource="status")

    def annotate(self, node: str, **annotations: str | None) -> None:
        found = {f"nodeslots.io/{name}": value for name, value in annotations.items()}
        self.store.patch(NODES, "", node, {"metadata": {"annotations": found}})

    def label(self, node: str, **labels: str) -> None:
        self.store.patch(NODES, "", node, {"metadata": {"labels": labels}})

    async def get(self, path: str) -> Any:
        """The JSON at that path of the pool."""
        answer = await self.api("GET", POOL + path)
        assert answer.status == 200, answer.text
        return answer.json


def ask(claim: str, **more: Any) -> Ask:
    """A claim's request; its load is `load-CLAIM`."""
    pod, uid = more.pop("pod", None), more.pop("uid", "u1")
    found = PodRef("velero", pod, uid) if pod else None
    return Ask(claim, Terms(more.pop("load", f"load-{claim}"), pod=found, **more), None, None)


def limits(number: int, *rules: tuple[dict[str, str], int]) -> str:
    """A ConfigMap's text."""
    per_node = [{"nodeSelector": {"matchLabels": labels}, "number": n} for labels, n in rules]
    config = {"globalConfig": number, "perNodeConfig": per_node}
    return orjson.dumps({"loadConcurrency": config}).decode()


async def until(condition: Callable[[], object]) -> None:
    """Waits for the condition, with a deadline."""
    async with asyncio.timeout(DEADLINE):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.005)


def furnished() -> Store:
    """What the API server has at first."""
    store = Store(namespaces=["velero", "default"])
    for node in NAMES:
        objects.put(store, objects.node(node))
    first = objects.config_map("velero", "limits", {"limits.json": limits(1)})
    store.create(CONFIG_MAPS, "velero", first)
    return store


@asynccontextmanager
async def living(caller: Callable[[str], Caller]) -> AsyncIterator[Living]:
    """Ready to serve; nobody is asked who it is. `caller` asks at a URL."""
    store = furnished()
    running = await server.start(store)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(running.stop)
        client = await stack.enter_async_context(KubeClient(OpenAccess(running.url)))
        metrics, policy = Metrics(), Policy(settling=0.0)
        specs = [PoolSpec("velero", "limits")]
        coordinator = Coordinator(client, specs, metrics=metrics, policy=policy, rng=Random(1))
        await stack.enter_async_context(coordinator)
        app = api_app(coordinator, metrics)
        listener = await listen(app, "127.0.0.1", 0)
        stack.push_async_callback(listener.close)
        stack.callback(coordinator.begin_stop)
        await until(lambda: set(coordinator.ready().values()) == {""})
        yield Living(store, coordinator, app, caller(listener.url))
