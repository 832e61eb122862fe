"""A reader that comes again goes on where it was, or is told that it missed something."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from coordinator.core.happenings import HoldChanged
from coordinator.service.feed import KEPT
from tests.api.living import until
from tests.api.streams import following

if TYPE_CHECKING:
    from tests.api.living import Living


async def test_what_happened_meanwhile_is_told_once_and_in_order(alive: Living) -> None:
    async with following(alive.api) as stream:
        await alive.grant("node1", "a")
        last = await stream.next("grant")
    await alive.grant("node2", "b")
    await alive.release("node1", "a")
    async with following(alive.api, last_event_id=last.id) as stream:
        await alive.grant("node3", "c")
        told = [await stream.next() for _ in range(4)]
    assert [one.name for one in told] == ["hello", "grant", "release", "grant"]
    assert [one.data.get("claim") for one in told] == [None, "b", "a", "c"]
    assert told[0].id == last.id
    numbers = [int(one.id.partition(".")[2]) for one in told]
    assert numbers == list(range(numbers[0], numbers[0] + 4))


async def test_who_saw_only_hello_can_go_on_too(alive: Living) -> None:
    async with following(alive.api) as stream:
        hello = await stream.next()
    await alive.grant("node1", "a")
    async with following(alive.api, last_event_id=hello.id) as stream:
        assert [(await stream.next()).name for _ in range(2)] == ["hello", "grant"]


@pytest.mark.parametrize("last", ["{term}.99999", "1.{last}", "{term}", "x", "{term}.-1", "²³.1"])
async def test_what_was_never_told_here_is_a_reset(alive: Living, last: str) -> None:
    """Also the number of an event of an earlier leader, or of a later time."""
    feed = alive.pool.news.feed
    text = last.format(term=alive.pool.term, last=feed.last)
    async with following(alive.api, last_event_id=text) as stream:
        told = [await stream.next() for _ in range(2)]
    assert [one.name for one in told] == ["hello", "reset"]
    assert told[1].data["reason"]
    assert told[1].id == f"{alive.pool.term}.{feed.last}"


@pytest.mark.parametrize(("missed", "name"), [(KEPT - 1, "hold"), (KEPT + 1, "reset")])
async def test_as_much_as_is_kept_may_be_missed(alive: Living, missed: int, name: str) -> None:
    async with following(alive.api) as stream:
        alive.annotate("node1", hold="first")
        last = await stream.next("hold")
    for number in range(missed):
        alive.pool.news.take(HoldChanged("node1", str(number)))
    async with following(alive.api, last_event_id=last.id) as stream:
        told = [await stream.next() for _ in range(2)]
    assert told[1].name == name


async def test_more_at_once_than_is_kept_is_a_reset_and_the_stream_goes_on(alive: Living) -> None:
    async with following(alive.api) as stream:
        await stream.next()
        for number in range(KEPT + 1):
            alive.pool.news.take(HoldChanged("node1", str(number)))
        assert (await stream.next()).name == "reset"
        await alive.grant("node1", "a")
        assert (await stream.next()).name == "grant"


async def test_the_numbers_of_nodes_that_changed_meanwhile_are_told(alive: Living) -> None:
    """A claim that begins to wait is no happening, but changes its node's numbers."""
    await alive.grant("node1", "a")
    async with following(alive.api, "?summaries=1") as stream:
        await alive.grant("node2", "b")
        last = await stream.next("grant")
        await until(lambda: alive.pool.news.followers == 1)
    await until(lambda: alive.pool.news.followers == 0)
    await alive.queue("node1", "c")
    async with following(alive.api, "?summaries=1", last_event_id=last.id) as stream:
        while (told := (await stream.next("node")).data)["node"] != "node1":
            pass
    assert (told["held"], told["queued"]) == (1, 1)
