"""What the coordinator counts, as Prometheus metrics named `nodeslots_*`.

Counts of what happened are kept here; what is true now is read at each scrape (`metrics_pools`).
What there is, and what it tells, stands in `metrics_table`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from coordinator.core.happenings import Granted, HandedOver, Reclaimed, Released
from coordinator.core.model import Cause
from coordinator.service import metrics_table as table
from coordinator.service.metrics_nodes import NodeSeries
from coordinator.service.metrics_pools import PoolCollector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from coordinator.core.happenings import Happening
    from coordinator.service.metrics_pools import Watched
    from coordinator.service.metrics_table import Family, PerNode

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4

disable_created_metrics()  # type: ignore[no-untyped-call]  # a time stamp beside each count doubles the scrape and tells nobody much


@dataclass(frozen=True, slots=True)
class QueueLimits:
    """How many claims may wait: on one node, and on all nodes of all pools."""

    node: int
    everywhere: int


class Metrics:
    """One process's metrics, in a registry of its own."""

    def __init__(self, per_node: PerNode = "auto", queue_limits: QueueLimits | None = None) -> None:
        self._nodes = NodeSeries(per_node)
        registry = self._registry = CollectorRegistry()
        self._counters = {one: _counter(one, registry) for one in _of("counter")}
        self._gauges = {one: _gauge(one, registry) for one in _of("gauge")}
        self._histograms = {one: _histogram(one, registry) for one in _of("histogram")}
        # To look one up by its labels takes a lock and costs more than to count.
        self._counter = cache(lambda one, *labels: self._counters[one].labels(*labels))
        self._histogram = cache(lambda one, *labels: self._histograms[one].labels(*labels))
        self._begin()
        if queue_limits:
            self._gauges[table.QUEUE_LIMIT].labels("node").set(queue_limits.node)
            self._gauges[table.QUEUE_LIMIT].labels("all").set(queue_limits.everywhere)
        ProcessCollector(registry=registry)

    def _begin(self) -> None:
        """From 0: Prometheus sees no increase in a count that begins with 1."""
        for review in ("token", "access"):
            for result in ("accepted", "refused", "unknown"):
                self._counters[table.REVIEWS].labels(review, result)
        for result in ("injected", "left-alone", "unreadable"):
            self._counters[table.ADMISSIONS].labels(result)

    def watch(self, pools: Callable[[], Iterable[Watched]]) -> None:
        """Show these pools in every scrape from now on."""
        self._nodes.pools = pools
        self._registry.register(PoolCollector(pools))

    def expect(self, namespace: str) -> None:
        """Count for this pool from 0, as in `_begin`."""
        for kind in ("grant", "handover"):
            self._counters[table.GRANTS].labels(namespace, kind)
        for cause in Cause:
            self._counters[table.RECLAIMS].labels(namespace, cause.value)
        for family in (table.TURNED_AWAY, table.UNKNOWN, table.UNGOVERNED):
            self._counters[family].labels(namespace)
        for family in (table.WAIT, table.HANDOVER, table.HOLD):
            self._histograms[family].labels(namespace)

    def happened(self, namespace: str, what: Happening) -> None:
        """Something happened in that pool."""
        match what:
            case Granted():
                self._granted(namespace, "grant", what.waited)
            case HandedOver():
                self._granted(namespace, "handover", what.waited)
                self._histogram(table.HANDOVER, namespace).observe(what.seconds)
                self._held(namespace, what.held)
            case Released():
                self._held(namespace, what.held)
            case Reclaimed():
                self._counter(table.RECLAIMS, namespace, what.cause.value).inc()

    def _granted(self, namespace: str, kind: str, waited: float) -> None:
        self._counter(table.GRANTS, namespace, kind).inc()
        self._histogram(table.WAIT, namespace).observe(waited)

    def _held(self, namespace: str, seconds: float | None) -> None:
        if seconds is not None:
            self._histogram(table.HOLD, namespace).observe(seconds)

    def api_request(self, verb: str, resource: str, code: str, seconds: float) -> None:
        """A request to the API server ended after `seconds`."""
        self._counter(table.REQUESTS, verb, resource, code).inc()
        self._histogram(table.REQUEST_SECONDS, verb, resource).observe(seconds)

    def reviewed(self, review: str, result: str) -> None:
        """The API server was asked about a caller; `review` is token or access."""
        self._counters[table.REVIEWS].labels(review, result).inc()

    def admitted(self, result: str) -> None:
        """The webhook let a Pod through; `result` is injected, left-alone or unreadable."""
        self._counters[table.ADMISSIONS].labels(result).inc()

    def leads(self, leading: bool) -> None:
        """Whether this replica leads."""
        self._gauges[table.LEADING].set(leading)

    def turned_away(self, namespace: str) -> None:
        """A new claim found the queue full."""
        self._counters[table.TURNED_AWAY].labels(namespace).inc()

    def mover_ungoverned(self, namespace: str) -> None:
        """A mover Pod without the sidecar was seen for the first time."""
        self._counters[table.UNGOVERNED].labels(namespace).inc()

    def unknown(self, namespace: str) -> None:
        """A write's outcome is not known."""
        self._counters[table.UNKNOWN].labels(namespace).inc()

    def certificate_expires(self, at: float) -> None:
        """The certificate that is served ends then, in seconds since 1970."""
        self._gauges[table.CERTIFICATE].set(at)

    def publishes_ca(self, namespaces: Iterable[str]) -> None:
        """Count for these namespaces from 0, as in `_begin`."""
        for namespace in namespaces:
            self._counters[table.CA_FAILURES].labels(namespace)

    def ca_unpublished(self, namespace: str) -> None:
        """The authority could not be published in that namespace."""
        self._counters[table.CA_FAILURES].labels(namespace).inc()

    def render(self) -> bytes:
        """All metrics in the Prometheus text format (`CONTENT_TYPE`)."""
        return generate_latest(self._registry) + self._nodes.text()


def _of(kind: str) -> list[Family]:
    return [one for one in table.KEPT if one.kind == kind]


def _counter(family: Family, registry: CollectorRegistry) -> Counter:
    return Counter(family.name, family.help, family.labels, registry=registry)


def _gauge(family: Family, registry: CollectorRegistry) -> Gauge:
    return Gauge(family.name, family.help, family.labels, registry=registry)


def _histogram(family: Family, registry: CollectorRegistry) -> Histogram:
    return Histogram(
        family.name, family.help, family.labels, buckets=family.buckets, registry=registry
    )
