"""`slot-coordinator serve` as a process, in front of the embedded API server."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from coordinator.embedded import objects, server
from coordinator.embedded.resources import CONFIG_MAPS, LEASES, NODES
from coordinator.embedded.store import Store
from tests.api.conftest import CLAIM, NODE, SYNC, Caller

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import aiohttp

DEADLINE = 60.0
"""Seconds. A process takes one of them to start; on a machine under load it may look like forty."""
LIMITS = {"limits.json": '{"loadConcurrency": {"globalConfig": 1}}'}


@dataclass
class Served:
    """The process and the log lines that it wrote so far."""

    process: asyncio.subprocess.Process
    lines: list[dict[str, Any]] = field(default_factory=list)

    async def event(self, name: str) -> dict[str, Any]:
        """The next log line of that name."""
        assert self.process.stderr is not None
        async with asyncio.timeout(DEADLINE):
            while line := await self.process.stderr.readline():
                self.lines.append(orjson.loads(line))
                if self.lines[-1]["event"] == name:
                    return self.lines[-1]
        raise AssertionError(f"no {name!r} among {self.lines}")


@asynccontextmanager
async def serving(kubeconfig: Path) -> AsyncIterator[Served]:
    flags = ["--namespace", "velero", "--node-agent-configmap", "limits", "--auth", "none"]
    ports = ["--listen-port", "0", "--health-port", "0", "--kubeconfig", str(kubeconfig)]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-c", "import sys; from coordinator.cli import main; sys.exit(main())", "serve"),
        *flags,
        *ports,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield Served(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@pytest.fixture
async def store() -> Store:
    store = Store(namespaces=["velero", "default"])
    store.create(NODES, "", objects.node("node1"))
    store.create(CONFIG_MAPS, "velero", objects.config_map("velero", "limits", LIMITS))
    return store


@pytest.fixture
async def kubeconfig(store: Store, tmp_path: Path) -> AsyncIterator[Path]:
    running = await server.start(store)
    path = tmp_path / "kubeconfig"
    path.write_bytes(orjson.dumps(running.kubeconfig()))
    yield path
    await running.stop()


async def test_a_stop_answers_who_waits_frees_nothing_and_exits_with_0(
    kubeconfig: Path, store: Store, session: aiohttp.ClientSession
) -> None:
    async with serving(kubeconfig) as served:
        call = Caller(session, (await served.event("listening"))["api"])
        while (granted := await call("PUT", CLAIM, {"load": "x", "waitSeconds": 5})).status == 503:
            pass  # the first list is on its way
        assert granted.status == 200
        agent = {"agent": "a", "boot": "b", "sequence": 1, "waitSeconds": 50}
        held = {"claim": "c1", "load": "x", "fencingToken": granted.json["fencingToken"]}
        body = {"load": "y", "waitSeconds": 50}
        syncing = asyncio.create_task(call("POST", SYNC, {**agent, "claims": [held]}))
        waiting = asyncio.create_task(call("PUT", CLAIM.replace("c1", "c2"), body))
        while not (await call("GET", NODE)).json["queue"]:
            pass
        served.process.send_signal(signal.SIGTERM)
        assert (await waiting).problem == "stopping"
        assert (await syncing).problem == "stopping"
        await served.event("stopped")
        async with asyncio.timeout(DEADLINE):
            assert await served.process.wait() == 0
    lease = store.get(LEASES, "velero", "node1-slot-0")
    assert lease["metadata"]["annotations"]["nodeslots.io/claim"] == "c1"


async def test_either_of_two_replicas_answers_and_one_goes_on_alone(
    kubeconfig: Path, session: aiohttp.ClientSession
) -> None:
    async with serving(kubeconfig) as first, serving(kubeconfig) as second:
        replicas = [first, second]
        calls = [Caller(session, (await one.event("listening"))["api"]) for one in replicas]
        while (
            granted := await calls[0]("PUT", CLAIM, {"load": "x", "waitSeconds": 5})
        ).status != 200:
            pass  # the election and the first list are on their way
        holding = {"load": "x", "fencingToken": granted.json["fencingToken"]}
        while (renewed := await calls[1]("PUT", CLAIM, holding)).status == 503:
            pass  # it has not heard yet who leads
        assert renewed.json == (await calls[0]("PUT", CLAIM, holding)).json == granted.json
        status = [(await call("GET", "/v1/status")).json for call in calls]
        assert status[0]["answeredBy"] == status[1]["answeredBy"] == status[0]["leader"]["identity"]
        leads = next(n for n, call in enumerate(calls) if call.url == status[0]["leader"]["url"])
        replicas[leads].process.send_signal(signal.SIGTERM)
        await replicas[leads].event("stopped")
        other = calls[1 - leads]
        while (renewed := await other("PUT", CLAIM, holding)).status == 503:
            pass
        assert renewed.json["fencingToken"] == granted.json["fencingToken"]
        assert renewed.json["term"] > granted.json["term"]


async def test_without_an_api_server_it_waits_and_says_for_what(
    tmp_path: Path, session: aiohttp.ClientSession
) -> None:
    away = await server.start(Store())
    config = away.kubeconfig()
    await away.stop()
    path = tmp_path / "kubeconfig"
    path.write_bytes(orjson.dumps(config))
    async with serving(path) as served:
        urls = await served.event("listening")
        health, call = Caller(session, urls["health"]), Caller(session, urls["api"])
        assert (await health("GET", "/livez")).status == 200
        ready = await health("GET", "/readyz")
        assert (ready.status, ready.text.startswith("[-] velero: ")) == (503, True)
        refused = await call("PUT", CLAIM, {"load": "x"})
        assert (refused.status, refused.problem) == (503, "no-leader")
        served.process.send_signal(signal.SIGINT)
        async with asyncio.timeout(DEADLINE):
            assert await served.process.wait() == 0
