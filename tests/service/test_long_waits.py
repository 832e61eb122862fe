"""A long wait is told with one Event on the claim's Pod, and a thousand of them a few a second."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from coordinator.core.claims import Policy
from coordinator.core.model import PodRef
from coordinator.core.views import Queued
from coordinator.core.waits import LongWait
from coordinator.service.waits import MOST, SHOWN, sentence
from tests.service.cluster import NODE, NS, Cluster, ask, granted, sync
from tests.service.faults import any_request, lost_before

if TYPE_CHECKING:
    import asyncio

    from coordinator.core.messages import Ask
    from coordinator.service.pool import Pool

SOON = Policy(settling=0.0, long_wait=12.0)
POD = PodRef(NS, "load-b", "uid-b")


def told(cluster: Cluster) -> list[dict[str, Any]]:
    return [one for one in cluster.events() if one["reason"] == "SlotWaiting"]


def asks(cluster: Cluster, number: int) -> tuple[Ask, ...]:
    """As many claims, each with a Pod of its own."""
    names = [f"w-{one}" for one in range(number)]
    return tuple(ask(name, pod=PodRef(NS, name, cluster.pod(name))) for name in names)


async def waits(cluster: Cluster, pool: Pool, *claims: Ask) -> asyncio.Task[Any]:
    """A full node, and an agent whose claims wait for it."""
    cluster.limit(1)
    await cluster.jumps.advance(1)
    await granted(pool, "holder", ttl=3600)
    first = await pool.sync(NODE, sync(1, *claims))
    queued = [view for view in first.claims if isinstance(view, Queued)]
    known = [one._replace(ticket=view.ticket) for one, view in zip(claims, queued, strict=True)]
    return cluster.start(_goes_on(pool, known))


async def _goes_on(pool: Pool, claims: list[Ask]) -> None:
    for sequence in count(2):
        answer = await pool.sync(NODE, sync(sequence, *claims, wait=5))
        assert not answer.news


async def test_a_long_wait_is_told_once_on_the_pod_in_a_sentence_that_explains_it(
    cluster: Cluster,
) -> None:
    async with cluster.pool(policy=SOON) as pool:
        agent = await waits(cluster, pool, *asks(cluster, 1))
        await cluster.jumps.advance(11)
        assert told(cluster) == []
        await cluster.jumps.until(lambda: told(cluster))
        await cluster.jumps.advance(30)
        [event] = told(cluster)
        assert (event["type"], event["count"]) == ("Warning", 1)
        about = event["involvedObject"]
        assert (about["kind"], about["namespace"], about["name"]) == ("Pod", NS, "w-0")
        assert event["message"] == (
            "load load-w-0 has been waiting for a slot of node node1 in pool velero for 12 s:"
            " position 1 of 1, 1 of 1 slots of node1 are held; held by load-holder"
        )
        assert not agent.done()


async def test_many_long_waits_are_told_a_few_a_second_and_all_of_them(cluster: Cluster) -> None:
    async with cluster.pool(policy=SOON) as pool:
        agent = await waits(cluster, pool, *asks(cluster, 40))
        await cluster.jumps.until(lambda: told(cluster))
        for _ in range(4):
            before = len(told(cluster))
            await cluster.jumps.advance(1)
            assert 0 < len(told(cluster)) - before <= MOST
        await cluster.jumps.advance(10)
        names = {one["involvedObject"]["name"] for one in told(cluster)}
        assert len(names) == len(told(cluster)) == 40
        assert not agent.done()


async def test_while_the_api_server_is_away_nothing_is_told_and_nothing_is_lost(
    cluster: Cluster,
) -> None:
    async with cluster.pool(policy=SOON) as pool:
        agent = await waits(cluster, pool, *asks(cluster, 3))
        rule = cluster.faults.on(any_request, lost_before, times=1e9)
        cluster.faults.cut_all()
        await cluster.jumps.advance(30)
        assert not any(one.path.endswith("/events") for one in cluster.faults.sent)
        rule.times = 0
        await cluster.jumps.until(lambda: len(told(cluster)) == 3, within=60)
        assert not agent.done()


@pytest.mark.parametrize(
    ("holders", "end"),
    [
        ((), "full"),
        (("a", "b"), "full; held by a, b"),
        (tuple("abcdefgh"), "full; held by a, b, c, d, e and 3 more"),
    ],
)
def test_the_sentence_stays_short_however_many_hold(holders: tuple[str, ...], end: str) -> None:
    wait = LongWait("b", "load-b", POD, "node1", 659.0, 2, 9, "full", holders)
    text = sentence("velero", wait)
    assert text.startswith("load load-b has been waiting for a slot of node node1 in pool velero")
    assert text.endswith(f"for 10 min: position 2 of 9, {end}")
    assert SHOWN == 5
