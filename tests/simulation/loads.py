"""Loads, and the callers on nodes that take slots for them."""

from __future__ import annotations

import asyncio
import traceback
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.simulation.loop import Mode

if TYPE_CHECKING:
    from random import Random

    from agent_client.messages import Pod
    from agent_client.session import Session
    from tests.simulation.loop import Process
    from tests.simulation.world import World


@dataclass(eq=False, slots=True)
class Load:
    """One piece of node work. Its uid is its claim's id, so it survives restarts of the agent."""

    uid: str
    node: str
    priority: int
    ttl: int
    seconds: float
    """How long it works, once it has its slot."""
    patience: float | None = None
    pod: Pod | None = None
    worked: float = 0.0
    given_up: bool = False
    """Whether its agent said so: it released the slot, or was told that it has none."""


@dataclass(eq=False, slots=True)
class Sitting:
    """A load's time with one process: what that process believes."""

    load: Load
    caller: Caller
    process: Process
    session: Session


@dataclass(eq=False)
class Caller:
    """Somebody on a node who takes slots. Its process is another one after each start."""

    world: World
    name: str
    node: str
    loads: dict[str, Load] = field(default_factory=dict)
    process: Process | None = None
    starts: int = 0

    def start(self) -> None:
        """A new process, unless there is one."""
        if self.process is not None and self.process.mode is not Mode.DEAD:
            return
        self.starts += 1
        self.process = self.world.process(f"{self.name}.{self.starts}")
        self.world.log(self.process.name, "starts")
        self.process.start(self._guarded(self.process))

    async def _guarded(self, process: Process) -> None:
        """No exception may end it."""
        try:
            await self._run(process, self.world.rng(process.name))
        except Exception:  # noqa: BLE001 - whatever it is, it is a fault
            self.world.watcher.blame("fault", f"{process.name}: {traceback.format_exc()}")

    async def _run(self, process: Process, rng: Random) -> None:
        """What it does until it dies."""
        raise NotImplementedError

    async def _until_next(self, rng: Random) -> None:
        """The time until another load wants a slot; for ever once the seed is being healed."""
        await asyncio.sleep(rng.expovariate(self.world.plan.loads / 60))
        if self.world.healing:
            await asyncio.get_running_loop().create_future()

    def _over(self, sitting: Sitting) -> None:
        """The load is done, or was given up."""
        sitting.load.given_up = True
        self.loads.pop(sitting.load.uid, None)
        self.world.pods.finish(sitting.load.pod)
        self.world.watcher.rises(sitting)

    def stop(self) -> None:
        """SIGTERM, under running loads; it may take a moment to end."""
        self.kill(with_loads=False)

    def kill(self, *, with_loads: bool) -> None:
        """SIGKILL; the loads live on in other Pods, or die with it."""
        if self.process is not None:
            self.process.kill()
            for visit in list(self.process.calls):
                visit.gone()
        if with_loads:
            for load in self.loads.values():
                self.world.pods.finish(load.pod)
            self.loads.clear()
