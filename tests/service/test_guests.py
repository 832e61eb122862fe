"""What a namespace of `--clients` may not reach beyond its highest priority."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from coordinator.api import claimant
from coordinator.api.claimant import Claimant
from coordinator.core.access import Admissions, AgentPod, ClientNamespace
from coordinator.core.claims import Policy
from coordinator.core.refusals import QueueFull
from coordinator.core.views import Queued
from tests.service.cluster import NODE, NS, ask, granted, owned

if TYPE_CHECKING:
    from coordinator.core.messages import Ask
    from coordinator.service.callers import Callers
    from coordinator.service.pool import Pool
    from tests.service.cluster import Cluster

TTL = 60
STEP = 10.0
"""Seconds that are worth a step of priority."""


def guest(pool: Pool, most: int | None = 0) -> Claimant:
    pod = AgentPod("jobs", "agent", "agent-x", "u-x", NODE)
    admissions = Admissions([NS], [ClientNamespace(NS, "jobs", most)])
    nobody = cast("Callers", None)  # no claim of these tests names a Pod
    return Claimant(
        pod, confirmed=True, most=most, callers=nobody, admissions=admissions, pool=pool, node=NODE
    )


async def position(cluster: Cluster, pool: Pool, asked: Ask) -> int:
    asking = cluster.start(pool.ask(NODE, asked, 0))
    await cluster.jumps.until(asking.done)
    view = asking.result()
    assert isinstance(view, Queued), view
    return view.position


@pytest.mark.parametrize("term", [0, 1], ids=["of an earlier leader", "of this one"])
async def test_no_ticket_is_worth_a_step_of_priority(
    cluster: Cluster, term: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Age counts as priority, and a ticket may say that its claim came before all others."""
    monkeypatch.setattr(claimant, "OLDEST", STEP / 15)  # as 120 s are of 1,800
    cluster.limit(1)
    async with cluster.pool(policy=Policy(settling=0.0, aging=STEP)) as pool:
        await granted(pool, "holds", ttl=TTL)
        await cluster.jumps.advance(3 * STEP)
        assert await position(cluster, pool, ask("own", priority=1, ttl=TTL)) == 1
        forged = ask("guest", ticket=(pool.term * term, 0), ttl=TTL)
        assert await position(cluster, pool, await guest(pool).judge_one(forged)) == 2


async def test_after_a_change_of_leader_a_guests_place_is_as_before(cluster: Cluster) -> None:
    cluster.limit(1)
    async with cluster.pool() as pool:
        await granted(pool, "holds", ttl=TTL)
        assert await position(cluster, pool, ask("own", ttl=TTL)) == 1
        earlier = ask("guest", ticket=(pool.term - 1, 17), ttl=TTL)
        assert await position(cluster, pool, await guest(pool).judge_one(earlier)) == 1


async def test_a_place_that_the_leader_knows_stays_however_long_it_waits(
    cluster: Cluster,
) -> None:
    cluster.limit(1)
    async with cluster.pool() as pool:
        await granted(pool, "holds", ttl=3600)
        asked = ask("guest", ttl=3600)
        view = await pool.ask(NODE, await guest(pool).judge_one(asked), 0)
        assert isinstance(view, Queued)
        cluster.jumps.stall(600)
        again = ask("guest", ticket=view.ticket, ttl=3600)
        assert (await guest(pool).judge_one(again)).ticket == view.ticket


def of(namespace: str, asked: Ask) -> Ask:
    return owned(asked, f"{namespace}/agent")


async def test_guests_fill_half_of_a_nodes_queue(cluster: Cluster) -> None:
    """Or a guest of the lowest priority could keep everybody else from waiting."""
    cluster.limit(1)
    async with cluster.pool(policy=Policy(settling=0.0, max_queue=4)) as pool:
        await granted(pool, "holds", ttl=TTL)
        for n in range(2):
            await position(cluster, pool, of("jobs", ask(f"guest-{n}", ttl=TTL)))
        with pytest.raises(QueueFull):
            await position(cluster, pool, of("jobs", ask("guest-2", ttl=TTL)))
        assert await position(cluster, pool, of("jobs", ask("guest-1", ttl=TTL))) == 2
        for n in range(2):
            await position(cluster, pool, of(NS, ask(f"own-{n}", ttl=TTL)))
        with pytest.raises(QueueFull):
            await position(cluster, pool, of(NS, ask("own-2", ttl=TTL)))


async def test_guests_fill_half_of_all_queues(cluster: Cluster) -> None:
    cluster.limit(1)
    async with cluster.pool() as pool:
        pool._crowd.most = 2
        await granted(pool, "holds", ttl=TTL)
        await position(cluster, pool, of("jobs", ask("guest-0", ttl=TTL)))
        with pytest.raises(QueueFull):
            await position(cluster, pool, of("jobs", ask("guest-1", ttl=TTL)))
        assert await position(cluster, pool, of(NS, ask("own", ttl=TTL))) == 2
