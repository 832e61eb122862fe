"""With `summaries=1` a stream also tells the numbers of each node that changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.api.living import POOL, limits
from tests.api.streams import Stream, following

if TYPE_CHECKING:
    from typing import Any

    from tests.api.living import Living


async def numbers(stream: Stream, node: str, **wanted: object) -> dict[str, Any]:
    """The next numbers of the node that are as wanted."""
    while True:
        told: dict[str, Any] = (await stream.next("node")).data
        if told["node"] == node and wanted.items() <= told.items():
            return told


async def test_a_nodes_numbers_are_told_as_the_list_tells_them(alive: Living) -> None:
    await alive.grant("node1", "a")
    async with following(alive.api, "?summaries=1") as stream:
        await alive.queue("node1", "b")
        told = await numbers(stream, "node1", queued=1)
    [listed] = (await alive.get("/nodes?node=node1"))["nodes"]
    assert listed.pop("longestWaitSeconds") >= told.pop("longestWaitSeconds")
    assert told == listed
    assert stream.seen[-1].id == ""


async def test_a_grant_is_in_the_numbers(alive: Living) -> None:
    async with following(alive.api, "?summaries=1") as stream:
        await alive.grant("node1", "a")
        await numbers(stream, "node1", held=1, queued=0)
        await alive.release("node1", "a")
        await numbers(stream, "node1", held=0)


async def test_a_node_that_nobody_ever_asked_for_is_told_of_when_its_limit_changes(
    alive: Living,
) -> None:
    async with following(alive.api, "?summaries=1&node=node3") as stream:
        alive.configure(limits(4))
        await numbers(stream, "node3", limit=4, decidedBy="globalConfig")
        alive.annotate("node3", hold="new disks")
        await numbers(stream, "node3", hold="new disks")
    assert {one.data["node"] for one in stream.seen if one.name == "node"} == {"node3"}


async def test_without_them_no_numbers_are_told_and_none_are_counted(alive: Living) -> None:
    async with following(alive.api) as stream:
        await alive.grant("node1", "a")
        await stream.next("grant")
        assert alive.pool.news.summaries.version == 0
    assert [one.name for one in stream.seen] == ["hello", "grant"]


async def test_the_state_of_every_node_comes_from_list_and_stream_together(alive: Living) -> None:
    """Who reads the list after hello, and the numbers after it, has what is true."""
    async with following(alive.api, "?summaries=1") as stream:
        await stream.next("hello")
        await alive.grant("node2", "a")
        answer = await alive.api("GET", f"{POOL}/nodes")
        seen = {one["node"]: one for one in answer.json["nodes"]}
        await alive.grant("node3", "b")
        while [seen[f"node{n}"]["held"] for n in (1, 2, 3)] != [0, 1, 1]:
            told = (await stream.next("node")).data
            seen[told["node"]] = told
