"""The whole service: what every replica watches, the election, and the reign of a leader."""

from __future__ import annotations

import asyncio
from datetime import UTC
from math import inf
from random import Random
from typing import TYPE_CHECKING, Self

import structlog

from coordinator.core.access import Admissions
from coordinator.core.claims import Policy
from coordinator.kube.events import EventRecorder, ObjectRef
from coordinator.service.clock import Clock
from coordinator.service.crowd import MOST_WAITING, Crowd
from coordinator.service.errors import NotLeading, PoolUnknown
from coordinator.service.leadership import Leadership
from coordinator.service.movers import UNGOVERNED
from coordinator.service.prepare import NEAR
from coordinator.service.reign import Reign
from coordinator.service.reports import REFUSED, ElectionReports, PoolReports, StreamReports
from coordinator.service.silences import UNRESPONSIVE
from coordinator.service.sources import Listeners, PoolSpec, Sources
from coordinator.service.tools import Tools
from coordinator.service.waits import WAITING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence

    from coordinator.kube.client import KubeClient
    from coordinator.kube.election import Elector, Leader
    from coordinator.kube.errors import ApiError
    from coordinator.kube.events import Kind
    from coordinator.service.callers import Callers
    from coordinator.service.metrics import Metrics
    from coordinator.service.pool import Pool

ANOTHER_LEADS = "this replica follows; the leader answers"


