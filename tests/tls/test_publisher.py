"""The authority's certificate in the ConfigMaps that agents mount."""

from __future__ import annotations

import pytest

from coordinator.tls.publisher import TICK
from tests.tls.scene import CLIENTS, HOME, Replica, Scene, config_map_path

PUTS = [("PUT", config_map_path(HOME)), ("PUT", config_map_path(CLIENTS))]


async def looked(replica: Replica, bundle: bytes = b"first") -> float:
    replica.publisher.offer(bundle)
    return await replica.publisher.look()


async def test_the_leader_publishes_in_every_namespace_with_updates_alone(scene: Scene) -> None:
    replica = scene.replica()
    assert not replica.publisher.has(b"first")
    await looked(replica)
    assert scene.requests == PUTS
    assert replica.publisher.has(b"first")
    assert [await scene.published(HOME), await scene.published(CLIENTS)] == [b"first"] * 2


async def test_what_agents_mount_is_what_is_served(scene: Scene) -> None:
    replica = scene.replica()
    material = await replica.source.read()
    await replica.publisher.look()
    assert await scene.published(CLIENTS) == material.bundle == (await scene.stored()).bundle


async def test_a_follower_publishes_nothing(scene: Scene) -> None:
    await looked(scene.replica(leading=False))
    assert scene.requests == []


async def test_nothing_is_published_before_there_is_something(scene: Scene) -> None:
    await scene.replica().publisher.look()
    assert scene.requests == []


async def test_a_change_is_published_at_the_next_look_and_else_nothing_is_asked(
    scene: Scene,
) -> None:
    replica = scene.replica()
    await looked(replica)
    for _ in range(5):
        assert await looked(replica) == TICK
    assert scene.requests == PUTS
    await looked(replica, b"second")
    assert scene.requests == PUTS * 2
    assert replica.publisher.has(b"second")
    assert not replica.publisher.has(b"first")


async def test_a_bundle_that_comes_while_another_one_is_written_is_published_at_the_next_look(
    scene: Scene,
) -> None:
    replica = scene.replica()

    async def renew() -> None:
        replica.publisher.offer(b"second")

    scene.before[PUTS[0]] = renew
    await looked(replica)
    assert not replica.publisher.has(b"second")
    await replica.publisher.look()
    assert replica.publisher.has(b"second")
    assert [await scene.published(HOME), await scene.published(CLIENTS)] == [b"second"] * 2


async def test_a_config_map_that_a_hand_emptied_is_filled_within_the_hour(scene: Scene) -> None:
    replica = scene.replica()
    await looked(replica)
    scene.pass_time(hours=1)
    await looked(replica)
    assert scene.requests == PUTS * 2


async def test_a_new_leader_publishes_again(scene: Scene) -> None:
    replica = scene.replica()
    await looked(replica)
    replica.leading = False
    await looked(replica)
    assert not replica.publisher.has(b"first")
    replica.leading = True
    await looked(replica)
    assert scene.requests == PUTS * 2


@pytest.mark.parametrize("status", [403, 404])
async def test_one_namespace_that_refuses_keeps_no_other_from_it(scene: Scene, status: int) -> None:
    scene.refusals[PUTS[0]] = status
    replica = scene.replica()
    await looked(replica)
    assert scene.requests == PUTS
    assert replica.counted.unpublished == [HOME]
    assert not replica.publisher.has(b"first")
    for _ in range(600):
        scene.pass_time(seconds=1)
        await looked(replica)
    assert scene.requests.count(PUTS[1]) == 1
    assert 20 <= scene.requests.count(PUTS[0]) <= 60, "each half minute at least, capped"
    scene.refusals.clear()
    scene.pass_time(seconds=31)
    await looked(replica)
    assert replica.publisher.has(b"first")


async def test_an_api_server_that_is_away_is_asked_one_thing_and_ever_less(scene: Scene) -> None:
    scene.refusals = dict.fromkeys(PUTS, 500)
    replica = scene.replica()
    waits = [await looked(replica) for _ in range(8)]
    assert scene.requests == PUTS[:1] * 8
    assert waits[0] >= 1.0
    assert 15 <= waits[-1] <= 30
    scene.refusals.clear()
    assert await looked(replica) == TICK
    assert replica.publisher.has(b"first")
