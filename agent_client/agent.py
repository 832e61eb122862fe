"""All claims of one process as one stream of syncs: what to send, when, and what answers mean.

Pure, like the sessions: the time and a source of jitter are passed in. Rules kept here:

- Only the newest answered request counts; an answer to an older one is dropped, and so is one
  of a deposed leader: with a lower term than one that answered within the last `DEPOSED` seconds.
- A new claim or release is sent at once, although an older request may still wait for its answer.
- A release is repeated until an answer lists it as committed, or its patience ends.
- A claim whose TTL passed unanswered is asked for at once: a machine that slept learns where it is.
- An agent that departs says so of what it holds, and releases nothing.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from agent_client.messages import (
    Answer,
    MalformedError,
    Problem,
    Rejected,
    Reply,
    claims_blamed,
    read_reply,
)
from agent_client.pace import Pace
from agent_client.session import LISTED, Session, State
from agent_client.sync import SyncRequest, element, third, waits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MOST_CLAIMS = 1000
"""The protocol's limit, for claims as for releases of one request."""
DEPOSED = 30.0
"""Seconds for which a lower term is ignored. A deposed leader is silent after 10; a term that is
still lower later is not old: the API server's numbers began anew (etcd from a backup)."""
LATE = 1.0
"""Seconds past a request's timeout after which this process must have been stopped, or asleep."""
QUEUE_PATIENCE = 2.0
"""Seconds to wait for a confirmed leave from the queue: a silent claim is granted nothing (P8)."""


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
        self._pace = Pace(jitter)
        self._answered = 0
        self._answered_at = -inf
        self._parted: int | None = None  # the last request before `depart`

    @property
    def idle(self) -> bool:
        """Whether there is nothing to say and nobody to wait for."""
        return not (self.sessions or self.releases)

    @property
    def departing(self) -> bool:
        """Whether this agent has said, or is saying, its last words."""
        return self._parted is not None

    @property
    def departed(self) -> bool:
        """Whether its last words were answered, or there was nobody to speak of."""
        return self._parted is not None and (self.idle or self._answered > self._parted)

    def join(self, session: Session, now: float) -> None:
        """Speak for `session` from now on. Raises `ValueError` on a full agent or a known id."""
        if session.claim in self.sessions or session.claim in self.releases:
            raise ValueError(f"claim {session.claim!r} is in use in this process already")
        if len(self.sessions) >= MOST_CLAIMS:
            raise ValueError(f"one client has at most {MOST_CLAIMS} claims at a time")
        if session.state is State.IDLE:  # else it resumes what it had before a restart
            session.ask(now)
        self.sessions[session.claim] = session
        self._pace.hurry()

    def leave(self, session: Session, now: float) -> None:
        """Release `session`, or take it out of the queue."""
        waited = session.state is State.WAITING
        session.leave()
        self._retire(session, now, QUEUE_PATIENCE if waited else inf)

    def depart(self, now: float) -> None:
        """Go, while the loads may live on. What waits leaves the queue; what is held is marked as
        ending in the next request, and nothing of it is released."""
        if self.departing:
            return
        self._parted = self.sequence
        for session in list(self.sessions.values()):
            if session.state is State.WAITING:
                self.leave(session, now)
            else:
                session.departing = True
        self._pace.last_words()

    def abandon(self, session: Session) -> None:
        """Stop speaking for `session` and release nothing: its TTL and its Pod decide."""
        if self.sessions.get(session.claim) is session:
            del self.sessions[session.claim]

    def forget(self, claim: str) -> None:
        """Stop repeating the release of `claim`, confirmed or not."""
        self.releases.pop(claim, None)

    def elapse(self, now: float) -> list[str]:
        """Let time pass. Returns the releases given up unconfirmed: the TTL will free them."""
        for session in list(self.sessions.values()):
            if session.elapse(now) is State.UNCONFIRMED:
                self._pace.hurry()
            if now >= session.unavailable_at(self.silent_since):
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
            times += (session.next_change, session.unavailable_at(self.silent_since))
        return min(times, default=inf)

    def due(self, now: float) -> float:
        """When the next request is to be sent; infinity when nothing is to be said."""
        retries = [s.retry_at for s in self.sessions.values() if s.retry_at > now]
        soonest = min(retries, default=inf)
        if not (self.releases or self._listed(now)):
            return soonest
        sent_at = self._pace.sent_at
        again = any(sent_at < s.retry_at <= now for s in self.sessions.values())
        return self._pace.due(again=again, soonest=soonest)

    def request(self, now: float) -> SyncRequest:
        """The next sync: all claims, and all releases not yet confirmed."""
        listed = self._listed(now)
        self.sequence += 1
        self._pace.sent(now)
        quick = self.silent_since is not None or self.departing
        wait, timeout = waits(listed, urgent=bool(self.releases), quick=quick)
        body = {
            "agent": self.name,
            "boot": self.boot,
            "sequence": self.sequence,
            "waitSeconds": wait,
            "claims": [element(session) for session in listed],
            "releases": list(self.releases)[:MOST_CLAIMS],
        }
        for session in listed:
            session.sent, session.doubted = True, False
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
        for session in self._of(request.claims):
            session.tried = True
        if now > request.sent_at + request.timeout + LATE:
            self._pace.rest(now, firm=False)
            return  # we were away ourselves: that says nothing about the coordinator
        if not alive and self.silent_since is None:
            self.silent_since = now
        self._pace.failed(now, self._bounded(retry_after))

    def _answer(self, request: SyncRequest, answer: Answer, now: float) -> None:
        if answer.term < self.term and now < self._answered_at + DEPOSED:
            self.unanswered(request, now)
            return
        if request.sequence < self._answered:
            return
        self.term, self._answered, self.silent_since = answer.term, request.sequence, None
        self._answered_at = now
        self._pace.answered()
        news = self._hear(request, answer, now)
        if request.sequence == self.sequence:
            after = self._after(request, answer.retry_after, news, now)
            self._pace.rest(after, firm=bool(answer.retry_after))

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
        for claim in (*answer.released, *answer.not_released):
            news |= self.releases.pop(claim, None) is not None
        return news

    def _after(self, request: SyncRequest, hint: float | None, news: bool, now: float) -> float:
        """When to sync again after an answer. Nobody who answers early makes this loop hot."""
        if firm := self._bounded(hint):
            return now + firm
        if news or now >= request.sent_at + request.wait:
            return now
        waiting = any(s.state is State.WAITING for s in self.sessions.values())
        if waiting or self.releases:
            return max(now, request.sent_at + 1.0)
        return max(now, request.sent_at + third(self.sessions.values()))

    def _refused(self, request: SyncRequest, problem: Problem, now: float) -> None:
        """A definite no to the whole request. It says nothing of what is held: that waits."""
        if request.sequence != self.sequence:
            return  # stale, as it should be
        if problem.name == "stale-sync":
            self._rename(request, now)
            return
        blamed = claims_blamed(problem)
        claims = [c for i, c in enumerate(request.claims) if i in blamed] or request.claims
        for session in self._of(claims):
            if session.grant is None:
                session.hear(Rejected(problem), request.sent_at, now)
                self._retire(session, now, inf)
        if problem.status == 403 and self._of(request.claims):
            self.unanswered(request, now)  # rights come back; for what is held it is an outage
            return
        self.silent_since = None
        self._pace.failed(now, None)

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
        self._pace.hurry()
        if not session.owes_release:
            return
        patience = min(patience, session.patience.release_timeout)
        # A load that runs without a slot keeps knocking, so that its run gets reported.
        self.releases[session.claim] = now + patience if session.governed else inf

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

    def _bounded(self, hint: float | None) -> float | None:
        """A Retry-After is obeyed for at most a minute, and not at the cost of what is held."""
        return max(0.1, min(hint, 60.0, third(self.sessions.values()))) if hint else None
