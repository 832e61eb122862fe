"""An agent against a coordinator that lies, repeats itself, is late or says nothing.

The agent's own life is no better: its machine sleeps, its process is restarted and asks for the
same claims anew, and it may have to go.
"""

from __future__ import annotations

from math import inf
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from agent_client.agent import DEPOSED, Agent
from agent_client.messages import Reply, Terms
from agent_client.pace import LONGEST_PAUSE
from agent_client.session import LISTED, Ending, Patience, Session, State, margin
from agent_client.slot import Slot
from tests.agent_client.fake import problem

if TYPE_CHECKING:
    from agent_client.sync import SyncRequest

TTL = 30

told = st.sampled_from(["granted", "regranted", "queued", "settling", "lost", "refused", "full"])


def state_of(claim: str, kind: str) -> dict[str, Any]:
    place = {"slot": 0, "lease": "node1-slot-0", "ttlSeconds": TTL}
    states: dict[str, dict[str, Any]] = {
        "granted": {"state": "granted", "fencingToken": 5, **place},
        "regranted": {"state": "granted", "fencingToken": 6, **place},
        "queued": {"state": "queued", "position": 1, "ticket": "1.1"},
        "settling": {"state": "settling"},
        "lost": {"state": "lost", "problem": problem("slot-lost", 409)},
        "refused": {"state": "refused", "problem": problem("released", 410)},
        "full": {"state": "refused", "problem": problem("queue-full", 429, retryAfter=3)},
    }
    return {"claim": claim, **states[kind]}


