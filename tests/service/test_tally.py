"""The numbers of a pool's nodes and their sums: what is kept is what the tables tell."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from math import inf
from random import Random
from typing import TYPE_CHECKING

import pytest

from coordinator.core.explain import Starved
from coordinator.core.model import PodRef
from coordinator.core.refusals import Refusal
from coordinator.core.views import Granted
from coordinator.core.waits import longest_wait
from coordinator.embedded import objects
from coordinator.embedded.resources import NODES
from coordinator.service import tally
from coordinator.service.errors import ServiceError
from coordinator.service.status import NodeCounts, Totals, counts
from coordinator.service.tally import Tally
from tests.service.cluster import NODE, NS, Cluster, ask

if TYPE_CHECKING:
    from coordinator.service.pool import Pool


@dataclass
class Scene:
    """Nodes whose numbers a test writes down, and the time."""

    numbers: dict[str, NodeCounts] = field(default_factory=dict)
    since: dict[str, float] = field(default_factory=dict)
    now: float = 100.0
    counted: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.tally = Tally(self._count, lambda node: self.since.get(node, inf), lambda: self.now)

    def _count(self, node: str) -> NodeCounts | None:
        self.counted.append(node)
        return self.numbers.get(node)

    def set(self, node: str, held: int, queued: int = 0, since: float = inf) -> None:
        """From now on the node has so many holders, and who waits first has done so since."""
        self.numbers[node] = NodeCounts(node, 3, held, queued, "")
        self.since[node] = since
        self.tally.touch(node)

    def starved(self, most: int = 10) -> list[tuple[str, float]]:
        return [(one.node, one.longest_wait) for one in self.tally.starved(most)]


def test_the_sums_follow_each_node() -> None:
    scene = Scene()
    scene.set("n1", 1, 4, since=90)
    scene.set("n2", 2)
    assert scene.tally.totals() == Totals(2, 6, 3, 4, 0, 1)
    assert scene.tally.longest_queue() == 4
    scene.set("n1", 3)
    assert scene.tally.totals() == Totals(2, 6, 5, 0, 0, 0)
    assert scene.tally.longest_queue() == 0


def test_a_node_that_is_gone_is_in_no_sum() -> None:
    scene = Scene()
    scene.set("n1", 1, 4, since=90)
    assert scene.tally.totals().nodes == 1
    del scene.numbers["n1"]
    scene.tally.touch("n1")
    assert scene.tally.totals() == Totals(0, 0, 0, 0)
    assert scene.tally.count("n1") is None
    assert scene.starved() == []


def test_a_node_is_counted_once_however_much_happens_to_it() -> None:
    scene = Scene()
    for held in range(3):
        scene.set("n1", held)
    assert scene.tally.totals().held == 2
    scene.tally.totals()
    assert scene.counted == ["n1"]


def test_only_what_was_touched_is_counted_anew() -> None:
    scene = Scene()
    scene.set("n1", 1)
    scene.set("n2", 1)
    scene.tally.totals()
    scene.set("n1", 2)
    assert scene.tally.of("n2") == NodeCounts("n2", 3, 1, 0, "")
    assert scene.tally.totals().held == 3
    assert sorted(scene.counted) == ["n1", "n1", "n2"]


def test_no_reader_finds_thousands_to_be_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tally, "MOST_OWED", 10)
    scene = Scene()
    for number in range(1000):
        scene.set(f"n{number}", 1)
    assert 1000 - len(scene.counted) <= 10
    assert scene.tally.totals().held == 1000


def test_the_longest_waits_come_first_and_grow_by_themselves() -> None:
    scene = Scene()
    for number in (1, 3, 2):
        scene.set(f"n{number}", 1, 1, since=10.0 * number)
    assert scene.starved(2) == [("n1", 90.0), ("n2", 80.0)]
    scene.now += 5
    assert scene.starved(2) == [("n1", 95.0), ("n2", 85.0)]
    assert scene.tally.count("n3") == NodeCounts("n3", 3, 1, 1, "")
    assert scene.tally.longest_wait("n3") == 75.0


def test_who_asks_no_more_waits_no_more_though_nothing_tells_of_that() -> None:
    scene = Scene()
    scene.set("n1", 1, 2, since=10)
    scene.set("n2", 1, 2, since=20)
    scene.set("n3", 1, 2, since=30)
    assert scene.starved(1) == [("n1", 90.0)]
    scene.since |= {"n1": 40, "n2": inf}
    assert scene.starved(1) == [("n3", 70.0)]
    assert scene.starved() == [("n3", 70.0), ("n1", 60.0), ("n2", 0.0)]
    assert scene.tally.totals().waiting == 3


# --- a running pool -------------------------------------------------------------------------------

NAMES = [NODE, "node2", "node3"]
CLAIMS = ["a", "b", "c", "d"]


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_happens_the_tally_is_what_counting_all_tables_would_say(
    cluster: Cluster, seed: int
) -> None:
    rng = Random(seed)
    for name in NAMES[1:]:
        objects.put(cluster.store, objects.node(name))
    pod = PodRef(NS, "load", cluster.pod("load"))
    async with cluster.pool() as pool:
        seen = set()
        for _ in range(200):
            await _something(cluster, pool, rng, pod)
            _judge(pool)
            seen.add(pool.tally.totals())
        assert len(seen) > 20


async def _something(cluster: Cluster, pool: Pool, rng: Random, pod: PodRef) -> None:
    """One thing that may happen to a pool."""
    name, claim = rng.choice(NAMES), rng.choice(CLAIMS)
    match rng.choice(["ask", "ask", "ask", "leave", "time", "limit", "hold", "node", "hand"]):
        case "ask":
            await _asked(pool, name, claim, pod if name == NODE else None)
        case "leave" if name in pool.desks:
            with suppress(ServiceError):  # the node is gone
                await pool.leave(name, f"{name}-{claim}", 0)
        case "time":
            await cluster.jumps.advance(rng.choice([0.1, 1, 16, 40, 60]))
        case "limit":
            cluster.limit(rng.randrange(1, 4))
        case "hold" if _is_there(cluster, name):
            reason = rng.choice(["a disk swap", None])
            cluster.patch_node({"annotations": {"nodeslots.io/hold": reason}}, name)
        case "node" if _is_there(cluster, name):
            cluster.store.delete(NODES, "", name)
        case "node":
            objects.put(cluster.store, objects.node(name))
        case "hand":
            held = sorted(cluster.holders())
            if held:
                cluster.delete_lease(rng.choice(held))
    await cluster.jumps.turn()


async def _asked(pool: Pool, node: str, claim: str, pod: PodRef | None) -> None:
    """It asks, and shows its token if it has one: silent later on, it is unresponsive."""
    asks = partial(ask, f"{node}-{claim}", ttl=30, pod=pod)
    with suppress(Refusal, ServiceError):  # it left a moment ago, or its node did
        view = await pool.ask(node, asks(), 0)
        if isinstance(view, Granted):
            await pool.ask(node, asks(token=view.token), 0)


def _is_there(cluster: Cluster, node: str) -> bool:
    return any(one["metadata"]["name"] == node for one in cluster.store.list(NODES))


def _judge(pool: Pool) -> None:
    tables = {node: pool.insight.table(node) for node in pool.nodes()}
    now = pool._clock.now()
    true = {node: counts(node, table, pool._limits) for node, table in tables.items()}
    waits = {node: longest_wait(table, now) for node, table in tables.items() if table}
    assert {node: pool.tally.of(node) for node in tables} == true
    assert pool.tally.totals() == Totals(
        len(true),
        sum(one.limit for one in true.values()),
        sum(one.held for one in true.values()),
        sum(one.queued for one in true.values()),
        sum(one.unresponsive for one in true.values()),
        sum(one.queued > 0 for one in true.values()),
    )
    queued = [one for one in true.values() if one.queued]
    found = pool.tally.starved(10)
    assert sorted(found, key=_by_node) == sorted(
        (Starved(one.node, one.queued, waits[one.node]) for one in queued), key=_by_node
    )
    told = [one.longest_wait for one in found]
    assert told == sorted(told, reverse=True)


def _by_node(one: Starved) -> str:
    return one.node
