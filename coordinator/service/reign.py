"""One time of leading, from the election to its loss: the pools and everything that serves them.

A reign begins with nothing: its first list of Leases is sent after the election was won, so the
picture holds all that an earlier leader wrote and answered (promise P10). What it had under way at
its end is dropped; writes that still take effect are seen by the next leader, whose own writes are
compared and swapped (P3).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import structlog

from coordinator.kube.calls import resource_path
from coordinator.kube.leases import LeaseStore, leases_path
from coordinator.service.caps import Caps
from coordinator.service.evidence import examine, read_pod
from coordinator.service.gate import Gate
from coordinator.service.hands import Hands, Tell
from coordinator.service.lists import placed
from coordinator.service.pods import UNFINISHED, tell_of_pods
from coordinator.service.pool import Pool
from coordinator.service.reports import StreamReports
from coordinator.service.writer import Writer

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Coroutine, Mapping

    from coordinator.core.access import Admissions
    from coordinator.core.claims import Policy
    from coordinator.core.model import PodRef
    from coordinator.kube.reflector import StreamEvent
    from coordinator.service.callers import Callers
    from coordinator.service.crowd import Crowd
    from coordinator.service.evidence import Sight
    from coordinator.service.leadership import Leadership
    from coordinator.service.limits import NodeLimits
    from coordinator.service.reports import PoolReports
    from coordinator.service.tools import Stream, Tools

    Spawn = Callable[[Coroutine[object, object, None]], asyncio.Task[None]]

SWEEP = 1.0
"""Seconds between looks at what is due."""
STALL = 0.5
"""Seconds by which a look may be late before the requests that came meanwhile are read first."""
SETTLE = 3.0
"""Seconds that a stopping coordinator waits for writes under way."""


class Reign:
    """The pools of a leader.

    `callers` hears which Pods are gone. `spawn` runs a task in the coordinator's own group,
    `tell(about, reason, message)` writes an Event.
    """

    def __init__(
        self,
        tools: Tools,
        leadership: Leadership,
        limits: Mapping[str, NodeLimits],
        reports: Mapping[str, PoolReports],
        policy: Policy,
        crowd: Crowd,
        node_cap: int | None,
        callers: Callers | None,
        admissions: Admissions,
        spawn: Spawn,
        tell: Tell,
    ) -> None:
        self._tell = tell
        self.leadership = leadership
        self._tools = tools
        self._policy = policy
        self._crowd = crowd
        self._caps = Caps(node_cap, tools.clock.now) if node_cap is not None else None
        self._spawn_outside = spawn
        self._over = False
        self._tasks: dict[asyncio.Task[None], None] = {}
        self._writers: list[Writer] = []
        self._unlisten: list[Callable[[], None]] = []
        self._streams: list[Stream] = []
        self._pod_reports = StreamReports(structlog.get_logger("coordinator"))
        self._callers = callers
        self._pods = {
            namespace: tools.reflector(
                resource_path("pods", namespace), metadata_only=True, params=UNFINISHED
            )
            for namespace in admissions.namespaces()
        }
        self.pools = {name: self._build(name, limits[name], reports[name]) for name in limits}
        if self._caps is not None:
            self._caps.pools.update(self.pools)
        for namespace, pods in self._pods.items():
            self._streams.append((pods, partial(self._take_pods, namespace)))

    def _build(self, namespace: str, limits: NodeLimits, reports: PoolReports) -> Pool:
        tools = self._tools
        gate = Gate(tools.rng, tools.sleep)
        writer = Writer(namespace, LeaseStore(tools.client), gate, tools.clock)
        leases = tools.reflector(leases_path(namespace), read=placed)
        pool = Pool(
            namespace,
            clock=tools.clock,
            policy=self._policy,
            limits=limits,
            reports=reports,
            leadership=self.leadership,
            crowd=self._crowd,
            hands=Hands(
                writer,
                leases.relist_now,
                self._relist_pods,
                self._examine,
                partial(read_pod, tools.client),
                Gate(tools.rng, tools.sleep),
                self._spawn,
                self._tell,
            ),
            caps=self._caps,
        )
        self._writers.append(writer)
        self._unlisten.append(reports.listen(pool.news.take))
        self._streams.append((leases, pool.take))
        return pool

    async def _examine(self, pod: PodRef, node: str, silent: bool) -> Sight:
        return await examine(self._tools.client, pod, node, silent=silent)

    def _relist_pods(self) -> None:
        for pods in self._pods.values():
            pods.relist_now()

    def _take_pods(self, namespace: str, event: StreamEvent) -> None:
        self._pod_reports.heard(f"pods in {namespace}", event)
        if self._callers is not None:
            tell_of_pods(self._callers, namespace, event)
        for pool in self.pools.values():
            pool.pods.take(namespace, event)
        if namespace in self.pools:
            self.pools[namespace].movers.take(event)

    def begin(self) -> None:
        """Start to look, and to serve once the first lists are there."""
        if self._callers is not None:
            self._callers.begin_reign()
        for reflector, sink in self._streams:
            self._spawn(reflector.run(sink))
        self._spawn(self._sweep())

    def begin_stop(self) -> None:
        """Answer every blocked request with what is true or 503; take no new ones."""
        for pool in self.pools.values():
            pool.begin_stop()

    async def settle(self) -> bool:
        """Wait a moment for writes under way. Returns whether the outcome of each is known."""
        end = self._tools.clock.now() + SETTLE
        while not self._idle and self._tools.clock.now() < end:
            await self._tools.sleep(0.02)
        return self._idle

    @property
    def _idle(self) -> bool:
        return all(writer.idle for writer in self._writers)

    def end(self) -> None:
        """It is over at once: every blocked request is told so, and every task ends."""
        self.leadership.end()
        self._over = True
        for pool in self.pools.values():
            pool.dismiss_all()
        while self._unlisten:
            self._unlisten.pop()()
        for task in self._tasks:
            task.cancel()

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        if self._over:  # polls end after it, and under a cap that may free a place in another pool
            work.close()
            return
        task = self._spawn_outside(work)
        self._tasks[task] = None
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._tasks.pop(task, None)

    async def _sweep(self) -> None:
        """Look each second at what is due.

        After a stall (SIGSTOP, a busy machine) renewals wait unread in the sockets, and whoever
        sent them is not silent: they are read before anybody is judged.
        """
        skipped = False
        while True:
            due = self._tools.clock.now() + SWEEP
            await self._tools.sleep(SWEEP)
            skipped = not skipped and self._tools.clock.now() > due + STALL
            if not skipped:
                for pool in self.pools.values():
                    pool.sweep()
