"""A coordinator process that has lived through everything that it counts and logs.

It runs as an operator starts it, over TLS of its own making, on the embedded API server; nobody is
asked who it is (`--auth none`, loopback).
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sysconfig
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import yaml

from coordinator.embedded import objects
from coordinator.embedded.resources import CONFIG_MAPS, NODES, PODS
from coordinator.embedded.server import start
from coordinator.embedded.store import Store
from tests.realserver.process import Process, free_port
from tests.service.faults import Faults, forbidden, lost_after

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from aiohttp import web

    from coordinator.embedded.server import EmbeddedServer

NS, GUESTS, ONE, TWO = "velero", "scans", "node1", "node2"
DEADLINE = 60.0
PROGRAM = Path(sysconfig.get_path("scripts")) / "slot-coordinator"
CLAIM, LOAD, POD = "claim-", "work-", "runs-"
"""How the ids of claims, the names of loads and of Pods begin, so that they are known anywhere."""
LONG = 3600
"""Seconds of a TTL: as long as anybody looks."""
MOVER = {"velero.io/pod-volume-backup": "backup-1"}


async def until(look: Callable[[], Awaitable[Any]], what: str) -> Any:
    """What `look` returns as soon as that is true. Fails at the deadline."""
    end = time.monotonic() + DEADLINE
    while not (seen := await look()):
        assert time.monotonic() < end, f"not within {DEADLINE:g} s: {what}"
        await asyncio.sleep(0.03)
    return seen


@dataclass
class Busy:
    """The coordinator, its API server, and what the tests do to both."""

    store: Store
    server: EmbeddedServer
    faults: Faults
    session: aiohttp.ClientSession
    log: Path
    url: str
    process: Process
    tokens: dict[str, int] = field(default_factory=dict)

    # --- the API ----------------------------------------------------------------------------------

    async def ask(self, claim: str, node: str = ONE, wait: float = 0, **more: Any) -> Any:
        """PUT the claim; its answer."""
        body = {"load": LOAD + claim, "waitSeconds": wait, **more}
        if claim in self.tokens:
            body["fencingToken"] = self.tokens[claim]
        async with self.session.put(self._claim(node, claim), json=body) as answer:
            told = await answer.json(content_type=None)
        if "fencingToken" in told:
            self.tokens[claim] = told["fencingToken"]
        return told

    async def granted(self, claim: str, node: str = ONE, **more: Any) -> None:
        """Ask until it is granted, as a client does."""

        async def look() -> bool:
            told = await self.ask(claim, node, 20, **more)
            return bool(told.get("state") == "granted")

        await until(look, f"grant of {claim}: {self.process.last_words()}")

    async def release(self, claim: str, node: str = ONE) -> None:
        async with self.session.delete(self._claim(node, claim)) as answer:
            assert answer.status == 204, await answer.text()

    def _claim(self, node: str, claim: str) -> str:
        return f"{self.url}/v1/namespaces/{NS}/nodes/{node}/claims/{CLAIM}{claim}"

    async def scrape(self) -> str:
        async with self.session.get(f"{self.url}/metrics") as answer:
            assert answer.status == 200
            return await answer.text()

    async def shows(self, line: str) -> None:
        """Wait until a scrape has a sample that begins so."""

        async def look() -> bool:
            return f"\n{line}" in await self.scrape()

        await until(look, f"{line} in a scrape")

    # --- the log ----------------------------------------------------------------------------------

    def lines(self) -> list[str]:
        """The log's whole lines."""
        return self.log.read_text().rpartition("\n")[0].splitlines()

    async def said(self, event: str, **fields: Any) -> None:
        """Wait until the log has a line of this event with these fields."""

        async def look() -> bool:
            told = [json.loads(line) for line in self.lines() if line.startswith("{")]
            return any(one["event"] == event and fields.items() <= one.items() for one in told)

        await until(look, f"{event} {fields} in the log: {self.process.last_words()}")

    # --- the operator's hand ----------------------------------------------------------------------

    def limits(self, text: str) -> None:
        found = objects.config_map(NS, "limits", {"limits.json": text})
        self.store.update(CONFIG_MAPS, NS, "limits", found)

    def hold(self, reason: str | None) -> None:
        change = {"metadata": {"annotations": {"nodeslots.io/hold": reason}}}
        self.store.patch(NODES, "", TWO, change)

    def pod(self, name: str, phase: str = "Running", labels: dict[str, str] | None = None) -> Any:
        """A Pod on the first node, as a claim names it."""
        made = objects.put(self.store, objects.pod(NS, name, ONE, phase=phase, labels=labels))
        return {"namespace": NS, "name": name, "uid": made["metadata"]["uid"]}

    def ends(self, name: str) -> None:
        self.store.patch(PODS, NS, name, {"status": {"phase": "Succeeded"}}, subresource="status")


