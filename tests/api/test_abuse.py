"""Bad callers cost the coordinator little memory, and other callers hardly any time.

`pytest -s` prints the figures: the process's memory, and the 99th percentile of an honest caller's
renewals beside the bad callers, against the same without them.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

import aiohttp
import pytest

from tests.api.abusers import BODY, HEAD, MEGABYTE, bomb, crowd, huge, memory, p99, renew
from tests.api.conftest import CLAIM, SYNC, Caller
from tests.api.test_serve import kubeconfig, serving, store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = pytest.mark.slow
__all__ = ["kubeconfig", "store"]

MOST = 50
"""MB that bad callers may cost."""
RENEWALS = 1000
JSON = {"Content-Type": "application/json"}


def tell(figures: str) -> None:
    sys.stdout.write(f"\n{figures}")


@dataclass
class Victim:
    """A coordinator as a process, with an honest caller that holds a slot."""

    call: Caller
    pid: int
    token: int
    memory: float
    """MB, before anything bad happened."""

    async def renew(self) -> float:
        """The 99th percentile of the honest caller's renewals, in seconds."""
        return p99(await renew(self.call, self.token, RENEWALS))

    def grown(self, what: str) -> float:
        """MB that came on top."""
        grown = memory(self.pid) - self.memory
        tell(f"{what}: {grown:+.1f} MB on top of {self.memory:.1f} MB")
        return grown


@asynccontextmanager
async def attacked(kubeconfig: Path, session: aiohttp.ClientSession) -> AsyncIterator[Victim]:
    async with serving(kubeconfig) as served:
        call = Caller(session, (await served.event("listening"))["api"])
        while (answer := await call("PUT", CLAIM, {"load": "x", "waitSeconds": 5})).status == 503:
            pass  # it does not lead yet
        victim = Victim(call, served.process.pid, answer.json["fencingToken"], 0.0)
        await victim.renew()
        victim.memory = memory(victim.pid)
        yield victim


async def test_a_thousand_slow_clients(kubeconfig: Path, session: aiohttp.ClientSession) -> None:
    async with attacked(kubeconfig, session) as victim:
        alone = await victim.renew()
        with crowd(victim.call.url) as slow:
            await slow.come(1000, HEAD)
            beside = p99(await renew(victim.call, victim.token, RENEWALS, slow))
            assert victim.grown("1,000 slow heads") < MOST
            tell(f"p99 {alone * 1000:.2f} ms alone, {beside * 1000:.2f} ms beside them")
            async with asyncio.timeout(60):
                await slow.thrown_out()
        await victim.renew()


async def test_a_thousand_bodies_that_stop_half_way(
    kubeconfig: Path, session: aiohttp.ClientSession
) -> None:
    async with attacked(kubeconfig, session) as victim:
        alone = await victim.renew()
        with crowd(victim.call.url) as slow:
            await slow.come(1000, BODY)
            for _ in range(8):
                await slow.push(b" " * (MEGABYTE // 4 - 1))
                await renew(victim.call, victim.token, 10)
            beside = await victim.renew()
            assert victim.grown("1,000 stalled bodies") < MOST
            tell(f"p99 {alone * 1000:.2f} ms alone, {beside * 1000:.2f} ms beside them")
            async with asyncio.timeout(60):
                await slow.thrown_out()
        await victim.renew()


async def test_bodies_of_a_gigabyte(kubeconfig: Path, session: aiohttp.ClientSession) -> None:
    async with attacked(kubeconfig, session) as victim:
        for path, status in ((CLAIM, 413), ("/v1/status", 405)):
            for length in ({"Content-Length": str(1024 * MEGABYTE)}, {}):
                body, headers = huge(1024), {**JSON, **length}
                sending = asyncio.create_task(victim.call("PUT", path, data=body, headers=headers))
                await victim.renew()
                with suppress(aiohttp.ClientError):  # the connection is closed while it is sent
                    assert (await sending).status == status
        assert victim.grown("gigabytes") < MOST


async def test_a_compressed_bomb(kubeconfig: Path, session: aiohttp.ClientSession) -> None:
    packed, headers = bomb(), {**JSON, "Content-Encoding": "gzip"}
    async with attacked(kubeconfig, session) as victim:
        for _ in range(10):
            answer = await victim.call("POST", SYNC, data=BytesIO(packed), headers=headers)
            assert answer.problem == "unsupported-media-type"
        await victim.renew()
        assert victim.grown("a bomb") < MOST
