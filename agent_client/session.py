"""One claim's session: a pure state machine. The time is passed in; nothing is awaited or logged.

    idle ──ask──> waiting ──granted──> held <──granted── unconfirmed
                   │  │                 │ └──silence──────────^  │
                   │  └─no coordinator──│────("run")───────────^ │
                   │                    └───────lost──────┬──────┘
                   │ refused            leave, timeout     v
                   v                        v             lost
                refused                  released

A claim is *held* until the send time of its last answered sync + TTL - margin. An answer that
arrives after that renews nothing. Silence past it makes the claim *unconfirmed*: perhaps still its
own, perhaps not. Only a definite word of the coordinator makes it *lost*.

An illegal event raises `IllegalEventError` and changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from math import inf
from typing import Literal

from agent_client.messages import Gone, Granted, Problem, Queued, Rejected, Settling, Terms, Told

IfUnavailable = Literal["wait", "run", "fail"]

RELEASE_TIMEOUT = 20.0
"""Seconds that a release may take: when the leader dies, nobody can confirm one for up to 18."""


class State(StrEnum):
    """Where a claim stands, as its agent knows it."""

    IDLE = "idle"
    WAITING = "waiting"
    HELD = "held"
    UNCONFIRMED = "unconfirmed"
    LOST = "lost"
    RELEASED = "released"
    REFUSED = "refused"


class Ending(StrEnum):
    """Why a claim was released."""

    LEFT = "left"
    TIMEOUT = "timeout"
    UNAVAILABLE = "unavailable"


class IllegalEventError(RuntimeError):
    """An event came in a state that does not know it."""


LISTED = frozenset({State.WAITING, State.HELD, State.UNCONFIRMED})
"""The states in which the agent speaks for the claim."""

FIRST_TRY, SHORTEST_TIMEOUT = 5.0, 1.0
"""Seconds that a claim gives its first request, and then at least to the grant's write: without
them a timeout of 0 would not get a slot that is free."""

EVENTS: dict[str, frozenset[State]] = {
    "ask": frozenset({State.IDLE}),
    "resume": frozenset({State.IDLE}),
    "hear": LISTED,
    "run without a slot": frozenset({State.WAITING}),
    "give up": frozenset({State.WAITING}),
    "leave": LISTED | {State.IDLE},
}
"""In which states an event is legal. Time may pass in all of them."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a claim waits, in seconds, and what it does when no coordinator answers."""

    timeout: float = inf
    if_unavailable: IfUnavailable = "wait"
    unavailable_after: float = 30.0
    release_timeout: float = RELEASE_TIMEOUT


def margin(ttl: float) -> float:
    """Seconds before the TTL at which the agent stops trusting: clocks drift, threads are late."""
    return max(1.0, ttl / 20)


