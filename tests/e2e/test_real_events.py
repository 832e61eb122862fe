"""On the real API server: a follower passes the stream on; its reader gets over a killed leader."""

from __future__ import annotations

import asyncio
import signal
import ssl
from contextlib import asynccontextmanager
from random import Random
from typing import TYPE_CHECKING

import aiohttp
import pytest

from tests.api.conftest import Caller
from tests.api.streams import following
from tests.chaos.field import Field
from tests.chaos.measures import until
from tests.e2e.cluster import limits
from tests.e2e.processes import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.chaos.field import Replica
    from tests.realserver.server import RealApiServer

pytestmark = pytest.mark.real


@asynccontextmanager
async def asking(ground: Field, replica: Replica) -> AsyncIterator[Caller]:
    """A person who may see the pool, at that replica."""
    context = ssl.create_default_context(cafile=ground.mount.file)
    headers = {"Authorization": f"Bearer {ground.cluster.server.token}"}
    connector = aiohttp.TCPConnector(ssl=context)
    async with aiohttp.ClientSession(connector=connector, headers=headers) as session:
        yield Caller(session, f"https://{LOOPBACK}:{replica.ports[0]}")


async def leads(ground: Field, replica: Replica, caller: Caller) -> None:
    """Returns when that replica answers as the leader."""
    async with asyncio.timeout(60):
        while True:
            answer = await caller("GET", ground.pool_path)
            if answer.status == 200 and answer.json["ready"] and ground.leader is replica:
                return
            await asyncio.sleep(0.1)


async def test_a_stream_through_a_follower_ends_with_its_leader_and_begins_anew(
    real_server: RealApiServer, tmp_path: Path
) -> None:
    async with Field(real_server, tmp_path, Random(1)) as ground:
        await asyncio.to_thread(ground.cluster.configure, limits(2))
        for replica in ground.replicas:
            program = await ground.launch(replica)
            await ground.trusted()
            await asyncio.to_thread(program.wait_ready)
        await until(lambda: ground.leader, "a leader")
        leader = ground.leader
        assert leader is not None
        [follower] = [one for one in ground.replicas if one is not leader]
        pool, node = ground.pool_path, ground.nodes[0]
        async with asking(ground, follower) as caller:
            async with following(caller, pool=pool) as stream:
                hello = await stream.next("hello")
                await asyncio.to_thread(ground.granted, node, "first")
                told = await stream.next("grant")
                assert (told.data["claim"], told.data["node"]) == ("first", node)
                await ground.end(leader, signal.SIGKILL)
                assert [one.name for one in await stream.rest() if one.name == "grant"] == []

            await leads(ground, follower, caller)
            async with following(caller, pool=pool, last_event_id=told.id) as stream:
                again = await stream.next()
                assert (again.name, (await stream.next()).name) == ("hello", "reset")
                assert again.data["term"] > hello.data["term"]
                await asyncio.to_thread(ground.granted, node, "second")
                assert (await stream.next("grant")).data["claim"] == "second"
