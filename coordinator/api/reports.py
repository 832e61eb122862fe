"""The JSON forms of what the coordinator says of itself, its pools and its nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NotRequired

from typing_extensions import TypedDict

from coordinator.api.answers import HolderJson, holder_json, pod_name, pod_uid, tenths
from coordinator.api.explain import NodeWhyJson, PoolWhyJson, node_why_json

if TYPE_CHECKING:
    from datetime import datetime

    from coordinator.core.explain import NodeWhy
    from coordinator.core.views import Held, SlotView, Waiting
    from coordinator.kube.election import Leader
    from coordinator.service.status import (
        ConfigStatus,
        MoversStatus,
        NodeCounts,
        NodeStatus,
        Totals,
    )


class ConfigJson(TypedDict):
    """The pool's ConfigMap. `accepted` is false while the newest text is not what is in force;
    `version` is the resourceVersion in force, `since` when it was accepted (RFC 3339).
    """

    configMap: str | None
    accepted: bool
    error: str
    warnings: list[str]
    version: str
    since: str
    rules: list[str]
    globalLimit: int


class TotalsJson(TypedDict):
    """Sums over a pool's nodes."""

    nodes: int
    limit: int
    held: int
    queued: int


class MoverJson(TypedDict):
    """A data mover Pod of Velero as NAMESPACE/NAME, and the kind of its custom resource."""

    pod: str
    kind: str


class MoversJson(TypedDict):
    """The data mover Pods in the pool's namespace that have not finished.

    An ungoverned one has no sidecar and takes no slot. `ungovernedSeen` counts since this leader
    took over; of those that are there now `ungovernedPods` names 20 at most. `nearTimeout` tells
    how many wait for a slot and have less than a quarter of Velero's prepare timeout left.
    """

    governed: int
    ungoverned: int
    ungovernedSeen: int
    ungovernedPods: list[MoverJson]
    nearTimeout: int


class PoolJson(TypedDict):
    """One pool. `term` grows with every leader; `totals` is null before the first full picture."""

    namespace: str
    term: int
    ready: bool
    reason: str
    config: ConfigJson
    totals: TotalsJson | None
    movers: MoversJson
    why: PoolWhyJson


class LeaderJson(TypedDict):
    """The replica that leads; `url` is where the others pass requests on to."""

    identity: str
    url: str


class StatusJson(TypedDict):
    """The coordinator. `checks` holds "" or what is wrong, by the name of what is looked at.

    `answeredBy` is the replica that says all this: the leader, while one answers. `leading` is
    whether it leads. Without an election there are no names: "" and null.
    """

    version: str
    answeredBy: str
    leading: bool
    leader: LeaderJson | None
    ready: bool
    checks: dict[str, str]
    pools: list[PoolJson]


class NodeSummaryJson(TypedDict):
    """One node of a list. `hold` is why it gets no new grants, "" when it does.

    `draining` counts the held slots past the limit, `unresponsive` those whose holder is silent and
    cannot be shown to have ended. `longestWaitSeconds` is that of the first who still asks.
    """

    node: str
    limit: int
    held: int
    queued: int
    hold: str
    decidedBy: str
    unresponsive: int
    draining: int
    longestWaitSeconds: float


NodesJson = TypedDict("NodesJson", {"nodes": list[NodeSummaryJson], "continue": NotRequired[str]})
"""A page of nodes; `continue` is there when more follow, to be sent back as it is."""


class SkippedRuleJson(TypedDict):
    """A rule that had no say, and why."""

    rule: str
    reason: str


class SlotHolderJson(HolderJson):
    """Who holds the slot, in full. `podUid` is null where no uid was given."""

    podUid: str | None  # noqa: N815 - the wire's name
    ttlSeconds: int  # noqa: N815 - the wire's name


class SlotJson(TypedDict):
    """One slot that has a Lease. `state` is absent, free, held, releasing, unresponsive or blocked.
    `silentSeconds` tells how long ago its holder was last heard of.
    """

    slot: int
    lease: str
    state: str
    detail: str
    holder: SlotHolderJson | None
    fencingToken: int | None
    acquired: str
    silentSeconds: float | None


class WaitingJson(TypedDict):
    """One claim of the queue. `present` is false when its client stopped asking; `pod` and `podUid`
    are those of its load.
    """

    claim: str
    load: str
    priority: int
    position: int
    present: bool
    pod: str | None
    podUid: str | None
    ttlSeconds: int


