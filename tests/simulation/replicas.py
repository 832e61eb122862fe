"""The coordinators' processes: how they start, answer, stop, and die."""

from __future__ import annotations

import asyncio
import traceback
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

from agent_client.errors import NoAnswer
from agent_client.messages import Reply
from coordinator.api.exchange import service_problem
from coordinator.api.problems import Problem
from coordinator.core.access import Admissions, ClientNamespace
from coordinator.core.claims import Policy
from coordinator.kube.election import Elector
from coordinator.service.clock import Clock
from coordinator.service.coordinator import Coordinator
from coordinator.service.errors import ServiceError
from coordinator.service.metrics import Metrics
from coordinator.service.sources import PoolSpec
from tests.simulation.answering import answer
from tests.simulation.api import SimClient
from tests.simulation.judge.headroom import URGENT
from tests.simulation.judge.writes import ELECTION
from tests.simulation.loop import Mode, Process
from tests.simulation.pods import NS as PODS

if TYPE_CHECKING:
    from coordinator.kube.candidate import Leader
    from tests.simulation.net import Visit
    from tests.simulation.world import World

NS, CONFIG = "velero", "limits"
EPOCH = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
PASSING = 75.0
"""Seconds that a follower waits for the leader's answer."""
LOOK = 0.5
"""Seconds between its looks at who leads."""


class Replica:
    """One replica of the coordinator. Its process is another one after each start."""

    def __init__(self, world: World, number: int) -> None:
        self.world = world
        self.name = f"co-{number}"
        self.url = f"http://{self.name}:8443"
        self.process: Process | None = None
        self.coordinator: Coordinator | None = None
        self.listening = False
        self._starts = 0
        self._wall = 0.0
        self._stop: asyncio.Event | None = None
        self._passing: dict[asyncio.Timeout, Leader] = {}

    # --- its life -----------------------------------------------------------------------------

    def start(self) -> None:
        """A new process of the same name, unless there is one."""
        if self.process is not None and self.process.mode is not Mode.DEAD:
            return
        self.listening = False
        self._starts += 1
        self.process = self.world.process(f"{self.name}.{self._starts}")
        self._stop = asyncio.Event()
        self.world.log(self.process.name, "starts")
        self.world.watcher.began(self.process)
        self.process.start(self._guarded(self.process, self._stop))

    async def _guarded(self, process: Process, stop: asyncio.Event) -> None:
        """No exception may end a coordinator."""
        try:
            await self._run(process, stop)
        except Exception:  # noqa: BLE001 - whatever it is, it is a fault
            self.world.watcher.blame("fault", f"{process.name}: {traceback.format_exc()}")

    async def _run(self, process: Process, stop: asyncio.Event) -> None:
        client = SimClient(self.world.api)
        self.coordinator = self._built(process, client)
        async with self.coordinator:
            self.listening, self._passing = True, {}
            looking = asyncio.create_task(self._watch_leader(self.coordinator))
            await stop.wait()
            self.coordinator.begin_stop()
            await asyncio.sleep(0.05)
            self.listening = False
            looking.cancel()
        self.world.log(process.name, "has stopped")
        process.kill()
        self.world.ended(process)

    def _built(self, process: Process, client: SimClient) -> Coordinator:
        rng = Random(f"{self.world.seed}/{process.name}")
        clock = Clock(process.now, self.wall)
        return Coordinator(
            client,
            [PoolSpec(NS, CONFIG)],
            metrics=Metrics(),
            clock=clock,
            policy=Policy(
                unresponsive_timeout=self.world.unresponsive,
                headroom=self.world.plan.headroom,
                urgent_from=URGENT,
            ),
            rng=rng,
            instance=process.name,
            elector=self._elector(process, client, clock, rng),
            admissions=Admissions([NS], [ClientNamespace(NS, PODS)]),
        )

    def _elector(self, process: Process, client: SimClient, clock: Clock, rng: Random) -> Elector:
        return Elector(
            client,
            NS,
            ELECTION,
            identity=process.name,
            url=self.url,
            clock=clock.now,
            stamp=clock.stamp,
            rng=rng,
        )

    def wall(self) -> datetime:
        """Its machine's wall clock, which operators set now and then."""
        return EPOCH + timedelta(seconds=self.world.loop.time() + self._wall)

    def set_wall(self, off: float) -> None:
        self._wall = off

    def stop(self) -> None:
        """SIGTERM."""
        if self._stop is not None:
            self._stop.set()

    @property
    def running(self) -> bool:
        """Whether its process runs right now: it is neither dead, nor paused, nor stopping."""
        running = self.process is not None and self.process.mode is Mode.RUNNING
        return running and self._stop is not None and not self._stop.is_set()

    def kill(self, *, silently: bool = False) -> None:
        """SIGKILL; `silently`: the machine dies with it, and nobody says that it is gone."""
        if self.process is not None:
            self.process.kill()
            self.world.ended(self.process, silently=silently)

    # --- being asked --------------------------------------------------------------------------

    async def answer(self, visit: Visit) -> Reply:
        """What its HTTP server answers."""
        coordinator = self.coordinator
        assert coordinator is not None
        try:
            if coordinator.leading:
                return await self._own(coordinator, visit)
            return await self._passed_on(coordinator, visit)
        except Problem as problem:
            return problem_reply(problem)
        except ServiceError as error:
            return problem_reply(service_problem(error))

    async def _own(self, coordinator: Coordinator, visit: Visit) -> Reply:
        watcher, well = self.world.watcher, False
        pool = coordinator.pool(NS)
        watcher.visited(visit)
        self.world.log(visit.process.name, f"takes in {visit}")
        try:
            found = await answer(pool, visit.verb, visit.node, visit.body)
            well = True
            watcher.replied(visit, found)
        finally:
            watcher.over(visit, well=well)
        return Reply(200, found)

    async def _passed_on(self, coordinator: Coordinator, visit: Visit) -> Reply:
        leader = coordinator.leader
        if visit.passed_on or leader is None:
            raise Problem("no-leader", "nobody leads")
        to = self.world.replica_at(leader.url)
        try:
            async with asyncio.timeout(PASSING) as deadline:
                self._passing[deadline] = leader
                return await self.world.net.ask(
                    to, visit.node, visit.body, verb=visit.verb, passed_on=True
                )
        except (NoAnswer, TimeoutError) as error:
            raise Problem("no-leader", f"the leader does not answer: {error}") from None
        finally:
            self._passing.pop(deadline, None)

    async def _watch_leader(self, coordinator: Coordinator) -> None:
        """What waits for a leader that leads no more is given up, as `api.proxy` does."""
        while True:
            await asyncio.sleep(LOOK)
            for deadline, leader in list(self._passing.items()):
                if leader != coordinator.leader:
                    deadline.reschedule(self.world.loop.time())


def problem_reply(problem: Problem) -> Reply:
    """The problem as the agent's transport hands it over."""
    return Reply(problem.kind.status, problem.body(), problem.retry_after)
