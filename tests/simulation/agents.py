"""Agents on nodes and the loads that they speak for: real client code on a simulated network."""

from __future__ import annotations

import asyncio
import traceback
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from agent_client.agent import Agent as Core
from agent_client.client import SlotClient
from agent_client.errors import SlotError
from tests.simulation.loads import Caller, Load, Sitting
from tests.simulation.loop import Mode
from tests.simulation.net import SimTransport
from tests.simulation.replicas import NS

if TYPE_CHECKING:
    from random import Random

    from agent_client.slot import Slot
    from tests.simulation.loop import Process


LAST_WORDS = 1.0
"""Seconds from SIGTERM to the end."""


@dataclass(eq=False)
class Agent(Caller):
    """An agent of one node; started anew, it goes on with the loads that are not over."""

    client: SlotClient | None = None
    """Of the process that runs."""

    async def _run(self, process: Process, rng: Random) -> None:
        client = self.client = SlotClient(
            "http://coordinators:8443",
            namespace=NS,
            node=self.node,
            agent=self.name,
            transport=SimTransport(self.world.net, self.name, self.node),
            clock=process.now,
        )
        client._agent = Core(self.name, process.name, rng.random)
        async with client:
            for load in self.loads.values():
                process.start(self._carry(process, client, load))
            while True:
                await self._until_next(rng)
                load = self._new_load(rng)
                self.loads[load.uid] = load
                process.start(self._carry(process, client, load))

    def stop(self) -> None:
        """It says that it goes, and what it holds may be over: which is not so."""
        process, client = self.process, self.client
        if process is None or client is None or process.mode is not Mode.RUNNING:
            super().stop()
        else:
            process.start(self._depart(client))
            self.world.loop.in_world(LAST_WORDS, partial(self._end, process))

    async def _depart(self, client: SlotClient) -> None:
        answered = await client.depart(within=0.9 * LAST_WORDS)
        self.world.log(self.name, f"departs, {'answered' if answered else 'unanswered'}")

    def _end(self, process: Process) -> None:
        if process is self.process:
            self.kill(with_loads=False)

    def _new_load(self, rng: Random) -> Load:
        uid = f"{self.name}-{self.world.next_number()}"
        with_pod = rng.random() < self.world.pod_share
        return Load(
            uid,
            self.node,
            priority=rng.choice((0, 0, 0, 0, 1, 5)),
            ttl=rng.choice((10, 10, 15, 30, 60)),
            seconds=rng.choice((0.1, 2.0, 10.0, 40.0)) * (0.5 + rng.random()),
            patience=rng.choice((None, None, None, 0.0, 5.0, 30.0)),
            pod=self.world.pods.start(uid, self.node) if with_pod else None,
        )

    async def _carry(self, process: Process, client: SlotClient, load: Load) -> None:
        """Take a slot, work, give it back."""
        options: dict[str, Any] = {"priority": load.priority, "ttl": load.ttl, "pod": load.pod}
        taking = client.slot(
            load=f"load-{load.uid}", claim=load.uid, timeout=load.patience, **options
        )
        sitting = Sitting(load, self, process, taking._session)
        self.world.watcher.sits(sitting)
        try:
            async with taking as slot:
                self.world.watcher.heard(self.name)
                await self._work(load, slot)
        except SlotError as error:
            self.world.log(self.name, f"{load.uid}: {type(error).__name__}")
        except Exception:  # noqa: BLE001 - whatever it is, it is a fault
            self.world.watcher.blame("fault", f"{self.name}: {traceback.format_exc()}")
        self._over(sitting)

    async def _work(self, load: Load, slot: Slot[asyncio.Event]) -> None:
        """In small steps, so that an agent that is started again goes on with the rest."""
        self.world.log(self.name, f"{load.uid} works in {slot.lease} token {slot.fencing_token}")
        while load.worked < load.seconds and not slot.lost.is_set():
            step = min(2.0, load.seconds - load.worked)
            try:
                async with asyncio.timeout(step):
                    await slot.lost.wait()
            except TimeoutError:
                load.worked += step
