"""The reflector keeps a picture whole and current, and never presses a server that is unwell."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import orjson

from coordinator.kube import errors
from coordinator.kube.reflector import (
    SILENCE,
    Bookmark,
    Broken,
    Changed,
    Deleted,
    Listed,
    Watching,
)
from tests.kube.fakes import FakeServer, Reply, answer, status, stream
from tests.kube.reflecting import event, listed, obj, until, watching

if TYPE_CHECKING:
    import pytest

    from coordinator.kube.client import KubeClient
    from tests.service.jumps import Jumps


async def test_a_list_is_whole_and_then_watched(fake: FakeServer, client: KubeClient) -> None:
    a, b, c = obj("a", 3), obj("b", 4), obj("c", 8)
    changes = (event("ADDED", c), event("MODIFIED", obj("a", 9)), event("DELETED", obj("b", 10)))
    fake.then(listed(5, a, onward="more"), listed(5, b), stream(*changes, end="hang"))
    async with watching(client, params={"fieldSelector": "x!=y"}, page_size=1) as watcher:
        await until(watcher, Deleted)
        assert watcher.told == [
            Listed([a, b], "5", 1000.0),
            Watching(),
            Changed(c),
            Changed(obj("a", 9)),
            Deleted(obj("b", 10)),
        ]
    first, second, watch = fake.asked
    assert first.params == {"fieldSelector": "x!=y", "limit": "1"}
    assert second.params == first.params | {"continue": "more"}
    assert watch.params["resourceVersion"] == "5"
    assert watch.params["allowWatchBookmarks"] == "true"
    assert watch.params["fieldSelector"] == "x!=y"
    assert 300 <= int(watch.params["timeoutSeconds"]) <= 600


async def test_a_page_is_read_while_the_next_one_is_on_its_way(
    fake: FakeServer, client: KubeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    real = client.request

    async def request(*call: Any, **options: Any) -> Any:
        steps.append("ask")
        return await real(*call, **options)

    def read(thing: dict[str, Any]) -> str:
        steps.append("read")
        return str(thing["metadata"]["name"])

    monkeypatch.setattr(client, "request", request)
    fake.then(listed(5, obj("a", 3), onward="more"), listed(5, obj("b", 4)), stream(end="hang"))
    async with watching(client, read=read) as watcher:
        (told,) = await until(watcher, Listed)
    assert told.items == ["a", "b"]
    assert steps == ["ask", "ask", "read", "read"]


async def test_a_list_says_when_its_first_page_was_sent(
    fake: FakeServer, client: KubeClient
) -> None:
    async with watching(client) as watcher:
        slow = listed(5, onward="more")
        fake.then(Reply(slow.data, "keep", lambda: watcher.clock.advance(20)), listed(5))
        (told,) = await until(watcher, Listed)
        assert told.started == 1000.0


async def test_a_watch_that_ends_is_taken_up_where_it_ended(
    fake: FakeServer, client: KubeClient
) -> None:
    async with watching(client) as watcher:
        bookmark = event("BOOKMARK", obj("", 77))
        fake.then(
            listed(5),
            stream(bookmark, before=lambda: watcher.clock.advance(400)),
            stream(end="hang"),
        )
        await until(watcher, Watching, 2)
        assert watcher.told[2:] == [Bookmark("77"), Watching()]
        assert watcher.clock.slept == []
    assert [asked.params.get("resourceVersion") for asked in fake.asked] == [None, "5", "77"]


async def test_a_watch_that_ends_at_once_is_waited_for(
    fake: FakeServer, client: KubeClient
) -> None:
    fake.then(listed(5), *[stream() for _ in range(6)])
    async with watching(client) as watcher:
        broken = await until(watcher, Broken, 6)
        waits = [each.delay for each in broken]
        assert waits == watcher.clock.slept
        assert waits == sorted(waits)
        assert waits[0] >= 1.0
        assert waits[5] > 18
    assert len([asked for asked in fake.asked if "watch" not in asked.params]) == 1


async def test_an_expired_version_leads_to_a_new_list(fake: FakeServer, client: KubeClient) -> None:
    async with watching(client) as watcher:
        fake.then(
            listed(5),
            stream(before=lambda: watcher.clock.advance(400)),
            answer(410, status(410, "Expired")),
            listed(50),
            stream(end="hang"),
        )
        lists = await until(watcher, Listed, 2)
        assert lists[1].version == "50"
        assert watcher.clock.slept == []


async def test_an_expired_version_told_by_an_event_leads_to_a_new_list(
    fake: FakeServer, client: KubeClient
) -> None:
    gone = event("ERROR", status(410, "Expired"))
    async with watching(client) as watcher:
        fake.then(listed(5), stream(gone, before=lambda: watcher.clock.advance(2)), listed(6))
        await until(watcher, Listed, 2)


async def test_a_server_that_expires_everything_is_not_pressed(
    fake: FakeServer, client: KubeClient
) -> None:
    for version in range(5):
        fake.then(listed(version + 1), answer(410, status(410, "Expired")))
    async with watching(client) as watcher:
        await until(watcher, Broken, 5)
        assert len(watcher.clock.slept) >= 5
        assert min(watcher.clock.slept) >= 1.0


async def test_pages_that_outlive_their_snapshot_are_read_at_once(
    fake: FakeServer, client: KubeClient
) -> None:
    fake.then(listed(5, obj("a", 1), onward="x"), answer(410, status(410, "Expired")))
    fake.then(listed(9, obj("b", 2)), stream(end="hang"))
    async with watching(client, page_size=1) as watcher:
        (told,) = await until(watcher, Listed)
        assert [item["metadata"]["name"] for item in told.items] == ["b"]
    assert "limit" not in fake.asked[2].params


async def test_an_outage_keeps_the_version_and_asks_less_than_once_a_second(
    fake: FakeServer, client: KubeClient
) -> None:
    asked_at: list[float] = []
    async with watching(client) as watcher:

        def note() -> None:
            asked_at.append(watcher.clock.now)

        down = answer(503, status(503, "ServiceUnavailable")).data
        fake.then(listed(5), *[Reply(down, "keep", note) for _ in range(12)])
        fake.then(stream(event("ADDED", obj("a", 6)), end="hang"))
        await until(watcher, Changed)
    gaps = [later - sooner for sooner, later in pairwise(asked_at)]
    assert min(gaps) >= 1.0
    assert max(gaps) <= 30.0
    assert {asked.params["resourceVersion"] for asked in fake.asked[1:]} == {"5"}


async def test_no_server_at_the_start_is_told_and_waited_for(
    fake: FakeServer, client: KubeClient
) -> None:
    fake.then(Reply(b"", "close"), Reply(b"", "close"), answer(403, status(403, "Forbidden")))
    fake.then(listed(5), stream(end="hang"))
    async with watching(client) as watcher:
        await until(watcher, Listed)
        first, *_, last = [told.error for told in watcher.told if isinstance(told, Broken)]
        assert isinstance(first, errors.Unavailable)
        assert isinstance(last, errors.Forbidden)
        assert "nodes: list" in str(last)


async def test_retry_after_is_honoured(fake: FakeServer, client: KubeClient) -> None:
    fake.then(answer(429, status(429, "TooManyRequests"), Retry_After="17"), listed(5))
    async with watching(client) as watcher:
        await until(watcher, Listed)
        assert watcher.clock.slept == [17.0]


async def test_a_silent_watch_leads_to_a_new_list_for_its_version_may_never_come(
    fake: FakeServer, jumps: Jumps, client: KubeClient
) -> None:
    async with watching(client) as watcher:
        fake.then(
            listed(50),
            stream(end="hang", before=lambda: watcher.clock.advance(150)),
            listed(5),
            stream(event("ADDED", obj("a", 6)), end="hang"),
        )
        await until(watcher, Watching)
        jumps.stall(SILENCE)
        await until(watcher, Changed)
        assert [told.version for told in watcher.told if isinstance(told, Listed)] == ["50", "5"]
        assert not [told for told in watcher.told if isinstance(told, Broken)]


async def test_a_watch_that_fell_silent_after_a_bookmark_goes_on_from_it(
    fake: FakeServer, jumps: Jumps, client: KubeClient
) -> None:
    async with watching(client) as watcher:
        bookmark = stream(
            event("BOOKMARK", obj("", 5)),
            end="hang",
            before=lambda: watcher.clock.advance(150),
        )
        fake.then(listed(5), bookmark, stream(event("ADDED", obj("a", 6)), end="hang"))
        await until(watcher, Bookmark)
        jumps.stall(SILENCE)
        await until(watcher, Changed)
        assert len([told for told in watcher.told if isinstance(told, Listed)]) == 1


async def test_a_stream_cut_in_a_line_loses_nothing(fake: FakeServer, client: KubeClient) -> None:
    whole = orjson.dumps(event("ADDED", obj("a", 6))) + b"\n"
    async with watching(client) as watcher:
        fake.then(
            listed(5),
            stream(whole, whole[:20], end="cut", before=lambda: watcher.clock.advance(2)),
            stream(event("ADDED", obj("b", 7)), end="hang"),
        )
        changes = await until(watcher, Changed, 2)
        assert [change.obj["metadata"]["name"] for change in changes] == ["a", "b"]
    assert fake.asked[2].params["resourceVersion"] == "6"


async def test_lines_may_be_long_and_cut_anywhere(fake: FakeServer, client: KubeClient) -> None:
    big = obj("big", 6, data="x" * 300_000)
    line = orjson.dumps(event("ADDED", big)) + b"\n"
    small = orjson.dumps(event("ADDED", obj("small", 7))) + b"\n"
    pieces = [line[:1], line[1:70_000], line[70_000:] + small[:5], small[5:]]
    fake.then(listed(5), stream(*pieces, end="hang"))
    async with watching(client) as watcher:
        changes = await until(watcher, Changed, 2)
        assert changes == [Changed(big), Changed(obj("small", 7))]


async def test_an_event_that_cannot_be_read_leads_to_a_new_list(
    fake: FakeServer, client: KubeClient
) -> None:
    fake.then(listed(5), stream({"type": "ADDED", "object": []}, end="hang"), listed(6))
    async with watching(client) as watcher:
        await until(watcher, Listed, 2)
        assert isinstance(watcher.told[2], Broken)


async def test_metadata_is_asked_for_where_it_is_enough(
    fake: FakeServer, client: KubeClient
) -> None:
    fake.then(listed(5), stream(end="hang"))
    async with watching(client, metadata_only=True) as watcher:
        await until(watcher, Watching)
    first, second = (asked.headers["accept"] for asked in fake.asked)
    assert first.startswith("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1")
    assert second.startswith("application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1")
