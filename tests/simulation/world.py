"""One seed: a cluster with its troubles, then healed, and judged all along."""

from __future__ import annotations

import asyncio
import gc
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from random import Random
from typing import TYPE_CHECKING
from unittest import mock

from coordinator.core.slots import NodeTable
from coordinator.embedded import objects
from coordinator.embedded.store import Store
from tests.core.explained import explained
from tests.simulation.agents import Agent
from tests.simulation.api import ApiServer
from tests.simulation.configs import Registry, drawn
from tests.simulation.hands import begin_high
from tests.simulation.healing import PATIENCE, heal, quiet, unrest
from tests.simulation.log import Log
from tests.simulation.loop import Process, VirtualLoop
from tests.simulation.net import Network
from tests.simulation.plan import plan_of
from tests.simulation.pods import Pods
from tests.simulation.replicas import CONFIG, EPOCH, NS, Replica
from tests.simulation.scripts import Script
from tests.simulation.troubles import Troubles
from tests.simulation.watcher import Watcher

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from coordinator.core import messages as m
    from coordinator.embedded.history import Event
    from tests.simulation.loads import Caller


EXPLAINED = 997
"""After each so many events a table is asked to explain itself."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a seed."""

    seed: int
    violations: list[str]
    log: Log
    stats: dict[str, float] = field(default_factory=dict)


class World:
    """Everything of one seed."""

    def __init__(self, seed: int, loop: VirtualLoop, echo: Callable[[str], object] | None) -> None:
        self.seed = seed
        self.loop = loop
        self.log = Log(loop.time, echo)
        self.plan = plan_of(self.rng("plan"))
        self.unresponsive = 60.0
        self.configs = Registry()
        self._enough = asyncio.Event()
        self.finished = False
        self.watcher = Watcher(self)
        self._uids = self.rng("uids")
        self.store = Store(now=self.wall, uids=self._uid, namespaces=[NS, "work", "default"])
        self.api = ApiServer(self.store, loop, self.rng("api"), self.plan, self.log, self.watcher)
        self.api.on_crash = self._crashed
        self._deaths = self.rng("deaths")
        self.net = Network(loop, self.rng("net"), self.plan.net, self.log, self.watcher)
        self.net.on_death = self._died
        self.pods = Pods(self)
        self.pod_share = self.rng("pods").choice((0.0, 0.5, 1.0))
        self.healing = False
        self.stats: dict[str, float] = {}
        self._numbers = 0
        self._clocks = self.rng("clocks")
        self.store.subscribe(self._committed)
        self.nodes = [f"node{n}" for n in range(1, self.plan.nodes + 1)]
        self.net.replicas = [Replica(self, n) for n in range(1, self.plan.replicas + 1)]
        self.agents: list[Caller] = [
            Agent(self, f"ag-{n}", self.nodes[n % len(self.nodes)]) for n in range(self.plan.agents)
        ]
        for n in range(self.plan.scripts):
            self.agents.append(Script(self, f"sc-{n}", self.nodes[n % len(self.nodes)]))

    def rng(self, purpose: str) -> Random:
        """A source of chance of its own for each purpose."""
        return Random(f"{self.seed}/{purpose}")

    def _uid(self) -> str:
        return f"{self._uids.getrandbits(64):016x}"

    def wall(self) -> datetime:
        return EPOCH + timedelta(seconds=self.loop.time())

    def next_number(self) -> int:
        self._numbers += 1
        return self._numbers

    def process(self, name: str) -> Process:
        """A process on a machine with a boot clock of its own."""
        return Process(name, self.loop, float(self._clocks.randint(1, 1_000_000)))

    def enough(self) -> None:
        """A promise was broken: what follows tells nothing new."""
        self._enough.set()

    def counted(self, what: str) -> None:
        """One more of this kind, for the statistics."""
        self.stats[what] = self.stats.get(what, 0) + 1

    def ended(self, process: Process, *, silently: bool = False) -> None:
        """A process is gone, and so are its connections; a dead machine does not even say so."""
        self.log(process.name, "is gone")
        for lines in [one for one in self.api.streams if one.sent.process is process]:
            lines.end()
        for visit in list(process.visits):
            if not silently:
                visit.reset()
        self.watcher.ended(process)

    def replica_at(self, url: str) -> Replica:
        return next(one for one in self.net.replicas if one.url == url)

    def _crashed(self, process: Process) -> None:
        """A process died in the middle of a write."""
        for replica in self.net.replicas:
            if replica.process is process:
                replica.kill()
                self.loop.in_world(self._deaths.uniform(0.1, 20), replica.start)

    def _died(self, name: str) -> None:
        """An agent died as it was to hear of its grant."""
        for agent in self.agents:
            if agent.name == name:
                agent.kill(with_loads=self._deaths.random() < 0.5)
                self.loop.in_world(self._deaths.uniform(0.1, 60), agent.start)

    def _committed(self, event: Event) -> None:
        meta = event.entry.view["metadata"]
        self.log(
            "store",
            f"{event.type} {event.resource.plural} {meta['name']} v{event.entry.version}"
            f" {event.entry.view.get('spec', {}).get('holderIdentity', '')}",
        )
        self.watcher.committed(event, self.api.acting)
        for lines in list(self.api.streams):
            lines.hear(event)

    async def run(self) -> None:
        begin_high(self)
        for node in self.nodes:
            objects.put(self.store, objects.node(node))
        data = self.configs.data(drawn(self.rng("limits")))
        objects.put(self.store, objects.config_map(NS, CONFIG, data))
        for replica in self.net.replicas:
            replica.start()
        for agent in self.agents:
            agent.start()
        self.troubles = Troubles(self, self.plan.seconds)
        self.troubles.start()
        with suppress(TimeoutError):
            async with asyncio.timeout(self.plan.seconds):
                await self._enough.wait()
        if not self.watcher.violations:
            await self._heal()
        self.finished = True

    async def _heal(self) -> None:
        """All troubles end; then everything has to come to rest by itself."""
        heal(self)
        for _ in range(PATIENCE):
            if quiet(self) or self.watcher.violations:
                return
            await asyncio.sleep(1.0)
            for replica in self.net.replicas:  # one that was just stopping is followed by another
                replica.start()
        for what in list(unrest(self)):
            self.watcher.blame("liveness", what)


