"""Mistakes of agents about what they hold, and whom they believe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent_client import session as sessions
from agent_client.agent import Agent
from agent_client.session import Session, State, margin

if TYPE_CHECKING:
    from agent_client.messages import Answer, Granted
    from agent_client.sync import SyncRequest
    from tests.simulation.planted.bug import Patch


def late_answers_renew(patch: Patch) -> None:
    """The agent counts from an answer's arrival, however long the answer took."""

    def granted(session: Session, grant: Granted, sent_at: float, now: float) -> None:
        ttl = min(grant.ttl, session.terms.ttl)
        session.state, session.grant = State.HELD, grant
        session.held_until = max(session.held_until, now + ttl - margin(ttl))

    patch.setattr(Session, "_granted", granted)


def lost_is_ignored(patch: Patch) -> None:
    """The agent goes on when it is told that its slot is gone."""
    patch.setattr(Session, "_lose", lambda session, problem: None)


def silence_is_ignored(patch: Patch) -> None:
    """The agent believes to hold for as long as nobody tells it otherwise."""
    patch.setattr(Session, "state_at", lambda session, now: session.state)
    patch.setattr(sessions, "margin", lambda ttl: -1e9)


def another_grant_is_taken_for_its_own(patch: Patch) -> None:
    """A grant with another token goes on where the earlier one ended, as if nobody had been in
    between."""
    real = Session._granted

    def granted(session: Session, grant: Granted, sent_at: float, now: float) -> None:
        session.grant = grant if session.grant is not None else None
        real(session, grant, sent_at, now)

    patch.setattr(Session, "_granted", granted)


def lower_terms_count(patch: Patch) -> None:
    """The agent takes what a deposed leader says."""
    _answering(patch, term=True)


def older_answers_count(patch: Patch) -> None:
    """The agent takes the answer to an older request after that to a newer one."""
    _answering(patch, term=False)


def _answering(patch: Patch, *, term: bool) -> None:
    real = Agent._answer

    def answer(agent: Agent, request: SyncRequest, told: Answer, now: float) -> None:
        if term:
            agent.term = min(agent.term, told.term)
        else:
            agent._answered = min(agent._answered, request.sequence)
        real(agent, request, told, now)

    patch.setattr(Agent, "_answer", answer)


def releases_are_said_once(patch: Patch) -> None:
    """The agent forgets a release once it has sent it, confirmed or not."""
    real = Agent.request

    def request(agent: Agent, now: float) -> SyncRequest:
        made = real(agent, now)
        agent.releases.clear()
        return made

    patch.setattr(Agent, "request", request)


ALL = (
    late_answers_renew,
    lost_is_ignored,
    silence_is_ignored,
    another_grant_is_taken_for_its_own,
    lower_terms_count,
    older_answers_count,
    releases_are_said_once,
)
