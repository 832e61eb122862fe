"""One request for all claims of an agent: what is news, what a newer request does to an older."""

from __future__ import annotations

import gc

import pytest

from coordinator.core.claims import Policy
from coordinator.core.messages import Ask
from coordinator.core.refusals import ClaimMismatch
from coordinator.core.survey import Survey
from coordinator.core.views import Granted, Lost, Queued, Released
from coordinator.service.asking import DRIFT
from coordinator.service.errors import StaleSync
from tests.service.cluster import NODE, Cluster, ask, granted, sync
from tests.service.faults import lease_write, lost_before


async def test_news_is_answered_at_once_and_what_is_known_is_waited_with(cluster: Cluster) -> None:
    cluster.limit(1)
    async with cluster.pool() as pool:
        a = await granted(pool, "a")
        first = await pool.sync(NODE, sync(1, ask("a"), ask("b"), wait=50))
        assert first.claims[0] == a
        b = first.claims[1]
        assert isinstance(b, Queued)
        assert first.term == pool.term > 0
        known = (ask("a", token=a.token), ask("b", ticket=b.ticket))
        waits = cluster.start(pool.sync(NODE, sync(2, *known, wait=15)))
        await cluster.jumps.advance(4)
        assert not waits.done()
        await pool.leave(NODE, "a", 5)
        await cluster.jumps.turn()
        assert [type(view) for view in waits.result().claims] == [Released, Granted]


async def test_a_sync_without_news_ends_by_its_deadline(cluster: Cluster) -> None:
    async with cluster.pool() as pool:
        view = await granted(pool, "a")
        waits = cluster.start(pool.sync(NODE, sync(1, ask("a", token=view.token), wait=9)))
        await cluster.jumps.advance(8.5)
        assert not waits.done()
        await cluster.jumps.advance(0.5)
        assert waits.result().claims == (view,)
        assert not waits.result().news


async def test_a_newer_sequence_ends_the_waiting_one(cluster: Cluster) -> None:
    async with cluster.pool() as pool:
        view = await granted(pool, "a")
        known = ask("a", token=view.token)
        older = cluster.start(pool.sync(NODE, sync(1, known, wait=50)))
        await cluster.jumps.turn()
        newer = cluster.start(pool.sync(NODE, sync(2, known, wait=50)))
        await cluster.jumps.turn()
        assert older.result().sequence == 1
        assert not newer.done()


async def test_an_older_sequence_is_refused_and_changes_nothing(cluster: Cluster) -> None:
    async with cluster.pool() as pool:
        view = await granted(pool, "a")
        waiting = cluster.start(pool.sync(NODE, sync(7, ask("a", token=view.token), wait=50)))
        await cluster.jumps.turn()
        for sequence in (6, 7):
            late = sync(sequence, ask("x"), releases=("a",))
            with pytest.raises(StaleSync, match="already sent sync 7"):
                await pool.sync(NODE, late)
        await cluster.jumps.turn()
        assert not waiting.done()
        assert cluster.holders() == {view.lease: "a"}
        assert pool.look(NODE, "x") is None


async def test_a_retired_boot_is_refused_and_a_new_one_begins_anew(cluster: Cluster) -> None:
    async with cluster.pool() as pool:
        await granted(pool, "a")
        await pool.sync(NODE, sync(900, ask("a")))
        await pool.sync(NODE, sync(1, ask("a"), boot="b2"))
        with pytest.raises(StaleSync, match="has been restarted since"):
            await pool.sync(NODE, sync(901, releases=("a",)))
        assert list(cluster.holders().values()) == ["a"]
        other = await pool.sync(NODE, sync(1, ask("a"), agent="another"))
        assert isinstance(other.claims[0], Granted)


async def test_a_release_is_confirmed_once_it_stands_and_again_whenever_it_is_repeated(
    cluster: Cluster,
) -> None:
    async with cluster.pool() as pool:
        await granted(pool, "a")
        cluster.faults.on(lease_write("PUT"), lost_before)
        assert (await pool.sync(NODE, sync(1, releases=("a",)))).released == ()
        waits = cluster.start(pool.sync(NODE, sync(2, releases=("a",), wait=30)))
        assert await cluster.jumps.until(waits.done) < 3
        assert waits.result().released == ("a",)
        assert cluster.holders() == {}
        assert (await pool.sync(NODE, sync(3, releases=("a",), wait=30))).released == ("a",)


async def test_a_release_of_a_claim_that_never_was_is_confirmed(cluster: Cluster) -> None:
    async with cluster.pool() as pool:
        assert (await pool.sync(NODE, sync(1, releases=("never",), wait=30))).released == ("never",)