class LyingCoordinator(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.agent = Agent("agent", "boot-0", lambda: 0.5)
        self.boots = 0
        self.parted: int | None = None
        """The last sequence before the agent departed."""
        self.left: set[str] = set()
        """Claims that their owners gave back or that left the queue."""
        self.troubled = False
        """Whether anything but an answer came of the last request that came to an end."""
        self.sessions: dict[str, Session] = {}
        self.open: list[SyncRequest] = []
        self.grants: dict[str, list[float]] = {}
        """Send times of requests that were answered with the claim's own grant."""
        self.ends: dict[str, State] = {}
        self.tokens: dict[str, int] = {}
        self.term, self.since = 0, 0.0
        self.numbers = iter(range(10**6))

    @initialize(count=st.integers(1, 3))
    def begin(self, count: int) -> None:
        for _ in range(count):
            self.ask("wait", 1e9)

    @precondition(lambda self: self.parted is None)
    @rule(policy=st.sampled_from(["wait", "run", "fail"]), timeout=st.sampled_from([0, 20, 1e9]))
    def ask(self, policy: Any, timeout: float) -> None:
        claim = f"claim-{next(self.numbers)}"
        session = Session(Terms(claim, "load", ttl=TTL), Patience(timeout, policy, 10.0))
        self.agent.join(session, self.now)
        self.sessions[claim] = session

    @rule(seconds=st.floats(0.0, 12.0))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.agent.elapse(self.now)
        self._send_what_is_due()

    @rule(seconds=st.sampled_from([1.0, 15.0, TTL - 1.0, 2.0 * TTL, 5000.0]))
    def stop(self, seconds: float) -> None:
        """The process is stopped: time passes, and nobody looks at the clock."""
        self.now += seconds

    @rule(seconds=st.sampled_from([1.0, 15.0, TTL - 1.0, 2.0 * TTL, 5000.0]))
    def sleep(self, seconds: float) -> None:
        """The machine sleeps: what it held is in doubt, and it asks without waiting for a timer."""
        self.agent.elapse(self.now)
        self._send_what_is_due()
        held = [s for s in self.sessions.values() if s.state is State.HELD]
        self.now += seconds
        in_doubt = any(s.state_at(self.now) is not State.HELD for s in held)
        self.agent.elapse(self.now)
        if in_doubt and not self.troubled:
            assert self.agent.due(self.now) <= self.now, "it waits for an old timer"
            assert self._send_what_is_due().wait == 0

    def _send_what_is_due(self) -> Any:
        if self.agent.due(self.now) <= self.now:
            request = self.agent.request(self.now)
            assert request.sequence == self.agent.sequence
            assert all(self.sessions[claim].state in LISTED for claim in request.claims)
            self._judge(request)
            holding = any(self.sessions[claim].grant for claim in request.claims)
            assert request.wait <= TTL / 3 or not holding
            self.open.append(request)
            return request
        return None

    def _judge(self, request: SyncRequest) -> None:
        """What is said of each claim, and that nothing is released that its owner has not left."""
        assert request.body["boot"] == f"boot-{self.boots}"
        for element in request.body["claims"]:
            grant = self.sessions[element["claim"]].grant
            assert element.get("fencingToken") == (grant.token if grant else None)
            assert element.get("ending", False) is (grant is not None and self.parted is not None)
        over = {c for c, s in self.sessions.items() if s.state is State.LOST or not s.governed}
        ended = {c for c, s in self.sessions.items() if s.ending is Ending.TIMEOUT}
        assert set(request.body["releases"]) <= self.left | over | ended

    @precondition(lambda self: self.parted is None and self._holds())
    @rule()
    def depart(self) -> None:
        self.left |= {c for c, s in self.sessions.items() if s.state is State.WAITING}
        self.parted = self.agent.sequence
        self.agent.depart(self.now)
        assert not any(s.state is State.WAITING for s in self.sessions.values())

    def _holds(self) -> bool:
        return any(s.state is State.HELD for s in self.sessions.values())

    @precondition(lambda self: self.boots < 3 and self._holds())
    @rule()
    def restart(self) -> None:
        """A new process knows nothing but the ids of its loads; it asks for each of them anew."""
        self.boots += 1
        self.agent = Agent("agent", f"boot-{self.boots}", lambda: 0.5)
        self.parted, self.troubled = None, False
        self.term, self.since = 0, self.now
        self.open.clear()
        loads = [session for session in self.sessions.values() if session.listed]
        self.sessions, self.grants, self.ends, self.left = {}, {}, {}, set()
        self.tokens = {}
        for old in loads:
            session = Session(old.terms, old.patience)
            self.agent.join(session, self.now)
            self.sessions[session.claim] = session

    @rule(
        late=st.floats(0.0, 3.0),
        kind=st.sampled_from(["granted", "granted", "queued", "lost"]),
        echo=st.sampled_from(["", "granted", "lost"]),
    )
    def exchange(self, late: float, kind: str, echo: str) -> None:
        """The next request as soon as it is due and its answer, the same for every claim; then
        perhaps an answer to the oldest one that waits."""
        if self.agent.due(self.now) == inf:
            if self.parted is not None:
                return
            self.ask("wait", 1e9)
        self.now = max(self.now, self.agent.due(self.now))
        self.agent.elapse(self.now)
        request = self._send_what_is_due()
        if request is not None:
            self.now += late
            self._answer(request, dict.fromkeys(request.claims, kind), self.agent.term or 1, True)
            self.open.remove(request)
        if echo and self.open:
            old = self.open.pop(0)
            self._answer(old, dict.fromkeys(old.claims, echo), self.agent.term or 1, True)

    @precondition(lambda self: self.open)
    @rule(data=st.data(), term=st.integers(1, 3), confirms=st.booleans())
    def answer(self, data: st.DataObject, term: int, confirms: bool) -> None:
        request = self.open.pop(data.draw(st.integers(0, len(self.open) - 1)))
        kinds = {claim: data.draw(told) for claim in request.claims}
        self._answer(request, kinds, term, confirms)

    def _answer(
        self, request: SyncRequest, kinds: dict[str, str], term: int, confirms: bool
    ) -> None:
        states = [state_of(claim, kind) for claim, kind in kinds.items()]
        released = request.body["releases"] if confirms else []
        for claim, kind in kinds.items():
            if "granted" in kind:
                self.grants.setdefault(claim, []).append(request.sent_at)
        payload = {"term": term, "claims": states, "released": released}
        before, stale = self._known(), request.sequence < self.agent._answered
        departed = self.agent.departed
        self.agent.replied(request, Reply(200, payload), self.now)
        assert not stale or self._known() == before, "an answer to an older request counted"
        self.troubled |= term < self.term or "full" in kinds.values()
        if self.parted is not None and request.sequence <= self.parted:
            assert self.agent.departed in {departed, self.agent.idle}, "an answer to older words"
        if self.agent.term < self.term:
            assert self.now >= self.since + DEPOSED, "a deposed leader was believed"
        if self.agent.term != self.term:
            self.term, self.since = self.agent.term, self.now

    def _known(self) -> list[tuple[object, ...]]:
        return [(s.state, s.grant, s.place, s.held_until) for s in self.sessions.values()]

    @precondition(lambda self: self.open)
    @rule(data=st.data(), status=st.sampled_from([0, 200, 404, 409, 422, 429, 503]))
    def fail(self, data: st.DataObject, status: int) -> None:
        request = self.open.pop(data.draw(st.integers(0, len(self.open) - 1)))
        self.troubled = True
        if status == 0:
            self.agent.unanswered(request, self.now)
        elif status == 200:
            self.agent.replied(request, Reply(200, {"term": "?"}), self.now)
        else:
            name = {409: "stale-sync"}.get(status, "unknown-node")
            self.agent.replied(request, Reply(status, problem(name, status)), self.now)

    @precondition(lambda self: any(s.state in LISTED for s in self.sessions.values()))
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        listed = sorted(c for c, s in self.sessions.items() if s.state in LISTED)
        claim = data.draw(st.sampled_from(listed))
        self.left.add(claim)
        self.agent.leave(self.sessions[claim], self.now)

    @invariant()
    def held_only_within_the_ttl_of_an_answered_request(self) -> None:
        for claim, session in self.sessions.items():
            passes = Slot(session, ("pool", "node"), lambda: self.now, Event).certain
            assert passes is (session.state_at(self.now) is State.HELD or not session.governed)
            if passes and session.governed:
                assert any(self.now < at + TTL - margin(TTL) for at in self.grants[claim])

    @invariant()
    def one_claim_is_one_grant(self) -> None:
        for claim, session in self.sessions.items():
            if session.grant is not None:
                assert self.tokens.setdefault(claim, session.grant.token) == session.grant.token

    @invariant()
    def an_end_is_an_end(self) -> None:
        for claim, session in self.sessions.items():
            if session.state in {State.LOST, State.REFUSED, State.RELEASED}:
                assert self.ends.setdefault(claim, session.state) is session.state

    @invariant()
    def the_next_attempt_is_never_far(self) -> None:
        if any(s.listed for s in self.sessions.values()) and not self.open:
            assert self.agent.due(self.now) <= self.now + max(LONGEST_PAUSE, TTL / 3)

    @invariant()
    def every_claim_that_speaks_is_known_and_no_other(self) -> None:
        listed = {claim for claim, session in self.sessions.items() if session.listed}
        assert set(self.agent.sessions) == listed
        assert not listed & set(self.agent.releases)


TestLyingCoordinator = pytest.mark.timeout(900)(LyingCoordinator.TestCase)
TestLyingCoordinator.settings = settings(max_examples=250, stateful_step_count=40, deadline=None)
