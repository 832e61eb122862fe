"""What one coordinator's process has been told so far: nothing else may it act upon."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, Any

from coordinator.core import messages as m
from tests.simulation.configs import DEFAULT
from tests.simulation.judge.facts import Look, look

if TYPE_CHECKING:
    from tests.simulation.api import Sent
    from tests.simulation.configs import Limits, Registry
    from tests.simulation.judge.order import Attendance
    from tests.simulation.loop import Process

Json = dict[str, Any]

GrantKey = tuple[str, int, str]
"""A grant's Lease, the version that it replaces, and its claim."""

HOLD = "nodeslots.io/hold"


@dataclass(slots=True)
class NodeTold:
    """A node as last told."""

    labels: dict[str, str]
    hold: str


@dataclass(eq=False, slots=True)
class Knowledge:
    """One process's. Times are the world's."""

    process: Process
    configs: Registry
    limits: Limits = DEFAULT
    nodes: dict[str, NodeTold] = field(default_factory=dict)
    leases: dict[str, Look] = field(default_factory=dict)
    gone: dict[str, int] = field(default_factory=dict)
    """Lease names to the version at which they were told to be gone."""
    in_flight: dict[str, GrantKey] = field(default_factory=dict)
    """Lease names to the grant's write that may have, or may yet take effect."""
    deadline: float = -inf
    """Until when it leads, by its answered election writes; for ever without an election."""
    reign: float = 0.0
    """When its leadership began: the sending of the election write that won it."""
    pictured: float = inf
    """When the first list of Leases was there that was sent in this reign."""
    sendings: dict[GrantKey, int] = field(default_factory=dict)
    """Grants that were sent, and how many of their sendings had an unknown end."""
    sent: dict[GrantKey, None] = field(default_factory=dict)
    """Grants that were sent at least once."""
    present: dict[GrantKey, None] = field(default_factory=dict)
    """Grants at whose sending the claim's presence was judged."""
    tickets: dict[str, tuple[int, int] | None] = field(default_factory=dict)
    """The ticket that each claim's first request brought."""
    bodies: dict[GrantKey, bytes | None] = field(default_factory=dict)
    """What was sent for each grant at first."""
    renewed: dict[str, float] = field(default_factory=dict)
    """When each claim's last request was taken in."""
    confirmed: dict[str, None] = field(default_factory=dict)
    """Claims whose agent came with a token."""
    granted_here: dict[str, None] = field(default_factory=dict)
    boots: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Claim to the agent and boot that spoke for it last."""
    boot_of: dict[str, str] = field(default_factory=dict)
    attendance: dict[str, Attendance] = field(default_factory=dict)
    ordered: dict[str, None] = field(default_factory=dict)
    """Claims whose turn was judged."""
    released: dict[str, float] = field(default_factory=dict)
    decided: dict[tuple[str, int], m.Write] = field(default_factory=dict)
    """Every write that was commanded, by node and number: what is repeated is the same object."""

    def take_over(self, at: float) -> None:
        """A new reign: it knows the limits, and nothing else that an earlier one knew."""
        self.reign, self.pictured = at, inf
        for memory in (self.in_flight, self.attendance, self.ordered, self.renewed, self.sendings):
            memory.clear()
        self.sent.clear()
        self.bodies.clear()
        self.present.clear()
        self.tickets.clear()
        for names in (self.confirmed, self.granted_here, self.boots, self.released, self.decided):
            names.clear()

    def new(self, node: str, op: m.Write) -> bool:
        """Whether the operation is no repetition of one that was decided before."""
        new = self.decided.get((node, op.op)) is not op
        self.decided[node, op.op] = op
        return new

    def hears(self, body: Json) -> None:
        """A sync is being taken in."""
        for told in body["claims"]:
            self.boots[told["claim"]] = (body["agent"], body["boot"])

    def took(self, node: str, event: m.Event, now: float) -> None:
        """A table took this event in, and did not refuse it."""
        if isinstance(event, m.Ask):
            self.renewed[event.claim] = now
            self.tickets.setdefault(event.claim, event.ticket)
            if event.token is not None:
                self.confirmed[event.claim] = None
        elif isinstance(event, m.Leave):
            self.attendance.pop(event.claim, None)
            self.tickets.pop(event.claim, None)
        elif isinstance(event, m.Withdrawn):
            self._withdrawn(self.decided[node, event.op])

    def _withdrawn(self, write: m.Write) -> None:
        """Its turn to be sent came too late: it never was."""
        if isinstance(write, m.Grant | m.HandOver):
            self.in_flight.pop(write.base.name, None)
            self.ordered.pop(write.claim, None)

    def limit(self, node: str) -> int:
        """The limit last seen: the last good ConfigMap's rules on the labels last seen."""
        told = self.nodes.get(node)
        return self.limits.of(told.labels) if told else 0

    def taken(self, node: str) -> set[str]:
        """Names of the node's Leases that count against its limit, as far as it knows."""
        held = {one.name for one in self.leases.values() if one.node == node and one.taken}
        return held | {name for name in self.in_flight if name.rpartition("-slot-")[0] == node}

    # --- being told ---------------------------------------------------------------------------

    def listed(self, sent: Sent, answer: Json, now: float) -> None:
        """A list is there."""
        items, kind = answer.get("items") or [], sent.call.resource
        if kind == "nodes":
            self.nodes = {obj["metadata"]["name"]: _node(obj) for obj in items}
        elif kind == "configmaps":
            self._config(items[0] if items else None)
        elif kind == "leases.coordination.k8s.io":
            if sent.at >= self.reign:
                self.pictured = min(self.pictured, now)
            version = int(answer["metadata"]["resourceVersion"])
            there = {obj["metadata"]["name"] for obj in items}
            for name in [name for name in self.leases if name not in there]:
                self.see_gone(name, version)
            for obj in items:
                self.see(look(obj))

    def watched(self, sent: Sent, line: Json) -> None:
        """An event of a watch is there."""
        kind, obj, what = line["type"], line["object"], sent.call.resource
        if kind in {"BOOKMARK", "ERROR"}:
            return
        if what == "nodes":
            self.nodes.pop(obj["metadata"]["name"], None)
            if kind != "DELETED":
                self.nodes[obj["metadata"]["name"]] = _node(obj)
        elif what == "configmaps":
            self._config(None if kind == "DELETED" else obj)
        elif what == "leases.coordination.k8s.io" and (seen := look(obj)) is not None:
            self.see_gone(seen.name, seen.version) if kind == "DELETED" else self.see(seen)

    def _config(self, obj: Json | None) -> None:
        found = self.configs.read(obj.get("data") or {}) if obj else None
        self.limits = found or self.limits

    def see(self, seen: Look | None) -> None:
        """A Lease in a state of this version."""
        if seen is None or seen.version <= self.gone.get(seen.name, 0):
            return
        known = self.leases.get(seen.name)
        if known is None or known.version <= seen.version:
            self.leases[seen.name] = seen

    def see_gone(self, name: str, version: int) -> None:
        """There was no such Lease at this version."""
        known = self.leases.get(name)
        if known is None or known.version <= version:
            self.leases.pop(name, None)
            self.gone[name] = max(version, self.gone.get(name, 0))

    def forget_versions(self) -> None:
        """The cluster was restored: versions before and after cannot be compared."""
        self.leases.clear()
        self.gone.clear()


def _node(obj: Json) -> NodeTold:
    head = obj["metadata"]
    return NodeTold(head.get("labels") or {}, (head.get("annotations") or {}).get(HOLD, ""))
