"""One pool at work: events into the nodes' tables, commands out to the API server.

This is the place that joins the core and the API server. It decides nothing: `apply` feeds an
event to a table and runs what comes back; every operation's outcome is the next event.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from coordinator.core import messages as m
from coordinator.core.pods import PodIndex
from coordinator.core.refusals import QueueFull
from coordinator.core.slots import NodeTable
from coordinator.core.views import Queued, Settling
from coordinator.core.witness import reclaimed
from coordinator.kube.reflector import Broken, Changed, Deleted, Listed
from coordinator.service.asking import Counter
from coordinator.service.caps import NodeShare
from coordinator.service.desk import Desk
from coordinator.service.echoes import is_echo
from coordinator.service.errors import NotReady, Stopping
from coordinator.service.insight import Insight
from coordinator.service.leadership import LOST
from coordinator.service.listing import Listing
from coordinator.service.lists import Lists, placed
from coordinator.service.looks import Looks
from coordinator.service.movers import Movers
from coordinator.service.news import News, is_quiet
from coordinator.service.operations import Operations
from coordinator.service.pods import PodWatch
from coordinator.service.preview import Previews
from coordinator.service.reports import tell_of_reclaim
from coordinator.service.rulings import Rulings
from coordinator.service.silences import Troubles
from coordinator.service.status import config_status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from coordinator.core.claims import Claim, Policy
    from coordinator.core.views import View
    from coordinator.kube.reflector import StreamEvent
    from coordinator.service.asked import SyncAnswer, SyncRequest
    from coordinator.service.caps import Caps
    from coordinator.service.clock import Clock
    from coordinator.service.crowd import Crowd
    from coordinator.service.hands import Hands
    from coordinator.service.leadership import Leadership
    from coordinator.service.limits import NodeLimits
    from coordinator.service.reports import PoolReports
    from coordinator.service.status import ConfigStatus, NodeCounts, NodeStatus


class Pool:
    """The slots of all nodes in one namespace. See `Coordinator` for how it is put together."""

    def __init__(
        self,
        namespace: str,
        *,
        clock: Clock,
        policy: Policy,
        limits: NodeLimits,
        reports: PoolReports,
        leadership: Leadership,
        crowd: Crowd,
        hands: Hands,
        caps: Caps | None = None,
    ) -> None:
        self.namespace = namespace
        self.term = 0
        """The resourceVersion of the list that this leader's picture began with: it only grows."""
        self.desks: dict[str, Desk] = {}
        self.keeper = limits.keeper
        self._clock = clock
        self._policy = policy
        self._limits = limits
        self.reports = reports
        self._leadership = leadership
        self._crowd = crowd
        self._hands = hands
        self._caps = caps
        self._takeover = 0.0
        self._trouble = "the first list of Leases is not complete"
        self._stopping = False
        self.insight = Insight(
            self.desks, limits, reports.durations, clock, policy, caps, self._bring
        )
        self.tally = self.insight.tally
        self.news = News(self.count, lambda: len(limits.nodes.names()), clock, self.tally.touch)
        self._lists = Lists(self.desks, self._open, self.apply, reports, clock.now, hands)
        told = self.apply, self.news.touch, clock.now, hands.spawn
        self.rulings = Rulings(self.desks, limits, reports, *told)
        self.listing = Listing(self.desks, clock.now)
        self.previews = Previews(limits, self.insight.table)
        self._operations = Operations(
            hands.writer, reports, clock.now, self.apply, self._bring, self.desks
        )
        self._counter = Counter(self.apply, clock.now)
        self._looks = Looks(hands.examine, hands.gate, clock.now, reports, self.apply)
        self._troubles = Troubles(namespace, hands.tell, reports.streams, clock.now)
        self._named = PodIndex()
        self.pods = PodWatch(self._named, self._pod_changed)
        self.movers = Movers(
            namespace, hands, reports, clock, policy, self._named, self.insight.table
        )

    # --- requests -----------------------------------------------------------------------------

    def wall(self) -> datetime:
        """The wall clock, for answers that people read."""
        return self._clock.wall()

    def ready(self) -> str:
        """Why no request can be served yet; "" when all can."""
        if self._stopping:
            return "the coordinator is shutting down"
        if not self._leadership.holds:
            return LOST
        return self._limits.trouble() or self._trouble

    def ticket_of(self, age: float) -> tuple[int, int] | None:
        """That of a claim which came so many seconds ago; None if that was before this leader."""
        since = self._clock.now() - self._takeover - age
        return (self.term, int(since * 1000)) if since > 0 else None

    def gathering(self) -> str:
        """Why it is not known yet who holds and who waits; "" once it is."""
        settled = self._clock.now() >= self._takeover + self._policy.settling
        if self._trouble or (settled and self._lists.whole):
            return self._trouble
        return "the coordinator has just started and gathers who was waiting"

    def _require_ready(self) -> None:
        self._leadership.require()
        if why := self.ready():
            raise NotReady(f"pool {self.namespace} is not ready: {why}; ask again")

    def next_poll(self) -> int:
        """A number for the next request that asks for claims: each of its asks has it."""
        return self._counter.next_poll()

    def known(self, node: str) -> Mapping[str, Claim]:
        """What is known of claims of the node that wait or hold."""
        desk = self.desks.get(node)
        return desk.table.roll.claims if desk is not None else {}

    async def ask(self, node: str, ask: m.Ask, wait: float) -> View:
        """The claim's state once it is settled, or after `wait` seconds.

        Raises `Refusal` for what stands against the claim, `ServiceError` for what stands against
        any.
        """
        view = await self._counter.ask(self._desk_of(node, [ask]), ask, wait)
        self._leadership.require()
        return self._unless_stopping(view)

    def look(self, node: str, claim: str) -> View | None:
        """The claim's state, without asking; None for a claim that nothing is known of."""
        return self._desk_of(node).survey(self._clock.now()).view(claim)

    async def leave(self, node: str, claim: str, wait: float, owner: str = "") -> View:
        """`Released` once no Lease names the claim, `Settling` if that takes over `wait` seconds.

        An `owner` ends its own claims only, "" anybody's. Raises `OthersClaim`, `ServiceError`.
        """
        view = await self._counter.leave(self._desk_of(node), m.Leave(claim, owner), wait)
        self._leadership.require()
        return view

    async def sync(self, node: str, request: SyncRequest) -> SyncAnswer:
        """Take in all that an agent says, and answer with its news. Raises `ServiceError`."""
        desk = self._desk_of(node, () if request.releases else request.asks)
        owner = request.speaker.owner
        answering = self._counter.sync(desk, request, self.term)
        del request  # it is not to be kept while it waits
        answer = await answering
        for other in answer.others:
            self.reports.refused_release(node, owner, other)
        self._leadership.require()
        if self._stopping and not answer.news:
            raise self._stopped()
        return answer

    def _unless_stopping(self, view: View) -> View:
        if self._stopping and isinstance(view, Queued | Settling):
            raise self._stopped()
        return view

    def _stopped(self) -> Stopping:
        return Stopping("the coordinator is shutting down; its successor keeps places and slots")

    def begin_stop(self) -> None:
        """Answer every blocked request, and take no new ones."""
        self._stopping = True
        self.dismiss_all()

    def dismiss_all(self) -> None:
        """Have every blocked request answered now, and every stream end."""
        self.news.end()
        for desk in self.desks.values():
            desk.dismiss_all()

    def _desk_of(self, node: str, asks: Sequence[m.Ask] = ()) -> Desk:
        """The node's desk, for a request with these claims.

        On a node that is gone who waits or holds is still served; nobody new is let in.
        """
        if self._stopping:
            raise self._stopped()
        self._require_ready()
        self._bring(node)
        desk = self.desks.get(node)
        if desk is not None and not desk.empty and (not asks or any(map(desk.knows, asks))):
            return desk
        self._limits.nodes.require(node)
        return desk or self._open(node)

    # --- status -------------------------------------------------------------------------------

    def node(self, node: str) -> NodeStatus:
        """The node's limit and why, its slots and its queue. Raises `ServiceError`."""
        self._require_ready()
        return self.insight.node(node)

    def nodes(self) -> list[str]:
        """The names of all nodes, and of those that are gone but still have Leases; sorted."""
        return sorted(self._limits.nodes.names() | self.desks.keys())

    def count(self, node: str) -> NodeCounts:
        """One of `nodes` in numbers."""
        return self.insight.count(node)

    def config(self) -> ConfigStatus:
        """What is in force, and what is wrong with the newest text."""
        return config_status(self.namespace, self.keeper.state)

    # --- Leases -------------------------------------------------------------------------------

    def take(self, event: StreamEvent) -> None:
        """What the watch of the namespace's Leases says."""
        self.reports.streams.heard("leases", event)
        match event:
            case Listed():
                if self._trouble:
                    self._take_over(event)
                self._lists.take(event)
            case Changed() | Deleted():
                self._saw(event)
            case Broken():
                if self._trouble:
                    self._trouble = f"Leases: {event.error}"

    def _take_over(self, event: Listed) -> None:
        """All Leases are known: from here on requests are served."""
        self._trouble = ""
        self.term = int(event.version) if event.version.isdecimal() else 0
        self._takeover = self._clock.now()
        self.rulings.changed()
        self._hands.spawn(self._settle())

    def _bring(self, node: str) -> None:
        """Nothing that is known of the node by now is missing in its table."""
        self._lists.bring(node)
        self.rulings.bring(node)

    async def _settle(self) -> None:
        await asyncio.sleep(self._policy.settling)
        self.sweep()

    def _saw(self, event: Changed | Deleted) -> None:
        if is_echo(self.desks, event.obj) or (found := placed(event.obj)) is None:
            return
        node, ordinal, lease = found
        desk = self.desks.get(node) or self._open(node)
        gone = isinstance(event, Deleted)
        self.apply(desk, m.Gone(ordinal, lease.version) if gone else m.Seen(ordinal, lease))

    def _open(self, node: str) -> Desk:
        """A desk for a node that is asked for, or has a Lease, for the first time."""
        share = NodeShare(self._caps, self.namespace, node) if self._caps else None
        table = NodeTable(node, self.term, self._takeover, self._policy, self._named, share)
        desk = self.desks[node] = Desk(table)
        self.rulings.set(desk)
        return desk

    # --- the loop: events in, commands out ------------------------------------------------------

    def apply(self, desk: Desk, event: m.Event) -> Sequence[m.Command]:
        """Feed the event to the desk's table, set going what it commands, and return that."""
        table = desk.table
        if self._lists.left or self.rulings.left:
            self._bring(table.node)
        waiting = self._crowd.waiting
        try:
            commands = self._crowd.handle(table, event, self._clock.now(), self.namespace)
        except QueueFull:
            self.reports.turned_away()
            raise
        for command in commands:
            self._run(desk, command)
        if self._caps is not None and not isinstance(event, m.Turn):
            self._caps.pass_on(self.namespace, table.node)
        if commands or self._crowd.waiting != waiting or not is_quiet(event, table):
            self.news.touch(table.node)
        return commands

    def _run(self, desk: Desk, command: m.Command) -> None:
        match command:
            case m.Answer():
                desk.tell(command.claim)
            case m.Refused():
                if isinstance(command.refusal, QueueFull):
                    self.reports.turned_away()
            case m.Relist():
                self._hands.relist()
            case m.Examine():
                self._hands.spawn(self._looks.take(desk, command))
            case m.Reclaimed():
                happening = reclaimed(desk.table, command)
                self.reports.reclaimed(happening, expected=command.expected)
                tell_of_reclaim(self._hands.tell, self.namespace, command)
            case _:
                self._hands.spawn(self._operations.perform(desk, command))

    def _pod_changed(self, node: str, claim: str, gone: bool) -> None:
        if (desk := self.desks.get(node)) is None:
            return
        self.apply(desk, m.PodChanged(claim))
        if gone:
            self._looks.at_once(desk, claim)

    def sweep(self) -> None:
        """Time has passed: expire what is due, write some renewals, forget what is over."""
        now = self._clock.now()
        looked = [desk for desk in self.desks.values() if desk.table.due <= now]
        for desk in looked:
            self.apply(desk, m.Tick())
        for node in sorted(self.desks.keys() - self._limits.nodes.names()):
            if self.desks[node].empty:
                del self.desks[node]
                self.news.touch(node)
        self._counter.agents.forget()
        self.movers.sweep()
        self._troubles.tell(desk.table for desk in looked)
        self._operations.write_renewals()