def _judge_explained(watcher: Watcher, table: NodeTable, now: float) -> None:
    try:
        explained(table, now, foreseen=True)
    except Exception as error:  # noqa: BLE001 - whatever goes wrong is the judge's, not the table's
        watcher.blame("explain", f"{table.node}: {error!r}")


@contextmanager
def watched_tables(watcher: Watcher) -> Iterator[None]:
    """Every event that a table takes in, and what it commands, is told to the judges."""
    real, met = NodeTable.handle, count(1)

    def handle(table: NodeTable, event: m.Event, now: float) -> list[m.Command]:
        commands = real(table, event, now)
        watcher.handled(table.node, event, commands)
        if next(met) % EXPLAINED == 0:
            _judge_explained(watcher, table, now)
        return commands

    with mock.patch.object(NodeTable, "handle", handle):
        yield


def run_seed(
    seed: int,
    *,
    plant: AbstractContextManager[object] | None = None,
    echo: Callable[[str], object] | None = None,
) -> Outcome:
    """Run one seed, with a bug planted or without."""
    gc.disable()  # what a dead process left behind must not be finalised while others run
    loop = VirtualLoop()
    asyncio.set_event_loop(loop)
    try:
        with plant or nullcontext():
            world = World(seed, loop, echo)
            with watched_tables(world.watcher):
                loop.run_until_complete(world.run())
            return Outcome(
                seed,
                world.watcher.violations,
                world.log,
                world.stats | {"virtual seconds": loop.time()},
            )
    finally:
        loop.dispose()
        asyncio.set_event_loop(None)
        gc.enable()
        gc.collect()
