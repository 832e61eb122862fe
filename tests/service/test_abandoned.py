"""Claims whose clients go away at any point leave nothing behind."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

import pytest

from coordinator.core.claims import LATE
from coordinator.core.model import PodRef
from coordinator.core.refusals import QueueFull
from coordinator.core.views import Granted, Queued
from coordinator.embedded import objects
from coordinator.service.errors import ServiceError
from tests.service.cluster import NODE, NS, Cluster, ask, granted, sync, with_pod

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from coordinator.service.pool import Pool

TTL = 10
NODES, ROUNDS, EACH = 25, 8, 5
"""1,000 claims: in each round five on each node, for its two slots."""
TURNS = 150
"""Turns of the loop in which a request comes to its end, write and all."""


@dataclass
class Client:
    """One claim on one node, and a client that will not see it through."""

    pool: Pool
    node: str
    claim: str
    chance: Random

    async def poll(self, wait: float, token: int | None = None) -> int | None:
        """One request to its end. Returns the fencing token, if it holds then."""
        view = await self.pool.ask(self.node, ask(self.claim, ttl=TTL, token=token), wait)
        return view.token if isinstance(view, Granted) else None

    async def tell_all(self) -> None:
        """The same as a sync, by an agent of its own."""
        request = sync(1, ask(self.claim, ttl=TTL), wait=30, agent=self.claim)
        await self.pool.sync(self.node, request)

    async def leave(self) -> None:
        await self.pool.leave(self.node, self.claim, 5)

    async def cut(self, work: Coroutine[object, object, object]) -> None:
        """The connection ends at some point of this request."""
        task = asyncio.ensure_future(work)
        for _ in range(self.chance.randrange(TURNS)):
            await asyncio.sleep(0)
        task.cancel()
        with suppress(asyncio.CancelledError, ServiceError):
            await task

    async def being_granted(self) -> asyncio.Task[int | None]:
        """A request of which the grant's write is under way right now, if it comes to one."""
        asking = asyncio.ensure_future(self.poll(30))
        while not asking.done():
            await asyncio.sleep(0)
            if self.claim in self.pool.desks[self.node].table.picture.granting:
                break
        return asking


async def cut_while_it_asks(client: Client) -> None:
    await client.cut(client.poll(30))


async def cut_while_it_syncs(client: Client) -> None:
    await client.cut(client.tell_all())


async def gone_after_one_look(client: Client) -> None:
    """Waiting as a rule: nobody asks again for the place in the queue."""
    await client.poll(0)


async def gone_while_its_grant_is_written(client: Client) -> None:
    asking = await client.being_granted()
    asking.cancel()
    await asyncio.wait([asking])


async def left_while_its_grant_is_written(client: Client) -> None:
    asking = await client.being_granted()
    await client.cut(client.leave())
    asking.cancel()
    await asyncio.wait([asking])


async def granted_and_never_confirmed(client: Client) -> None:
    await client.poll(50)


async def held_and_then_silent(client: Client) -> None:
    token = await client.poll(50)
    await client.poll(0, token)


async def cut_while_it_releases(client: Client) -> None:
    await client.poll(50)
    await client.cut(client.leave())


WAYS: tuple[Callable[[Client], Coroutine[None, None, None]], ...] = (
    cut_while_it_asks,
    cut_while_it_syncs,
    gone_after_one_look,
    gone_while_its_grant_is_written,
    left_while_its_grant_is_written,
    granted_and_never_confirmed,
    held_and_then_silent,
    cut_while_it_releases,
)


async def one_round(
    cluster: Cluster, pool: Pool, nodes: list[str], turn: int, chance: Random
) -> None:
    """On each node five clients come and go, each in another way."""
    tasks = []
    for number, node in enumerate(nodes):
        for place in range(EACH):
            way = WAYS[(turn + number + place) % len(WAYS)]
            client = Client(pool, node, f"{way.__name__}-{turn}-{place}", chance)
            tasks.append(cluster.start(way(client)))
    await cluster.jumps.until(lambda: all(task.done() for task in tasks), within=60)
    for task in tasks:
        task.result()


def traces(pool: Pool) -> dict[str, object]:
    """What is left of anybody on any node."""
    return {
        node: (desk.table.roll.claims, desk.table.picture.named, desk._waiters)
        for node, desk in pool.desks.items()
        if desk.table.roll.claims or desk.table.picture.named or desk._waiters
    }


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_thousand_abandoned_claims_leave_nothing_behind(
    cluster: Cluster, seed: int
) -> None:
    nodes, chance = [f"n{number}" for number in range(NODES)], Random(seed)
    for node in nodes:
        objects.put(cluster.store, objects.node(node))
    async with cluster.pool() as pool:
        for turn in range(ROUNDS):
            await one_round(cluster, pool, nodes, turn, chance)
        await cluster.jumps.until(lambda: not traces(pool), within=60)
        assert cluster.holders() == {}
        assert pool._crowd.waiting == 0
        await cluster.jumps.advance(125 + LATE)
        assert not [node for node, desk in pool.desks.items() if desk.table.roll.ended]


@pytest.mark.parametrize("pod", [False, True], ids=["without a Pod", "with a running Pod"])
async def test_a_grant_that_nobody_confirmed_ends_with_its_ttl(cluster: Cluster, pod: bool) -> None:
    async with cluster.pool() as pool:
        ref = PodRef(NS, "load", cluster.pod("load"))
        asked = with_pod("a", ref, TTL) if pod else ask("a", ttl=TTL)
        assert isinstance(await pool.ask(NODE, asked, 5), Granted)
        await cluster.jumps.advance(TTL - 1)
        assert cluster.holders()
        assert await cluster.jumps.until(lambda: not cluster.holders()) <= 3


async def test_the_queues_of_all_nodes_are_bounded_together(cluster: Cluster) -> None:
    objects.put(cluster.store, objects.node("node2"))
    cluster.limit(1)
    async with cluster.pool() as pool:
        pool._crowd.most = 2
        view = await granted(pool, "a")
        for node, claim in ((NODE, "b"), ("node2", "c"), ("node2", "d")):
            await pool.ask(node, ask(claim), 5 if claim == "c" else 0)
        for node in (NODE, "node2"):
            with pytest.raises(QueueFull):
                await pool.ask(node, ask("e"), 0)
        assert await granted(pool, "a", token=view.token) == view
        assert isinstance(await pool.ask(NODE, ask("b"), 0), Queued)
        await pool.leave("node2", "d", 5)
        assert isinstance(await pool.ask("node2", ask("e"), 0), Queued)
