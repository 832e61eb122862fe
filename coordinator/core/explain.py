"""Why a claim waits, why a node grants or does not, where a pool is stuck: as data.

The sentence that says the same is made from this data (`sentences`). Nothing here changes
anything; it is read at the time `now`, for whoever looks, never on the way of a claim.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Literal

from coordinator.core.forecast import forecast, typical
from coordinator.core.listing import holder_state
from coordinator.core.reasons import Reason, node_reason, why_waiting
from coordinator.core.survey import view_of
from coordinator.core.views import Granted, Lost, Queued, Released, Settling
from coordinator.core.waits import longest_wait

if TYPE_CHECKING:
    from coordinator.core.claims import Claim
    from coordinator.core.estimate import Estimate, Unforeseen
    from coordinator.core.forecast import Typical
    from coordinator.core.listing import HolderState
    from coordinator.core.model import Holder, PodRef
    from coordinator.core.picture import Slot
    from coordinator.core.reasons import Code
    from coordinator.core.slots import NodeTable
    from coordinator.core.surroundings import ConfigTrouble, Surroundings

MOST_AHEAD = 20
"""Claims ahead that are named."""
MOST_STARVED = 10
"""Nodes with waiting claims that are named."""

PoolCode = Literal["idle", "waiting", "unresponsive", "not-ready"]


@dataclass(frozen=True, slots=True)
class Holding:
    """Who has a slot, for how long (None: unknown), and when it was last heard of, in seconds."""

    claim: str
    load: str
    pod: PodRef | None
    slot: int
    lease: str
    priority: int
    state: HolderState
    age: float | None
    silent: float | None


@dataclass(frozen=True, slots=True)
class Ahead:
    """A claim that comes before another one, and since how many seconds it waits."""

    claim: str
    load: str
    pod: PodRef | None
    priority: int
    position: int
    waited: float
    present: bool


@dataclass(frozen=True, slots=True)
class Scene:
    """What is true of the node, whoever asks."""

    node: str
    limit: int
    decided_by: str
    queued: int
    holders: tuple[Holding, ...]
    taken: int
    """Slots that count against the limit: also blocked ones, and those being granted."""
    blocked: tuple[str, ...]
    """Leases that are not ours to give, and why."""
    retry: float
    """Seconds until a write is tried again, after the API server refused one."""
    config: ConfigTrouble | None

    @property
    def draining(self) -> tuple[Holding, ...]:
        """Those who hold a slot past the limit."""
        return tuple(one for one in self.holders if one.state == "draining")

    @property
    def unresponsive(self) -> tuple[Holding, ...]:
        """Those who are silent and cannot be shown to have ended."""
        return tuple(one for one in self.holders if one.state == "unresponsive")


@dataclass(frozen=True, slots=True)
class ClaimWhy:
    """What is true of a claim and why."""

    claim: str
    load: str
    code: Code
    text: str
    """The reason as those who wait are told it."""
    scene: Scene
    position: int | None = None
    waited: float | None = None
    """Seconds in this leader's queue."""
    heard: float | None = None
    """Seconds since somebody asked for it, where nobody does any more."""
    ahead: tuple[Ahead, ...] = ()
    ahead_count: int = 0
    forecast: Estimate | Unforeseen | None = None

    @property
    def holding(self) -> Holding | None:
        """The slot that the claim itself has."""
        return next((one for one in self.scene.holders if one.claim == self.claim), None)


@dataclass(frozen=True, slots=True)
class NodeWhy:
    """Whether the node grants, and when the next claim may get a slot."""

    code: Code
    text: str
    scene: Scene
    longest_wait: float
    forecast: Estimate | Unforeseen | None = None
    """For the first who waits, or where nobody does for whoever comes next."""
    typical: Typical | None = None


@dataclass(frozen=True, slots=True)
class Starved:
    """A node where claims wait, and since how many seconds the first of them does."""

    node: str
    queued: int
    longest_wait: float


