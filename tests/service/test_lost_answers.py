"""Every write of a claim's life, and every way in which its answer can fail to come (P2, P6)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from coordinator.core.views import Granted, Queued, Released
from tests.service import faults
from tests.service.cluster import NODE, Watchdog, ask, granted
from tests.service.faults import lease_write

if TYPE_CHECKING:
    import asyncio

    from coordinator.core.views import View
    from coordinator.service.pool import Pool
    from tests.service.cluster import Cluster
    from tests.service.faults import Fate

WRITES = ["make", "grant", "hand over", "free", "remove"]
FATES: dict[str, Fate] = {
    "lost after": faults.lost_after,
    "cut after": faults.cut_after,
    "lost before": faults.lost_before,
    "cut before": faults.cut_before,
}
LATE = ["before the repeat", "after the repeat", "when all is over"]
METHODS = {"make": "POST", "remove": "DELETE"}


@dataclass
class Life:
    """One claim's whole life on a node with a single slot, next to a second one in the queue."""

    cluster: Cluster
    pool: Pool
    doubtful: str
    fate: Fate
    times: float = 1

    def arm(self, write: str) -> None:
        if write == self.doubtful:
            match = lease_write(METHODS.get(write, "PUT"))
            self.cluster.faults.on(match, self.fate, self.times)

    async def settled(self, task: asyncio.Task[View]) -> View:
        await self.cluster.jumps.until(task.done)
        return task.result()

    async def begin(self) -> asyncio.Task[View]:
        self.arm("make")
        if self.doubtful != "make":
            await granted(self.pool, "zero")
            await self.pool.leave(NODE, "zero", 5)
        self.arm("grant")
        return self.cluster.start(self.pool.ask(NODE, ask("a"), 50))

    async def go_on(self, first: asyncio.Task[View]) -> None:
        cluster, pool = self.cluster, self.pool
        a = await self.settled(first)
        assert isinstance(a, Granted)
        assert cluster.holders() == {a.lease: "a"}
        waits = cluster.start(pool.ask(NODE, ask("b"), 50))
        await cluster.jumps.turn()
        self.arm("hand over")
        left = await self.settled(cluster.start(pool.leave(NODE, "a", 30)))
        b = await self.settled(waits)
        assert left == Released("a")
        assert isinstance(b, Granted)
        assert b.token > a.token
        assert cluster.holders() == {b.lease: "b"}
        self.arm("free")
        assert await self.settled(cluster.start(pool.leave(NODE, "b", 30))) == Released("b")
        assert cluster.holders() == {}

    async def end(self) -> None:
        """The node goes, and with it its Leases."""
        self.arm("remove")
        self.cluster.remove_node()
        await self.cluster.jumps.until(lambda: not self.cluster.leases())


@pytest.mark.parametrize("fate", FATES)
@pytest.mark.parametrize("write", WRITES)
async def test_a_claim_whose_writes_answer_is_lost_ends_with_at_most_one_hold(
    cluster: Cluster, write: str, fate: str
) -> None:
    cluster.limit(1)
    dog = Watchdog(cluster, most=1)
    async with cluster.pool() as pool:
        life = Life(cluster, pool, write, FATES[fate])
        await life.go_on(await life.begin())
        await life.end()
        assert [rule.met for rule in cluster.faults.rules] == [1]
    assert not dog.faults


@pytest.mark.parametrize("late", LATE)
@pytest.mark.parametrize("write", WRITES)
async def test_a_write_that_takes_effect_after_it_was_given_up_gives_nobody_a_second_hold(
    cluster: Cluster, write: str, late: str
) -> None:
    cluster.limit(1)
    dog = Watchdog(cluster, most=1)
    async with cluster.pool() as pool:
        life = Life(cluster, pool, write, cluster.faults.hold_back)

        async def deliver() -> None:
            assert cluster.faults.held
            await cluster.faults.deliver_late(cluster.server.url)

        running = cluster.start(_live(life))
        if late == "before the repeat":
            await cluster.jumps.until(lambda: cluster.faults.held)
            await deliver()
        elif late == "after the repeat":
            await cluster.jumps.until(lambda: _repeated(cluster))
            await deliver()
        await cluster.jumps.until(running.done)
        running.result()
        if late == "when all is over":
            await deliver()
            await cluster.jumps.advance(3)
        assert cluster.holders() == {}
    assert not dog.faults


