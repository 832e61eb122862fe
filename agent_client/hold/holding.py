"""One load's slot, asked for again whenever it was lost. Pure: the time is passed in.

The load runs in other containers, which hold cannot stop. So a lost slot is asked for again: the
load runs on, and the node shall count it. So is one that the load went without in an outage.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from agent_client.hold.identity import claim_id
from agent_client.session import Ending, Session, State

if TYPE_CHECKING:
    from agent_client.agent import Agent
    from agent_client.messages import Problem, Terms
    from agent_client.session import Patience

RELEASED = "released"
"""The coordinator's problem with an id that left the queue or gave its slot back a moment ago."""


@dataclass(frozen=True, slots=True)
class Before:
    """What this container asked for before it was restarted, and the token of what it held."""

    generation: int = 0
    token: int | None = None


class Holding:
    """The claim of one load; `terms.claim` is the stem of its id, `generation` the rest of it."""

    session: Session

    def __init__(self, agent: Agent, terms: Terms, patience: Patience, before: Before) -> None:
        self.stem = terms.claim
        self.generation = before.generation
        self.losses = 0
        """How often the slot was lost, as far as this process knows."""
        self.loss = ""
        """Why it was lost the last time."""
        self.ran_without = False
        """Whether the load was let run without a slot, and has had none since."""
        self._agent = agent
        self._terms = terms
        self._patience = patience
        self._before = before.token

    @property
    def problem(self) -> Problem | None:
        """The refusal that ends it all, if there was one."""
        return self.session.problem if self.session.state is State.REFUSED else None

    @property
    def unavailable(self) -> bool:
        """Whether nobody answered, and the owner chose to fail then."""
        return self.session.ending is Ending.UNAVAILABLE

    def ask(self, now: float) -> None:
        """Ask for the slot, under an id that is not just being released."""
        while self._claim() in self._agent.releases:
            self.generation += 1
        self.session = Session(replace(self._terms, claim=self._claim()), self._patience)
        self._agent.join(self.session, now)

    def step(self, now: float) -> None:
        """Take up what the last answer, or the time, did to the session."""
        session = self.session
        self.ran_without = not session.governed or (self.ran_without and session.grant is None)
        if self._is_over(session):
            self.generation += 1
            self.ask(now)
        elif session.state is State.LOST:
            self._lose(str(session.problem or "somebody else may have had it meanwhile"))
            self.ask(now)
        elif self._before is not None and (session.grant or session.place):
            token = session.grant.token if session.grant else None
            if token != self._before:
                self._lose("it was freed while hold was away")
            self._before = None

    def _is_over(self, session: Session) -> bool:
        """Whether this id is of no use any more: withdrawn a moment ago, as a coordinator says."""
        if not session.governed:
            silent = self._agent.silent_since is not None
            return not silent and session.claim not in self._agent.releases
        return self.problem is not None and self.problem.name == RELEASED

    def _claim(self) -> str:
        return claim_id(self._terms.claim, self.generation)

    def _lose(self, why: str) -> None:
        self.losses += 1
        self.loss = why