@dataclass(frozen=True, slots=True)
class PoolWhy:
    """Where claims wait in a pool."""

    trouble: str
    """Why the pool serves nobody yet."""
    waiting: int
    nodes: int
    """How many nodes have waiting claims."""
    starved: tuple[Starved, ...]
    """The nodes where somebody waits for longest."""
    unresponsive: int
    config: ConfigTrouble | None

    @property
    def code(self) -> PoolCode:
        """What matters most."""
        if self.trouble:
            return "not-ready"
        if self.unresponsive:
            return "unresponsive"
        return "waiting" if self.waiting else "idle"


def explain_claim(table: NodeTable, claim_id: str, now: float, around: Surroundings) -> ClaimWhy:
    """What is true of the claim, and why; also of one of which nothing is known."""
    view, scene = view_of(table, claim_id, now), scene_of(table, now, around)
    claim = table.roll.claims.get(claim_id)
    load = claim.terms.load if claim else ""
    match view:
        case Queued() if claim is not None:
            return _queued(table, claim, scene, now, around)
        case Granted():
            return ClaimWhy(claim_id, load, "granted", "it holds a slot", scene)
        case Settling(detail=detail):
            return ClaimWhy(claim_id, load, "settling", detail, scene)
        case Lost(detail=detail):
            return ClaimWhy(claim_id, load, "lost", detail, scene)
        case Released():
            return ClaimWhy(claim_id, load, "released", "it was released a moment ago", scene)
        case _:
            return ClaimWhy(claim_id, load, "unknown", f"{table.node} knows no such claim", scene)


def explain_node(table: NodeTable, now: float, around: Surroundings) -> NodeWhy:
    """Whether the node grants, and why not."""
    reason = node_reason(table, now)
    return NodeWhy(
        reason.code,
        reason.text,
        scene_of(table, now, around),
        longest_wait(table, now),
        forecast(table, None, reason.code, now, around),
        typical(around.durations),
    )


def scene_of(table: NodeTable, now: float, around: Surroundings) -> Scene:
    """The node's slots and its limit."""
    slots = table.picture.in_order
    leases = [slot.lease for slot in slots if slot.lease is not None]
    return Scene(
        table.node,
        table.limit,
        around.decided_by or table.limit_reason,
        len(table.roll.queue),
        tuple(_holding(table, slot, slot.holder, now, around) for slot in slots if slot.holder),
        table.picture.taken,
        tuple(
            f"Lease {lease.name}: {lease.foreign or 'it is being deleted'}"
            for lease in leases
            if lease.foreign or (lease.terminating and lease.holder is None)
        ),
        max(0.0, table.paused_until - now),
        around.config,
    )


def _holding(
    table: NodeTable, slot: Slot, holder: Holder, now: float, around: Surroundings
) -> Holding:
    claim = table.roll.claims.get(holder.claim)
    return Holding(
        holder.claim,
        holder.terms.load,
        holder.terms.pod,
        slot.ordinal,
        slot.name,
        holder.terms.priority,
        holder_state(table, slot, claim),
        around.age(holder.acquired),
        now - claim.renewed if claim else None,
    )


def _queued(
    table: NodeTable, claim: Claim, scene: Scene, now: float, around: Surroundings
) -> ClaimWhy:
    """A claim that waits, or whose slot is being written."""
    queue, presence = table.roll.queue, table.policy.presence
    waits, present = claim.id in queue, claim.present(now, presence)
    place = queue.position(claim) - 1 if waits else 0
    reason = why_waiting(table, claim.id, now)
    if waits and not present:
        reason = Reason("not-present", "nobody asks for it any more")
    before = enumerate(islice(queue, min(place, MOST_AHEAD)), start=1)
    return ClaimWhy(
        claim.id,
        claim.terms.load,
        reason.code,
        reason.text,
        scene,
        place + 1,
        now - claim.since,
        None if present else now - claim.seen,
        tuple(_ahead(table, one, position, now) for position, one in before),
        place,
        forecast(table, claim, reason.code, now, around),
    )


def _ahead(table: NodeTable, claim: Claim, position: int, now: float) -> Ahead:
    terms, present = claim.terms, claim.present(now, table.policy.presence)
    return Ahead(
        claim.id, terms.load, terms.pod, terms.priority, position, now - claim.since, present
    )
