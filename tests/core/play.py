"""Tests that read like a script: this event, those commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coordinator.core import messages as m
from coordinator.core.model import Holder, Lease, PodRef, Terms, Verdict
from coordinator.core.names import lease_name
from coordinator.core.slots import NodeTable
from coordinator.core.survey import view_of
from coordinator.core.views import Granted
from tests.core.modelserver import NODE, Server

if TYPE_CHECKING:
    from coordinator.core.claims import Policy
    from coordinator.core.views import View

US, OPERATOR, OTHER = 1, -1, 2
POD = PodRef("velero", "pod-a", "uid-a")


def terms(claim: str, priority: int = 0, ttl: int = 60, pod: PodRef | None = None) -> Terms:
    return Terms(f"load-{claim}", priority, ttl, pod)


def ask(claim: str, *, token: int | None = None, ticket: Any = None, **kw: Any) -> m.Ask:
    return m.Ask(claim, terms(claim, **kw), ticket, token)


class Play:
    """A table, its model API server, and the time."""

    def __init__(self, limit: int = 1, *, settled: bool = True, policy: Policy | None = None):
        self.now = 1000.0
        self.server = Server()
        self.table = NodeTable(NODE, 7, self.now - (1 if settled else 0), policy)
        self.answers: list[str] = []
        self(m.SetLimit(limit))

    def __call__(self, event: m.Event, *kinds: type) -> Any:
        """Feed the event; it must command exactly these kinds. Returns the command, or all."""
        commands = self.table.handle(event, self.now)
        self.answers = [c.claim for c in commands if isinstance(c, m.Answer)]
        told = [c for c in commands if not isinstance(c, m.Answer)]
        assert [type(c) for c in told] == list(kinds), told
        return told[0] if len(told) == 1 else told

    def done(self, op: m.Operation, *kinds: type) -> Any:
        """The operation gets through, and so does its answer."""
        return self(self.server.apply(op, US), *kinds)

    def lost(self, op: m.Operation) -> None:
        """It takes effect, its answer is lost: the very same command comes again."""
        self.server.apply(op, US)
        assert self(m.Unknown(op.op), type(op)) is op

    def later(self, seconds: float, *kinds: type) -> Any:
        self.now += seconds
        return self(m.Tick(), *kinds)

    def look(self, claim: str, verdict: Verdict, *kinds: type, found: bool | None = None) -> Any:
        """The claim's Pod was looked at; unless said otherwise it is there, or ABSENT."""
        pod = self.table.roll.claims[claim].terms.pod
        assert pod is not None
        there = verdict is not Verdict.ABSENT if found is None else found
        return self(m.Evidence(claim, verdict, pod, there), *kinds)

    def grant(self, claim: str, *, found: bool = True, **kw: Any) -> Granted:
        """The claim asks and gets a slot, made new if need be; its Pod, if it has one, is seen."""
        op = self.table.handle(ask(claim, **kw), self.now)[0]
        if isinstance(op, m.Make):
            op = self.done(op, m.Grant)
        assert isinstance(op, m.Grant)
        self.done(op, *([m.Examine] if op.terms.pod else []))
        if op.terms.pod is not None:
            self.look(claim, Verdict.UNJUDGED, found=found)
        self(m.PollEnded((claim,)))
        return self.granted(claim)

    def confirm(self, claim: str, **kw: Any) -> None:
        """The claim's agent renews with its token."""
        self(ask(claim, token=self.granted(claim).token, **kw))
        self(m.PollEnded((claim,)))

    def view(self, claim: str, token: int | None = None) -> View | None:
        return view_of(self.table, claim, self.now, token)

    def granted(self, claim: str) -> Granted:
        view = self.view(claim)
        assert isinstance(view, Granted), view
        return view

    def waits(self) -> list[str]:
        return [claim.id for claim in self.table.roll.queue]

    def hand(self, ordinal: int, lease: Lease | None) -> m.Seen | m.Gone:
        """Another hand changes the Lease; returns the watch event of it."""
        self.server.commit(ordinal, lease, OPERATOR)
        return self.server.history[-1].event

    def holders(self) -> dict[int, str]:
        held = self.server.leases.items()
        return {ordinal: lease.holder.claim for ordinal, lease in held if lease.holder}

    def relist(self, *kinds: type, started: float | None = None) -> Any:
        begin = self.now if started is None else started
        return self(m.Relisted(dict(self.server.leases), begin), *kinds)


def held_lease(ordinal: int, claim: str, token: int, **kw: Any) -> Lease:
    """A Lease that another leader granted."""
    holder = Holder(claim, terms(claim, **kw), token)
    return Lease(lease_name(NODE, ordinal), f"old-{ordinal}", 0, holder)


def free_lease(ordinal: int, *, foreign: str = "", terminating: bool = False) -> Lease:
    name = lease_name(NODE, ordinal)
    return Lease(name, f"old-{ordinal}", 0, foreign=foreign, terminating=terminating)
