"""`--node-cap`: two pools share a node's places, and never hold more than the cap together."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from coordinator.core.cap import CapUse
from coordinator.core.claims import Policy
from coordinator.core.views import Granted, Queued
from coordinator.embedded.resources import LEASES, NAMESPACES
from coordinator.service.errors import NotReady
from tests.service.cluster import AT_ONCE, NODE, NS, ask, granted
from tests.service.faults import any_request, forbidden, lease_write, lost_after, lost_before

if TYPE_CHECKING:
    from asyncio import Task
    from collections.abc import AsyncIterator

    from aiohttp import web

    from coordinator.core.views import View
    from coordinator.embedded.history import Event
    from coordinator.service.pool import Pool
    from tests.service.cluster import Cluster
    from tests.service.faults import Fate

SCANS = "scans"


@pytest.fixture
def site(cluster: Cluster) -> Site:
    cluster.store.create(NAMESPACES, "", {"metadata": {"name": SCANS}})
    cluster.limit(3)
    cluster.limit(3, SCANS)
    return Site(cluster)


class Site:
    """The cluster with two pools, and how many slots were held at once after each commit."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.most = 0
        cluster.store.subscribe(self._committed)

    def _committed(self, event: Event) -> None:
        if event.resource is LEASES:
            self.most = max(self.most, len(self.held()))

    def held(self) -> list[str]:
        """The claims that hold in either pool."""
        held = [self.cluster.holders(namespace) for namespace in (NS, SCANS)]
        return sorted(claim for one in held for claim in one.values())

    @asynccontextmanager
    async def pools(
        self, cap: int | None, policy: Policy = AT_ONCE, *, ready: bool = True
    ) -> AsyncIterator[tuple[Pool, Pool]]:
        """Both pools of one coordinator."""
        async with self.cluster.coordinator(
            pools=(NS, SCANS), node_cap=cap, policy=policy, ready=ready
        ) as running:
            yield running.pool(NS), running.pool(SCANS)

    def wait(self, pool: Pool, claim: str, priority: int = 0) -> Task[View]:
        """The claim asks and waits for long."""
        return self.cluster.start(pool.ask(NODE, ask(claim, priority=priority), 50))


async def queued(pool: Pool, claim: str) -> Queued:
    view = await pool.ask(NODE, ask(claim), 0)
    assert isinstance(view, Queued), view
    return view


async def test_both_pools_together_hold_no_more_than_the_cap(site: Site) -> None:
    async with site.pools(3) as (velero, scans):
        for claim in "ab":
            await granted(velero, claim)
        await granted(scans, "c")
        view = await queued(velero, "d")
        assert view.reason == "node cap 3 of node1 is used up: velero 2, scans 1"
        assert (await queued(scans, "e")).reason == view.reason
    assert site.held() == ["a", "b", "c"]


async def test_without_a_cap_each_pool_has_its_own_limit(site: Site) -> None:
    async with site.pools(None) as (velero, scans):
        for number in range(3):
            await granted(velero, f"v{number}")
            await granted(scans, f"s{number}")
        assert scans.node(NODE).cap is None
    assert site.most == 6


async def test_the_status_of_either_pool_tells_who_has_what(site: Site) -> None:
    async with site.pools(4) as (velero, scans):
        assert scans.node(NODE).cap == CapUse(4, ((NS, 0), (SCANS, 0)))
        for claim in "ab":
            await granted(velero, claim)
        await granted(scans, "c")
        for pool in (velero, scans):
            assert pool.node(NODE).cap == CapUse(4, ((NS, 2), (SCANS, 1)))


async def test_a_place_that_one_pool_frees_goes_to_whoever_came_first(site: Site) -> None:
    async with site.pools(1) as (velero, scans):
        await granted(velero, "a")
        theirs = site.wait(scans, "b")
        await site.cluster.jumps.advance(0.1)
        later = site.wait(velero, "c")
        await site.cluster.jumps.advance(0.1)
        await velero.leave(NODE, "a", 5)
        await site.cluster.jumps.until(theirs.done, within=0.5)
        assert isinstance(theirs.result(), Granted)
        assert not later.done()
        await scans.leave(NODE, "b", 5)
        await site.cluster.jumps.until(later.done, within=0.5)
    assert site.most == 1


