"""The agents and what they are measured against: each started, made to renew, and looked at."""

from __future__ import annotations

import json
import socket
import statistics
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.processes import started

if TYPE_CHECKING:
    from tests.bench.coordinator import Coordinators, Granting
    from tests.bench.processes import Measured
    from tests.bench.scenario import Figures

MANY = 100
WARM_UP = 20
"""Renewals before those that count."""
A_LOOK = 20
"""Renewals between two looks at the clock of its CPU."""
AGENT = str(Path(sys.executable).parent / "slot-agent")

START, START_CPU = "start ms", "start CPU ms"
RSS, ANONYMOUS, PSS = "RSS MiB", "anonymous MiB", "PSS MiB"
RENEWAL = "renewal CPU ms"

CLAIM = {"claim": "c" * 32, "load": "bench", "priority": 0, "ttlSeconds": 60, "fencingToken": 1000}
SYNC = {"agent": "bench/1", "boot": "b" * 32, "waitSeconds": 20, "claims": [CLAIM], "releases": []}

BARE_AIOHTTP = f"""
import asyncio, os
import aiohttp

async def main():
    url = os.environ["NODE_SLOTS_URL"] + "/v1/namespaces/velero/nodes/node1/sync"
    sync = {SYNC!r}
    async with aiohttp.ClientSession() as session:
        for sequence in range(1, 1_000_000):
            async with session.post(url, json=sync | {{"sequence": sequence}}) as answer:
                await answer.json()

asyncio.run(main())
"""
LIBRARY = """
import asyncio
from agent_client import SlotClient

async def main():
    async with SlotClient().slot(load="bench"):
        await asyncio.sleep(600)

asyncio.run(main())
"""
ASLEEP = "import time; time.sleep(600)"


class Bench:
    """Subjects share a folder and the coordinators; `renewals` of each are counted."""

    def __init__(self, coordinators: Coordinators, folder: Path, renewals: int) -> None:
        self._coordinators = coordinators
        self._folder = folder
        self._log = folder / "log"
        self._renewals = renewals

    def python(self) -> Figures:
        """The interpreter alone: the ground that everything stands on."""
        with started([sys.executable, "-c", "pass"], {}, self._log) as process:
            begun = _start(*process.finished())
        with started([sys.executable, "-c", ASLEEP], {}, self._log) as process:
            process.ready(process.sleeps)
            return begun | _memory(process)

    def aiohttp(self) -> Figures:
        """The least that an agent on aiohttp would be: one session that posts a sync each time."""
        return self._renewing([sys.executable, "-c", BARE_AIOHTTP])

    def library(self) -> Figures:
        """One slot taken with `SlotClient`, in a program that does nothing else."""
        return self._renewing([sys.executable, "-c", LIBRARY])

    def run(self) -> Figures:
        """The wrapper; the command that it runs is not counted."""
        return self._renewing([AGENT, "run", "--load", "bench", "--", "/bin/sleep", "600"])

    def hold(self) -> Figures:
        """The native sidecar of one Pod."""
        state = self._folder / "hold"
        state.mkdir(exist_ok=True)
        return self._renewing([AGENT, "hold", "--state-dir", str(state)])

    def sidecar(self) -> Figures:
        """The sidecar with one slot, tied to a connection."""
        return self._serving(1)

    def sidecar_full(self) -> Figures:
        """The sidecar with many slots, all renewed by one sync."""
        return self._serving(MANY)

    def _renewing(self, command: list[str]) -> Figures:
        url, granting = self._coordinators.fresh()
        with started(command, _environ(url), self._log) as process:
            begun = _start(*process.ready(lambda: granting.requests > 0))
            return begun | self._renewed(process, granting) | _memory(process)

    def _serving(self, loads: int) -> Figures:
        url, granting = self._coordinators.fresh()
        path = self._folder / "agent.sock"
        command = [AGENT, "sidecar", "--listen", str(path)]
        with started(command, _environ(url), self._log) as process, ExitStack() as clients:
            begun = _start(*process.ready(lambda: granting.requests > 0))
            for number in range(loads):
                clients.enter_context(_load(path, number))
            process.ready(lambda: granting.claims == loads)
            return begun | self._renewed(process, granting) | _memory(process)

    def _renewed(self, process: Measured, granting: Granting) -> Figures:
        """CPU for one of the next renewals: the median of several looks, for the machine's sake."""
        _spent(process, granting, WARM_UP)
        looks = range(max(1, self._renewals // A_LOOK))
        return {RENEWAL: statistics.median(_spent(process, granting, A_LOOK) for _ in looks)}


def _spent(process: Measured, granting: Granting, renewals: int) -> float:
    """CPU milliseconds for each of the next renewals."""
    first, before = granting.syncs, process.cpu()
    process.ready(lambda: granting.syncs >= first + renewals)
    return 1000 * (process.cpu() - before) / (granting.syncs - first)


def folder() -> tempfile.TemporaryDirectory[str]:
    """A place for sockets, whose paths have to be short."""
    return tempfile.TemporaryDirectory(prefix="bench-")


def _start(wall: float, cpu: float) -> Figures:
    return {START: 1000 * wall, START_CPU: 1000 * cpu}


def _memory(process: Measured) -> Figures:
    memory = process.memory()
    return {RSS: memory.rss, ANONYMOUS: memory.anonymous, PSS: memory.pss}


def _environ(url: str) -> dict[str, str]:
    return {
        "PATH": "/usr/bin:/bin",
        "NODE_SLOTS_URL": url,
        "NODE_SLOTS_NAMESPACE": "velero",
        "NODE_NAME": "node1",
        "POD_NAMESPACE": "velero",
        "POD_NAME": "bench",
        "POD_UID": "bench-uid",
    }


def _load(path: Path, number: int) -> socket.socket:
    """A connection that holds a slot once it is granted."""
    body = json.dumps({"load": f"load-{number}"})
    client = socket.socket(socket.AF_UNIX)
    client.connect(str(path))
    head = f"POST /v1/slots HTTP/1.1\r\nHost: bench\r\nContent-Length: {len(body)}\r\n\r\n"
    client.sendall((head + body).encode())
    return client
