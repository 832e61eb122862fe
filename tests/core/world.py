"""Coordinators, agents, a model API server and every fault between them, one step at a time.

A `World` is driven by Hypothesis or by a seeded walk; `tests.core.promises` judges each step.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coordinator.core import messages as m
from coordinator.core.grants import stands_by
from coordinator.core.model import Cause, PodRef, Speaker, Terms, Verdict
from coordinator.core.names import lease_name
from coordinator.core.refusals import ClaimReleased, Refusal
from coordinator.core.slots import NodeTable
from coordinator.core.survey import view_of
from coordinator.core.views import Granted, Queued
from tests.core import promises
from tests.core.intruder import ownerless
from tests.core.modelserver import NODE, Server
from tests.core.sites import Agent, Attempt, Site, rules

if TYPE_CHECKING:
    from collections.abc import Callable

    from coordinator.core.model import Lease

OPERATOR = -1
POD, MOVED = PodRef("ns", "pod-3", "u3"), PodRef("ns", "pod-3b", "u3b")
CLAIMS = {
    "c0": Terms("load-0", 0, 10, owner="ns/a"),
    "c1": Terms("load-1", 0, 20),
    "c2": Terms("load-2", 5, 10, owner="ns/a"),
    "c3": Terms("load-3", 0, 10, POD, owner="ns/b"),
    "c4": Terms("load-4", 5, 30, owner="ns/b"),
}
NAMES = list(CLAIMS)
JUMPS = (0.5, 1.0, 4.0, 11.0, 16.0, 40.0, 130.0)
"""Seconds, exact as binary fractions: the checks compare times."""
SILENT = (Verdict.FINISHED, Verdict.ABSENT, Verdict.UNREACHABLE, Verdict.RUNNING)
RENEWED = (Verdict.FINISHED, Verdict.UNJUDGED)
"""What a look can show of the Pod of a silent claim, and of one that renews."""


class World:
    """Everything. Numbers in the methods choose among what there is, modulo its size."""

    def __init__(self, headroom: int = 0) -> None:
        self.now = 1000.0
        self.headroom = headroom
        self.server = Server()
        self.sites: list[Site] = []
        self.claims = CLAIMS
        self.agents = {name: Agent() for name in NAMES}
        self.limit = 2
        self.orphans: list[tuple[Attempt, int]] = []
        """Writes of coordinators that are gone; they may still arrive."""
        self.zombie_until = 0.0
        self.last_poll = 0
        self.elect()

    # --- coordinators ---------------------------------------------------------------------------

    def elect(self) -> None:
        """A new leader takes over with a consistent list; the old one may not know for a while."""
        for site in self.sites[:-1]:
            self._bury(site)
        self.sites = self.sites[-1:]
        self.zombie_until = self.now + 5.0
        number = self.sites[0].number + 1 if self.sites else 1
        table = NodeTable(NODE, number, self.now, rules(self.headroom))
        site = Site(number, table, self.now)
        self.sites.append(site)
        self.feed(site, m.SetLimit(self.limit))
        self._list(site, dict(self.server.leases), self.now, len(self.server.history))

    def _bury(self, site: Site) -> None:
        self.orphans += [(a, site.number) for a in site.wire if a.answer is None]

    def site(self, n: int) -> Site:
        return self.sites[n % len(self.sites)]

    def feed(self, site: Site, event: m.Event) -> list[m.Command]:
        """One event into the table; its commands set going; the promises judged."""
        commands = site.table.handle(event, self.now)
        for command in commands:
            self._run(site, command)
        promises.judge(self, site, event, commands)
        return commands

    def _run(self, site: Site, command: m.Command) -> None:
        if isinstance(command, m.Relist):
            site.wants_list = True
        elif isinstance(command, m.Examine):
            site.examines.append(command)
        elif isinstance(command, m.Reclaimed):
            if command.cause is Cause.FINISHED and command.pod is not None:
                site.barred[command.claim] = command.pod, self.now
        elif not isinstance(command, m.Answer | m.Refused):
            site.wire.append(Attempt(command))

    # --- agents ---------------------------------------------------------------------------------

    def ask(
        self, n: int, claim: int, *, bare: bool = False, stay: bool = False, ending: bool = False
    ) -> None:
        """A request; `bare` forgets token and ticket, `stay` keeps the poll open."""
        site, name = self.site(n), NAMES[claim % len(NAMES)]
        agent = self.agents[name]
        token, ticket = (None, None) if bare else (agent.token, agent.ticket)
        terms = CLAIMS[name]
        if terms.pod is not None and bare:
            terms = replace(terms, pod=MOVED)
        self.last_poll += 1
        speaker = Speaker(name, str(agent.boot))
        request = m.Ask(name, terms, ticket, token, self.last_poll, speaker, ending)
        try:
            site.table.roll.check(request, self.now)
        except Refusal as refusal:
            fair = not isinstance(refusal, ClaimReleased) or name in site.left
            assert fair, f"{name} is told that it was released, and never was"
            agent.token = agent.ticket = None
            return
        assert self.now >= site.left_at.get(name, -1e9) + 120.0, f"P7: {name} comes back"
        site.heard[name] = site.asked[name] = self.now
        if name in site.barred and site.barred[name][0] != terms.pod:
            del site.barred[name]
        site.deserted.discard(name)
        record = site.table.roll.claims.get(name)
        if record is not None and record.terms.pod != terms.pod:
            site.found.pop(name, None)
        site.polls.setdefault(name, []).append(self.last_poll)
        site.presented.pop(name, None)
        if token is not None:
            site.presented[name] = token
        self.feed(site, request)
        if not stay:
            self.end_poll(n, claim)

    def end_poll(self, n: int, claim: int) -> None:
        """The poll is answered with what is true now."""
        site, name = self.site(n), NAMES[claim % len(NAMES)]
        if not site.polls.get(name):
            return
        poll = site.polls[name].pop(0)
        site.heard[name] = self.now
        self._learn(self.agents[name], site, name)
        self.feed(site, m.PollEnded((name,), poll))

    def _learn(self, agent: Agent, site: Site, name: str) -> None:
        view = view_of(site.table, name, self.now, site.presented.get(name))
        if isinstance(view, Granted):
            promises.answered(site, name, view)
            agent.token = view.token
        elif isinstance(view, Queued):
            agent.ticket = view.ticket
        elif view is not None and type(view).__name__ in {"Lost", "Released"}:
            agent.token = agent.ticket = None

    def leave(self, n: int, claim: int) -> None:
        site, name = self.site(n), NAMES[claim % len(NAMES)]
        site.left.add(name)
        site.left_at[name] = self.now
        site.barred.pop(name, None)
        self.agents[name] = Agent()
        self.feed(site, m.Leave(name))

    def restart(self, claim: int) -> None:
        """The claim's agent is restarted, and does not know of the claim yet."""
        name = NAMES[claim % len(NAMES)]
        agent = self.agents[name]
        agent.boot += 1
        for site in self.sites:
            site.deserted.add(name)
            self.feed(site, m.Restarted(Speaker(name, str(agent.boot))))

    def pod_changed(self, n: int, claim: int) -> None:
        self.feed(self.site(n), m.PodChanged(NAMES[claim % len(NAMES)]))

    def evidence(self, n: int, verdict: int, *, there: bool = False) -> None:
        """The first look asked for is taken; `there`: the Pod is, where the verdict allows both."""
        site = self.site(n)
        if not site.examines:
            return
        command = site.examines.pop(0)
        verdicts = SILENT if command.silent else RENEWED
        shown = verdicts[verdict % len(verdicts)]
        there = shown in {Verdict.FINISHED, Verdict.RUNNING} or (
            there and shown is not Verdict.ABSENT
        )
        record = site.table.roll.claims.get(command.claim)
        if record is not None and record.terms.pod == command.pod:
            if there:
                site.found[command.claim] = record, command.pod
            if shown is Verdict.FINISHED:
                site.finished[command.claim] = record
        self.feed(site, m.Evidence(command.claim, shown, command.pod, there))

    # --- the wire -------------------------------------------------------------------------------

    def attempt(self, n: int, which: int) -> tuple[Site, Attempt] | None:
        site = self.site(n)
        waiting = [a for a in site.wire if a.awaited]
        return (site, waiting[which % len(waiting)]) if waiting else None

    def deliver(self, n: int, which: int, fate: int) -> None:
        """One awaited attempt meets its fate."""
        found = self.attempt(n, which)
        if found is None:
            return
        site, attempt = found
        fates: tuple[Callable[[Site, Attempt], m.Outcome | None], ...] = (
            self._commit,
            self._commit,
            self._answer_later,
            self._lose_answer,
            self._delay,
            self._lose_request,
            self._fail,
        )
        if attempt.answer is not None:
            self._outcome(site, attempt, attempt.answer)
            return
        if self._too_late(site, attempt.op):
            self._outcome(site, attempt, m.Withdrawn(attempt.op.op))
            return
        outcome = fates[fate % len(fates)](site, attempt)
        if outcome is not None:
            self._outcome(site, attempt, outcome)

    def _too_late(self, site: Site, op: m.Operation) -> bool:
        """Whether a write that waited for its first sending is not to be sent any more."""
        slot = site.table.picture.under_way(op.op)
        sent = slot is None or slot.unknown
        return not sent and not stands_by(site.table, op, self.now)

    def _outcome(self, site: Site, attempt: Attempt, outcome: m.Outcome) -> None:
        attempt.awaited = False
        if not isinstance(outcome, m.Unknown) or attempt.answer is not None:
            site.wire = [a for a in site.wire if a is not attempt]
        self.feed(site, outcome)

    def _commit(self, site: Site, attempt: Attempt) -> m.Outcome:
        return self.server.apply(attempt.op, site.number)

    def _answer_later(self, site: Site, attempt: Attempt) -> None:
        attempt.answer = self.server.apply(attempt.op, site.number)

    def _lose_answer(self, site: Site, attempt: Attempt) -> m.Outcome:
        attempt.answer = self.server.apply(attempt.op, site.number)
        return m.Unknown(attempt.op.op)

    def _delay(self, site: Site, attempt: Attempt) -> m.Outcome:
        return m.Unknown(attempt.op.op)

    def _lose_request(self, site: Site, attempt: Attempt) -> m.Outcome:
        site.wire = [a for a in site.wire if a is not attempt]
        return m.Unknown(attempt.op.op)

    def _fail(self, site: Site, attempt: Attempt) -> m.Outcome:
        site.wire = [a for a in site.wire if a is not attempt]
        return m.Failed(attempt.op.op, "429 Too Many Requests")

    def arrive_late(self, which: int) -> None:
        """A write that was given up long ago takes effect after all."""
        late = [(a, s.number) for s in self.sites for a in s.wire if not a.awaited] + self.orphans
        if late:
            attempt, actor = late[which % len(late)]
            self.server.apply(attempt.op, actor)
            self.orphans = [pair for pair in self.orphans if pair[0] is not attempt]
            for site in self.sites:
                site.wire = [a for a in site.wire if a is not attempt]

    # --- watch and list -------------------------------------------------------------------------

    def watch(self, n: int, count: int) -> None:
        site = self.site(n)
        for entry in self.server.history[site.cursor : site.cursor + count]:
            if site.listing is None:
                site.cursor += 1
                self.feed(site, entry.event)

    def replay(self, n: int, back: int) -> None:
        """The watch tells again what it told since its last list."""
        site = self.site(n)
        told = self.server.history[site.oldest : site.cursor]
        if told:
            self.feed(site, told[-1 - back % len(told)].event)

    def advance_list(self, n: int) -> None:
        """A list is sent, then served, then read; no watch runs meanwhile."""
        site = self.site(n)
        if site.listing is None:
            site.listing, site.wants_list = (self.now, None, 0), False
        elif site.listing[1] is None:
            seen = dict(self.server.leases), len(self.server.history)
            site.listing = (site.listing[0], *seen)
        else:
            started, leases, position = site.listing
            site.listing = None
            assert leases is not None
            self._list(site, leases, started, position)

    def _list(self, site: Site, leases: dict[int, Lease], started: float, position: int) -> None:
        site.cursor = site.oldest = position
        self.feed(site, m.Relisted(leases, started))

    # --- the operator, the node and time --------------------------------------------------------

    def operator(self, what: int, ordinal: int) -> None:
        lease = self.server.leases.get(ordinal % 4)
        if lease is None:
            if what % 6 == 0:
                self.server.create(lease_name(NODE, ordinal % 4), OPERATOR, foreign="not ours")
            return
        changed = (
            None,
            replace(lease, holder=None),
            lease,
            None if lease.foreign or lease.terminating else replace(lease, terminating=True),
            replace(lease, holder=None, foreign="unreadable"),
            ownerless(lease),
        )[what % 6]
        self.server.commit(ordinal % 4, changed, OPERATOR)

    def set_limit(self, limit: int) -> None:
        self.limit = limit
        for site in self.sites:
            self.feed(site, m.SetLimit(limit, "its node is gone" if limit == 0 else ""))

    def set_hold(self, n: int, reason: str) -> None:
        self.feed(self.site(n), m.SetHold(reason))

    def courtesy(self, n: int, claim: int) -> None:
        self.feed(self.site(n), m.Courtesy(NAMES[claim % len(NAMES)]))

    def tick(self, jump: int) -> None:
        """Time passes for everybody; an old leader's own deadline ends it (P10)."""
        self.now += JUMPS[jump % len(JUMPS)]
        if self.now > self.zombie_until and len(self.sites) > 1:
            self._bury(self.sites[0])
            self.sites = self.sites[1:]
        for site in self.sites:
            self.feed(site, m.Tick())
