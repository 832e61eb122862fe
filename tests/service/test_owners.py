"""Whose claims these are, by the pool's own calls: nobody touches another owner's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from coordinator.core.refusals import OthersClaim
from coordinator.core.views import Granted, Lost, Queued, Released
from coordinator.embedded.resources import LEASES
from tests.service.cluster import NODE, NS, ask, granted, owned, sync

if TYPE_CHECKING:
    from coordinator.core.messages import Ask
    from coordinator.service.pool import Pool
    from tests.service.cluster import Cluster

MINE, THEIRS = "velero/node-agent", "scans/scanner"
OWNER = "nodeslots.io/owner"


def own(claim: str, owner: str = MINE, **more: Any) -> Ask:
    return owned(ask(claim, **more), owner)


async def test_the_lease_names_the_owner_and_a_new_leader_knows_it(cluster: Cluster) -> None:
    async with cluster.pool() as pool:
        await pool.ask(NODE, own("a"), 20)
    [lease] = cluster.store.list(LEASES, NS)
    assert lease["metadata"]["annotations"][OWNER] == MINE
    async with cluster.pool() as pool:
        with pytest.raises(OthersClaim):
            await pool.ask(NODE, own("a", THEIRS), 0)
        with pytest.raises(OthersClaim):
            await pool.leave(NODE, "a", 5, THEIRS)
        assert isinstance(pool.look(NODE, "a"), Granted)
        assert await pool.leave(NODE, "a", 5, MINE) == Released("a")
    assert cluster.holders() == {}


async def test_a_lease_from_before_the_upgrade_gets_its_owner_at_the_next_renewal(
    cluster: Cluster,
) -> None:
    async with cluster.pool() as pool:
        token = (await granted(pool, "a")).token
    async with cluster.pool() as pool:
        await pool.ask(NODE, own("a", token=token), 0)
        await cluster.jumps.until(
            lambda: OWNER in cluster.store.list(LEASES, NS)[0]["metadata"]["annotations"]
        )
        with pytest.raises(OthersClaim):
            await pool.ask(NODE, own("a", THEIRS, token=token), 0)


async def test_a_release_of_anothers_claim_in_a_sync_is_left_out_and_told(
    cluster: Cluster,
) -> None:
    async with cluster.pool() as pool:
        await pool.ask(NODE, own("a"), 20)
        request = sync(1, releases=("a", "unknown"), owner=THEIRS)
        with capture_logs() as logs:
            answer = await pool.sync(NODE, request)
        assert answer.released == ("unknown",)
        assert [str(other) for other in answer.others] == ["a"]
        assert isinstance(pool.look(NODE, "a"), Granted)
        [told] = [line for line in logs if line["event"] == "release refused"]
        assert (told["claim"], told["caller"], told["owner"]) == ("a", THEIRS, MINE)


async def test_a_sync_asks_in_the_name_of_its_owner(cluster: Cluster) -> None:
    async with cluster.pool() as pool:
        mine = sync(1, ask("a", ttl=60), wait=20, owner=MINE)
        [view] = (await pool.sync(NODE, mine)).claims
        assert isinstance(view, Granted)
        theirs = sync(1, ask("a", ttl=60, token=view.token), ask("b"), owner=THEIRS)
        refused, queued = (await pool.sync(NODE, theirs)).claims
        assert isinstance(refused, OthersClaim)
        assert isinstance(queued, Queued)


async def test_another_owners_agent_of_the_same_name_ends_and_outdates_no_sync_of_mine(
    cluster: Cluster,
) -> None:
    cluster.limit(1)
    async with cluster.pool() as pool:
        await granted(pool, "x")
        [view] = (await pool.sync(NODE, sync(4, ask("a"), owner=MINE))).claims
        assert isinstance(view, Queued)
        request = sync(5, ask("a", ticket=view.ticket), wait=50, owner=MINE)
        waits = cluster.start(pool.sync(NODE, request))
        await cluster.jumps.turn()
        await pool.sync(NODE, sync(9, boot="b9", owner=THEIRS))
        await pool.sync(NODE, sync(10, boot="b9", owner=THEIRS))
        assert not waits.done()
        await pool.leave(NODE, "x", 5)
        await cluster.jumps.until(waits.done)
        assert isinstance(waits.result().claims[0], Granted)
        again = await pool.sync(NODE, sync(6, owner=MINE))
        assert again.sequence == 6


async def test_whoever_waits_under_anothers_id_is_told_lost_when_its_lease_shows_up(
    cluster: Cluster,
) -> None:
    cluster.limit(2)
    async with cluster.pool() as first, cluster.pool() as second:
        await granted(first, "x")
        await granted(first, "y")
        await cluster.jumps.until(lambda: pool_holds(second) == 2)
        squats = cluster.start(second.ask(NODE, own("a", THEIRS), 50))
        await cluster.jumps.until(lambda: second.look(NODE, "a") is not None)
        waits = cluster.start(first.ask(NODE, own("a"), 20))
        await cluster.jumps.until(lambda: first.look(NODE, "a") is not None)
        await first.leave(NODE, "x", 5)
        await cluster.jumps.until(squats.done)
        assert isinstance(squats.result(), Lost)
        assert isinstance(waits.result(), Granted)


def pool_holds(pool: Pool) -> int:
    return pool.count(NODE).held
