"""The loads' side: `slot-agent run` processes, so many that every node always has a queue."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from coordinator.demo import scenario
from coordinator.demo.journal import SCRIPT, Journal
from coordinator.demo.processes import program

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from pathlib import Path

    from coordinator.demo.processes import Group
    from coordinator.demo.watch import Seen

STARTING = 6
"""Agents that are being started at a time: a quarter of a second of a processor's time each."""
LOST, REFUSED, TERMINATED = 74, 76, 128 + 15
"""Exit codes of `slot-agent run`."""
LEAVING_SECONDS, RELEASE_SECONDS = 6.0, 2.5


@dataclass
class Agent:
    """One process and its load. `known` is set once it was seen waiting or running."""

    load: scenario.Load
    node: str
    process: Process
    known: bool = False
    told_to_end: bool = False


@dataclass(frozen=True, slots=True)
class Ended:
    """An agent that ended other than well, and was not told to."""

    load: str
    node: str
    code: int


class Agents:
    """Starts agents where they are needed, and remembers those that ended badly."""

    def __init__(self, group: Group, api: str, journal: Journal) -> None:
        self.bad: list[Ended] = []
        self.log: Path = group.directory / "agents.log"
        self._group = group
        self._api = api
        self._journal = journal
        self._alive: dict[str, Agent] = {}
        self._waits: set[asyncio.Task[None]] = set()
        self._started = 0

    async def fill(self, seen: Seen, pace: float) -> None:
        """Start agents, those first whose node lacks most, until each node has its queue.

        `pace` multiplies how long their loads take.
        """
        self._recognize(seen)
        starting = sum(not agent.known for agent in self._alive.values())
        for _ in range(STARTING - starting):
            node = self._neediest(seen)
            if node is None:
                return
            await self._start(node, pace)

    def withdraw(self) -> None:
        """Tell those that only wait to leave the queue."""
        running = {note.load for note in self._journal.notes}
        for agent in self._alive.values():
            if agent.load.name not in running:
                _terminate(agent)

    async def leave(self) -> None:
        """Wait until all have ended; those that take too long are told to."""
        if self._waits:
            await asyncio.wait(self._waits, timeout=LEAVING_SECONDS)
        await self.end()

    async def end(self) -> None:
        """Tell all to end, and wait for it; each ends its load and releases its slot.

        Where no coordinator is left to release to, a second signal ends that as well.
        """
        for _ in range(2):
            for agent in self._alive.values():
                _terminate(agent)
            if self._waits:
                await asyncio.wait(self._waits, timeout=RELEASE_SECONDS)

    def _recognize(self, seen: Seen) -> None:
        told = {load for node in seen.nodes.values() for load in node.queue}
        told |= {slot.load for node in seen.nodes.values() for slot in node.slots}
        for name in told & self._alive.keys():
            self._alive[name].known = True

    def _neediest(self, seen: Seen) -> str | None:
        """The node that has least of what it should have; None when each has all of it."""
        alive = Counter(agent.node for agent in self._alive.values())
        filled = {
            name: alive[name] / (node.limit + scenario.QUEUE)
            for name, node in seen.nodes.items()
            if name in scenario.NODES
        }
        return min(
            (name for name in filled if filled[name] < 1), key=filled.__getitem__, default=None
        )

    async def _start(self, node: str, pace: float) -> None:
        self._started += 1
        load = scenario.load(self._started)
        with self.log.open("ab") as log:
            process = await self._group.start(
                *(program("slot-agent"), "run", "--quiet", "--load", load.name),
                *("--priority", str(load.priority), "--url", self._api),
                *("--namespace", scenario.NAMESPACE, "--node", node, "--agent", load.name),
                *("--", "/bin/sh", "-c", SCRIPT, "load", f"{load.seconds * pace:.2f}"),
                stderr=log.fileno(),
                DEMO_JOURNAL=str(self._journal.path),
            )
        agent = self._alive[load.name] = Agent(load, node, process)
        task = asyncio.create_task(self._wait(agent))
        self._waits.add(task)
        task.add_done_callback(self._waits.discard)

    async def _wait(self, agent: Agent) -> None:
        code = await agent.process.wait()
        del self._alive[agent.load.name]
        well = {0, TERMINATED, -signal.SIGTERM} if agent.told_to_end else {0}
        if code not in well:
            self.bad.append(Ended(agent.load.name, agent.node, code))


def _terminate(agent: Agent) -> None:
    agent.told_to_end = True
    with suppress(ProcessLookupError):
        agent.process.terminate()