@dataclass(slots=True)
class Session:
    """What an agent knows of one claim. Read the fields; change them by events only."""

    terms: Terms
    patience: Patience = field(default_factory=Patience)
    state: State = State.IDLE
    asked_at: float = -inf
    sent: bool = False
    """Whether a request ever named the claim: if not, there is nothing to take back."""
    heard: bool = False
    """Whether any answer ever spoke of the claim."""
    tried: bool = False
    """Whether a request that named the claim came to an end, well or not."""
    place: Queued | None = None
    grant: Granted | None = None
    held_until: float = -inf
    retry_at: float = -inf
    """Not to be asked again before this, as far as it is waiting."""
    problem: Problem | None = None
    ending: Ending | None = None
    owes_release: bool = False
    """Whether the coordinator is to be told that the claim is over."""
    doubted: bool = False
    """Whether it became unconfirmed and no request has asked for it since."""
    departing: bool = False
    """Whether its agent is going, and its load perhaps with it."""

    @property
    def claim(self) -> str:
        """The claim's id."""
        return self.terms.claim

    @property
    def governed(self) -> bool:
        """False once the load was let run without a slot because no coordinator answered."""
        return not (self.grant is None and self.state is State.UNCONFIRMED)

    @property
    def listed(self) -> bool:
        """Whether requests carry the claim."""
        return self.state in LISTED and self.governed

    @property
    def next_change(self) -> float:
        """When the passing of time alone changes this session; infinity when it never does."""
        if self.state is State.WAITING:
            timeout = self.patience.timeout
            least = SHORTEST_TIMEOUT if self.tried else FIRST_TRY
            return self.asked_at + max(timeout, least)
        return self.held_until if self.state is State.HELD else inf

    def state_at(self, now: float) -> State:
        """The state at `now`, also when nobody has called `elapse` since."""
        overdue = self.state is State.HELD and now >= self.held_until
        return State.UNCONFIRMED if overdue else self.state

    def unavailable_at(self, silent_since: float | None) -> float:
        """When the owner takes the coordinator for unavailable; infinity while it answers.

        `silent_since`: when the coordinator stopped answering; None while nobody noticed that.
        """
        if self.state is not State.WAITING or self.patience.if_unavailable == "wait":
            return inf
        since = self.asked_at
        if silent_since is not None:
            since = max(since, silent_since)
        elif self.heard:
            return inf
        return since + self.patience.unavailable_after

    def ask(self, now: float) -> None:
        """The owner wants the slot."""
        self._legal("ask")
        self.state, self.asked_at = State.WAITING, now

    def resume(self, grant: Granted, now: float) -> None:
        """The owner was restarted and knows of a grant from before: unconfirmed until an answer."""
        self._legal("resume")
        self.state, self.asked_at = State.UNCONFIRMED, now
        self.grant, self.sent, self.doubted = grant, True, True

    def hear(self, told: Told, sent_at: float, now: float) -> None:
        """An answer spoke of this claim; its request was sent at `sent_at`."""
        self._legal("hear")
        self.heard = self.tried = True
        match told:
            case Granted():
                self._granted(told, sent_at, now)
            case Queued() if self.state is State.WAITING:
                self.place = told
            case Settling(after):
                self.retry_at = now + after
            case Gone(problem) if self.grant is not None:
                self._lose(problem)
            case Rejected(problem):
                self._rejected(problem, now)

    def elapse(self, now: float) -> State | None:
        """Time passed. Returns the new state if that changed it."""
        if now < self.next_change:
            return None
        if self.state is State.WAITING:
            self._end(State.RELEASED, Ending.TIMEOUT)
        else:
            self.state, self.doubted = State.UNCONFIRMED, True
        return self.state

    def run_without(self) -> None:
        """No coordinator answers and the owner chose to run then: the claim is withdrawn."""
        self._legal("run without a slot")
        self.state, self.owes_release = State.UNCONFIRMED, True

    def give_up(self) -> None:
        """No coordinator answers and the owner chose to fail then."""
        self._legal("give up")
        self._end(State.RELEASED, Ending.UNAVAILABLE)

    def leave(self) -> None:
        """The owner is done, or does not want the slot any more."""
        self._legal("leave")
        self._end(State.RELEASED, Ending.LEFT)

    def _granted(self, grant: Granted, sent_at: float, now: float) -> None:
        if self.grant is not None and grant.token != self.grant.token:
            self._lose(None)  # somebody else may have had the slot in between
            self.owes_release = True
            return
        ttl = min(grant.ttl, self.terms.ttl)
        until = sent_at + ttl - margin(ttl)
        if until > now:
            self.state, self.grant = State.HELD, grant
            self.held_until = max(self.held_until, until)

    def _rejected(self, problem: Problem, now: float) -> None:
        if problem.passing:
            self.retry_at = now + (1.0 if problem.retry_after is None else problem.retry_after)
        elif self.grant is not None:
            self._lose(problem)
        else:
            self.problem = problem
            self._end(State.REFUSED)

    def _lose(self, problem: Problem | None) -> None:
        self.problem = problem
        self._end(State.LOST)

    def _end(self, state: State, ending: Ending | None = None) -> None:
        """Refused and lost are the coordinator's own words, it need not be told."""
        self.owes_release = state is State.RELEASED and self.sent
        self.state, self.ending = state, ending

    def _legal(self, event: str) -> None:
        if self.state not in EVENTS[event]:
            raise IllegalEventError(f"claim {self.claim!r} is {self.state}: it cannot {event}")
