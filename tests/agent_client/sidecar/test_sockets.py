"""The sidecar behind a real Unix socket: many clients, killed ones, and ones that never read."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from agent_client.clock import boottime
from agent_client.http.server import Server
from agent_client.settings import Settings
from agent_client.sidecar.requests import Defaults
from agent_client.sidecar.service import Plan, Sidecar, Stop
from agent_client.speaking import Speaker
from tests.agent_client.sidecar.line import Line, Lines, eventually
from tests.agent_client.sidecar.node import NodeCoordinator

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path


@asynccontextmanager
async def serving(folder: Path, fake: NodeCoordinator) -> AsyncIterator[Lines]:
    client = Speaker(Settings("http://c:1", "velero", "node1", "a/sidecar"), fake, boottime)
    plan = Plan("sidecar", Defaults())
    sidecar = Sidecar(client, fake.get, plan, clock=boottime, jitter=lambda: 0.5)
    path = str(folder / "agent.sock")
    async with Server(sidecar.routes) as server:
        await server.listen_unix(path)
        work = asyncio.create_task(sidecar.run(Stop()))
        async with Lines(path) as lines:
            yield lines
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


@pytest.mark.parametrize("go", [Line.cut, Line.half_close])
async def test_a_client_that_goes_frees_its_slot_at_once(
    tmp_path: Path, go: Callable[[Line], None]
) -> None:
    fake = NodeCoordinator()
    async with serving(tmp_path, fake) as lines:
        first, second = await lines.post("a"), await lines.post("b")
        assert (await first.reaches("granted"))["slot"] == 0
        go(first)
        assert (await second.reaches("granted"))["slot"] == 0
        go(second)
        await eventually(lambda: not fake.holders)


async def test_a_client_that_goes_while_it_waits_leaves_the_queue(tmp_path: Path) -> None:
    fake = NodeCoordinator()
    async with serving(tmp_path, fake) as lines:
        first = await lines.post("a")
        await first.reaches("granted")
        second = await lines.post("b")
        await eventually(lambda: len(fake.queue) == 1)
        second.cut()
        await eventually(lambda: not fake.queue)
        assert fake.held() == ["a"]
        first.cut()


async def test_a_thousand_clients_wait_and_each_that_goes_is_gone(tmp_path: Path) -> None:
    fake = NodeCoordinator(limit=3)
    async with serving(tmp_path, fake) as lines:
        crowd = await asyncio.gather(*(lines.post(f"load-{number}") for number in range(1000)))
        await eventually(lambda: len(fake.queue) == 997)
        over = await lines.post("one more")
        assert (await over.answer())[0] == 429
        for line in crowd[::-1]:
            line.cut()
        await eventually(lambda: not fake.queue and not fake.holders)


async def test_a_client_that_never_reads_holds_up_nobody(tmp_path: Path) -> None:
    fake = NodeCoordinator()
    async with serving(tmp_path, fake) as lines:
        deaf = await lines.post("a")
        deaf.stop_reading()
        await eventually(lambda: fake.held() == ["a"])
        other = await lines.post("b")
        await other.reaches("queued")
        deaf.cut()
        await other.reaches("granted")


async def test_named_loads_over_one_kept_connection(tmp_path: Path) -> None:
    fake = NodeCoordinator()
    async with serving(tmp_path, fake) as lines:
        line = await lines.ask("PUT", "/v1/slots/a%2Fb?wait=20")
        status, slot = await line.answer()
        assert (status, slot["load"], slot["state"]) == (200, "a/b", "granted")
        line.ask("DELETE", "/v1/slots/a%2Fb")
        assert await line.answer() == (204, None)
        assert not fake.holders