async def _live(life: Life) -> None:
    """Time is moved on by the test."""
    await life.go_on(await life.begin())
    await life.end()


def _repeated(cluster: Cluster) -> bool:
    held = {(one.method, one.path, one.body) for one in cluster.faults.held}
    sent = Counter((s.method, s.path, s.body) for s in cluster.faults.sent if s.writes_lease)
    return any(sent[one] > 1 for one in held)


@pytest.mark.parametrize("write", ["grant", "hand over"])
async def test_a_write_without_any_answer_is_given_up_and_sent_again_to_the_byte(
    cluster: Cluster, write: str
) -> None:
    cluster.limit(1)
    dog = Watchdog(cluster, most=1)
    async with cluster.pool() as pool:
        life = Life(cluster, pool, write, cluster.faults.swallow)
        await life.go_on(await life.begin())
        (swallowed,) = cluster.faults.held
        sent = [one for one in cluster.faults.sent if one.body == swallowed.body]
        assert len(sent) >= 2
        assert sent[1].at - sent[0].at >= 10
    assert not dog.faults


async def test_while_a_grants_outcome_is_unknown_its_slot_counts_and_its_claim_waits(
    cluster: Cluster,
) -> None:
    cluster.limit(1)
    rule = cluster.faults.on(lease_write("PUT"), cluster.faults.hold_back, times=1e9)
    async with cluster.pool() as pool:
        first = cluster.start(pool.ask(NODE, ask("a"), 3))
        await cluster.jumps.until(first.done)
        assert isinstance(first.result(), Queued)
        other = cluster.start(pool.ask(NODE, ask("b"), 3))
        await cluster.jumps.until(other.done)
        assert isinstance(other.result(), Queued)
        assert len({one.body for one in cluster.faults.held}) == 1
        rule.times = 0
        first = cluster.start(pool.ask(NODE, ask("a"), 40))
        await cluster.jumps.until(first.done, within=40)
        assert isinstance(first.result(), Granted)


async def test_a_claim_that_leaves_while_its_grant_is_unknown_ends_without_a_slot(
    cluster: Cluster,
) -> None:
    cluster.limit(1)
    dog = Watchdog(cluster, most=1)
    cluster.faults.on(lease_write("PUT"), cluster.faults.hold_back, times=2)
    async with cluster.pool() as pool:
        gone = cluster.start(pool.ask(NODE, ask("a"), 50))
        await cluster.jumps.until(lambda: cluster.faults.held)
        leaves = cluster.start(pool.leave(NODE, "a", 50))
        await cluster.jumps.turn()
        assert not leaves.done()
        await cluster.faults.deliver_late(cluster.server.url)
        await cluster.jumps.until(lambda: leaves.done() and gone.done())
        assert leaves.result() == Released("a")
        assert gone.result() == Released("a")
        await cluster.jumps.until(lambda: not cluster.holders())
        await cluster.faults.deliver_late(cluster.server.url)
        await cluster.jumps.advance(3)
        assert cluster.holders() == {}
    assert not dog.faults


async def test_a_doubtful_grant_repeats_its_bytes_also_after_a_refused_repeat(
    cluster: Cluster,
) -> None:
    """A 429 says that this attempt had no effect; the one before may have one yet."""
    async with cluster.pool() as pool:
        await granted(pool, "zero")
        await pool.leave(NODE, "zero", 5)
        cluster.faults.on(lease_write("PUT"), cluster.faults.hold_back)
        cluster.faults.on(lease_write("PUT"), faults.throttled)
        asked = cluster.start(pool.ask(NODE, ask("a"), 0))
        await cluster.jumps.until(asked.done)
        left = cluster.start(pool.leave(NODE, "a", 50))
        await cluster.jumps.until(left.done, within=40)
        assert left.result() == Released("a")
        grants = [one.body for one in cluster.faults.sent if b"load-a" in one.body]
        assert len(grants) == 3
        assert len(set(grants)) == 1
        assert not cluster.holders()