async def test_a_higher_priority_in_another_pool_comes_first(site: Site) -> None:
    async with site.pools(1) as (velero, scans):
        await granted(velero, "a")
        first = site.wait(velero, "b")
        await site.cluster.jumps.advance(0.1)
        urgent = site.wait(scans, "c", priority=5)
        await site.cluster.jumps.advance(0.1)
        await velero.leave(NODE, "a", 5)
        await site.cluster.jumps.until(urgent.done, within=0.5)
        assert isinstance(urgent.result(), Granted)
        assert not first.done()


async def test_a_pool_that_always_has_a_next_claim_starves_no_other(site: Site) -> None:
    async with site.pools(1) as (velero, scans):
        await granted(velero, "v0")
        site.wait(velero, "v1")
        await site.cluster.jumps.advance(0.1)
        theirs = site.wait(scans, "s")
        for number in range(2, 5):
            await site.cluster.jumps.advance(0.1)
            site.wait(velero, f"v{number}")
            await site.cluster.jumps.turn()
            [holder] = site.held()
            if holder == "s":
                break
            await velero.leave(NODE, holder, 5)
            await site.cluster.jumps.advance(0.2)
        assert site.held() == ["s"]
        assert isinstance(theirs.result(), Granted)


async def test_the_next_claim_of_the_same_pool_gets_the_slot_in_one_write(site: Site) -> None:
    async with site.pools(1) as (velero, scans):
        await granted(velero, "a")
        following = site.wait(velero, "b")
        await site.cluster.jumps.advance(0.1)
        site.wait(scans, "c")
        await site.cluster.jumps.advance(0.1)
        site.cluster.faults.sent.clear()
        await velero.leave(NODE, "a", 5)
        await site.cluster.jumps.until(following.done, within=0.5)
        writes = [one.method for one in site.cluster.faults.sent if one.writes_lease]
        assert writes == ["PUT"]


async def test_a_pool_at_its_own_limit_keeps_no_place_from_the_other(site: Site) -> None:
    site.cluster.limit(1)
    async with site.pools(2) as (velero, scans):
        await granted(velero, "a")
        await queued(velero, "b")
        await site.cluster.jumps.advance(0.1)
        await granted(scans, "c")
        assert (await queued(scans, "d")).reason.startswith("node cap 2 of node1 is used up")


async def test_a_limit_that_shrinks_gives_its_place_to_the_other_pool(site: Site) -> None:
    async with site.pools(2) as (velero, scans):
        for claim in "ab":
            await granted(velero, claim)
        site.wait(velero, "c")
        await site.cluster.jumps.advance(0.1)
        theirs = site.wait(scans, "d")
        site.cluster.limit(1)
        await site.cluster.jumps.advance(0.5)
        await velero.leave(NODE, "a", 5)
        await site.cluster.jumps.until(theirs.done, within=2.0)
        assert site.held() == ["b", "d"]
    assert site.most == 2


async def test_a_limit_that_grows_is_used_as_far_as_the_cap_allows(site: Site) -> None:
    site.cluster.limit(1)
    async with site.pools(2) as (velero, scans):
        waits = [site.wait(velero, claim) for claim in "abc"]
        await site.cluster.jumps.advance(0.5)
        assert site.held() == ["a"]
        site.cluster.limit(9)
        await site.cluster.jumps.until(waits[1].done)
        await site.cluster.jumps.advance(2.0)
        assert site.held() == ["a", "b"]
        assert scans.tally.totals().held == 0


async def test_a_restart_with_a_lower_cap_evicts_nobody_and_grants_nothing_above_it(
    site: Site,
) -> None:
    async with site.pools(None) as (velero, scans):
        for claim in "ab":
            await granted(velero, claim)
        await granted(scans, "c")
    async with site.pools(1) as (velero, scans):
        view = await queued(velero, "d")
        assert view.reason == (
            "node cap 1 of node1 is used up, more than it allows: velero 2, scans 1"
        )
        waits = site.wait(velero, "d")
        for pool, claim in ((velero, "a"), (scans, "c")):
            await site.cluster.jumps.advance(1.0)
            assert not waits.done()
            await pool.leave(NODE, claim, 5)
        await site.cluster.jumps.advance(2.0)
        assert site.held() == ["b"]
        await velero.leave(NODE, "b", 5)
        await site.cluster.jumps.until(waits.done, within=2.0)
    assert site.held() == ["d"]


