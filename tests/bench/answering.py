"""The least that could answer agents with aiohttp: it reads a sync, waits as long as it says, and
calls every claim granted. Nothing is decided, checked or remembered.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import sys
import time
from typing import TYPE_CHECKING, Any

import orjson
import uvloop
from aiohttp import web

from coordinator.run import COLLECTING
from tests.bench.served import Measured
from tests.realserver.process import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATIENCE = 30.0
"""Seconds until it has to listen."""


@contextlib.contextmanager
def answering(log: Path) -> Iterator[Measured]:
    """That server as a process which is measured, as soon as it listens."""
    port = free_port()
    command = [sys.executable, "-m", "tests.bench.answering", str(port)]
    server = Measured(f"http://127.0.0.1:{port}", command, log)
    deadline = time.monotonic() + PATIENCE
    try:
        while not _listens(port):
            assert server.is_running(), server.last_words()
            assert time.monotonic() < deadline, server.last_words()
            time.sleep(0.02)
        yield server
    finally:
        server.end()


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1.0).close()
    except OSError:
        return False
    return True


async def _sync(request: web.Request) -> web.Response:
    asked = orjson.loads(await request.read())
    waiting = asyncio.get_running_loop().create_future()
    request.loop.call_later(asked["waitSeconds"], waiting.set_result, None)
    await waiting
    claims = [_granted(slot, one) for slot, one in enumerate(asked["claims"])]
    told = {"term": 1, "sequence": asked["sequence"], "claims": claims, "released": []}
    return web.Response(body=orjson.dumps(told), content_type="application/json")


def _granted(slot: int, claim: dict[str, Any]) -> dict[str, Any]:
    lease = {"slot": slot, "lease": f"node-slot-{slot}", "fencingToken": 1, "ttlSeconds": 60}
    return {"claim": claim["claim"], "state": "granted", "term": 1} | lease


async def _serve(port: int) -> None:
    app = web.Application()
    app.router.add_post("/{path:.*}", _sync)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=1024).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    gc.freeze()
    gc.set_threshold(*COLLECTING)
    uvloop.run(_serve(int(sys.argv[1])))
