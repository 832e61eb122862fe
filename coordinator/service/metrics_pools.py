"""What is true of the pools now, read from them at the moment of the scrape.

The sums are the tally's, which a walk in the tests holds against a full count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from coordinator.service import metrics_table as table
from coordinator.service.status import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from prometheus_client import Metric

    from coordinator.core.explain import Starved
    from coordinator.service.metrics_table import Family
    from coordinator.service.status import ConfigStatus, MoversStatus, NodeCounts, Totals


class Watched(Protocol):
    """What a scrape reads of a pool."""

    @property
    def namespace(self) -> str:
        """The pool's namespace."""

    def ready(self) -> str:
        """ "" when ready, else why not."""

    @property
    def tally(self) -> Numbers:
        """What knows its numbers."""

    def nodes(self) -> Sequence[str]:
        """The names of its nodes."""

    def config(self) -> ConfigStatus:
        """Its ConfigMap's state."""

    @property
    def movers(self) -> Census:
        """Velero's mover Pods in its namespace."""


class Numbers(Protocol):
    """What knows the numbers of a pool's nodes, and their sums."""

    def of(self, node: str) -> NodeCounts | None:
        """The node in numbers; None for one that is gone."""

    def longest_wait(self, node: str) -> float:
        """Seconds that somebody waits for a slot of it."""

    def totals(self) -> Totals:
        """The sums."""

    def longest_queue(self) -> int:
        """Claims that wait where most do."""

    def starved(self, most: int) -> Sequence[Starved]:
        """The nodes where somebody waits for longest."""


class Census(Protocol):
    """What knows the mover Pods of a pool."""

    def status(self) -> MoversStatus:
        """Which there are now."""


class PoolCollector(Collector):
    """Reads the pools at scrape time."""

    def __init__(self, pools: Callable[[], Iterable[Watched]]) -> None:
        self._pools = pools

    def describe(self) -> list[Metric]:
        """The families without a sample: registering reads no pool."""
        return [*_Gauges().families()]

    def collect(self) -> Iterator[Metric]:
        """What is true now."""
        gauges = _Gauges()
        gauges.add(table.BUILD, 1, VERSION)
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
        if ready:
            _add_sums(gauges, pool.namespace, pool.tally.totals(), pool.tally)


class _Gauges:
    """One scrape's families, by name."""

    def __init__(self) -> None:
        shown = (table.BUILD, *table.PER_POOL)
        self._families = {
            one.name: GaugeMetricFamily(one.name, one.help, labels=one.labels) for one in shown
        }

    def add(self, family: Family, value: float, *labels: str) -> None:
        """One sample."""
        self._families[family.name].add_metric(labels, value)

    def families(self) -> Iterable[GaugeMetricFamily]:
        """All of them."""
        return self._families.values()


def _add_sums(gauges: _Gauges, namespace: str, totals: Totals, numbers: Numbers) -> None:
    found = {
        table.POOL_NODES: totals.nodes,
        table.POOL_LIMIT: totals.limit,
        table.POOL_HELD: totals.held,
        table.POOL_UNRESPONSIVE: totals.unresponsive,
        table.POOL_QUEUE: totals.queued,
        table.POOL_LONGEST_QUEUE: numbers.longest_queue(),
        table.POOL_WAITING_NODES: totals.waiting,
        table.POOL_WAIT: sum(one.longest_wait for one in numbers.starved(1)),
    }
    for family, value in found.items():
        gauges.add(family, value, namespace)
