"""A claim's record, the queue, and what is remembered of claims that ended."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from coordinator.core.movers import RESTORE_PRIORITY
from coordinator.core.owners import differ
from coordinator.core.pods import PodIndex
from coordinator.core.queue import Queue
from coordinator.core.refusals import ClaimMismatch, ClaimReleased, PodFinished, QueueFull

if TYPE_CHECKING:
    from coordinator.core.messages import Ask
    from coordinator.core.model import Holder, PodRef, Speaker, Terms

Ticket = tuple[int, int]
"""The leader's term, and when it was given out: milliseconds since the leader's takeover, grown by
one where two would be equal. The order of arrival, across leaders."""

Key = tuple[int, int, int, str]
"""What comes first, then the two numbers of the ticket, then the claim's id."""

LATE = 10.0
"""Seconds for which an end may be kept too long, so that a busy node's are not looked through each
second. What has to be true at its time is read from the end itself (`Roll.recall`)."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The numbers that rule a table, in seconds unless said otherwise."""

    settling: float = 1.0
    """A new leader gathers tickets that long before it grants (P9)."""
    presence: float = 15.0
    """Nothing is granted to a claim whose last poll ended longer ago (P8)."""
    memory: float = 120.0
    """A released id answers 410 that long (P7)."""
    finished_memory: float = 600.0
    """A claim whose Pod was seen finished is not taken again for that Pod so soon: it would be
    granted, looked at and reclaimed without end."""
    long_wait: float = 600.0
    """A claim that has waited that long is told of; 0: never."""
    unresponsive_timeout: float | None = None
    """A silent holder whose Pod cannot be judged is kept that long past its TTL; None: for ever."""
    recheck: float = 30.0
    """How often an unresponsive holder's Pod is looked at again."""
    max_queue: int = 1000
    """Claims that may wait on one node."""
    aging: float = 1800.0
    """A waiting claim gains one step of priority in that time; 0: priorities are absolute."""
    headroom: int = 0
    """How many slots of each node only claims of `urgent_from` or more may have (`headroom`)."""
    urgent_from: int = RESTORE_PRIORITY
    prepare_timeout: float = 0.0
    """Velero fails a mover that does not start so soon; 0: nobody is told of that."""

    def key(self, claim: str, priority: int, ticket: Ticket, term: int) -> Key:
        """The claim's place in the queue of the leader `term`: the smallest is first.

        A step of priority is worth `aging` seconds of earlier arrival, so a claim passes one of
        lower priority only if it came less than that later, and nobody starves. The key never
        changes: steps that are added while claims wait would turn the order back and forth, since
        each claim's step comes at another moment. What another leader's clock said cannot be
        compared with ours: such a claim's age restarts, as if it had come at the takeover, and its
        ticket keeps it before every newcomer of its priority (P9).
        """
        if not self.aging:
            return (-priority, *ticket, claim)
        arrived = ticket[1] if ticket[0] == term else 0
        if not priority:
            return (arrived, *ticket, claim)  # the same number, kept once
        return (arrived - priority * round(self.aging * 1000), *ticket, claim)


@dataclass(slots=True)
class Look:
    """When a claim's Pod was looked at, and when the next look is due."""

    under_way: bool = False
    again: bool = False
    """Whether something happened since the look under way was asked for."""
    last: float = -math.inf
    due: float = -math.inf
    """When a silent claim's Pod is to be looked at again."""
    hurried: float = -math.inf
    """Until when it is looked at again and again, since its agent says that the load is ending."""


