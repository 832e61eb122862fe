"""A list that somebody asks for in between."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coordinator.kube.reflector import Broken, Listed, Watching
from tests.kube.fakes import FakeServer, Reply, stream
from tests.kube.reflecting import listed, until, watching

if TYPE_CHECKING:
    from coordinator.kube.client import KubeClient


async def test_a_list_is_made_on_demand_during_a_watch(
    fake: FakeServer, client: KubeClient
) -> None:
    fake.then(listed(5), stream(end="hang"), listed(9), stream(end="hang"))
    async with watching(client) as watcher:
        await until(watcher, Watching)
        watcher.clock.advance(60)
        watcher.reflector.relist_now()
        watcher.reflector.relist_now()
        await until(watcher, Watching, 2)
        _, second = await until(watcher, Listed, 2)
        assert second.started >= 1060.0
        assert not [told for told in watcher.told if isinstance(told, Broken)]
    assert len(fake.asked) == 4


async def test_a_demand_during_a_list_leads_to_one_more(
    fake: FakeServer, client: KubeClient
) -> None:
    async with watching(client) as watcher:
        fake.then(
            Reply(listed(5).data, "keep", watcher.reflector.relist_now),
            listed(6),
            stream(end="hang"),
        )
        lists = await until(watcher, Listed, 2)
        assert lists[1].started - lists[0].started >= 1.0


async def test_a_demand_while_a_watch_is_opened_leads_to_one_more(
    fake: FakeServer, client: KubeClient
) -> None:
    async with watching(client) as watcher:
        fake.then(
            listed(5),
            stream(end="hang", before=watcher.reflector.relist_now),
            listed(6),
            stream(end="hang"),
        )
        await until(watcher, Listed, 2)