def lists_scans(request: web.Request) -> bool:
    return request.method == "GET" and f"/{SCANS}/leases" in request.path


async def test_nobody_grants_until_the_slots_of_every_pool_are_known(site: Site) -> None:
    async with site.pools(2) as (velero, scans):
        for claim in "ab":
            await granted(scans, claim)
    rule = site.cluster.faults.on(lists_scans, forbidden, times=1000)
    async with site.pools(2, ready=False) as (velero, scans):
        await site.cluster.jumps.until(lambda: not velero.ready())
        view = await queued(velero, "c")
        assert view.reason.startswith("the node cap counts the slots of pool scans")
        waits = site.wait(velero, "c")
        with pytest.raises(NotReady):
            await scans.ask(NODE, ask("d"), 0)
        await site.cluster.jumps.advance(10.0)
        assert not waits.done()
        rule.times = 0
        await site.cluster.jumps.until(lambda: not scans.ready(), within=60.0)
        await site.cluster.jumps.advance(2.0)
        assert (await queued(velero, "c")).reason == "node cap 2 of node1 is used up: scans 2"
    assert site.held() == ["a", "b"]


async def test_claims_that_waited_before_a_change_of_leader_keep_their_order(site: Site) -> None:
    async with site.pools(1) as (velero, scans):
        await granted(velero, "a")
        theirs = await queued(scans, "b")
        await site.cluster.jumps.advance(1.0)
        mine = await queued(velero, "c")
    async with site.pools(1, Policy(settling=1.0)) as (velero, scans):
        late = site.cluster.start(velero.ask(NODE, ask("c", ticket=mine.ticket), 50))
        await site.cluster.jumps.advance(0.3)
        early = site.cluster.start(scans.ask(NODE, ask("b", ticket=theirs.ticket), 50))
        await site.cluster.jumps.turn()
        site.cluster.start(velero.leave(NODE, "a", 20))
        await site.cluster.jumps.until(early.done, within=4.0)
        assert isinstance(early.result(), Granted)
        assert not late.done()


@pytest.mark.parametrize("fate", [lost_before, lost_after])
async def test_a_grant_of_unknown_outcome_counts_in_the_other_pool(site: Site, fate: Fate) -> None:
    async with site.pools(1) as (velero, scans):
        await granted(velero, "zero")
        await velero.leave(NODE, "zero", 5)
        rule = site.cluster.faults.on(lease_write("PUT"), fate, times=4)
        mine = site.wait(velero, "a")
        await site.cluster.jumps.until(lambda: rule.met > 0)
        theirs = await scans.ask(NODE, ask("b"), 0)
        assert isinstance(theirs, Queued)
        assert theirs.reason == "node cap 1 of node1 is used up: velero 1"
        await site.cluster.jumps.until(mine.done, within=120.0)
        assert isinstance(mine.result(), Granted)
    assert site.most == 1


async def test_a_pool_whose_writes_are_refused_keeps_no_place_from_the_other(site: Site) -> None:
    def makes_in_velero(request: web.Request) -> bool:
        return request.method == "POST" and f"/{NS}/leases" in request.path

    site.cluster.faults.on(makes_in_velero, forbidden, times=1000)
    async with site.pools(1) as (velero, scans):
        site.wait(velero, "a")
        await site.cluster.jumps.advance(0.2)
        theirs = site.wait(scans, "b")
        await site.cluster.jumps.until(theirs.done, within=2.0)
        assert isinstance(theirs.result(), Granted)


async def test_when_the_api_server_comes_back_the_cap_is_still_kept(site: Site) -> None:
    async with site.pools(2) as (velero, scans):
        rule = site.cluster.faults.on(any_request, lost_before, times=10_000)
        waits = [
            site.wait(pool, f"{name}{number}")
            for number in range(3)
            for name, pool in (("v", velero), ("s", scans))
        ]
        await site.cluster.jumps.advance(20.0)
        rule.times = 0
        await site.cluster.jumps.until(lambda: sum(one.done() for one in waits) == 2, within=120.0)
        await site.cluster.jumps.advance(5.0)
        assert site.held() == ["s0", "v0"]
    assert site.most == 2
