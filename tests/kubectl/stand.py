"""A small cluster for the commands: an embedded API server, a coordinator, runs of the plugin."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import sys
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar

import structlog.testing

from coordinator.api.app import api_app, listen
from coordinator.core.claims import Policy
from coordinator.core.messages import Ask
from coordinator.core.model import PodRef, Terms
from coordinator.core.views import Granted, Queued
from coordinator.embedded import objects
from coordinator.embedded.resources import CONFIG_MAPS, LEASES
from coordinator.embedded.server import start
from coordinator.embedded.store import Store
from coordinator.kube.client import KubeClient
from coordinator.kube.credentials import OpenAccess
from coordinator.kubectl import cli
from coordinator.service.coordinator import Coordinator
from coordinator.service.metrics import Metrics
from coordinator.service.sources import PoolSpec
from tests.e2e.waiting import DEADLINE, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Sequence
    from pathlib import Path

    from coordinator.embedded.server import EmbeddedServer

T = TypeVar("T")

NS, CONFIG = "velero", "node-slots"


@dataclass(frozen=True)
class Result:
    """What a run of the plugin came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    def row(self, first: str) -> list[str]:
        """The cells of the row that begins with this word."""
        (line,) = (line for line in self.lines if line.split(maxsplit=1)[:1] == [first])
        return line.split()


@dataclass
class Stand:
    """The cluster. `url` is the coordinator's, "" while there is none."""

    store: Store
    server: EmbeddedServer
    kubeconfig: Path
    url: str = ""
    coordinator: Coordinator | None = None

    def configure(self, number: int, **labelled: int) -> None:
        """The global limit, and one rule a label `tier=NAME`."""
        data = {"limits.json": limits(number, **labelled)}
        made = objects.config_map(NS, CONFIG, data)
        if any(one["metadata"]["name"] == CONFIG for one in self.store.list(CONFIG_MAPS, NS)):
            self.store.update(CONFIG_MAPS, NS, CONFIG, made)
        else:
            self.store.create(CONFIG_MAPS, NS, made)

    def add_node(self, name: str, **labels: str) -> None:
        objects.put(self.store, objects.node(name, labels))

    def holders(self) -> dict[str, str]:
        """`holderIdentity` by Lease, of those that have one."""
        found = {one["metadata"]["name"]: one["spec"] for one in self.store.list(LEASES, NS)}
        return {
            name: spec["holderIdentity"]
            for name, spec in found.items()
            if spec.get("holderIdentity")
        }

    async def ask(
        self, node: str, claim: str, *, load: str = "", pod: str = "", waits: bool = False
    ) -> None:
        """An agent asks until it has a slot, or, where it `waits`, until it is in the queue."""
        assert self.coordinator is not None
        if pod:
            made = objects.put(self.store, objects.pod(NS, pod, node))
            found = PodRef(NS, pod, str(made["metadata"]["uid"]))
        asked = Ask(claim, Terms(load or claim, 0, 3600, found if pod else None))
        view = await self.coordinator.pool(NS).ask(node, asked, 0.0 if waits else DEADLINE)
        assert isinstance(view, Queued if waits else Granted), view

    async def seen(self, look: Callable[[Coordinator], bool], what: str) -> None:
        """Until the coordinator has seen what was changed behind its back. Looked at on its own
        loop: its picture is no other thread's.
        """
        assert self.coordinator is not None
        end = time.monotonic() + DEADLINE
        while not look(self.coordinator):
            assert time.monotonic() < end, f"not within {DEADLINE:g} s: {what}"
            await asyncio.sleep(0.03)

    async def on_hold(self, node: str) -> None:
        """Until nothing is granted there."""
        await self.seen(lambda found: bool(found.pool(NS).node(node).hold), f"{node} on hold")

    async def run(self, *words: str, stdin: str = "") -> Result:
        """`kubectl node-slots WORDS` against this cluster, with this coordinator."""
        where = ["--kubeconfig", str(self.kubeconfig), "--timeout", f"{DEADLINE:g}"]
        where += ["--server", self.url or "http://127.0.0.1:1"]
        return await asyncio.to_thread(run_plugin, [*words, *where], stdin)

    @asynccontextmanager
    async def serving(self, port: int = 0) -> AsyncIterator[Coordinator]:
        """A coordinator, as `serve --auth none` has it; it leads at once. Port 0: any free one."""
        async with KubeClient(OpenAccess(self.server.url)) as client:
            metrics = Metrics()
            running = Coordinator(
                client,
                [PoolSpec(NS, CONFIG)],
                metrics=metrics,
                policy=Policy(settling=0.0, presence=3600.0),  # who waits asks once here
                rng=Random(1),
            )
            async with running:
                metrics.watch(running.pools.values)
                listener = await listen(api_app(running, metrics), "127.0.0.1", port)
                self.url, self.coordinator = listener.url, running
                try:
                    await eventually(lambda: set(running.ready().values()) == {""}, "ready")
                    yield running
                finally:
                    self.url, self.coordinator = "", None
                    await listener.close()


def run_plugin(words: Sequence[str], stdin: str = "") -> Result:
    """One run in this process, with standard streams of its own; not on a terminal."""
    out, err = io.StringIO(), io.StringIO()
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        _stdin(stdin),
    ):
        try:
            code = cli.main(list(words))
        except SystemExit as ended:  # argparse
            code = int(ended.code or 0)
    return Result(code, out.getvalue(), err.getvalue())


@contextlib.contextmanager
def _stdin(text: str) -> Iterator[None]:
    before = sys.stdin
    sys.stdin = io.TextIOWrapper(io.BytesIO(text.encode()))
    try:
        yield
    finally:
        sys.stdin = before


def limits(number: int, **labelled: int) -> str:
    """The text of a config."""
    rules = [
        {"nodeSelector": {"matchLabels": {"tier": tier}}, "number": count}
        for tier, count in labelled.items()
    ]
    return json.dumps({"loadConcurrency": {"globalConfig": number, "perNodeConfig": rules}})


async def eventually(look: Callable[[], T], what: str) -> T:
    """What `look` returns as soon as that is true; meanwhile the cluster goes on."""
    return await asyncio.to_thread(until, look, what)


@asynccontextmanager
async def stand(folder: Path) -> AsyncIterator[Stand]:
    """A cluster without nodes, coordinator and ConfigMap."""
    store = Store(namespaces=[NS, "default"])
    server = await start(store)
    kubeconfig = folder / "kubeconfig"
    kubeconfig.write_text(json.dumps(server.kubeconfig()))
    with structlog.testing.capture_logs():  # or they come among what the plugin prints
        try:
            yield Stand(store, server, kubeconfig)
        finally:
            await server.stop()
