"""A small cluster for the service's tests: an embedded API server, and coordinators on it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from random import Random
from typing import TYPE_CHECKING, Any

import orjson

from coordinator.core.claims import Policy
from coordinator.core.messages import Ask
from coordinator.core.model import Speaker, Terms
from coordinator.core.views import Granted
from coordinator.embedded import objects
from coordinator.embedded.deletion import Options
from coordinator.embedded.resources import CONFIG_MAPS, EVENTS, LEASES, NODES, PODS
from coordinator.kube.client import KubeClient
from coordinator.kube.credentials import OpenAccess
from coordinator.kube.records import parse
from coordinator.service.asked import SyncRequest
from coordinator.service.coordinator import Coordinator
from coordinator.service.metrics import Metrics
from coordinator.service.sources import PoolSpec

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine, Sequence

    from coordinator.core.access import Admissions
    from coordinator.core.model import Lease, PodRef
    from coordinator.core.views import View
    from coordinator.embedded.history import Event
    from coordinator.embedded.server import EmbeddedServer
    from coordinator.embedded.store import Store
    from coordinator.service.callers import Callers
    from coordinator.service.pool import Pool
    from tests.service.faults import Faults
    from tests.service.jumps import Jumps

NS, NODE, CONFIG = "velero", "node1", "limits"
AT_ONCE = Policy(settling=0.0)


@dataclass
class Cluster:
    """The API server's store, and what the tests do to it by hand."""

    store: Store
    server: EmbeddedServer
    faults: Faults
    jumps: Jumps
    _tasks: set[asyncio.Task[Any]] = field(default_factory=set)

    # --- the operator's hand ----------------------------------------------------------------------

    def limit(self, number: int, namespace: str = NS) -> None:
        """Every node's limit, by the ConfigMap."""
        text = orjson.dumps({"loadConcurrency": {"globalConfig": number}}).decode()
        self.config(text, namespace)

    def config(self, text: str, namespace: str = NS) -> None:
        """The ConfigMap's only key."""
        obj, there = objects.config_map(namespace, CONFIG, {"limits.json": text}), self.store.list
        if any(one["metadata"]["name"] == CONFIG for one in there(CONFIG_MAPS, namespace)):
            self.store.update(CONFIG_MAPS, namespace, CONFIG, obj)
        else:
            self.store.create(CONFIG_MAPS, namespace, obj)

    def patch_node(self, change: object, name: str = NODE) -> None:
        self.store.patch(NODES, "", name, {"metadata": change})

    def remove_node(self) -> None:
        self.store.delete(NODES, "", NODE)

    def clear_holder(self, name: str) -> None:
        self.store.patch(LEASES, NS, name, {"spec": {"holderIdentity": None}})

    def delete_lease(self, name: str) -> None:
        self.store.delete(LEASES, NS, name)

    def pod(self, name: str, phase: str = "Running") -> str:
        """Makes a Pod on the node; its uid."""
        made = objects.put(self.store, objects.pod(NS, name, NODE, phase=phase))
        return str(made["metadata"]["uid"])

    def delete_pod(self, name: str) -> None:
        """With grace 0, as Velero does it."""
        self.store.delete(PODS, NS, name, Options(grace_seconds=0))

    def pod_status(self, name: str, status: object) -> None:
        self.store.patch(PODS, NS, name, {"status": status}, subresource="status")

    def node_status(self, ready: str) -> None:
        conditions = [{"type": "Ready", "status": ready}]
        self.store.patch(
            NODES, "", NODE, {"status": {"conditions": conditions}}, subresource="status"
        )

    # --- what stands ------------------------------------------------------------------------------

    def leases(self, namespace: str = NS) -> dict[str, Lease]:
        return {lease.name: lease for lease in map(parse, self.store.list(LEASES, namespace))}

    def holders(self, namespace: str = NS) -> dict[str, str]:
        """Lease name to claim, for the held ones."""
        found = self.leases(namespace).values()
        return {lease.name: lease.holder.claim for lease in found if lease.holder}

    def events(self) -> list[dict[str, Any]]:
        return self.store.list(EVENTS, NS)

    # --- coordinators -----------------------------------------------------------------------------

    @asynccontextmanager
    async def coordinator(
        self,
        *,
        config_map: str | None = CONFIG,
        policy: Policy = AT_ONCE,
        ready: bool = True,
        elector: Any = None,
        callers: Callers | None = None,
        admissions: Admissions | None = None,
        pools: Sequence[str] = (NS,),
        node_cap: int | None = None,
    ) -> AsyncIterator[Coordinator]:
        async with KubeClient(OpenAccess(self.server.url)) as client:
            clock = self.jumps.clock
            specs = [PoolSpec(namespace, config_map) for namespace in pools]
            running = Coordinator(
                client,
                specs,
                metrics=Metrics(),
                clock=clock,
                policy=policy,
                rng=Random(1),
                elector=elector,
                callers=callers,
                admissions=admissions,
                node_cap=node_cap,
            )
            await running.__aenter__()
            try:
                if ready:
                    await self.jumps.until(lambda: set(running.ready().values()) == {""})
                yield running
            finally:
                ending = asyncio.create_task(running.__aexit__(None, None, None))
                await self.jumps.until(ending.done)
                ending.result()

    @asynccontextmanager
    async def pool(self, **options: Any) -> AsyncIterator[Pool]:
        """The only pool of a coordinator of its own."""
        async with self.coordinator(**options) as running:
            yield running.pool(NS)

    def start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """A request that goes on beside the test."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        return task

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.server.stop()


_POLLS = count(1_000_000)  # none of a pool's own


def ask(claim: str, **more: Any) -> Ask:
    """A claim's request; `ticket` and `token` beside the terms."""
    ticket, token = more.pop("ticket", None), more.pop("token", None)
    return Ask(claim, Terms(more.pop("load", f"load-{claim}"), **more), ticket, token)


