"""Every metric of a coordinator: its name, its labels, what it tells. One table, no other place.

Names and units as Prometheus wants them (`promtool check metrics`). No label names a claim, a
load, a Pod or a caller, so the number of series is bounded by the pools; only `PER_NODE` grows
with the cluster, and a pool of a thousand nodes and more goes without it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["counter", "gauge", "histogram"]
PerNode = Literal["auto", "always", "never"]
"""Whether series by node are shown; auto: in pools of fewer nodes than `MANY_NODES`."""
MANY_NODES = 1000
"""From here on a pool shows no series by node unless it is told to: five a node are too many."""


@dataclass(frozen=True, slots=True, eq=False)
class Family:
    """One metric. A counter's name is that of its samples, with `_total`.

    There is one of each, so that they are told apart, and found, by identity.
    """

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    """Upper bounds of a histogram, in seconds."""


_NAMESPACE = ("namespace",)
_NODE = ("namespace", "node")
_QUICK = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""For what takes a request or a few."""
_LONG = (1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 1800.0, 3600.0, 7200.0, 14400.0, 28800.0, 86400.0)
"""For what takes as long as loads do, a second to a day; 4 h is what Velero gives an operation."""

GRANTS = Family(
    "nodeslots_grants_total",
    "counter",
    "Slots granted: into a free slot (grant), or from a releasing holder (handover).",
    ("namespace", "kind"),
)
WAIT = Family(
    "nodeslots_wait_seconds",
    "histogram",
    "How long claims waited that were granted, in this leader's queue.",
    _NAMESPACE,
    _LONG,
)
HANDOVER = Family(
    "nodeslots_handover_seconds",
    "histogram",
    "From a holder's release until the write that gives its slot to the next one stands.",
    _NAMESPACE,
    _QUICK,
)
HOLD = Family(
    "nodeslots_hold_seconds",
    "histogram",
    "How long slots were held that were given back, where this leader saw the grant.",
    _NAMESPACE,
    _LONG,
)
RECLAIMS = Family(
    "nodeslots_reclaims_total",
    "counter",
    "Slots taken back from dead holders: silent past their TTL, or their Pod finished.",
    ("namespace", "reason"),
)
TURNED_AWAY = Family(
    "nodeslots_claims_turned_away_total",
    "counter",
    "Requests of new claims that were answered 429: as many wait as may.",
    _NAMESPACE,
)
UNGOVERNED = Family(
    "nodeslots_movers_ungoverned_total",
    "counter",
    "Velero's data mover Pods that were seen without the sidecar: they take no slot.",
    _NAMESPACE,
)
UNKNOWN = Family(
    "nodeslots_writes_unknown_total",
    "counter",
    "Writes whose outcome was not known at first (timeout, lost connection, 5xx).",
    _NAMESPACE,
)
REQUESTS = Family(
    "nodeslots_api_requests_total",
    "counter",
    "Requests to the Kubernetes API server; code is the HTTP status or the failure's name.",
    ("verb", "resource", "code"),
)
REQUEST_SECONDS = Family(
    "nodeslots_api_request_seconds",
    "histogram",
    "How long requests to the Kubernetes API server took; for a watch, until it began.",
    ("verb", "resource"),
    _QUICK,
)
REVIEWS = Family(
    "nodeslots_reviews_total",
    "counter",
    "Questions to the API server about callers: whose token (token), what it may do (access);"
    " accepted, refused, or unknown while it cannot be asked.",
    ("review", "result"),
)
ADMISSIONS = Family(
    "nodeslots_admissions_total",
    "counter",
    "Pods that the webhook was asked about: given the sidecar (injected), none of its business"
    " (left-alone), or let through without one as it could not read them (unreadable).",
    ("result",),
)
CA_FAILURES = Family(
    "nodeslots_ca_publish_failures_total",
    "counter",
    "Attempts to publish the authority's certificate in that namespace that failed.",
    _NAMESPACE,
)
LEADING = Family(
    "nodeslots_leading",
    "gauge",
    "1 on the replica that leads and hands out slots, 0 on those that pass requests on.",
)
CERTIFICATE = Family(
    "nodeslots_certificate_expiry_timestamp_seconds",
    "gauge",
    "When the certificate that the API serves ends, since 1970; 0 while it serves none.",
)
QUEUE_LIMIT = Family(
    "nodeslots_queue_limit",
    "gauge",
    "Claims that may wait on one node (scope node), and on all nodes of all pools (scope all);"
    " Pods of other namespaces than the pool's have half of both.",
    ("scope",),
)
BUILD = Family(
    "nodeslots_build_info", "gauge", "Always 1; the label says which version.", ("version",)
)
KEPT = (
    *(GRANTS, WAIT, HANDOVER, HOLD, RECLAIMS, TURNED_AWAY, UNGOVERNED, UNKNOWN, REQUESTS),
    *(REQUEST_SECONDS, REVIEWS, ADMISSIONS, CA_FAILURES, LEADING, CERTIFICATE, QUEUE_LIMIT),
)
"""What every replica keeps and shows."""

