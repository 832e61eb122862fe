"""What the coordinator counts, as Prometheus metrics named `nodeslots_*`.

Counts of what happened are kept here. What is true now (slots held, limits, queues) is read from
the pools at the moment of the scrape, so no second count can drift from the first.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Protocol

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector

from coordinator.core.model import Cause

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from prometheus_client import Metric

    from coordinator.service.status import ConfigStatus, MoversStatus, NodeCounts

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

disable_created_metrics()  # type: ignore[no-untyped-call]  # a time stamp beside each count doubles the scrape and tells nobody much


class Watched(Protocol):
    """What a scrape reads of a pool."""

    @property
    def namespace(self) -> str:
        """The pool's namespace."""

    def ready(self) -> str:
        """ "" when ready, else why not."""

    def counts(self) -> Iterable[NodeCounts]:
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


class Metrics:
    """One process's metrics, in a registry of its own."""

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        self._grants = Counter(
            "nodeslots_grants",
            "Slots granted: into a free slot (grant), or from a releasing holder (handover).",
            ["namespace", "kind"],
            registry=registry,
        )
        self._handover = Histogram(
            "nodeslots_handover_seconds",
            "From a holder's release until the write that gives its slot to the next one stands.",
            ["namespace"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._reclaims = Counter(
            "nodeslots_reclaims",
            "Slots taken back from dead holders: silent past their TTL, or their Pod finished.",
            ["namespace", "reason"],
            registry=registry,
        )
        self._turned_away = Counter(
            "nodeslots_claims_turned_away",
            "Requests of new claims that were answered 429: as many wait as may.",
            ["namespace"],
            registry=registry,
        )
        self._ungoverned = Counter(
            "nodeslots_movers_ungoverned",
            "Velero's data mover Pods that were seen without the sidecar: they take no slot.",
            ["namespace"],
            registry=registry,
        )
        self._unknown = Counter(
            "nodeslots_writes_unknown",
            "Writes whose outcome was not known at first (timeout, lost connection, 5xx).",
            ["namespace"],
            registry=registry,
        )
        self._requests = Counter(
            "nodeslots_api_requests",
            "Requests to the Kubernetes API server; code is the HTTP status or the failure's name.",
            ["verb", "resource", "code"],
            registry=registry,
        )
        self._request_seconds = Histogram(
            "nodeslots_api_request_seconds",
            "How long requests to the Kubernetes API server took; for a watch, how long it ran.",
            ["verb", "resource"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._reviews = Counter(
            "nodeslots_reviews",
            "Questions to the API server about callers: whose token (token), what it may do"
            " (access); accepted, refused, or unknown while it cannot be asked.",
            ["review", "result"],
            registry=registry,
        )
        for review in ("token", "access"):
            for result in ("accepted", "refused", "unknown"):
                self._reviews.labels(review, result)
        self._admissions = Counter(
            "nodeslots_admissions",
            "Pods that the webhook was asked about: given the sidecar (injected), none of its"
            " business (left-alone), or let through without one as it could not read them"
            " (unreadable).",
            ["result"],
            registry=registry,
        )
        for result in ("injected", "left-alone", "unreadable"):
            self._admissions.labels(result)
        self._leading = Gauge(
            "nodeslots_leading",
            "1 on the replica that leads and hands out slots, 0 on those that pass requests on.",
            registry=registry,
        )
        self._certificate = Gauge(
            "nodeslots_certificate_expiry_timestamp_seconds",
            "When the certificate that the API serves ends, since 1970; 0 while it serves none.",
            registry=registry,
        )
        self._unpublished = Counter(
            "nodeslots_ca_publish_failures",
            "Attempts to publish the authority's certificate in that namespace that failed.",
            ["namespace"],
            registry=registry,
        )
        ProcessCollector(registry=registry)

    def watch(self, pools: Callable[[], Iterable[Watched]]) -> None:
        """Show these pools in every scrape from now on."""
        self._registry.register(_PoolCollector(pools))

    def expect(self, namespace: str) -> None:
        """Count for this pool from 0: Prometheus sees no increase in a count that begins with 1."""
        for cause in Cause:
            self._reclaims.labels(namespace, cause.value)
        for counter in (self._turned_away, self._unknown, self._ungoverned):
            counter.labels(namespace)

    def api_request(self, verb: str, resource: str, code: str, seconds: float) -> None:
        """A request to the API server ended after `seconds`."""
        self._requests.labels(verb, resource, code).inc()
        self._request_seconds.labels(verb, resource).observe(seconds)

    def reviewed(self, review: str, result: str) -> None:
        """The API server was asked about a caller; `review` is token or access."""
        self._reviews.labels(review, result).inc()

    def admitted(self, result: str) -> None:
        """The webhook let a Pod through; `result` is injected, left-alone or unreadable."""
        self._admissions.labels(result).inc()

    def leads(self, leading: bool) -> None:
        """Whether this replica leads."""
        self._leading.set(leading)

    def granted(self, namespace: str, handover_seconds: float | None) -> None:
        """A slot was granted, so long after its last holder let go; None when it was free."""
        kind = "grant" if handover_seconds is None else "handover"
        self._grants.labels(namespace, kind).inc()
        if handover_seconds is not None:
            self._handover.labels(namespace).observe(handover_seconds)

    def reclaimed(self, namespace: str, reason: str) -> None:
        """A dead holder's slot is taken back; `reason` is a `Cause`."""
        self._reclaims.labels(namespace, reason).inc()

    def turned_away(self, namespace: str) -> None:
        """A new claim found the queue full."""
        self._turned_away.labels(namespace).inc()

    def mover_ungoverned(self, namespace: str) -> None:
        """A mover Pod without the sidecar was seen for the first time."""
        self._ungoverned.labels(namespace).inc()

    def unknown(self, namespace: str) -> None:
        """A write's outcome is not known."""
        self._unknown.labels(namespace).inc()

    def certificate_expires(self, at: float) -> None:
        """The certificate that is served ends then, in seconds since 1970."""
        self._certificate.set(at)

    def publishes_ca(self, namespaces: Iterable[str]) -> None:
        """Count for these namespaces from 0, as in `expect`."""
        for namespace in namespaces:
            self._unpublished.labels(namespace)

    def ca_unpublished(self, namespace: str) -> None:
        """The authority could not be published in that namespace."""
        self._unpublished.labels(namespace).inc()

    def render(self) -> bytes:
        """All metrics in the Prometheus text format (`CONTENT_TYPE`)."""
        return generate_latest(self._registry)


class _PoolCollector(Collector):
    """Reads the pools at scrape time."""

    def __init__(self, pools: Callable[[], Iterable[Watched]]) -> None:
        self._pools = pools

    def describe(self) -> list[Metric]:
        """The families without a sample: registering reads no pool."""
        return [*_families().values()]

    def collect(self) -> Iterator[Metric]:
        """What is true now."""
        families = _families()
        families["build"].add_metric([version("node-slots")], 1)
        for pool in self._pools():
            _add_pool(families, pool)
        yield from families.values()


def _families() -> dict[str, GaugeMetricFamily]:
    node, pool = ["namespace", "node"], ["namespace"]
    return {
        "held": GaugeMetricFamily("nodeslots_slots_held", "Slots with a holder.", labels=node),
        "limit": GaugeMetricFamily("nodeslots_limit", "Slots that the node may have.", labels=node),
        "queue": GaugeMetricFamily("nodeslots_queue_length", "Claims that wait.", labels=node),
        "unresponsive": GaugeMetricFamily(
            "nodeslots_slots_unresponsive",
            "Slots kept for a silent holder whose Pod cannot be shown to have ended.",
            labels=node,
        ),
        "wait": GaugeMetricFamily(
            "nodeslots_longest_wait_seconds",
            "How long the claim waits that has waited longest, since this leader's start at most.",
            labels=node,
        ),
        "config": GaugeMetricFamily(
            "nodeslots_config_accepted",
            "1 while the ConfigMap's newest text is in force, 0 while an older one stands in.",
            labels=pool,
        ),
        "ready": GaugeMetricFamily(
            "nodeslots_pool_ready", "1 while the pool answers claims.", labels=pool
        ),
        "movers": GaugeMetricFamily(
            "nodeslots_movers",
            "Velero's data mover Pods that have not finished, with the sidecar and without.",
            labels=["namespace", "governed"],
        ),
        "near": GaugeMetricFamily(
            "nodeslots_movers_near_timeout",
            "Movers that wait for a slot and have less than a quarter of Velero's prepare timeout"
            " left.",
            labels=pool,
        ),
        "build": GaugeMetricFamily(
            "nodeslots_build_info", "Always 1; the label says which version.", labels=["version"]
        ),
    }


def _add_pool(families: Mapping[str, GaugeMetricFamily], pool: Watched) -> None:
    name, ready = pool.namespace, not pool.ready()
    families["config"].add_metric([name], pool.config().accepted)
    families["ready"].add_metric([name], ready)
    movers = pool.movers.status()
    families["movers"].add_metric([name, "true"], movers.governed)
    families["movers"].add_metric([name, "false"], movers.ungoverned)
    families["near"].add_metric([name], movers.near_timeout)
    for one in pool.counts() if ready else ():
        families["held"].add_metric([name, one.node], one.held)
        families["limit"].add_metric([name, one.node], one.limit)
        families["queue"].add_metric([name, one.node], one.queued)
        families["unresponsive"].add_metric([name, one.node], one.unresponsive)
        families["wait"].add_metric([name, one.node], one.longest_wait)
