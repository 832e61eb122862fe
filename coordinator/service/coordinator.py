"""The whole service: the watches, the pools, and how they start and stop."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC
from random import Random
from typing import TYPE_CHECKING, Self

import structlog

from coordinator.core.claims import Policy
from coordinator.kube.calls import resource_path
from coordinator.kube.events import EventRecorder, ObjectRef
from coordinator.kube.leases import LeaseStore, leases_path
from coordinator.kube.reflector import Broken, Changed, Deleted, Listed, Reflector, Watching
from coordinator.service.clock import Clock
from coordinator.service.config import ConfigKeeper
from coordinator.service.errors import PoolUnknown
from coordinator.service.evidence import examine
from coordinator.service.gate import Gate
from coordinator.service.limits import NodeLimits
from coordinator.service.nodes import Nodes
from coordinator.service.pool import Hands, Pool
from coordinator.service.reports import PoolReports, StreamReports
from coordinator.service.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Sequence

    from coordinator.core.messages import Verdict
    from coordinator.core.model import PodRef
    from coordinator.kube.client import KubeClient
    from coordinator.kube.errors import ApiError
    from coordinator.kube.reflector import StreamEvent
    from coordinator.service.metrics import Metrics

SWEEP = 1.0
"""Seconds between looks at what is due."""
SETTLE = 3.0
"""Seconds that a stopping coordinator waits for writes under way."""


@dataclass(frozen=True, slots=True)
class PoolSpec:
    """Which ConfigMap rules which namespace; without one every limit is 1."""

    namespace: str
    config_map: str | None = None


class Coordinator:
    """Serves pools from one API server. `async with` starts and stops it.

    Leaving the context waits a moment for writes under way; held slots stay held.
    """

    def __init__(
        self,
        client: KubeClient,
        specs: Sequence[PoolSpec],
        *,
        metrics: Metrics,
        clock: Clock | None = None,
        policy: Policy | None = None,
        rng: Random | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        instance: str = "",
    ) -> None:
        self._client = client
        self._clock = clock or Clock()
        self._rng = rng or Random()  # noqa: S311 - spreads retries, keeps no secret
        self._sleep = sleep
        self._metrics = metrics
        self._policy = policy or Policy()
        self._log = structlog.get_logger("coordinator")
        self._stream_reports = StreamReports(self._log)
        self._tasks = asyncio.TaskGroup()
        self._running: set[asyncio.Task[None]] = set()
        self._recorder = EventRecorder(
            client,
            instance=instance,
            now=lambda: self._clock.wall().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            clock=self._clock.now,
            rng=self._rng,
            failed=self._event_failed,
        )
        self._nodes = Nodes(self._clock.now, self._node_changed)
        self._streams: list[tuple[Reflector, Callable[[StreamEvent], None]]] = [
            (self._reflector(resource_path("nodes"), metadata_only=True), self._take_nodes)
        ]
        self._writers: list[Writer] = []
        self.pools: dict[str, Pool] = {}
        for spec in specs:
            self.pools[spec.namespace] = self._build(spec)

    # --- putting it together ------------------------------------------------------------------

    def _build(self, spec: PoolSpec) -> Pool:
        reports = PoolReports(spec.namespace, self._metrics)
        store, gate = LeaseStore(self._client), Gate(self._rng, self._sleep)
        writer = Writer(spec.namespace, store, gate, self._clock)
        self._writers.append(writer)
        leases = self._reflector(leases_path(spec.namespace))
        keeper = ConfigKeeper(
            spec.config_map,
            stamp=self._clock.stamp,
            changed=lambda: self._config_changed(spec.namespace),
            refused=lambda message: self._config_refused(spec, message),
        )
        pool = Pool(
            spec.namespace,
            clock=self._clock,
            policy=self._policy,
            limits=NodeLimits(self._nodes, keeper),
            reports=reports,
            hands=Hands(writer, leases.relist_now, self._examine, self._spawn),
        )
        self._streams.append((leases, pool.take))
        if spec.config_map is not None:
            self._streams.append(self._config_stream(spec, keeper, reports))
        return pool

    def _reflector(
        self, path: str, *, metadata_only: bool = False, params: dict[str, str] | None = None
    ) -> Reflector:
        return Reflector(
            self._client,
            path,
            rng=self._rng,
            params=params,
            metadata_only=metadata_only,
            clock=self._clock.now,
            sleep=self._sleep,
        )

    def _config_stream(
        self, spec: PoolSpec, keeper: ConfigKeeper, reports: PoolReports
    ) -> tuple[Reflector, Callable[[StreamEvent], None]]:
        params = {"fieldSelector": f"metadata.name={spec.config_map}"}
        reflector = self._reflector(resource_path("configmaps", spec.namespace), params=params)

        def take(event: StreamEvent) -> None:
            match event:
                case Listed():
                    keeper.present(event.items[0]) if event.items else keeper.missing()
                case Changed():
                    keeper.present(event.obj)
                case Deleted():
                    keeper.missing()
                case Broken():
                    keeper.trouble = str(event.error)
                    reports.streams.broken("configmaps", event.error, event.delay)
                case Watching():
                    reports.streams.well("configmaps")

        return reflector, take

    async def _examine(self, pod: PodRef, node: str) -> Verdict:
        return await examine(self._client, pod, node)

    def _take_nodes(self, event: StreamEvent) -> None:
        if isinstance(event, Broken):
            self._stream_reports.broken("nodes", event.error, event.delay)
        elif isinstance(event, Watching):
            self._stream_reports.well("nodes")
        self._nodes.take(event)
        if isinstance(event, Listed):  # a node that is gone is known to be gone only now
            for pool in self.pools.values():
                pool.limits_changed()

    def _node_changed(self, node: str) -> None:
        for pool in self.pools.values():
            pool.node_changed(node)

    def _config_changed(self, namespace: str) -> None:
        pool = self.pools[namespace]
        pool.reports.config_changed(pool.keeper.state.version)
        pool.limits_changed()

    def _config_refused(self, spec: PoolSpec, message: str) -> None:
        pool = self.pools[spec.namespace]
        pool.reports.config_refused(message)
        pool.limits_changed()  # nothing new, unless the limits were not known at all
        about = ObjectRef("ConfigMap", spec.config_map or "", spec.namespace, pool.keeper.state.uid)
        self._spawn(self._recorder.warn(about, "LimitsRefused", message))

    def _event_failed(self, error: ApiError) -> None:
        self._log.warning("Event not written", error=str(error))

    # --- being asked --------------------------------------------------------------------------

    def pool(self, namespace: str) -> Pool:
        """The pool in that namespace. Raises `PoolUnknown`."""
        pool = self.pools.get(namespace)
        if pool is None:
            served = ", ".join(sorted(self.pools))
            raise PoolUnknown(f"no pool in namespace {namespace}; this coordinator serves {served}")
        return pool

    def ready(self) -> dict[str, str]:
        """For each pool "" or why it cannot serve yet."""
        return {namespace: pool.ready() for namespace, pool in self.pools.items()}

    # --- running ------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        for reflector, sink in self._streams:
            self._spawn(reflector.run(sink))
        self._spawn(self._sweep())
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.begin_stop()
        await self._settle()
        for task in self._running:
            task.cancel()
        await self._tasks.__aexit__(None, None, None)

    def begin_stop(self) -> None:
        """Answer every blocked request with what is true or 503; take no new ones."""
        for pool in self.pools.values():
            pool.begin_stop()

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        task = self._tasks.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _sweep(self) -> None:
        while True:
            await self._sleep(SWEEP)
            for pool in self.pools.values():
                pool.sweep()

    async def _settle(self) -> None:
        end = self._clock.now() + SETTLE
        while not all(writer.idle for writer in self._writers) and self._clock.now() < end:
            await self._sleep(0.02)
