"""Leading, following, and everything that must stop at the deadline."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from math import inf
from typing import TYPE_CHECKING

import pytest

from coordinator.kube.election import Leader
from coordinator.service.errors import NotLeading
from tests.service.cluster import CONFIG, NODE, NS, ask, granted
from tests.service.faults import lease_write

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from coordinator.service.coordinator import Coordinator
    from tests.service.cluster import Cluster


class Office:
    """An election whose outcome the test decides."""

    identity = "me"
    trouble = ""

    def __init__(self) -> None:
        self.deadline = -inf
        self.leader: Leader | None = None
        self.releases: list[str] = []
        self._changed: Callable[[], None] | None = None

    async def run(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        await asyncio.Event().wait()

    def decide(self, deadline: float) -> None:
        assert self._changed is not None
        self.deadline = deadline
        self.leader = Leader("me", "http://me") if deadline > -inf else None
        self._changed()

    async def release(self) -> bool:
        self.releases.append("released")
        return True


@asynccontextmanager
async def candidate(cluster: Cluster) -> AsyncIterator[tuple[Coordinator, Office]]:
    office = Office()
    async with cluster.coordinator(elector=office) as coordinator:
        yield coordinator, office


async def elected(
    cluster: Cluster, coordinator: Coordinator, office: Office, seconds: float
) -> None:
    office.decide(cluster.jumps.now() + seconds)
    await cluster.jumps.until(lambda: not coordinator.pool(NS).ready())


async def test_a_follower_is_ready_and_answers_no_claim(cluster: Cluster) -> None:
    async with candidate(cluster) as (coordinator, office):
        assert coordinator.ready() == {NS: ""}
        assert not coordinator.leading
        with pytest.raises(NotLeading, match="no replica leads"):
            coordinator.pool(NS)
        office.leader = Leader("other", "http://other")
        with pytest.raises(NotLeading, match="follows"):
            coordinator.pool(NS)


async def test_a_leader_past_its_deadline_answers_neither_grants_nor_renewals(
    cluster: Cluster,
) -> None:
    async with candidate(cluster) as (coordinator, office):
        await elected(cluster, coordinator, office, 10)
        pool = coordinator.pool(NS)
        view = await granted(pool, "a")
        await cluster.jumps.advance(9.5)
        assert await granted(pool, "a", token=view.token) == view
        await cluster.jumps.advance(0.5)  # nobody told it: its own clock has to
        assert not coordinator.leading
        for token in (None, view.token):
            with pytest.raises(NotLeading):
                await pool.ask(NODE, ask("a", token=token), 0)
        with pytest.raises(NotLeading):
            await pool.leave(NODE, "a", 0)


async def test_an_answer_that_waited_past_the_deadline_is_not_given(cluster: Cluster) -> None:
    cluster.limit(1)
    async with candidate(cluster) as (coordinator, office):
        await elected(cluster, coordinator, office, 10)
        pool = coordinator.pool(NS)
        await granted(pool, "a")
        waits = cluster.start(pool.ask(NODE, ask("b"), 50))
        leaves = cluster.start(pool.leave(NODE, "a", 50))
        cluster.faults.on(lease_write("PUT"), _slow(cluster, 11))
        await cluster.jumps.advance(12)  # the hand-over is written, and nobody may say so
        assert isinstance(waits.exception(), NotLeading)
        assert isinstance(leaves.exception(), NotLeading)


def _slow(cluster: Cluster, seconds: float):  # type: ignore[no-untyped-def]
    async def late(request, handler):  # type: ignore[no-untyped-def]
        answer = await handler(request)
        await asyncio.sleep(seconds)
        return answer

    return late


async def test_the_loss_of_the_election_ends_blocked_requests_at_once(cluster: Cluster) -> None:
    cluster.limit(1)
    async with candidate(cluster) as (coordinator, office):
        await elected(cluster, coordinator, office, 100)
        await granted(coordinator.pool(NS), "a")
        waits = cluster.start(coordinator.pool(NS).ask(NODE, ask("b"), 50))
        await cluster.jumps.turn()
        office.decide(-inf)
        await cluster.jumps.turn()
        assert isinstance(waits.exception(), NotLeading)


async def test_a_reign_that_is_over_begins_no_write(cluster: Cluster) -> None:
    async with candidate(cluster) as (coordinator, office):
        await elected(cluster, coordinator, office, 100)
        pool = coordinator.pool(NS)
        await granted(pool, "a")
        office.decide(-inf)
        # Polls end only now; under a node cap that has the other pools decide anew.
        pool.apply(pool.desks[NODE], ask("b"))
        await cluster.jumps.advance(2)
        assert set(cluster.holders().values()) == {"a"}


async def test_leadership_lost_and_won_again_is_a_new_one(cluster: Cluster) -> None:
    async with candidate(cluster) as (coordinator, office):
        await elected(cluster, coordinator, office, 100)
        first = coordinator.pool(NS)
        view = await granted(first, "a", ttl=10)
        await cluster.jumps.advance(9)
        office.decide(-inf)
        await elected(cluster, coordinator, office, 100)
        second = coordinator.pool(NS)
        assert second is not first
        assert second.term > first.term
        with pytest.raises(NotLeading):
            await first.ask(NODE, ask("a"), 0)  # a request that began before
        await cluster.jumps.advance(9)  # 18 s after the last renewal, but a full TTL from takeover
        again = await granted(second, "a", ttl=10, token=view.token)
        assert (again.lease, again.token) == (view.lease, view.token)


async def test_a_new_leader_keeps_the_limits_that_it_knew_when_the_config_breaks_first(
    cluster: Cluster,
) -> None:
    async with candidate(cluster) as (coordinator, office):
        cluster.config("{not json")
        await cluster.jumps.turn()
        assert not cluster.events()  # the leader tells it, not every replica
        await elected(cluster, coordinator, office, 100)
        assert coordinator.pool(NS).node(NODE).limit == 2
        await cluster.jumps.until(cluster.events)
        (told,) = cluster.events()
        assert (told["reason"], told["involvedObject"]["name"]) == ("LimitsRefused", CONFIG)


async def test_a_clean_stop_releases_leadership_after_its_writes(cluster: Cluster) -> None:
    async with candidate(cluster) as (coordinator, office):
        await elected(cluster, coordinator, office, 100)
        held = cluster.faults.on(lease_write("PUT"), _slow(cluster, 1))
        cluster.start(coordinator.pool(NS).ask(NODE, ask("a"), 50))
        await cluster.jumps.until(lambda: held.met)
        assert office.releases == []
    assert office.releases == ["released"]
    assert set(cluster.holders().values()) == {"a"}


async def test_a_clean_stop_with_an_unknown_write_lets_leadership_run_out(
    cluster: Cluster,
) -> None:
    async with candidate(cluster) as (coordinator, office):
        await elected(cluster, coordinator, office, 100)
        rule = cluster.faults.on(lease_write("PUT"), cluster.faults.swallow, times=9)
        cluster.start(coordinator.pool(NS).ask(NODE, ask("a"), 50))
        await cluster.jumps.until(lambda: rule.met)
    assert office.releases == []


@pytest.mark.parametrize("heard", [True, False])
async def test_after_a_stall_requests_are_read_before_anybody_is_judged(
    cluster: Cluster, heard: bool
) -> None:
    async with candidate(cluster) as (coordinator, office):
        await elected(cluster, coordinator, office, 100)
        pool = coordinator.pool(NS)
        view = await granted(pool, "a", ttl=10)
        await cluster.jumps.advance(5)
        cluster.jumps.stall(6)
        if heard:  # it lay in the socket all the while, and timers go off before it is read
            again = ask("a", ttl=10, token=view.token)
            asyncio.get_running_loop().call_later(
                0, lambda: cluster.start(pool.ask(NODE, again, 0))
            )
        await cluster.jumps.advance(2.5)
        assert set(cluster.holders().values()) == ({"a"} if heard else set())
