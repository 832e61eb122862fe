"""All claims of one process as one stream of syncs: what to send, when, and what answers mean.

Pure, like the sessions: the time and a source of jitter are passed in. Rules kept here:

- Only the newest answered request counts; an answer to an older one is dropped, and so is one
  of a deposed leader: with a lower term than one that answered within the last `DEPOSED` seconds.
- A new claim or release is sent at once, although an older request may still wait for its answer.
- A release is repeated until an answer lists it as committed, or its patience ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Any

from agent_client.messages import (
    Answer,
    MalformedError,
    Problem,
    Rejected,
    Reply,
    claims_blamed,
    read_reply,
)
from agent_client.session import LISTED, Session, State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MOST_CLAIMS = 1000
"""The protocol's limit, for claims as for releases of one request."""
LONGEST_WAIT = 20
"""Seconds that a request lets the coordinator hold its answer back."""
URGENT_WAIT = 2
"""The same for a request with a new claim or a release, which is answered at once."""
LONGEST_PAUSE = 5.0
"""Seconds between two attempts, as long as no Retry-After asks for more."""
SHORTEST_PAUSE = 0.02
"""Seconds between two requests: what comes together goes together."""
DEPOSED = 30.0
"""Seconds for which a lower term is ignored. A deposed leader is silent after 10; a term that is
still lower later is not old: the API server's numbers began anew (etcd from a backup)."""
QUEUE_PATIENCE = 2.0
"""Seconds to wait for a confirmed leave from the queue: a silent claim is granted nothing (P8)."""


@dataclass(frozen=True, slots=True)
class SyncRequest:
    """One sync as it goes out. `timeout` is how long to wait for its answer, in seconds."""

    sequence: int
    sent_at: float
    wait: int
    timeout: float
    claims: tuple[str, ...]
    body: dict[str, Any]