def with_pod(claim: str, pod: PodRef, ttl: int = 10) -> Ask:
    return ask(claim, ttl=ttl, pod=pod)


def sync(
    sequence: int,
    *asks: Ask,
    releases: tuple[str, ...] = (),
    wait: float = 0.0,
    boot: str = "b1",
    agent: str = "agent",
    owner: str = "",
) -> SyncRequest:
    poll, speaker = next(_POLLS), Speaker(agent, boot, owner)
    said = tuple(owned(one, owner)._replace(poll=poll, speaker=speaker) for one in asks)
    return SyncRequest(speaker, sequence, wait, poll, said, releases)


def owned(one: Ask, owner: str) -> Ask:
    """The same claim's request as that of its `owner`."""
    return one._replace(terms=replace(one.terms, owner=owner))


async def granted(pool: Pool, claim: str, **more: Any) -> Granted:
    """The claim's grant, which has to come."""
    view: View = await pool.ask(NODE, ask(claim, **more), 20)
    assert isinstance(view, Granted), view
    return view


class Watchdog:
    """Sees every commit: no claim in two Leases, no more holders than the highest limit."""

    def __init__(self, cluster: Cluster, most: int) -> None:
        self.cluster = cluster
        self.most = most
        self.faults: list[str] = []
        self.tokens: dict[str, int] = {}
        cluster.store.subscribe(self._committed)

    def _committed(self, event: Event) -> None:
        if event.resource is not LEASES:
            return
        held = self.cluster.holders()
        if len(set(held.values())) < len(held) or len(held) > self.most:
            self.faults.append(f"held: {held}")
        for name, lease in self.cluster.leases().items():
            if lease.holder and lease.holder.token < self.tokens.get(name, 0):
                self.faults.append(f"{name}: token {lease.holder.token} after a newer one")
            elif lease.holder:
                self.tokens[name] = lease.holder.token
