"""A model of the API server for one node's Leases: versions, uids, and conditional writes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from coordinator.core import messages as m
from coordinator.core.model import Holder, Lease
from coordinator.core.names import split_lease_name

NODE = "node1"


class Refused(Exception):
    """409: the precondition does not hold."""


@dataclass(frozen=True)
class Entry:
    """One committed change: what the slot's Lease was, what it is, and who did it."""

    version: int
    ordinal: int
    before: Lease | None
    after: Lease | None
    actor: int

    @property
    def event(self) -> m.Seen | m.Gone:
        if self.after is None:
            return m.Gone(self.ordinal, self.version)
        return m.Seen(self.ordinal, self.after)


def ordinal_of(name: str) -> int:
    split = split_lease_name(name)
    assert split is not None
    return split[1]


@dataclass
class Server:
    """etcd and the API server in front of it."""

    version: int = 100
    uids: int = 0
    leases: dict[int, Lease] = field(default_factory=dict)
    history: list[Entry] = field(default_factory=list)

    def commit(self, ordinal: int, lease: Lease | None, actor: int) -> Lease | None:
        self.version += 1
        before = self.leases.pop(ordinal, None)
        after = replace(lease, version=self.version) if lease else None
        if after is not None:
            self.leases[ordinal] = after
        self.history.append(Entry(self.version, ordinal, before, after, actor))
        return after

    def create(self, name: str, actor: int, *, foreign: str = "") -> Lease | None:
        ordinal = ordinal_of(name)
        if ordinal in self.leases:
            raise Refused(name)
        self.uids += 1
        return self.commit(ordinal, Lease(name, f"uid-{self.uids}", 0, foreign=foreign), actor)

    def current(self, base: Lease) -> Lease:
        """The Lease if it is still exactly the base: PUT and DELETE carry both preconditions."""
        lease = self.leases.get(ordinal_of(base.name))
        if lease is None or (lease.uid, lease.version) != (base.uid, base.version):
            raise Refused(base.name)
        return lease

    def apply(self, op: m.Operation, actor: int) -> m.Outcome:
        """What this attempt does, and the honest answer to it."""
        if isinstance(op, m.ReadBack):
            return m.Read(op.op, self.leases.get(op.ordinal))
        try:
            return m.Written(op.op, self._write(op, actor))
        except Refused:
            return m.Conflict(op.op)

    def _write(self, op: m.Write, actor: int) -> Lease | None:
        if isinstance(op, m.Make):
            return self.create(op.name, actor)
        lease = self.current(op.base)
        if isinstance(op, m.Remove):
            return self.commit(op.ordinal, None, actor)
        return self.commit(op.ordinal, self._changed(op, lease), actor)

    def _changed(self, op: m.Grant | m.HandOver | m.Free | m.Refresh, lease: Lease) -> Lease:
        if isinstance(op, m.Free):
            return replace(lease, holder=None)
        if isinstance(op, m.Refresh):
            assert lease.holder is not None
            return replace(lease, holder=replace(lease.holder, terms=op.terms))
        holder = Holder(op.claim, op.terms, op.base.version)
        return replace(lease, holder=holder, transitions=lease.transitions + 1)

    def could_apply(self, op: m.Operation) -> bool:
        """Whether an attempt of this write would take effect if it arrived now."""
        if not isinstance(op, m.Grant | m.HandOver):
            return False
        lease = self.leases.get(op.ordinal)
        return lease is not None and (lease.uid, lease.version) == (op.base.uid, op.base.version)

    def names(self, claim: str) -> list[Lease]:
        return [le for le in self.leases.values() if le.holder and le.holder.claim == claim]