class NodeCapJson(TypedDict):
    """How many slots of the node all pools together may have, and how many each of them has."""

    cap: int
    taken: dict[str, int]


class NodeJson(TypedDict):
    """One node: its limit and the rules that made it, its slots, its queue.

    `nodeCap` is there where the coordinator has a `--node-cap`, `restoreHeadroom` where some of the
    node's slots are kept for restores.
    """

    node: str
    limit: int
    decidedBy: str
    matched: list[str]
    skipped: list[SkippedRuleJson]
    hold: str
    held: int
    slots: list[SlotJson]
    queue: list[WaitingJson]
    why: NodeWhyJson
    nodeCap: NotRequired[NodeCapJson]
    restoreHeadroom: NotRequired[int]


def leader_json(leader: Leader | None) -> LeaderJson | None:
    """Who leads; null while nobody is known to."""
    return LeaderJson(identity=leader.identity, url=leader.url) if leader else None


def config_json(config: ConfigStatus) -> ConfigJson:
    """The ConfigMap's state."""
    return ConfigJson(
        configMap=config.config_map,
        accepted=config.accepted,
        error=config.error,
        warnings=list(config.warnings),
        version=config.version,
        since=config.since,
        rules=list(config.rules),
        globalLimit=config.global_limit,
    )


def totals_json(totals: Totals) -> TotalsJson:
    """The sums."""
    return TotalsJson(
        nodes=totals.nodes, limit=totals.limit, held=totals.held, queued=totals.queued
    )


def movers_json(movers: MoversStatus) -> MoversJson:
    """Velero's movers."""
    named = [MoverJson(pod=str(pod), kind=kind.value) for pod, kind in movers.ungoverned_pods]
    return MoversJson(
        governed=movers.governed,
        ungoverned=movers.ungoverned,
        ungovernedSeen=movers.ungoverned_seen,
        ungovernedPods=named,
        nearTimeout=movers.near_timeout,
    )


def summary_json(node: NodeCounts) -> NodeSummaryJson:
    """The node in one line."""
    return NodeSummaryJson(
        node=node.node,
        limit=node.limit,
        held=node.held,
        queued=node.queued,
        hold=node.hold,
        decidedBy=node.decided_by,
        unresponsive=node.unresponsive,
        draining=node.draining,
        longestWaitSeconds=round(node.longest_wait, 1),
    )


def node_json(node: NodeStatus, at: datetime, why: NodeWhy) -> NodeJson:
    """The node in full, at the wall clock's time `at`."""
    body = NodeJson(
        node=node.node,
        limit=node.limit,
        decidedBy=node.decided_by,
        matched=list(node.matched),
        skipped=[SkippedRuleJson(rule=rule, reason=why) for rule, why in node.skipped],
        hold=node.hold,
        held=node.held,
        slots=[slot_json(slot, at) for slot in node.slots],
        queue=[waiting_json(waiting) for waiting in node.queue],
        why=node_why_json(why),
    )
    if node.cap is not None:
        body["nodeCap"] = NodeCapJson(cap=node.cap.cap, taken=dict(node.cap.taken))
    if node.headroom:
        body["restoreHeadroom"] = node.headroom
    return body


def slot_json(slot: SlotView, at: datetime) -> SlotJson:
    """One slot."""
    return SlotJson(
        slot=slot.slot,
        lease=slot.lease,
        state=slot.state,
        detail=slot.detail,
        holder=_slot_holder_json(slot.held, at) if slot.held else None,
        fencingToken=slot.token,
        acquired=slot.held.acquired if slot.held else "",
        silentSeconds=tenths(slot.silent_seconds),
    )


def _slot_holder_json(held: Held, at: datetime) -> SlotHolderJson:
    return SlotHolderJson(**holder_json(held, at), podUid=pod_uid(held.pod), ttlSeconds=held.ttl)


def waiting_json(waiting: Waiting) -> WaitingJson:
    """One claim of the queue."""
    return WaitingJson(
        claim=waiting.claim,
        load=waiting.load,
        priority=waiting.priority,
        position=waiting.position,
        present=waiting.present,
        pod=pod_name(waiting.pod),
        podUid=pod_uid(waiting.pod),
        ttlSeconds=waiting.ttl,
    )