class Coordinator:
    """Serves pools from one API server. `async with` starts and stops it.

    With an `elector` it serves while it leads. Without one it leads from the start; then nothing is
    written before its first list, so it may have the term of the one before it, whose tickets it
    cannot tell from its own. Leaving the context waits a moment for writes under way; held slots
    stay held.
    """

    def __init__(
        self,
        client: KubeClient,
        specs: Sequence[PoolSpec],
        *,
        metrics: Metrics,
        clock: Clock | None = None,
        policy: Policy | None = None,
        max_queue: int = MOST_WAITING,
        node_cap: int | None = None,
        rng: Random | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        instance: str = "",
        elector: Elector | None = None,
        callers: Callers | None = None,
        admissions: Admissions | None = None,
    ) -> None:
        self.callers = callers
        """Says who is asking; None where nobody is asked, and everybody may do everything."""
        self.admissions = admissions or Admissions(spec.namespace for spec in specs)
        """Which namespaces' Pods may claim in which pool."""
        self._clock = clock or Clock()
        self._tools = Tools(client, self._clock, rng or Random(), sleep)  # noqa: S311 - no secret
        self._policy = policy or Policy()
        self._max_queue = max_queue
        self._node_cap = node_cap
        self._log = structlog.get_logger("coordinator")
        self._elector = elector
        self._election = ElectionReports(metrics)
        self._reign: Reign | None = None
        self._stopping = False
        self._group = asyncio.TaskGroup()
        self._tasks: dict[asyncio.Task[None], None] = {}
        self._candidacy: asyncio.Task[None] | None = None
        self._recorder = EventRecorder(
            client,
            instance=instance,
            now=lambda: self._clock.wall().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            clock=self._clock.now,
            rng=self._tools.rng,
            failed=self._event_failed,
            paced=(WAITING, UNRESPONSIVE, UNGOVERNED, NEAR),
        )
        self._reports = {spec.namespace: PoolReports(spec.namespace, metrics) for spec in specs}
        self._sources = Sources(
            self._tools,
            specs,
            self._reports,
            StreamReports(self._log),
            Listeners(
                self._node_changed, self._nodes_listed, self._config_changed, self._config_refused
            ),
        )

    # --- limits and election change -----------------------------------------------------------

    def _node_changed(self, node: str) -> None:
        for pool in self.pools.values():
            pool.rulings.node_changed(node)

    def _nodes_listed(self) -> None:
        for pool in self.pools.values():
            pool.rulings.changed()

    def _config_changed(self, namespace: str) -> None:
        version = self._sources.limits[namespace].keeper.state.version
        self._reports[namespace].config_changed(version)
        if namespace in self.pools:
            self.pools[namespace].rulings.changed()

    def _config_refused(self, namespace: str, message: str) -> None:
        version = self._sources.limits[namespace].keeper.state.version
        self._reports[namespace].config_refused(version, message)
        if namespace in self.pools:  # nothing new, unless the limits were not known at all
            self.pools[namespace].rulings.changed()
            self._warn_of_config(namespace)

    def _warn_of_config(self, namespace: str) -> None:
        """One Event, not one from each replica: the leader's."""
        state = self._sources.limits[namespace].keeper.state
        if state.error:
            about = ObjectRef("ConfigMap", state.config_map or "", namespace, state.uid)
            self._tell(about, REFUSED, state.error)

    def _tell(self, about: ObjectRef, reason: str, message: str, kind: Kind = "Warning") -> None:
        self._spawn(self._recorder.tell(about, reason, message, kind))

    def _event_failed(self, error: ApiError) -> None:
        self._log.warning("Event not written", error=str(error))

    def _elected(self) -> None:
        """The election's state is another one."""
        leads = self._clock.now() < self._deadline()
        if self._reign is not None and not leads:
            self._end_reign()
        elif self._reign is None and leads and not self._stopping:
            self._begin_reign()
        self._election.now(leading=leads, leader=self.leader.identity if self.leader else "")

    def _begin_reign(self) -> None:
        self._reign = Reign(
            self._tools,
            Leadership(self._clock.now, self._deadline),
            self._sources.limits,
            self._reports,
            self._policy,
            Crowd(self._max_queue),
            self._node_cap,
            self.callers,
            self.admissions,
            self._spawn,
            self._tell,
        )
        self._reign.begin()
        for namespace in self._reports:
            self._warn_of_config(namespace)

    def _deadline(self) -> float:
        return self._elector.deadline if self._elector else inf

    def _end_reign(self) -> None:
        if self._reign is not None:
            self._reign.end()
            self._reign = None

    # --- being asked --------------------------------------------------------------------------

    @property
    def leading(self) -> bool:
        """Whether this replica answers claims, or soon will: it leads and its deadline is ahead."""
        return self._reign is not None and self._reign.leadership.holds

    @property
    def identity(self) -> str:
        """This replica's name in the election; "" without one."""
        return self._elector.identity if self._elector else ""

    @property
    def leader(self) -> Leader | None:
        """Who is known to lead; None while nobody is."""
        return self._elector.leader if self._elector else None

    @property
    def leaderless(self) -> str:
        """That nobody leads, and why as far as this replica knows."""
        why = self._elector.trouble if self._elector else ""
        return f"no replica leads at the moment{': ' if why else ''}{why}"

    @property
    def pools(self) -> Mapping[str, Pool]:
        """The pools of a leader by namespace; none while this replica follows."""
        return self._reign.pools if self._reign is not None else {}

    def pool(self, namespace: str) -> Pool:
        """The pool in that namespace. Raises `PoolUnknown`, and `NotLeading` on a follower."""
        if namespace not in self._reports:
            served = ", ".join(sorted(self._reports))
            raise PoolUnknown(f"no pool in namespace {namespace}; this coordinator serves {served}")
        if not self.leading:
            raise NotLeading(ANOTHER_LEADS if self.leader else f"{self.leaderless}; ask again")
        return self.pools[namespace]

    def ready(self) -> dict[str, str]:
        """For each pool "" or why it cannot serve yet. A follower serves by passing on."""
        if self._stopping or self.leading:
            return {name: pool.ready() for name, pool in self.pools.items()}
        why = self._elector.trouble if self._elector and not self.leader else ""
        election = f"Election: {why}" if why else ""
        return {name: one.trouble() or election for name, one in self._sources.limits.items()}

    # --- running ------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        for reflector, sink in self._sources.streams:
            self._spawn(reflector.run(sink))
        if self._elector is None:
            self._elected()
        else:
            self._candidacy = self._spawn(self._elector.run(self._elected))
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Leadership is given up only when no write's outcome is in doubt; else it runs out."""
        self.begin_stop()
        settled = self._reign is None or await self._reign.settle()
        self._end_reign()
        await self._step_down(release=settled)
        for task in self._tasks:
            task.cancel()
        await self._group.__aexit__(None, None, None)

    async def _step_down(self, *, release: bool) -> None:
        if self._elector is None or self._candidacy is None:
            return
        self._candidacy.cancel()
        await asyncio.wait([self._candidacy])
        released = release and await self._elector.release()
        self._election.stepped_down(released=released)

    def begin_stop(self) -> None:
        """Answer every blocked request with what is true or 503; take no new ones."""
        self._stopping = True
        if self._reign is not None:
            self._reign.begin_stop()

    def _spawn(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        task = self._group.create_task(work)
        self._tasks[task] = None
        task.add_done_callback(self._forget)
        return task

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._tasks.pop(task, None)