READY = Family("nodeslots_pool_ready", "gauge", "1 while the pool answers claims.", _NAMESPACE)
CONFIG = Family(
    "nodeslots_config_accepted",
    "gauge",
    "1 while the ConfigMap's newest text is in force, 0 while an older one stands in.",
    _NAMESPACE,
)
MOVERS = Family(
    "nodeslots_movers",
    "gauge",
    "Velero's data mover Pods that have not finished, with the sidecar (governed true) and"
    " without.",
    ("namespace", "governed"),
)
NEAR = Family(
    "nodeslots_movers_near_timeout",
    "gauge",
    "Movers that wait for a slot and have less than a quarter of Velero's prepare timeout left.",
    _NAMESPACE,
)
POOL_NODES = Family(
    "nodeslots_pool_nodes",
    "gauge",
    "Nodes that the pool knows, those that are gone and still have Leases included.",
    _NAMESPACE,
)
POOL_LIMIT = Family(
    "nodeslots_pool_limit", "gauge", "Slots that all nodes together may have.", _NAMESPACE
)
POOL_HELD = Family(
    "nodeslots_pool_slots_held", "gauge", "Slots with a holder, on all nodes.", _NAMESPACE
)
POOL_UNRESPONSIVE = Family(
    "nodeslots_pool_slots_unresponsive",
    "gauge",
    "Slots kept, on all nodes, for silent holders whose Pods cannot be shown to have ended.",
    _NAMESPACE,
)
POOL_QUEUE = Family(
    "nodeslots_pool_queue_length", "gauge", "Claims that wait, on all nodes.", _NAMESPACE
)
POOL_LONGEST_QUEUE = Family(
    "nodeslots_pool_longest_queue", "gauge", "Claims that wait where most do.", _NAMESPACE
)
POOL_WAITING_NODES = Family(
    "nodeslots_pool_nodes_waiting", "gauge", "Nodes on which somebody waits.", _NAMESPACE
)
POOL_WAIT = Family(
    "nodeslots_pool_longest_wait_seconds",
    "gauge",
    "How long the claim waits that has waited longest, since this leader's start at most.",
    _NAMESPACE,
)
PER_POOL = (
    *(READY, CONFIG, POOL_NODES, POOL_LIMIT, POOL_HELD, POOL_UNRESPONSIVE, POOL_QUEUE),
    *(POOL_LONGEST_QUEUE, POOL_WAITING_NODES, POOL_WAIT, MOVERS, NEAR),
)
"""What the leader reads of its pools when it is scraped."""

HELD = Family("nodeslots_slots_held", "gauge", "Slots with a holder.", _NODE)
LIMIT = Family("nodeslots_limit", "gauge", "Slots that the node may have.", _NODE)
QUEUE = Family("nodeslots_queue_length", "gauge", "Claims that wait.", _NODE)
UNRESPONSIVE = Family(
    "nodeslots_slots_unresponsive",
    "gauge",
    "Slots kept for a silent holder whose Pod cannot be shown to have ended.",
    _NODE,
)
LONGEST_WAIT = Family(
    "nodeslots_longest_wait_seconds",
    "gauge",
    "How long the claim waits that has waited longest, since this leader's start at most.",
    _NODE,
)
PER_NODE = (HELD, LIMIT, QUEUE, UNRESPONSIVE, LONGEST_WAIT)
"""The same by node (`--metrics-per-node`)."""

ALL = (*KEPT, BUILD, *PER_POOL, *PER_NODE)