@dataclass(slots=True)
class Claim:
    """One claim from its first request to its end. Which slot it holds, the Leases say."""

    id: str
    terms: Terms
    key: Key
    """Its place among those who wait (`Policy.key`)."""
    seen: float
    """When it was last heard of, for a waiting claim: the end of its last poll."""
    renewed: float
    polls: tuple[int, ...] = ()
    """Requests of this claim that are being answered now: hardly ever more than one."""
    leaving: str = ""
    """Why it is on its way out: "released", "expired", "finished", "lost"; "" while it stays."""
    left: float = 0.0
    left_why: str = ""
    """The same as a sentence, where there is more to say."""
    chosen: int | None = None
    """The fencing token that is its answer: the presented one, else of the oldest Lease (P6)."""
    answered: bool = False
    """Whether an open request was answered with `chosen`: it gets no other answer (P6)."""
    presented: bool = False
    """Whether its agent came with the token `chosen`: every other Lease of it is a stray. An answer
    proves nothing: nobody may have heard it, and the agent may hold what another leader granted."""
    forfeited: bool = False
    """Whether the answered grant is gone: another Lease that names it is kept for the agent that
    shows its token, else until the TTL."""
    confirmed: bool = False
    """Whether the agent came back with the token of its grant (P8)."""
    doubt: tuple[int, float] | None = None
    """A presented token that no known Lease has, and since when that is being looked into.

    Infinity: a list showed it where something is under way; the next request looks again.
    """
    refuted: frozenset[int] = frozenset()
    """Presented tokens that a fresh list did not show. Whoever comes with one has lost its slot,
    but takes nothing from another process that holds or waits under the same id."""
    speaker: Speaker | None = None
    """Who last spoke for it."""
    deserted: float = math.inf
    """From when it counts as left behind by its agent, which was restarted and does not name it."""
    pod_found: bool = False
    """Whether a GET ever showed its Pod: one that none did is no Pod (design section 7)."""
    _look: Look | None = None
    unresponsive: bool = False
    ending: bool = False
    """Whether its agent's last word was that it goes and the load may be over."""
    finished: PodRef | None = None
    """The Pod that was seen finished."""
    since: float = 0.0
    """When it came."""
    wait_told: bool = False
    """Whether its long wait was told of."""
    waits: bool = False
    """Whether it is in its node's queue."""

    @property
    def ticket(self) -> Ticket:
        """Its place in the order of arrival."""
        return self.key[1], self.key[2]

    @property
    def look(self) -> Look:
        """What is known of its Pod; made when it is first needed, for most claims only wait."""
        if self._look is None:
            self._look = Look()
        return self._look

    def present(self, now: float, presence: float) -> bool:
        """Whether its client still asks (P8)."""
        return bool(self.polls) or now - self.seen <= presence

    def silent(self, now: float) -> bool:
        """Whether the last renewal is a TTL ago, by the coordinator's own clock (P4)."""
        return now >= self.renewed + self.terms.ttl

    def renews_with(self, token: int | None) -> bool:
        """Whether a request with that token tells nothing but that the claim is alive."""
        stands = self.presented and token == self.chosen and self.doubt is None
        return stands and not (self.leaving or self.unresponsive)

    def present_token(self, token: int) -> None:
        """The agent came back with the token of a grant that stands: it is the claim's only one."""
        self.chosen, self.doubt, self.forfeited = token, None, False
        self.answered = self.presented = self.confirmed = True

    def abandoned(self, now: float, presence: float) -> bool:
        """Whether a waiting claim is given up: not heard of for its TTL."""
        return not self.present(now, max(presence, self.terms.ttl))


@dataclass(frozen=True, slots=True)
class Ended:
    """What is remembered of a claim: 410 for a released one, slot-lost for a lost one."""

    reason: str
    until: float
    detail: str = ""
    finished: PodRef | None = None
    """The Pod that was seen finished, if its uid is known: a name alone may be another Pod's."""
    owner: str = ""
    """Whose claim it was."""
    hearsay: bool = False
    """Whether nobody here knew such a claim when its owner released it: it stands against that one
    alone, since another's claim of this id may be in a queue that went with an earlier leader."""


