"""The stream of events: each kind of happening is told once, with what it is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from coordinator.api import events as streams
from tests.api.living import DEADLINE, POOL, limits, until
from tests.api.streams import following

if TYPE_CHECKING:
    from tests.api.living import Living

WHOLE = DEADLINE


async def test_a_stream_begins_with_hello_and_when_to_come_back(alive: Living) -> None:
    async with following(alive.api) as stream:
        hello = await stream.next()
    assert (hello.name, stream.retry) == ("hello", "1000")
    assert hello.data == {"term": alive.pool.term, "namespace": "velero"}
    assert hello.id == f"{alive.pool.term}.{alive.pool.news.feed.last}"
    assert stream.answer.headers["Cache-Control"] == "no-store"


async def test_a_grant_is_told(alive: Living) -> None:
    async with following(alive.api) as stream:
        hello = await stream.next()
        token = await alive.grant("node1", "a", pod="p1")
        told = await stream.next("grant")
    number = int(hello.id.partition(".")[2])
    assert told.id == f"{alive.pool.term}.{number + 1}"
    assert told.data.pop("at").endswith("Z")
    assert 0 <= told.data.pop("waitedSeconds") < WHOLE
    assert told.data == {
        "node": "node1",
        "lease": "node1-slot-0",
        "slot": 0,
        "claim": "a",
        "load": "load-a",
        "pod": "velero/p1",
        "token": token,
    }


async def test_a_hand_over_names_both(alive: Living) -> None:
    await alive.grant("node1", "a")
    await alive.queue("node1", "b")
    async with following(alive.api) as stream:
        await alive.release("node1", "a")
        told = (await stream.next("handover")).data
    assert (told["claim"], told["load"], told["pod"]) == ("b", "load-b", None)
    assert told["from"] == {"claim": "a", "load": "load-a", "pod": None}
    assert told["token"] == alive.pool.node("node1").slots[0].token
    for name in ("waitedSeconds", "heldSeconds", "handoverSeconds"):
        assert 0 <= told[name] < WHOLE


async def test_a_release_is_told_once_the_slot_is_free(alive: Living) -> None:
    await alive.grant("node1", "a")
    async with following(alive.api) as stream:
        await alive.release("node1", "a")
        told = (await stream.next("release")).data
    assert (told["claim"], told["lease"], told["slot"]) == ("a", "node1-slot-0", 0)
    assert 0 <= told["heldSeconds"] < WHOLE
    assert "token" not in told


async def test_a_reclaim_says_why_and_a_release_follows(alive: Living) -> None:
    """A Pod that is seen finished frees its slot at once."""
    uid = alive.add_pod("node1", "p1")
    await alive.grant("node1", "a", pod="p1", uid=uid)
    async with following(alive.api) as stream:
        alive.finish_pod("p1")
        told = (await stream.next("reclaim")).data
        assert (told["claim"], told["cause"]) == ("a", "finished")
        assert told["reason"] == "its Pod has finished"
        assert (await stream.next("release")).data["claim"] == "a"


async def test_another_limit_is_told_of_every_node_used_or_not(alive: Living) -> None:
    await alive.grant("node1", "a")
    async with following(alive.api) as stream:
        alive.configure(limits(2))
        config = await stream.next("config")
        told = [(await stream.next("limit")).data for _ in range(3)]
    assert config.data["error"] == ""
    assert [one["node"] for one in told] == ["node1", "node2", "node3"]
    assert {(one["before"], one["after"], one["rule"]) for one in told} == {(1, 2, "globalConfig")}


async def test_another_rule_is_told_even_if_the_number_is_the_same(alive: Living) -> None:
    alive.configure(limits(1, ({"disk": "fast"}, 1)))
    await until(lambda: alive.pool.config().rules)
    async with following(alive.api) as stream:
        alive.label("node2", disk="fast")
        told = (await stream.next("limit")).data
    assert (told["node"], told["before"], told["after"]) == ("node2", 1, 1)
    assert told["rule"] == "perNodeConfig[0] disk=fast"


async def test_a_refused_config_is_told_with_what_is_wrong(alive: Living) -> None:
    version = alive.pool.config().version
    async with following(alive.api) as stream:
        alive.configure("{")
        told = (await stream.next("config")).data
    assert "not JSON" in told["error"]
    assert told["version"] == version


async def test_a_hold_and_its_end_are_told(alive: Living) -> None:
    async with following(alive.api) as stream:
        alive.annotate("node3", hold="new disks")
        assert (await stream.next("hold")).data["reason"] == "new disks"
        alive.annotate("node3", hold=None)
        told = (await stream.next("hold")).data
    assert (told["node"], told["reason"]) == ("node3", "")


async def test_only_the_nodes_that_are_asked_for_are_told_of(alive: Living) -> None:
    async with following(alive.api, "?node=node2&node=node3") as stream:
        for node in ("node1", "node3", "node2"):
            await alive.grant(node, f"a-{node}")
        alive.configure(limits(2))
        for _ in range(2):
            await stream.next("grant")
        await stream.next("config")
        for _ in range(2):
            await stream.next("limit")
    nodes = [one.data["node"] for one in stream.seen if "node" in one.data]
    assert nodes == ["node3", "node2", "node2", "node3"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("?node=UPPER", "query.node"),
        ("?summaries=yes", "query.summaries"),
        ("?summaries=", "query.summaries"),
    ],
)
async def test_a_bad_question_is_refused(alive: Living, query: str, field: str) -> None:
    answer = await alive.api("GET", f"{POOL}/events{query}")
    assert (answer.problem, answer.json["errors"][0]["field"]) == ("malformed", field)


async def test_a_pool_without_a_picture_has_no_stream(alive: Living) -> None:
    alive.pool._trouble = "the list of Leases failed"
    assert (await alive.api("GET", f"{POOL}/events")).problem == "not-ready"


async def test_many_streams_are_told_the_same_and_one_too_many_is_turned_away(
    alive: Living, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = alive.app[streams.STREAMS]
    monkeypatch.setattr(places, "_most", 2)
    async with following(alive.api) as one, following(alive.api) as two:
        refused = await alive.api("GET", f"{POOL}/events")
        assert (refused.problem, refused.headers["Retry-After"]) == ("overloaded", "5")
        await alive.grant("node1", "a")
        assert await one.next("grant") == await two.next("grant")
    await until(lambda: places.taken == 0)
    async with following(alive.api) as again:
        assert (await again.next()).name == "hello"


async def test_a_quiet_stream_shows_that_it_lives(
    alive: Living, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "HEARTBEAT", 0.01)
    async with following(alive.api) as stream:
        await stream.next("hello")
        await stream.comment()
        await alive.grant("node1", "a")
        assert (await stream.next()).name == "grant"