class Agent:
    """The claims, releases, term and pace of one process. `jitter` returns numbers in [0, 1)."""

    def __init__(self, name: str, boot: str, jitter: Callable[[], float]) -> None:
        self.name = name
        self.boot = boot
        self.term = 0
        self.sequence = 0
        self.sessions: dict[str, Session] = {}
        self.releases: dict[str, float] = {}
        """Claim ids to release, each with the time after which it is given up."""
        self.silent_since: float | None = None
        """When the coordinator stopped answering; None while it answers."""
        self.ran_without = 0
        """Loads that were let run without a slot since a coordinator last answered."""
        self._jitter = jitter
        self._answered = 0
        self._answered_at = -inf
        self._failing_since: float | None = None
        self._open = False  # whether the newest request still waits for its answer
        self._sent_at = -inf
        self._dirty = False
        self._next = -inf
        self._not_before = -inf

    @property
    def idle(self) -> bool:
        """Whether there is nothing to say and nobody to wait for."""
        return not (self.sessions or self.releases)

    def join(self, session: Session, now: float) -> None:
        """Speak for `session` from now on. Raises `ValueError` on a full agent or a known id."""
        if session.claim in self.sessions or session.claim in self.releases:
            raise ValueError(f"claim {session.claim!r} is in use in this process already")
        if len(self.sessions) >= MOST_CLAIMS:
            raise ValueError(f"one client has at most {MOST_CLAIMS} claims at a time")
        session.ask(now)
        self.sessions[session.claim] = session
        self._dirty = True

    def leave(self, session: Session, now: float) -> None:
        """Release `session`, or take it out of the queue."""
        waited = session.state is State.WAITING
        session.leave()
        self._retire(session, now, QUEUE_PATIENCE if waited else inf)

    def forget(self, claim: str) -> None:
        """Stop repeating the release of `claim`, confirmed or not."""
        self.releases.pop(claim, None)

    def elapse(self, now: float) -> list[str]:
        """Let time pass. Returns the releases given up unconfirmed: the TTL will free them."""
        for session in list(self.sessions.values()):
            session.elapse(now)
            if now >= self._unavailable_at(session):
                self._unavailable(session)
            self._retire(session, now, QUEUE_PATIENCE)
        dropped = [claim for claim, until in self.releases.items() if now >= until]
        for claim in dropped:
            del self.releases[claim]
        return dropped

    def next_change(self) -> float:
        """When `elapse` has something to do; infinity when time alone changes nothing."""
        times = [*self.releases.values()]
        for session in self.sessions.values():
            times += (session.next_change, self._unavailable_at(session))
        return min(times, default=inf)

    def due(self, now: float) -> float:
        """When the next request is to be sent; infinity when nothing is to be said."""
        retries = [s.retry_at for s in self.sessions.values() if s.retry_at > now]
        soonest = min(retries, default=inf)
        if not (self.releases or self._listed(now)):
            return soonest
        again = [s.retry_at for s in self.sessions.values() if self._sent_at < s.retry_at <= now]
        if self._dirty or again:
            return max(self._not_before, self._sent_at + SHORTEST_PAUSE)
        return soonest if self._open else min(soonest, self._next)

    def request(self, now: float) -> SyncRequest:
        """The next sync: all claims, and all releases not yet confirmed."""
        listed = self._listed(now)
        self.sequence += 1
        self._sent_at, self._dirty, self._open = now, False, True
        for session in listed:
            session.sent = True
        wait, timeout = self._waits(listed)
        body = {
            "agent": self.name,
            "boot": self.boot,
            "sequence": self.sequence,
            "waitSeconds": wait,
            "claims": [_element(session) for session in listed],
            "releases": list(self.releases)[:MOST_CLAIMS],
        }
        claims = tuple(session.claim for session in listed)
        return SyncRequest(self.sequence, now, wait, timeout, claims, body)

    def replied(self, request: SyncRequest, reply: Reply, now: float) -> None:
        """`request` got an HTTP answer."""
        try:
            meaning = read_reply(reply)
        except MalformedError:
            self.unanswered(request, now, reply.retry_after)
            return
        if isinstance(meaning, Answer):
            self._answer(request, meaning, now)
        elif meaning.passing:
            alive = meaning.status == 429
            self.unanswered(request, now, meaning.retry_after, alive=alive)
        else:
            self._refused(request, meaning, now)

    def unanswered(
        self,
        request: SyncRequest,
        now: float,
        retry_after: float | None = None,
        *,
        alive: bool = False,
    ) -> None:
        """`request` got no usable answer. `alive`: there is a coordinator, it only has no time."""
        if request.sequence != self.sequence:
            return  # an older one, ended by its successor
        self._open = False
        for session in self._of(request.claims):
            session.tried = True
        if not alive and self.silent_since is None:
            self.silent_since = now
        self._next = self._not_before = now + self._pause(now, retry_after)

    def _answer(self, request: SyncRequest, answer: Answer, now: float) -> None:
        if answer.term < self.term and now < self._answered_at + DEPOSED:
            self.unanswered(request, now)
            return
        if request.sequence < self._answered:
            return
        self.term, self._answered, self.silent_since = answer.term, request.sequence, None
        self._answered_at, self._failing_since, self._not_before = now, None, -inf
        news = self._hear(request, answer, now)
        if request.sequence == self.sequence:
            self._open = False
            self._next = self._after(request, answer.retry_after, news, now)
            if answer.retry_after:
                self._not_before = self._next

    def _hear(self, request: SyncRequest, answer: Answer, now: float) -> bool:
        """Feed the answer to the sessions. Returns whether the next request says something new."""
        news = False
        for session in self._of(request.claims):
            if (told := answer.told.get(session.claim)) is None:
                continue
            before = (session.state, session.place is None, session.grant)
            session.hear(told, request.sent_at, now)
            news |= before != (session.state, session.place is None, session.grant)
            self._retire(session, now, inf)
        for claim in answer.released:
            news |= self.releases.pop(claim, None) is not None
        return news

    def _after(self, request: SyncRequest, hint: float | None, news: bool, now: float) -> float:
        """When to sync again after an answer. Nobody who answers early makes this loop hot."""
        if hint:
            return now + self._bounded(hint)
        if news or now >= request.sent_at + request.wait:
            return now
        waiting = any(s.state is State.WAITING for s in self.sessions.values())
        if waiting or self.releases:
            return max(now, request.sent_at + 1.0)
        return max(now, request.sent_at + self._third())

    def _refused(self, request: SyncRequest, problem: Problem, now: float) -> None:
        """A definite no to the whole request. It says nothing of what is held: that waits."""
        if request.sequence != self.sequence:
            return  # stale, as it should be
        self._open = False
        if problem.name == "stale-sync":
            self._rename(request, now)
            return
        blamed = claims_blamed(problem)
        claims = [c for i, c in enumerate(request.claims) if i in blamed] or request.claims
        for session in self._of(claims):
            if session.grant is None:
                session.hear(Rejected(problem), request.sent_at, now)
                self._retire(session, now, inf)
        self.silent_since, self._not_before = None, now + self._pause(now, None)
        self._next = self._not_before

    def _rename(self, request: SyncRequest, now: float) -> None:
        """Another process has our name (two containers of a Pod): go on under one of our own."""
        own = f"{self.name[:200]}/{self.boot}"
        taken = self.name.endswith(self.boot)
        self.name = self.name if taken else own
        self.unanswered(request, now, alive=True)

    def _retire(self, session: Session, now: float, patience: float) -> None:
        """Take a session that is over out of the requests, and release what it leaves behind."""
        if session.listed or self.sessions.get(session.claim) is not session:
            return
        del self.sessions[session.claim]
        self._dirty = True
        if not session.owes_release:
            return
        patience = min(patience, session.patience.release_timeout)
        # A load that runs without a slot keeps knocking, so that its run gets reported.
        self.releases[session.claim] = now + patience if session.governed else inf

    def _unavailable_at(self, session: Session) -> float:
        """When `session` takes the coordinator for unavailable; infinity while it answers."""
        if session.state is not State.WAITING or session.patience.if_unavailable == "wait":
            return inf
        since = session.asked_at
        if self.silent_since is not None:
            since = max(since, self.silent_since)
        elif session.heard:
            return inf
        return since + session.patience.unavailable_after

    def _unavailable(self, session: Session) -> None:
        if session.patience.if_unavailable == "fail":
            session.give_up()
            session.owes_release = False  # nobody is there to be told
        else:
            session.run_without()
            self.ran_without += 1
            if self.silent_since is None:  # the very first request still waits for its answer
                self.silent_since = session.asked_at

    def _listed(self, now: float) -> list[Session]:
        return [s for s in self.sessions.values() if s.grant is not None or s.retry_at <= now]

    def _of(self, claims: Iterable[str]) -> list[Session]:
        found = (self.sessions.get(claim) for claim in claims)
        return [s for s in found if s is not None and s.state in LISTED]

    def _third(self) -> float:
        """A third of the smallest TTL held, in seconds; infinity while nothing is held."""
        held = ((s.terms.ttl, s.grant.ttl) for s in self.sessions.values() if s.grant)
        return min((min(ttls) / 3 for ttls in held), default=inf)

    def _waits(self, listed: list[Session]) -> tuple[int, float]:
        """`waitSeconds`, and how long to wait for the answer.

        After a silence the first request does not wait: whether anybody is there matters more. One
        whose answer should come at once waits so short that a lost one is soon sent again. A claim
        that queues waits no longer than a third of its TTL either, for a grant counts from the
        request that it answers.
        """
        third = min([self._third(), *(session.terms.ttl / 3 for session in listed)])
        urgent = bool(self.releases) or any(not s.heard for s in listed)
        longest = URGENT_WAIT if urgent else LONGEST_WAIT
        wait = 0 if self.silent_since is not None else int(min(longest, third))
        return wait, wait + min(LONGEST_PAUSE, third / 2)

    def _pause(self, now: float, retry_after: float | None) -> float:
        """Seconds to the next attempt.

        A restarted coordinator serves those first who come back within its settling second, so
        the pause grows slowly with the outage: 0.1 to 0.5 s at first, at most 5 s.
        """
        if self._failing_since is None:
            self._failing_since = now
        if retry_after:
            return self._bounded(retry_after) * (1 + 0.25 * self._jitter())
        longest = min(LONGEST_PAUSE, max(0.5, (now - self._failing_since) / 10))
        return longest * (0.2 + 0.8 * self._jitter())

    def _bounded(self, hint: float) -> float:
        """A Retry-After is obeyed for at most a minute, and not at the cost of what is held."""
        return max(0.1, min(hint, 60.0, self._third()))


def _element(session: Session) -> dict[str, Any]:
    body = session.terms.body()
    if session.grant is not None:
        body["fencingToken"] = session.grant.token
    elif session.place is not None:
        body["ticket"] = session.place.ticket
    return body
