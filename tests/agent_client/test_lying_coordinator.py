"""An agent against a coordinator that lies, repeats itself, is late or says nothing."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from agent_client.agent import DEPOSED, LONGEST_PAUSE, Agent, SyncRequest
from agent_client.messages import Reply, Terms
from agent_client.session import LISTED, Patience, Session, State, margin
from tests.agent_client.fake import problem

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
        self.agent = Agent("agent", "boot", lambda: 0.5)
        self.sessions: dict[str, Session] = {}
        self.open: list[SyncRequest] = []
        self.grants: dict[str, list[float]] = {}
        """Send times of requests that were answered with the claim's own grant."""
        self.ends: dict[str, State] = {}
        self.term, self.since = 0, 0.0
        self.numbers = iter(range(10**6))

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
        if self.agent.due(self.now) <= self.now:
            request = self.agent.request(self.now)
            assert request.sequence == self.agent.sequence
            assert all(self.sessions[claim].state in LISTED for claim in request.claims)
            holding = any(self.sessions[claim].grant for claim in request.claims)
            assert request.wait <= TTL / 3 or not holding
            self.open.append(request)

    @precondition(lambda self: self.open)
    @rule(data=st.data(), term=st.integers(1, 3), confirms=st.booleans())
    def answer(self, data: st.DataObject, term: int, confirms: bool) -> None:
        request = self.open.pop(data.draw(st.integers(0, len(self.open) - 1)))
        kinds = {claim: data.draw(told) for claim in request.claims}
        states = [state_of(claim, kind) for claim, kind in kinds.items()]
        released = request.body["releases"] if confirms else []
        for claim, kind in kinds.items():
            if "granted" in kind:
                self.grants.setdefault(claim, []).append(request.sent_at)
        payload = {"term": term, "claims": states, "released": released}
        self.agent.replied(request, Reply(200, payload), self.now)
        if self.agent.term < self.term:
            assert self.now >= self.since + DEPOSED, "a deposed leader was believed"
        if self.agent.term != self.term:
            self.term, self.since = self.agent.term, self.now

    @precondition(lambda self: self.open)
    @rule(data=st.data(), status=st.sampled_from([0, 200, 404, 409, 422, 429, 503]))
    def fail(self, data: st.DataObject, status: int) -> None:
        request = self.open.pop(data.draw(st.integers(0, len(self.open) - 1)))
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
        self.agent.leave(self.sessions[data.draw(st.sampled_from(listed))], self.now)

    @invariant()
    def held_only_within_the_ttl_of_an_answered_request(self) -> None:
        for claim, session in self.sessions.items():
            if session.state_at(self.now) is State.HELD:
                assert any(self.now < at + TTL - margin(TTL) for at in self.grants[claim])

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


TestLyingCoordinator = LyingCoordinator.TestCase
TestLyingCoordinator.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
