"""What is true of the pools now, read from them at the moment of the scrape.

So no second count can drift from the first.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Protocol

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from coordinator.service import metrics_table as table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from prometheus_client import Metric

    from coordinator.service.metrics_table import Family, PerNode
    from coordinator.service.status import ConfigStatus, MoversStatus, NodeCounts


class Watched(Protocol):
    """What a scrape reads of a pool."""

    @property
    def namespace(self) -> str:
        """The pool's namespace."""

    def ready(self) -> str:
        """ "" when ready, else why not."""

    def counts(self) -> Sequence[NodeCounts]:
        """Each node in numbers."""

    def config(self) -> ConfigStatus:
        """Its ConfigMap's state."""

    @property
    def movers(self) -> Census:
        """Velero's mover Pods in its namespace."""


class Census(Protocol):
    """What knows the mover Pods of a pool."""

    def status(self) -> MoversStatus:
        """Which there are now."""


class PoolCollector(Collector):
    """Reads the pools at scrape time."""

    def __init__(self, pools: Callable[[], Iterable[Watched]], per_node: PerNode) -> None:
        self._pools = pools
        self._per_node = per_node

    def describe(self) -> list[Metric]:
        """The families without a sample: registering reads no pool."""
        return [*_Gauges().families()]

    def collect(self) -> Iterator[Metric]:
        """What is true now."""
        gauges = _Gauges()
        gauges.add(table.BUILD, 1, version("node-slots"))
        for pool in self._pools():
            self._read(gauges, pool)
        yield from gauges.families()

    def _read(self, gauges: _Gauges, pool: Watched) -> None:
        ready, movers = not pool.ready(), pool.movers.status()
        gauges.add(table.READY, ready, pool.namespace)
        gauges.add(table.CONFIG, pool.config().accepted, pool.namespace)
        gauges.add(table.MOVERS, movers.governed, pool.namespace, "true")
        gauges.add(table.MOVERS, movers.ungoverned, pool.namespace, "false")
        gauges.add(table.NEAR, movers.near_timeout, pool.namespace)
        if not ready:
            return
        counts = pool.counts()
        _add_sums(gauges, pool.namespace, counts)
        if self._shows_nodes(len(counts)):
            _add_nodes(gauges, pool.namespace, counts)

    def _shows_nodes(self, nodes: int) -> bool:
        return nodes < table.MANY_NODES if self._per_node == "auto" else self._per_node == "always"


class _Gauges:
    """One scrape's families, by name."""

    def __init__(self) -> None:
        shown = (table.BUILD, *table.PER_POOL, *table.PER_NODE)
        self._families = {
            one.name: GaugeMetricFamily(one.name, one.help, labels=one.labels) for one in shown
        }

    def add(self, family: Family, value: float, *labels: str) -> None:
        """One sample."""
        self._families[family.name].add_metric(labels, value)

    def families(self) -> Iterable[GaugeMetricFamily]:
        """All of them."""
        return self._families.values()


def _add_sums(gauges: _Gauges, namespace: str, counts: Sequence[NodeCounts]) -> None:
    sums = {
        table.POOL_NODES: len(counts),
        table.POOL_LIMIT: sum(one.limit for one in counts),
        table.POOL_HELD: sum(one.held for one in counts),
        table.POOL_UNRESPONSIVE: sum(one.unresponsive for one in counts),
        table.POOL_QUEUE: sum(one.queued for one in counts),
        table.POOL_LONGEST_QUEUE: max((one.queued for one in counts), default=0),
        table.POOL_WAITING_NODES: sum(one.queued > 0 for one in counts),
        table.POOL_WAIT: max((one.longest_wait for one in counts), default=0.0),
    }
    for family, value in sums.items():
        gauges.add(family, value, namespace)


def _add_nodes(gauges: _Gauges, namespace: str, counts: Sequence[NodeCounts]) -> None:
    for one in counts:
        gauges.add(table.HELD, one.held, namespace, one.node)
        gauges.add(table.LIMIT, one.limit, namespace, one.node)
        gauges.add(table.QUEUE, one.queued, namespace, one.node)
        gauges.add(table.UNRESPONSIVE, one.unresponsive, namespace, one.node)
        gauges.add(table.LONGEST_WAIT, one.longest_wait, namespace, one.node)
