"""The API server away, overloaded or refusing: how much is sent, and what is told."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from coordinator.core.hold import HOLD
from coordinator.core.views import Granted, Queued
from coordinator.embedded import objects
from tests.service import faults
from tests.service.cluster import NODE, ask, granted
from tests.service.faults import any_request, lease_write

if TYPE_CHECKING:
    from tests.service.cluster import Cluster
    from tests.service.faults import Fate, Sent


def busiest_second(sent: list[Sent]) -> int:
    """The most requests within any second."""
    times = [one.at for one in sent]
    return max((sum(t <= u < t + 0.999 for u in times) for t in times), default=0)


@pytest.mark.parametrize("fate", [faults.lost_before, faults.lost_after, faults.cut_before])
async def test_in_an_outage_at_most_one_write_a_second_is_sent(
    cluster: Cluster, fate: Fate
) -> None:
    cluster.limit(20)
    async with cluster.pool() as pool:
        for number in range(20):
            await granted(pool, f"old-{number}", ttl=600)
        rule = cluster.faults.on(lease_write("PUT", "POST", "DELETE"), fate, times=1e9)
        begun = len(cluster.faults.sent)
        for number in range(20):
            cluster.start(pool.leave(NODE, f"old-{number}", 50))
        # The ones that were sent at the same moment could not know of each other's fate.
        await cluster.jumps.advance(0.5)
        first = len(cluster.faults.sent)
        await cluster.jumps.advance(60)
        later = [one for one in cluster.faults.sent[first:] if one.writes_lease]
        again = 2 if fate is faults.cut_before else 1  # the client sends once more by itself
        assert 1 <= busiest_second(later) <= again
        assert 3 <= len(later) <= 61
        assert first - begun <= 20 * again
        rule.times = 0
        await cluster.jumps.until(lambda: not cluster.holders(), within=40)


async def test_in_an_outage_of_everything_each_stream_sends_at_most_once_a_second(
    cluster: Cluster,
) -> None:
    async with cluster.pool() as pool:
        await granted(pool, "a", ttl=3600)
        rule = cluster.faults.on(any_request, faults.lost_before, times=1e9)
        cluster.faults.cut_all()
        cluster.start(pool.leave(NODE, "a", 50))
        first = len(cluster.faults.sent)
        await cluster.jumps.advance(60)
        by_path: dict[str, list[Sent]] = {}
        for one in cluster.faults.sent[first:]:
            by_path.setdefault(f"{one.method} {one.path}", []).append(one)
        assert len(by_path) == 5  # a write, and four watches
        assert all(busiest_second(sent) == 1 for sent in by_path.values())
        rule.times = 0
        await cluster.jumps.until(lambda: not cluster.holders(), within=40)


async def test_retry_after_is_honoured(cluster: Cluster) -> None:
    async with cluster.pool() as pool:
        await granted(pool, "zero")
        await pool.leave(NODE, "zero", 5)
        cluster.faults.on(lease_write("PUT"), faults.throttled)
        waits = cluster.start(pool.ask(NODE, ask("a"), 50))
        await cluster.jumps.until(waits.done)
        assert isinstance(waits.result(), Granted)
        first, second = [one.at for one in cluster.faults.sent if one.method == "PUT"][-2:]
        assert 7 <= second - first <= 9


async def test_a_refused_write_names_the_verb_and_the_resource_to_who_waits(
    cluster: Cluster,
) -> None:
    rule = cluster.faults.on(lease_write("POST"), faults.forbidden, times=1e9)
    async with cluster.pool() as pool:
        waits = cluster.start(pool.ask(NODE, ask("a"), 2.5))
        await cluster.jumps.until(waits.done)
        view = waits.result()
        assert isinstance(view, Queued)
        assert "could not create leases.coordination.k8s.io in namespace velero" in view.reason
        assert "Role" in view.reason
        rule.times = 0
        waits = cluster.start(pool.ask(NODE, ask("a"), 40))
        await cluster.jumps.until(waits.done, within=40)
        assert isinstance(waits.result(), Granted)


async def test_refused_writes_are_tried_again_ever_more_seldom(cluster: Cluster) -> None:
    cluster.faults.on(lease_write("POST"), faults.forbidden, times=1e9)
    async with cluster.pool() as pool:
        waits = cluster.start(pool.ask(NODE, ask("a"), 55))
        await cluster.jumps.until(waits.done, within=60)
        tries = [one.at for one in cluster.faults.sent if one.method == "POST"]
        gaps = [later - earlier for earlier, later in pairwise(tries)]
        assert 3 <= len(tries) <= 8
        assert all(gap >= 1 for gap in gaps)
        assert gaps == sorted(gaps)


async def test_the_log_says_when_the_api_server_stops_answering_and_when_it_answers_again(
    cluster: Cluster,
) -> None:
    with capture_logs() as told:
        async with cluster.pool():
            rule = cluster.faults.on(any_request, faults.lost_before, times=1e9)
            cluster.faults.cut_all()
            await cluster.jumps.advance(5)
            rule.times = 0
            await cluster.jumps.advance(40)
    for resource in ("nodes", "configmaps", "leases"):
        events = [line["event"] for line in told if line.get("resource") == resource]
        assert events[0] == "API server did not answer"
        assert events.count("API server answers again") == 1
        assert events[-1] == "API server answers again"


@pytest.mark.parametrize("held", [True, False])
async def test_a_grant_that_waited_for_the_api_server_is_sent_only_if_it_is_still_right(
    cluster: Cluster, held: bool
) -> None:
    objects.put(cluster.store, objects.node("node2"))
    async with cluster.pool() as pool:
        await granted(pool, "old")
        await pool.leave(NODE, "old", 5)  # its Lease stays, free: a grant is one write
        cluster.faults.on(lease_write("POST"), faults.throttled)
        cluster.start(pool.ask("node2", ask("other"), 50))
        await cluster.jumps.turn()
        waits = cluster.start(pool.ask(NODE, ask("a"), 50))
        await cluster.jumps.advance(3)
        if held:
            cluster.patch_node({"annotations": {HOLD: "drain"}})
        await cluster.jumps.advance(7)
        grants = [
            one for one in cluster.faults.sent if one.method == "PUT" and b"load-a" in one.body
        ]
        assert len(grants) == (0 if held else 1)
        if held:
            cluster.patch_node({"annotations": {HOLD: None}})
        await cluster.jumps.until(waits.done)
        assert isinstance(waits.result(), Granted)
