"""Everything that runs, up and down in order: API server, coordinator, agents."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Self

from aiohttp import ClientSession

from coordinator.demo import scenario
from coordinator.demo.agents import Agents
from coordinator.demo.cluster import Cluster
from coordinator.demo.journal import Journal
from coordinator.demo.processes import Coordinator, Group, ProcessDied
from coordinator.demo.watch import NoAnswer, Watch

if TYPE_CHECKING:
    from collections.abc import Callable

    from coordinator.demo.cluster import Hand
    from coordinator.demo.watch import Seen

READY_SECONDS = 30.0
"""A busy machine takes its time; a coordinator that is not ready by then never will be."""


class Stage(contextlib.AsyncExitStack):
    """What a demo needs. Leaving it ends every process and removes every file."""

    cluster: Cluster
    coordinator: Coordinator
    session: ClientSession
    journal: Journal
    agents: Agents
    watch: Watch
    kubeconfig: Path

    @classmethod
    async def open(cls, port: int, on_hand: Callable[[Hand], None]) -> Self:
        """Start all but the agents, and wait until the limits are known. Raises `ProcessDied`."""
        stage = cls()
        try:
            await stage._start(port, on_hand)
        except BaseException:
            await stage.aclose()
            raise
        return stage

    async def _start(self, port: int, on_hand: Callable[[Hand], None]) -> None:
        directory = Path(self.enter_context(tempfile.TemporaryDirectory(prefix="node-slots-")))
        self.kubeconfig = directory / "kubeconfig"
        self.journal = Journal(directory / "journal")
        group = Group(directory)
        self.push_async_callback(group.close)
        await group.open()
        self.cluster = Cluster(on_hand)
        self.push_async_callback(self.cluster.stop)
        await self.cluster.start()
        self.cluster.write_kubeconfig(self.kubeconfig)
        self.coordinator = Coordinator()
        self.push_async_callback(self.coordinator.stop)
        await self.coordinator.start(group, self.kubeconfig, port)
        self.session = await self.enter_async_context(ClientSession(trust_env=False))
        self.watch = Watch(self.session, self.coordinator.api)
        await self._ready()
        self.agents = Agents(group, self.coordinator.api, self.journal)
        self.push_async_callback(self.agents.end)

    async def _ready(self) -> None:
        deadline = monotonic() + READY_SECONDS
        while not (seen := await self.look()) or seen.limits() != scenario.LIMITS:
            if monotonic() > deadline:
                raise ProcessDied(f"the coordinator is not ready: {seen or 'no answer'}")
            await asyncio.sleep(0.05)

    async def look(self) -> Seen | None:
        """How things stand; None without an answer. Raises `ProcessDied` when there is none to
        come.
        """
        self.coordinator.check()
        try:
            return await self.watch.look()
        except NoAnswer:
            await asyncio.sleep(0)  # the end of a process is noticed by another task
            self.coordinator.check()
            return None
