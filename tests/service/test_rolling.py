"""Agents that are restarted under running loads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coordinator.core.claims import Policy
from coordinator.core.model import PodRef
from coordinator.core.views import Granted
from tests.service.cluster import NODE, NS, Cluster, ask, sync

if TYPE_CHECKING:
    from coordinator.core.messages import Ask
    from coordinator.service.pool import Pool

TTL = 30


async def hold(cluster: Cluster, pool: Pool, *claims: str, agent: str = "agent") -> list[Ask]:
    """An agent takes a slot for each, for loads that run in Pods of their own, and renews once."""
    cluster.limit(len(claims))
    pods = [PodRef(NS, claim, cluster.pod(claim)) for claim in claims]
    wanted = [ask(c, ttl=TTL, pod=pod) for c, pod in zip(claims, pods, strict=True)]
    await cluster.jumps.turn()
    for sequence in range(1, 6):
        answer = await pool.sync(NODE, sync(sequence, *wanted, wait=1, agent=agent))
        await cluster.jumps.turn()
    views = [view for view in answer.claims if isinstance(view, Granted)]
    known = [
        ask(view.claim, ttl=TTL, pod=pod, token=view.token)
        for view, pod in zip(views, pods, strict=True)
    ]
    await pool.sync(NODE, sync(6, *known, agent=agent))
    await cluster.jumps.turn()
    return known


async def test_rolling_agents_under_running_loads_frees_nothing(cluster: Cluster) -> None:
    """Each load claims under its own id, so the agent that it finds next knows which slot it is."""
    async with cluster.pool() as pool:
        known = await hold(cluster, pool, "a", "b", "c")
        before = cluster.leases()
        for boot in range(5):
            await cluster.jumps.advance(2 * TTL)  # an image that takes long to be pulled
            await pool.sync(NODE, sync(1, boot=f"new-{boot}"))
            for count in range(1, len(known) + 1):
                await cluster.jumps.advance(2)  # one load after the other finds the new agent
                await pool.sync(NODE, sync(1 + count, *known[:count], boot=f"new-{boot}"))
        await cluster.jumps.advance(TTL - 5)
        assert {name: lease.holder for name, lease in cluster.leases().items()} == {
            name: lease.holder for name, lease in before.items()
        }
        assert [slot.state for slot in pool.node(NODE).slots] == ["held"] * 3


async def test_agents_under_another_name_leave_what_they_do_not_know_to_its_pod(
    cluster: Cluster,
) -> None:
    async with cluster.pool() as pool:
        await hold(cluster, pool, "a", agent="agent-x7f2k")
        for sequence in range(1, 10):
            await pool.sync(NODE, sync(sequence, boot="b2", agent="agent-9qq4d"))
            await cluster.jumps.advance(TTL)
        assert list(cluster.holders().values()) == ["a"]
        assert pool.node(NODE).slots[0].state == "unresponsive"


async def test_what_a_restarted_agent_does_not_name_is_freed_at_its_ttl(cluster: Cluster) -> None:
    async with cluster.pool() as pool:
        known = await hold(cluster, pool, "a", "b")
        await cluster.jumps.advance(5)
        for sequence in range(1, 8):
            await pool.sync(NODE, sync(sequence, known[0], boot="b2"))
            await cluster.jumps.advance(3)
        assert len(cluster.holders()) == 2
        await pool.sync(NODE, sync(8, known[0], boot="b2"))
        freed = await cluster.jumps.until(lambda: len(cluster.holders()) == 1)
        assert 2 <= freed <= TTL - 26 + 3
        assert list(cluster.holders().values()) == ["a"]


async def test_a_restarted_agent_that_claims_with_the_same_id_finds_its_slot(
    cluster: Cluster,
) -> None:
    async with cluster.pool() as pool:
        (known,) = await hold(cluster, pool, "a")
        again = ask("a", ttl=TTL, pod=known.terms.pod)
        answer = await pool.sync(NODE, sync(1, again, boot="b2"))
        assert isinstance(answer.claims[0], Granted)
        assert answer.claims[0].token == known.token
        await cluster.jumps.advance(2 * TTL)
        assert list(cluster.holders().values()) == ["a"]


async def test_a_claim_that_another_caller_took_over_survives_the_restart_of_its_first_agent(
    cluster: Cluster,
) -> None:
    async with cluster.pool() as pool:
        (known,) = await hold(cluster, pool, "a")
        await pool.ask(NODE, known, 0)
        await pool.sync(NODE, sync(1, boot="b2"))
        await cluster.jumps.advance(2 * TTL)
        assert list(cluster.holders().values()) == ["a"]


async def test_the_end_of_one_request_does_not_end_another_of_the_same_claim(
    cluster: Cluster,
) -> None:
    cluster.limit(1)
    async with cluster.pool(policy=Policy(settling=0.0, presence=3.0)) as pool:
        await pool.ask(NODE, ask("a"), 5)
        waits = cluster.start(pool.ask(NODE, ask("b"), 50))
        await cluster.jumps.turn()
        await pool.ask(NODE, ask("b"), 0)
        await cluster.jumps.advance(5)
        await pool.leave(NODE, "a", 5)
        await cluster.jumps.until(waits.done, within=2)
        assert isinstance(waits.result(), Granted)