async def test_a_better_place_is_told_after_a_while_and_not_at_once(cluster: Cluster) -> None:
    cluster.limit(1)
    async with cluster.pool() as pool:
        await granted(pool, "a")
        await pool.ask(NODE, ask("b"), 0)
        (view,) = (await pool.sync(NODE, sync(1, ask("c")))).claims
        assert isinstance(view, Queued)
        waits = cluster.start(pool.sync(NODE, sync(2, ask("c", ticket=view.ticket), wait=50)))
        await cluster.jumps.turn()
        await pool.leave(NODE, "b", 5)
        await cluster.jumps.advance(DRIFT - 1)
        assert not waits.done()
        await cluster.jumps.advance(1.5)
        (drifted,) = waits.result().claims
        assert isinstance(drifted, Queued)
        assert (view.position, drifted.position) == (2, 1)


async def test_a_refused_claim_is_told_at_once_and_harms_no_other(cluster: Cluster) -> None:
    async with cluster.pool() as pool:
        await granted(pool, "a")
        answer = await pool.sync(NODE, sync(1, ask("a", priority=9), ask("b"), wait=50))
        assert isinstance(answer.claims[0], ClaimMismatch)
        assert isinstance(answer.claims[1], Queued | Granted)
        assert (await granted(pool, "b")).claim == "b"
        assert set(cluster.holders().values()) == {"a", "b"}


async def test_a_sync_that_is_replayed_gets_the_grant_that_exists(cluster: Cluster) -> None:
    async with cluster.pool() as pool:
        alone = await granted(pool, "a")
        again = await pool.sync(NODE, sync(1, ask("a"), wait=20))
        replayed = await pool.sync(NODE, sync(2, ask("a"), wait=20))
        assert again.claims == replayed.claims == (alone,)


async def test_a_sync_renews_what_is_held(cluster: Cluster) -> None:
    async with cluster.pool() as pool:
        view = await granted(pool, "a", ttl=10)
        known = ask("a", token=view.token, ttl=10)
        for sequence in range(1, 6):
            assert (await pool.sync(NODE, sync(sequence, known))).claims == (view,)
            await cluster.jumps.advance(8)
        assert cluster.holders() == {view.lease: "a"}


async def test_polls_of_an_agent_that_went_away_end_with_its_connection(cluster: Cluster) -> None:
    cluster.limit(1)
    async with cluster.pool(policy=Policy(settling=0.0, presence=3.0)) as pool:
        await granted(pool, "a")
        gone = cluster.start(pool.sync(NODE, sync(1, ask("b", ticket=(1, 1)), wait=50)))
        await cluster.jumps.turn()
        gone.cancel()
        await cluster.jumps.advance(3.5)
        await pool.leave(NODE, "a", 5)
        assert cluster.holders() == {}


async def test_a_claim_that_presents_a_token_nobody_gave_is_told_lost_and_gets_no_slot(
    cluster: Cluster,
) -> None:
    async with cluster.pool() as pool:
        waits = cluster.start(pool.sync(NODE, sync(1, ask("a", token=3), wait=30)))
        await cluster.jumps.until(waits.done)
        assert isinstance(waits.result().claims[0], Lost)
        assert cluster.holders() == {}


async def test_what_leaves_with_its_holder_is_not_handed_the_slot_first(cluster: Cluster) -> None:
    cluster.limit(1)
    async with cluster.pool() as pool:
        await pool.sync(NODE, sync(1, ask("a"), ask("b")))
        answer = await pool.sync(NODE, sync(2, releases=("a", "b"), wait=5))
        await cluster.jumps.until(lambda: not cluster.holders())
        assert answer.released
        assert not [one for one in cluster.faults.sent if b"load-b" in one.body]


async def test_while_all_is_held_nobody_looks_again_before_something_changes(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[str] = []

    def standing(survey: Survey, claim: str, token: int | None, owner: str) -> object:
        looks.append(claim)
        return real(survey, claim, token, owner)

    real = Survey.standing
    async with cluster.pool() as pool:
        held = await granted(pool, "a", ttl=180)
        monkeypatch.setattr(Survey, "standing", standing)
        known = ask("a", token=held.token, ttl=180)
        waits = cluster.start(pool.sync(NODE, sync(1, known, wait=50)))
        await cluster.jumps.advance(40)
        assert (looks, waits.done()) == (["a"], False)
        cluster.delete_lease(held.lease)
        assert await cluster.jumps.until(waits.done) < 3
        assert isinstance(waits.result().claims[0], Lost)


async def test_a_sync_that_waits_keeps_nothing_of_its_request(cluster: Cluster) -> None:
    """Thousands of agents wait with all their claims, and each would be kept twice."""
    cluster.limit(1)
    async with cluster.pool() as pool:
        await granted(pool, "a")
        asked = sync(1, ask("alone", ticket=(1, 1)), wait=50)
        waits = cluster.start(pool.sync(NODE, asked))
        del asked
        await cluster.jumps.turn()
        assert not waits.done()
        gc.collect()
        kept = [one for one in gc.get_objects() if isinstance(one, Ask | Queued)]
        assert not [one for one in kept if one.claim == "alone"]