class Roll:
    """The claims of one node, waiting or holding, and those that ended a moment ago.

    `takeover` is when the leader `term` took over; `pods` learns which claim names which Pod.
    """

    __slots__ = (
        "_last_ticket",
        "claims",
        "ended",
        "forgets_at",
        "node",
        "pods",
        "policy",
        "queue",
        "takeover",
        "term",
    )

    def __init__(
        self, node: str, term: int, takeover: float, policy: Policy, pods: PodIndex | None = None
    ) -> None:
        self.node = node
        self.term = term
        self.takeover = takeover
        self.policy = policy
        self.pods = pods if pods is not None else PodIndex()
        self.claims: dict[str, Claim] = {}
        self.ended: dict[str, Ended] = {}
        self.queue = Queue(self.claims, policy.urgent_from)
        self.forgets_at = math.inf
        """From when there are ends to let go of."""
        self._last_ticket = 0

    def check(self, ask: Ask, now: float) -> None:
        """Raise the `Refusal` that stands against this request, if one does."""
        claim, ended = self.claims.get(ask.claim), self.recall(ask.claim, now, ask.terms.owner)
        if (ended and ended.reason == "released") or (claim and claim.leaving == "released"):
            raise ClaimReleased(ask.claim)
        if ended and ended.finished and ask.token is None and ask.terms.pod == ended.finished:
            raise PodFinished(ask.claim, ended.finished)
        if claim is not None and not claim.terms.agrees_with(ask.terms):
            raise ClaimMismatch(ask.claim)
        if claim is None and ask.token is None and len(self.queue) >= self.policy.max_queue:
            raise QueueFull(ask.claim)

    def recall(self, claim: str, now: float, owner: str = "") -> Ended | None:
        """How an earlier claim of this id ended, as long as it is remembered for that owner."""
        ended = self.ended.get(claim)
        if ended is None or now >= ended.until or (ended.hearsay and differ(ended.owner, owner)):
            return None
        return ended

    def admit(self, ask: Ask, now: float) -> Claim:
        """A record for a new claim. A ticket that was ever given out keeps its place (P9)."""
        ticket = ask.ticket
        if ticket is None or ticket > (self.term, self._last_ticket):
            since = int((now - self.takeover) * 1000)
            self._last_ticket = max(self._last_ticket + 1, since)
            ticket = (self.term, self._last_ticket)
        self.ended.pop(ask.claim, None)
        return self._enter(ask.claim, ask.terms, ticket, now)

    def _enter(self, name: str, terms: Terms, ticket: Ticket, now: float) -> Claim:
        key = self.policy.key(name, terms.priority, ticket, self.term)
        claim = self.claims[name] = Claim(name, terms, key, now, now, since=now)
        self.pods.move(self.node, name, None, terms.pod)
        return claim

    def adopt(self, holder: Holder, now: float) -> None:
        """A holder that this leader did not grant gets a full TTL from now (P10).

        Its grant and its Pod count as confirmed: an earlier leader may have seen them, and nothing
        that it would have kept is freed because it is gone.
        """
        self.ended.pop(holder.claim, None)
        claim = self._enter(holder.claim, holder.terms, (0, 0), now)
        claim.chosen = holder.token
        claim.confirmed = claim.pod_found = True

    def touch(self, claim: Claim, ask: Ask, now: float) -> None:
        """A request of this claim began: whoever sent it has not left it behind."""
        if ask.poll not in claim.polls:
            claim.polls += (ask.poll,)
        claim.seen = now
        claim.speaker, claim.deserted = ask.speaker, math.inf

    def adopt_pod(self, claim: Claim, pod: PodRef | None) -> bool:
        """Whether the load runs in another Pod than before; nothing is known of that one."""
        if pod is None or pod == claim.terms.pod:
            return False
        self.pods.move(self.node, claim.id, claim.terms.pod, pod)
        claim.terms = replace(claim.terms, pod=pod)
        claim.pod_found = False
        return True

    def part(self, claim: Claim, why: str, now: float, detail: str = "") -> None:
        """The claim is on its way out; its slot is still its own."""
        if not claim.leaving:
            claim.left = now
        if claim.leaving != "released":
            claim.leaving, claim.left_why = why, detail

    def end(self, claim: Claim, reason: str, detail: str, now: float) -> None:
        """The claim is over: released by its agent, or lost for whatever `reason`."""
        self.drop(claim)
        seen = claim.finished if reason == "finished" else None
        told = reason if reason == "released" else "lost"
        pod = seen if seen and seen.uid else None
        self.remember(claim.id, told, detail, now, pod, claim.terms.owner)

    def drop(self, claim: Claim) -> None:
        """Forget the claim."""
        del self.claims[claim.id]
        self.queue.discard(claim)
        self.pods.move(self.node, claim.id, claim.terms.pod, None)

    def remember(
        self,
        claim: str,
        reason: str,
        detail: str,
        now: float,
        finished: PodRef | None = None,
        owner: str = "",
    ) -> None:
        """Keep the end of this id in mind for a while (P7), and its Pod's for longer."""
        memory = self.policy.finished_memory if finished else self.policy.memory
        self._keep(claim, Ended(reason, now + memory, detail, finished, owner))

    def remember_hearsay(self, claim: str, owner: str, now: float) -> None:
        """The owner released an id that is no claim's, or that ended before."""
        ended, until = self.recall(claim, now), now + self.policy.memory
        if ended is None or ended.hearsay:
            ended = Ended("released", until, owner=owner, hearsay=True)
        self._keep(claim, replace(ended, reason="released", until=until))

    def _keep(self, claim: str, ended: Ended) -> None:
        self.ended[claim] = ended
        self.forgets_at = min(self.forgets_at, ended.until + LATE)

    def forget_old(self, now: float) -> None:
        """Let go of the ends that nobody will ask for any more, many at a time."""
        if now < self.forgets_at:
            return
        self.ended = {name: ended for name, ended in self.ended.items() if now < ended.until}
        left = (ended.until for ended in self.ended.values())
        self.forgets_at = min(left, default=math.inf) + LATE
