"""Strangers who keep connections open keep nobody else out."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, cast

import pytest

from coordinator.api.app import api_app, health_app
from coordinator.api.connections import Connections
from coordinator.kube.election import Leader
from coordinator.service.metrics import Metrics
from tests.api.callers import AGENT, FakeCallers
from tests.api.fakes import FakeCoordinator, FakePool
from tests.api.test_connections import Client, connecting, serving

if TYPE_CHECKING:
    from aiohttp import web

    from coordinator.service.coordinator import Coordinator
    from tests.api.conftest import Caller

FEW = 5
"""Connections that a listener takes."""


def get(path: str, token: str = "") -> bytes:
    shown = f"Authorization: Bearer {token}\r\n" if token else ""
    return f"GET {path} HTTP/1.1\r\nHost: x\r\n{shown}\r\n".encode()


async def asked(client: Client, request: bytes) -> bytes:
    """The head of the answer."""
    await client.send(request)
    return await client.answer()


async def besieged(app: web.Application, request: bytes) -> bytes:
    """What an honest caller's request is answered while strangers keep all that they can get."""
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(serving(app, Connections(FEW)))
        for _ in range(2 * FEW):
            stranger = await stack.enter_async_context(connecting(url))
            await asked(stranger, request)
        honest = await stack.enter_async_context(connecting(url))
        return await asked(honest, request)


async def test_kept_connections_do_not_keep_the_kubelet_out(coordinator: Coordinator) -> None:
    """It would kill a coordinator that does not answer its probes."""
    answer = await besieged(health_app(coordinator), get("/livez"))
    assert answer.startswith(b"HTTP/1.1 200")


async def test_a_probe_s_connection_is_closed_with_its_answer(coordinator: Coordinator) -> None:
    async with (
        serving(health_app(coordinator), Connections()) as url,
        connecting(url) as client,
    ):
        assert b"Connection: close" in await asked(client, get("/livez"))
        assert await client.closed()


async def test_kept_connections_do_not_keep_callers_out(
    coordinator: Coordinator, known: FakeCallers
) -> None:
    """Any Pod has a token that is accepted for something."""
    answer = await besieged(api_app(coordinator, Metrics()), get("/openapi.json", AGENT))
    assert answer.startswith(b"HTTP/1.1 200")


async def test_the_one_that_is_idle_for_longest_makes_room(
    coordinator: Coordinator, known: FakeCallers
) -> None:
    async with AsyncExitStack() as stack:
        app = api_app(coordinator, Metrics())
        url = await stack.enter_async_context(serving(app, Connections(2)))
        request = get("/openapi.json", AGENT)
        first = await stack.enter_async_context(connecting(url))
        second = await stack.enter_async_context(connecting(url))
        for one in (first, second, first):
            await asked(one, request)
        third = await stack.enter_async_context(connecting(url))
        await asked(third, request)
        assert await second.closed()
        assert (await asked(first, request)).startswith(b"HTTP/1.1 200")


async def test_a_busy_connection_makes_no_room(
    coordinator: Coordinator, pool: FakePool, known: FakeCallers
) -> None:
    pool.forever = True
    async with (
        serving(api_app(coordinator, Metrics()), Connections(1)) as url,
        connecting(url) as busy,
    ):
        body = b'{"load":"x"}'
        head = get("/v1/namespaces/velero/nodes/node1/claims/c1", AGENT).replace(b"GET", b"PUT")
        kind = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        await busy.send(head[:-2] + kind + body)
        async with asyncio.timeout(30):
            await pool.waiting.wait()
        async with connecting(url) as late:
            assert await late.closed()
        assert not pool.cancelled.is_set()


async def test_a_refused_token_keeps_no_connection(
    coordinator: Coordinator, known: FakeCallers
) -> None:
    async with serving(api_app(coordinator, Metrics()), Connections()) as url:
        for request in (get("/v1/status"), get("/metrics", "garbage")):
            async with connecting(url) as client:
                assert (await asked(client, request)).startswith(b"HTTP/1.1 401")
                assert await client.closed()


@pytest.mark.parametrize("token", ["", "garbage"])
async def test_nor_one_that_the_leader_refused(api: Caller, known: FakeCallers, token: str) -> None:
    follower = FakeCoordinator(FakePool(trouble="follows"), "replica-2")
    follower.leading = False
    follower.leader = Leader("replica-1", api.url)
    app = api_app(cast("Coordinator", follower), Metrics())
    async with serving(app, Connections()) as url, connecting(url) as client:
        assert (await asked(client, get("/v1/status", token))).startswith(b"HTTP/1.1 401")
        assert await client.closed()