def _config(number: int) -> str:
    return json.dumps({"loadConcurrency": {"globalConfig": number}})


def _cluster() -> Store:
    store = Store(namespaces=[NS, GUESTS, "default"])
    for node in (ONE, TWO):
        objects.put(store, objects.node(node))
    objects.put(store, objects.config_map(NS, "limits", {"limits.json": _config(1)}))
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "node-slots-tls"}}
    secret["metadata"]["namespace"] = NS  # type: ignore[index]
    objects.put(store, secret)
    for namespace in (NS, GUESTS):
        objects.put(store, objects.config_map(namespace, "node-slots-ca", {}))
    return store


@asynccontextmanager
async def running(folder: Path, *flags: str) -> AsyncIterator[Busy]:
    """A coordinator that leads, with these flags besides its own; nothing happened yet."""
    faults = Faults(time.monotonic)
    store = _cluster()
    server = await start(store, middlewares=[faults.middleware])
    kubeconfig, log, port = folder / "kubeconfig", folder / "log", free_port()
    kubeconfig.write_text(yaml.safe_dump(server.kubeconfig()))
    process = Process(
        [
            *(str(shutil.which("env")), "-u", "POD_NAME", str(PROGRAM), "serve"),
            *("--kubeconfig", str(kubeconfig), "--namespace", NS),
            *("--node-agent-configmap", "limits", "--auth", "none", "--tls", "self-made"),
            *("--clients", GUESTS, "--listen-port", str(port), "--health-port", "0"),
            *("--log-level", "debug", *flags),
        ],
        log,
    )
    try:
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=False), trust_env=False
        ) as session:
            url = f"https://127.0.0.1:{port}"
            busy = Busy(store, server, faults, session, log, url, process)
            await busy.said("listening")
            await busy.shows(f'nodeslots_pool_ready{{namespace="{NS}"}} 1')
            yield busy
    finally:
        await asyncio.to_thread(process.end, DEADLINE)  # its last words are to our API server
        await server.stop()


async def live(busy: Busy) -> None:
    """Grants, waits, hand-overs, releases, reclaims, faults; at the end one holds, one waits."""
    await _pass_on(busy)
    await _end_with_the_pod(busy)
    await _change_limits(busy)
    await _lose_answers(busy)
    busy.pod(POD + "mover", labels=MOVER)
    await busy.said("mover ungoverned")
    await busy.said("CA published")  # the one thing that nothing else here waits for
    await busy.granted("stays", ttlSeconds=LONG)
    assert (await busy.ask("waits", ttlSeconds=LONG))["state"] == "queued"


async def _pass_on(busy: Busy) -> None:
    """One slot through three hands, then given back."""
    await busy.granted("a")
    waiting = [asyncio.create_task(busy.granted(claim)) for claim in ("b", "c")]
    await busy.shows(f'nodeslots_pool_queue_length{{namespace="{NS}"}} 2')
    await busy.release("a")
    for task in asyncio.as_completed(waiting):
        await task
        busy_claim = max(busy.tokens, key=busy.tokens.__getitem__)
        await busy.release(busy_claim)
    await busy.said("freed")


async def _end_with_the_pod(busy: Busy) -> None:
    """A load whose Pod finishes without a word."""
    pod = busy.pod(POD + "1")
    await busy.granted("d", pod=pod)
    busy.ends(POD + "1")
    await busy.said("reclaim", claim=CLAIM + "d")
    await busy.said("freed", claim=CLAIM + "d")


async def _change_limits(busy: Busy) -> None:
    busy.limits("{ no limits")
    await busy.said("config refused")
    busy.limits(_config(2))
    await busy.said("limit changed", node=ONE, limit=2)
    busy.limits(_config(1))
    await busy.said("limit changed", node=ONE, before=2, limit=1)
    busy.hold("kernel update")
    busy.hold(None)


def _writes_a_slot(request: web.Request) -> bool:
    """Not to the election's Lease, which is renewed at any time."""
    return request.method == "PUT" and "-slot-" in request.path


async def _lose_answers(busy: Busy) -> None:
    """A write whose answer is lost, and one that is refused."""
    busy.faults.on(_writes_a_slot, lost_after)
    await busy.granted("e")
    await busy.said("outcome unknown")
    busy.faults.on(_writes_a_slot, forbidden)
    await busy.release("e")
    await busy.said("write refused")
