"""The agents: wrappers that run one command each, and library agents with many loads."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from agent_client.wrapper.exits import Exit
from tests.chaos.agent import TTL

if TYPE_CHECKING:
    from random import Random

    from tests.chaos.field import Field
    from tests.e2e.processes import Program

AGENT = Path(__file__).with_name("agent.py")
_LOOK = 0.1
_KILLED = Exit.SIGNALLED + signal.SIGKILL
_TERMINATED = Exit.SIGNALLED + signal.SIGTERM
_WANTED = {0, Exit.LOST, _KILLED, _TERMINATED, 143}
"""How an agent may end: its load ended, its slot was lost, or somebody ended it."""


@dataclass(eq=False)
class Agent:
    """One process."""

    name: str
    node: str
    program: Program
    is_library: bool
    stopped_at: list[float] = field(default_factory=list)
    """When it was frozen (SIGSTOP)."""

    def send(self, number: signal.Signals) -> None:
        if number is signal.SIGSTOP:
            self.stopped_at.append(time.monotonic())
        self.program.send(number)


class Crowd:
    """Keeps so many agents at work until `leave`.

    What a stopped wrapper's command does after the stop is nobody's fault, so `stops` tells by load
    when its wrapper was stopped first.
    """

    def __init__(self, field: Field, rng: Random) -> None:
        self._field = field
        self._rng = rng
        self._over = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.agents: list[Agent] = []
        """Those that run now."""
        self.stops: dict[str, float] = {}
        self.faults: list[str] = []
        """Agents that ended as none may."""

    def wrappers(self, places: int, seconds: tuple[float, float]) -> None:
        """Keeps so many `slot-agent run --strict` at work."""
        for place in range(places):
            self._begin(self._wrap_on(place, seconds))

    def libraries(self, loads: int, seconds: tuple[float, float]) -> None:
        """Keeps one library agent a node at work, with so many loads each."""
        for number, node in enumerate(self._field.nodes):
            self._begin(self._serve_node(f"library-{number}", node, loads, seconds))

    async def leave(self, within: float) -> None:
        """No new loads; returns when everybody has gone. Fails after so many seconds."""
        self._over.set()
        for agent in self.agents:
            if agent.is_library:
                agent.send(signal.SIGTERM)
        done, late = await asyncio.wait(self._tasks, timeout=within)
        self.faults += [
            f"{agent.name} did not end: {agent.program.output}" for agent in self.agents
        ]
        for task in late:
            task.cancel()
        await asyncio.gather(*done)

    def _begin(self, work: object) -> None:
        self._tasks.append(asyncio.ensure_future(work))  # type: ignore[call-overload]

    async def _wrap_on(self, place: int, seconds: tuple[float, float]) -> None:
        count = 0
        while not self._over.is_set():
            count += 1
            load, node = f"wrapped-{place}-{count}", self._rng.choice(self._field.nodes)
            options = ("--strict", "--ttl", str(TTL), "--priority", str(self._rng.randint(0, 2)))
            program = await asyncio.to_thread(
                self._field.agent, load, node, *options, seconds=self._rng.uniform(*seconds)
            )
            agent = Agent(load, node, program, is_library=False)
            await self._watch(agent)
            if agent.stopped_at:
                self.stops[load] = agent.stopped_at[0]

    async def _serve_node(
        self, name: str, node: str, loads: int, seconds: tuple[float, float]
    ) -> None:
        while not self._over.is_set():
            program = await asyncio.to_thread(self._library, name, node, loads, seconds)
            await self._watch(Agent(name, node, program, is_library=True))

    def _library(self, name: str, node: str, loads: int, seconds: tuple[float, float]) -> Program:
        folder = self._field.folder
        command = [sys.executable, str(AGENT), str(folder), name]
        return self._field.run(name, node, [*command, str(loads), *map(str, seconds)])

    async def _watch(self, agent: Agent) -> None:
        """Until it ends."""
        self.agents.append(agent)
        if agent.is_library and self._over.is_set():  # it was being started when all were told
            agent.send(signal.SIGTERM)
        while agent.program.is_running():  # noqa: ASYNC110 - its leash tells nobody of the end
            await asyncio.sleep(_LOOK)
        code = agent.program.exit_code()
        if code not in _WANTED:
            self.faults.append(f"{agent.name} ended with {code}: {agent.program.output[-500:]}")
        elif not agent.is_library:
            agent.program.log.unlink()  # an hour has thousands
        agent.program.end()
        self.agents.remove(agent)
