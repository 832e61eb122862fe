"""New rules and new lists come to thousands of nodes in slices, and nobody sees the seams."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from coordinator.core.happenings import LimitChanged
from coordinator.core.views import Granted, Queued
from coordinator.embedded import objects
from coordinator.embedded.resources import LEASES
from coordinator.kube.records import parse
from coordinator.kube.reflector import Listed
from coordinator.service import backlog, rulings
from coordinator.service.lists import Lists, placed
from tests.service.cluster import CONFIG, NS, Cluster, ask

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from coordinator.service.pool import Pool

NAMES = ["node1", "node2", "node3", "node4"]
LAST = NAMES[-1]


@pytest.fixture(autouse=True)
def one_node_a_slice(monkeypatch: pytest.MonkeyPatch, cluster: Cluster) -> None:
    monkeypatch.setattr(backlog, "TURN", 0.0)
    for name in NAMES[1:]:
        objects.put(cluster.store, objects.node(name))


def edit(pool: Pool, number: int) -> None:
    """The watch shows a ConfigMap that gives every node this limit; nothing else has a turn."""
    text = orjson.dumps({"loadConcurrency": {"globalConfig": number}}).decode()
    made = objects.config_map(NS, CONFIG, {"limits.json": text})
    made["metadata"]["resourceVersion"] = str(10_000 + number)
    pool.keeper.present(made)


async def on_each(pool: Pool, claim: str) -> None:
    for name in NAMES:
        view = await pool.ask(name, ask(f"{claim}-{name}"), 20)
        assert isinstance(view, Granted)


def told(pool: Pool) -> list[int]:
    """The limit that each node's table knows."""
    return [pool.desks[name].table.limit for name in NAMES]


async def test_others_get_a_turn_while_rules_come_to_the_nodes(cluster: Cluster) -> None:
    async with cluster.pool() as pool:
        await on_each(pool, "a")
        edit(pool, 5)
        assert told(pool) == [5, 2, 2, 2]
        await cluster.jumps.until(lambda: told(pool) == [5, 5, 5, 5])


async def test_a_node_that_is_looked_at_meanwhile_is_under_the_new_rules(cluster: Cluster) -> None:
    async with cluster.pool() as pool:
        await on_each(pool, "a")
        edit(pool, 5)
        assert pool.node(LAST).limit == 5
        assert told(pool) == [5, 2, 2, 5]


async def test_no_slot_is_given_beyond_a_limit_that_was_seen(cluster: Cluster) -> None:
    async with cluster.pool() as pool:
        await on_each(pool, "a")
        edit(pool, 1)
        assert told(pool)[-1] == 2
        assert isinstance(await pool.ask(LAST, ask("b"), 0), Queued)


async def test_the_newest_rules_win_when_they_come_in_the_middle(cluster: Cluster) -> None:
    async with cluster.pool() as pool:
        await on_each(pool, "a")
        heard: list[Any] = []
        pool.reports.listen(heard.append)
        edit(pool, 5)
        edit(pool, 7)
        await cluster.jumps.until(lambda: not pool.rulings.left)
        assert told(pool) == [7, 7, 7, 7]
        changes = [one for one in heard if isinstance(one, LimitChanged)]
        assert [(one.before, one.after) for one in changes if one.node == LAST] == [(2, 7)]


async def test_the_log_names_some_nodes_and_counts_the_others(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rulings, "MOST_NAMED", 3)
    async with cluster.pool() as pool:
        await on_each(pool, "a")
        named: list[str] = []
        more: list[int] = []

        def limit_changed(change: LimitChanged, *, logged: bool) -> None:
            named.extend([change.node] if logged else [])

        monkeypatch.setattr(pool.reports, "limit_changed", limit_changed)
        monkeypatch.setattr(pool.reports, "more_limits_changed", more.append)
        edit(pool, 5)
        await cluster.jumps.until(lambda: not pool.rulings.left)
        assert (named, more) == (NAMES[:3], [1])


def lists(cluster: Cluster, pool: Pool) -> None:
    """A list of the Leases as they are comes; nothing else has a turn."""
    items = [placed(one) for one in cluster.store.list(LEASES, NS)]
    pool.take(Listed(items, "20000", cluster.jumps.now()))


async def test_a_node_whose_part_of_a_list_is_not_told_yet_is_told_first(cluster: Cluster) -> None:
    async with cluster.pool() as pool:
        await on_each(pool, "a")
        pool.desks.clear()
        lists(cluster, pool)
        assert list(pool.desks) == [NAMES[0]]
        view = pool.look(LAST, f"a-{LAST}")
        assert isinstance(view, Granted)
        assert LAST in pool.desks
        await cluster.jumps.until(lambda: not pool._lists.left)
        assert sorted(pool.desks) == NAMES


async def test_the_pods_are_listed_once_every_table_knows_who_holds(cluster: Cluster) -> None:
    """A Pod that has ended would be missed while its claim is not known."""
    tasks: list[Coroutine[object, object, None]] = []
    relists: list[int] = []
    desks: dict[str, Any] = {}
    hands: Any = SimpleNamespace(spawn=tasks.append, relist_pods=lambda: relists.append(len(desks)))
    reports: Any = SimpleNamespace(took_over=lambda nodes, seconds: None)

    def opened(node: str) -> Any:
        return desks.setdefault(node, node)

    taking = Lists(desks, opened, lambda desk, event: None, reports, cluster.jumps.now, hands)
    items = [(name, 0, parse({"metadata": {"name": f"{name}-slot-0"}})) for name in NAMES]
    taking.take(Listed(items, "1", 0.0))
    assert (len(desks), taking.whole, relists) == (1, False, [])
    await tasks.pop()
    assert (taking.whole, relists) == (True, [4])
    taking.take(Listed(items, "2", 0.0))
    await tasks.pop()
    assert relists == [4]


async def test_until_all_is_told_it_is_not_known_who_holds(cluster: Cluster) -> None:
    async with cluster.pool() as pool:
        assert not pool.gathering()
        pool._lists.whole = False
        assert pool.gathering()
