"""The HTTP front: its life, its streams, its reviews. What it answers is for the contract cases."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
import orjson
import pytest
from aiohttp import web

from coordinator.embedded import objects, server
from coordinator.embedded.resources import LEASES, NODES
from coordinator.embedded.store import Store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp.typedefs import Handler

DEADLINE_SECONDS = 60.0
TABLE = "application/json;as=Table;g=meta.k8s.io;v=v1,application/json"


@pytest.fixture
async def running() -> AsyncIterator[server.EmbeddedServer]:
    store = Store()
    objects.put(store, objects.namespace("velero"))
    one = await server.start(store, bookmark_seconds=0.05)
    yield one
    await one.stop()


@pytest.fixture
async def session(running: server.EmbeddedServer) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(running.url) as one:
        yield one


@asynccontextmanager
async def watch(
    session: aiohttp.ClientSession, path: str, **headers: str
) -> AsyncIterator[aiohttp.ClientResponse]:
    async with session.get(path, headers=headers) as response:
        assert response.status == 200
        yield response


async def event(stream: aiohttp.ClientResponse) -> dict[str, Any]:
    async with asyncio.timeout(DEADLINE_SECONDS):
        found: dict[str, Any] = orjson.loads(await stream.content.readline())
        return found


async def test_a_watch_hears_of_writes_past_http(
    running: server.EmbeddedServer, session: aiohttp.ClientSession
) -> None:
    async with watch(session, "/api/v1/nodes?watch=1") as stream:
        running.store.create(NODES, "", objects.node("n"))
        assert (await event(stream))["object"]["metadata"]["name"] == "n"


async def test_stopping_ends_open_watches_and_frees_the_port() -> None:
    one = await server.start(Store())
    async with aiohttp.ClientSession(one.url) as session:
        async with watch(session, "/api/v1/nodes?watch=1") as stream:
            async with asyncio.timeout(DEADLINE_SECONDS):
                await one.stop()
                assert await stream.content.read() == b""
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get("/api/v1/nodes")


async def test_a_stopped_store_can_be_served_again(running: server.EmbeddedServer) -> None:
    running.store.create(NODES, "", objects.node("n"))
    again = await server.start(running.store)
    async with (
        aiohttp.ClientSession(again.url) as session,
        session.get("/api/v1/nodes/n") as answer,
    ):
        assert answer.status == 200
    await again.stop()


async def test_bookmarks_come_by_themselves(
    running: server.EmbeddedServer, session: aiohttp.ClientSession
) -> None:
    version = str(running.store.version)
    path = "/api/v1/nodes?watch=1&allowWatchBookmarks=true"
    async with watch(session, path) as stream:
        for _ in range(2):
            mark = await event(stream)
            assert mark["type"] == "BOOKMARK"
            assert mark["object"]["metadata"]["resourceVersion"] == version


async def test_a_watch_that_falls_behind_the_log_ends_with_expired(
    running: server.EmbeddedServer, session: aiohttp.ClientSession
) -> None:
    async with watch(session, "/api/v1/nodes?watch=1") as stream:
        # Both happen before the stream gets its turn.
        running.store.create(NODES, "", objects.node("n"))
        running.store.compact()
        last = await event(stream)
        assert (last["type"], last["object"]["reason"]) == ("ERROR", "Expired")
        assert await stream.content.read() == b""


async def test_a_table_watch_names_its_columns_once(
    running: server.EmbeddedServer, session: aiohttp.ClientSession
) -> None:
    for name in "ab":
        running.store.create(LEASES, "velero", objects.lease("velero", name, "me"))
    path = "/apis/coordination.k8s.io/v1/leases?watch=1"
    async with watch(session, path, Accept=TABLE) as stream:
        first, second = (await event(stream))["object"], (await event(stream))["object"]
    assert [one["name"] for one in first["columnDefinitions"]] == ["Name", "Holder", "Age"]
    assert second["columnDefinitions"] is None
    assert second["rows"][0]["cells"][:2] == ["b", "me"]


async def test_middlewares_stand_before_every_request() -> None:
    @web.middleware
    async def broken(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.method == "PUT":
            return web.Response(status=503)
        return await handler(request)

    one = await server.start(Store(), middlewares=[broken])
    async with aiohttp.ClientSession(one.url) as session:
        statuses = [
            (await session.request(verb, "/api/v1/nodes")).status for verb in ("PUT", "GET")
        ]
    await one.stop()
    assert statuses == [503, 200]


async def _review(session: aiohttp.ClientSession, path: str, spec: dict[str, Any]) -> Any:
    async with session.post(path, json={"spec": spec}) as answer:
        assert answer.status == 201
        return (await answer.json())["status"]


TOKENS = "/apis/authentication.k8s.io/v1/tokenreviews"


async def test_a_token_review_tells_who_has_the_token(
    running: server.EmbeddedServer, session: aiohttp.ClientSession
) -> None:
    user = {"username": "agent", "extra": {"authentication.kubernetes.io/node-name": ["n"]}}
    running.store.tokens["secret"] = {**user, "audiences": ["slots", "other"]}
    known = await _review(session, TOKENS, {"token": "secret", "audiences": ["slots"]})
    assert known == {"authenticated": True, "user": user, "audiences": ["slots"]}
    for spec in ({"token": "secret", "audiences": ["vault"]}, {"token": "guess"}):
        unknown = await _review(session, TOKENS, spec)
        assert not unknown.get("authenticated")
        assert unknown["error"]


async def test_an_access_review_asks_the_rules(
    running: server.EmbeddedServer, session: aiohttp.ClientSession
) -> None:
    running.store.rules = lambda spec: spec["user"] == "good"
    path = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
    attributes = {"resourceAttributes": {"verb": "get", "resource": "pods"}}
    found = [await _review(session, path, {"user": name, **attributes}) for name in ("good", "bad")]
    assert found == [{"allowed": True}, {"allowed": False}]


async def test_an_event_is_seen_in_both_versions(session: aiohttp.ClientSession) -> None:
    new = {
        "metadata": {"name": "e"},
        "eventTime": "2026-01-02T03:04:05.000000Z",
        "reportingController": "slots.example/c",
        "reportingInstance": "c-0",
        "action": "Grant",
        "reason": "Granted",
        "type": "Normal",
        "note": "slot 0",
        "regarding": {"kind": "Pod", "namespace": "velero", "name": "p"},
    }
    path = "/apis/events.k8s.io/v1/namespaces/velero/events"
    async with session.post(path, json=new) as answer:
        assert (answer.status, (await answer.json())["note"]) == (201, "slot 0")
    old = "/api/v1/namespaces/velero/events?fieldSelector=involvedObject.name%3Dp"
    async with session.get(old) as answer:
        assert [one["message"] for one in (await answer.json())["items"]] == ["slot 0"]
    async with session.get(f"{path}?fieldSelector=regarding.name%3Dnobody") as answer:
        assert (await answer.json())["items"] == []
