"""Watches: which events come, in which order, and how a stream ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.objects import config_map, lease, pod

if TYPE_CHECKING:
    from tests.contract.client import Api


async def test_every_change_after_a_list_is_told_once_and_in_order(api: Api) -> None:
    start = (await api.get(api.leases)).version
    made = await api.make(api.leases, lease("a", "first"))
    put = await api.put(f"{api.leases}/a", lease("a", "second", resourceVersion=made.version))
    await api.delete(f"{api.leases}/a")
    async with api.watch(api.leases, f"resourceVersion={start}") as stream:
        added, modified, deleted = [await stream.next() for _ in range(3)]
    assert (added["type"], added["object"]) == ("ADDED", made.json)
    assert (modified["type"], modified["object"]) == ("MODIFIED", put.json)
    assert deleted["type"] == "DELETED"
    assert deleted["object"]["spec"] == {"holderIdentity": "second"}


async def test_a_deleted_event_bears_the_resource_version_of_the_delete(api: Api) -> None:
    made = await api.make(api.leases, lease("a"))
    await api.delete(f"{api.leases}/a")
    after = await api.make(api.leases, lease("b"))
    async with api.watch(api.leases, f"resourceVersion={made.version}") as stream:
        deleted = await stream.next()
    version = int(deleted["object"]["metadata"]["resourceVersion"])
    assert int(made.version) < version < int(after.version)


async def test_a_change_is_told_while_the_watch_is_open(api: Api) -> None:
    start = (await api.get(api.leases)).version
    async with api.watch(api.leases, f"resourceVersion={start}") as stream:
        await api.make(api.leases, lease("a"))
        assert await stream.next_told() == ("ADDED", "a")


async def test_a_watch_from_zero_begins_with_what_there_is(api: Api) -> None:
    await api.make(api.leases, lease("a"))
    made = await api.make(api.leases, lease("b"))
    # resourceVersion=0 may be served from a cache that is behind: wait until it is not.
    await api.get(f"{api.leases}?resourceVersion={made.version}")
    async with api.watch(api.leases, "resourceVersion=0") as stream:
        told = [await stream.next_told() for _ in range(2)]
    assert sorted(told) == [("ADDED", "a"), ("ADDED", "b")]


async def test_a_watch_without_resource_version_begins_with_what_there_is(api: Api) -> None:
    await api.make(api.leases, lease("a"))
    async with api.watch(api.leases, "") as stream:
        assert await stream.next_told() == ("ADDED", "a")


async def test_one_object_is_watched_by_its_name(api: Api) -> None:
    start = (await api.get(api.leases)).version
    await api.make(api.leases, lease("a"))
    await api.make(api.leases, lease("b"))
    query = f"resourceVersion={start}&fieldSelector=metadata.name%3Db"
    async with api.watch(api.leases, query) as stream:
        assert await stream.next_told() == ("ADDED", "b")


async def test_a_relabelled_lease_leaves_a_selector_watch(api: Api) -> None:
    """Why the watch of Leases has no selector: this one would look like a deleted Lease."""
    made = await api.make(api.leases, lease("a", "me", labels={"team": "red"}))
    blue = await api.patch(f"{api.leases}/a", {"metadata": {"labels": {"team": "blue"}}})
    query = f"resourceVersion={made.version}&labelSelector=team%3Dred"
    async with api.watch(api.leases, query) as stream:
        event = await stream.next()
    assert event["type"] == "DELETED"
    # The object as it was when it still matched, at the version at which it left.
    assert event["object"]["metadata"]["labels"] == {"team": "red"}
    assert event["object"]["metadata"]["resourceVersion"] == blue.version
    assert (await api.get(f"{api.leases}/a")).status == 200


async def test_a_relabelled_lease_enters_a_selector_watch_as_added(api: Api) -> None:
    made = await api.make(api.leases, lease("a", labels={"team": "blue"}))
    await api.patch(f"{api.leases}/a", {"metadata": {"labels": {"team": "red"}}})
    query = f"resourceVersion={made.version}&labelSelector=team%3Dred"
    async with api.watch(api.leases, query) as stream:
        assert await stream.next_told() == ("ADDED", "a")


async def test_a_pod_that_finishes_leaves_the_watch_of_unfinished_ones(api: Api) -> None:
    made = await api.make(api.core("pods"), pod("p", "node-1"))
    await api.patch(api.core("pods/p/status"), {"status": {"phase": "Failed"}})
    fields = "status.phase!%3DSucceeded,status.phase!%3DFailed"
    query = f"resourceVersion={made.version}&fieldSelector={fields}"
    async with api.watch(api.core("pods"), query) as stream:
        assert await stream.next_told() == ("DELETED", "p")


async def test_a_watch_tells_of_its_own_kind_and_namespace_only(api: Api) -> None:
    start = (await api.get(api.leases)).version
    await api.make(api.core("configmaps"), config_map("c"))
    await api.make("/apis/coordination.k8s.io/v1/namespaces/default/leases", lease(api.namespace))
    await api.make(api.leases, lease("mine"))
    async with api.watch(api.leases, f"resourceVersion={start}") as stream:
        assert await stream.next_told() == ("ADDED", "mine")


async def test_a_finalizer_makes_the_delete_a_change_first(api: Api) -> None:
    made = await api.make(api.leases, lease("a", finalizers=["example.org/wait"]))
    await api.delete(f"{api.leases}/a")
    await api.patch(f"{api.leases}/a", {"metadata": {"finalizers": None}})
    async with api.watch(api.leases, f"resourceVersion={made.version}") as stream:
        first, second = await stream.next(), await stream.next()
    assert (first["type"], second["type"]) == ("MODIFIED", "DELETED")
    assert first["object"]["metadata"]["deletionTimestamp"]


async def test_a_write_that_changes_nothing_is_not_told(api: Api) -> None:
    made = await api.make(api.leases, lease("a"))
    await api.put(f"{api.leases}/a", made.json)
    await api.make(api.leases, lease("b"))
    async with api.watch(api.leases, f"resourceVersion={made.version}") as stream:
        assert await stream.next_told() == ("ADDED", "b")


async def test_a_timeout_ends_the_stream_without_a_word(api: Api) -> None:
    start = (await api.get(api.leases)).version
    query = f"resourceVersion={start}&timeoutSeconds=1"
    async with api.watch(api.leases, query) as stream:
        assert await stream.until_end() == []


@pytest.mark.slow
async def test_a_bookmark_comes_before_the_end_when_asked_for(api: Api) -> None:
    made = await api.make(api.leases, lease("a"))
    # Two seconds before its end at the latest, but never within the first ten.
    query = f"resourceVersion={made.version}&allowWatchBookmarks=true&timeoutSeconds=14"
    async with api.watch(api.leases, query) as stream:
        event = await stream.next()
    assert event["type"] == "BOOKMARK"
    bookmark = event["object"]
    assert (bookmark["apiVersion"], bookmark["kind"]) == ("coordination.k8s.io/v1", "Lease")
    assert int(bookmark["metadata"]["resourceVersion"]) >= int(made.version)
    assert "name" not in bookmark["metadata"]


async def test_the_initial_events_end_with_a_marked_bookmark(api: Api) -> None:
    await api.make(api.leases, lease("a"))
    query = (
        "sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
        "&allowWatchBookmarks=true&timeoutSeconds=60"
    )
    async with api.watch(api.leases, query) as stream:
        assert await stream.next_told() == ("ADDED", "a")
        end = await stream.next()
    assert end["type"] == "BOOKMARK"
    assert end["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


async def test_initial_events_need_their_match(api: Api) -> None:
    answer = await api.get(f"{api.leases}?watch=true&sendInitialEvents=true")
    assert answer.outcome == (422, "Invalid")


async def test_a_resource_version_that_is_no_number_is_refused(api: Api) -> None:
    answer = await api.get(f"{api.leases}?watch=true&resourceVersion=x")
    assert answer.outcome == (500, "")


@pytest.mark.parametrize("selector", ["labelSelector=a%20b", "fieldSelector=spec.x%3Dy"])
async def test_a_selector_that_is_none_is_refused(api: Api, selector: str) -> None:
    answer = await api.get(f"{api.leases}?watch=true&{selector}")
    assert answer.outcome == (400, "BadRequest")


async def test_a_watch_of_the_whole_cluster_names_the_namespaces(api: Api) -> None:
    start = (await api.get(api.leases)).version
    await api.make(api.leases, lease("a"))
    everywhere = "/apis/coordination.k8s.io/v1/leases"
    async with api.watch(everywhere, f"resourceVersion={start}") as stream:
        event = await stream.next()
        while event["object"]["metadata"]["namespace"] != api.namespace:
            event = await stream.next()
    assert (event["type"], event["object"]["metadata"]["name"]) == ("ADDED", "a")
