"""The composed syncs: what goes out, when, and which answers count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from agent_client.agent import Agent
from agent_client.messages import Reply, Terms
from agent_client.session import Patience, Session, State
from tests.agent_client.fake import problem

if TYPE_CHECKING:
    from agent_client.sync import SyncRequest


def an_agent() -> Agent:
    return Agent("pod/1", "boot-1", lambda: 0.5)


def joined(agent: Agent, claim: str, now: float = 0.0, ttl: int = 60) -> Session:
    session = Session(Terms(claim, "load-" + claim, ttl=ttl), Patience())
    agent.join(session, now)
    return session


def granted(claim: str, token: int = 1201, ttl: int = 60) -> dict[str, Any]:
    place = {"slot": 0, "lease": "node1-slot-0", "ttlSeconds": ttl}
    return {"claim": claim, "state": "granted", "fencingToken": token, **place}


def queued(claim: str, ticket: str = "7.1") -> dict[str, Any]:
    return {"claim": claim, "state": "queued", "position": 1, "ticket": ticket, "reason": "full"}


def answer(*states: dict[str, Any], term: int = 7, **extra: Any) -> Reply:
    return Reply(200, {"term": term, "sequence": 0, "claims": list(states), **extra})


def sent(agent: Agent, now: float) -> SyncRequest:
    assert agent.due(now) <= now, "no request is due"
    return agent.request(now)


def held(agent: Agent, claim: str = "a", ttl: int = 60) -> Session:
    """A session held since 0.0, whose confirming sync was answered at once."""
    session = joined(agent, claim, ttl=ttl)
    agent.replied(sent(agent, 0.0), answer(granted(claim, ttl=ttl)), 0.1)
    agent.replied(sent(agent, 0.1), answer(granted(claim, ttl=ttl)), 0.2)
    return session


def test_the_first_request_carries_the_terms_and_neither_ticket_nor_token() -> None:
    agent = an_agent()
    joined(agent, "a")
    assert sent(agent, 0.0).body == {
        "agent": "pod/1",
        "boot": "boot-1",
        "sequence": 1,
        "waitSeconds": 2,
        "claims": [{"claim": "a", "load": "load-a", "priority": 0, "ttlSeconds": 60}],
        "releases": [],
    }


def test_the_ticket_then_the_token_travel_with_the_claim() -> None:
    agent = an_agent()
    joined(agent, "a")
    agent.replied(sent(agent, 0.0), answer(queued("a", "7.1")), 0.1)
    waiting = sent(agent, 0.1)
    assert waiting.body["claims"][0]["ticket"] == "7.1"
    assert waiting.body["waitSeconds"] == 20
    agent.replied(waiting, answer(granted("a", 1201)), 9.0)
    confirming = sent(agent, 9.0).body["claims"][0]
    assert confirming["fencingToken"] == 1201
    assert "ticket" not in confirming


@pytest.mark.parametrize(("ttl", "wait", "timeout"), [(10, 3, 4.67), (30, 10, 15), (600, 20, 25)])
def test_a_holder_waits_at_most_a_third_of_its_ttl(ttl: int, wait: int, timeout: float) -> None:
    agent = an_agent()
    held(agent, ttl=ttl)
    request = sent(agent, ttl / 3 + 1)
    assert request.wait == wait
    assert request.timeout == pytest.approx(timeout, abs=0.01)


def test_the_smallest_ttl_held_sets_the_pace() -> None:
    agent = an_agent()
    held(agent, "a", ttl=600)
    joined(agent, "b", 1.0, ttl=12)
    agent.replied(sent(agent, 1.0), answer(granted("a", ttl=600), granted("b", 9, ttl=12)), 1.1)
    assert sent(agent, 1.1).wait == 4


def test_a_new_claim_is_sent_at_once_beside_a_waiting_request() -> None:
    agent = an_agent()
    held(agent)
    old = sent(agent, 21.0)
    assert agent.due(22.0) > 22.0
    joined(agent, "b", 22.0)
    new = sent(agent, 22.0)
    assert (new.sequence, new.claims) == (old.sequence + 1, ("a", "b"))


def test_the_answer_to_an_older_request_is_dropped_once_a_newer_was_answered() -> None:
    agent = an_agent()
    session = held(agent)
    old = sent(agent, 21.0)
    joined(agent, "b", 22.0)
    agent.replied(sent(agent, 22.0), answer(granted("a"), queued("b")), 22.1)
    lost = {"claim": "a", "state": "lost", "problem": problem("slot-lost", 409)}
    agent.replied(old, answer(lost), 22.2)
    assert session.state is State.HELD


def test_the_answer_to_an_older_request_counts_while_nothing_newer_was_answered() -> None:
    agent = an_agent()
    session = held(agent)
    old = sent(agent, 21.0)
    joined(agent, "b", 22.0)
    sent(agent, 22.0)
    before = session.held_until
    agent.replied(old, answer(granted("a")), 22.1)
    assert session.held_until == before + (21.0 - 0.1)


def test_a_lower_term_is_ignored_and_a_higher_one_remembered() -> None:
    agent = an_agent()
    session = held(agent)
    before = session.held_until
    agent.replied(sent(agent, 21.0), answer(granted("a"), term=6), 21.1)
    assert (agent.term, session.held_until) == (7, before)
    agent.replied(sent(agent, 25.0), answer(granted("a"), term=9), 25.1)
    assert agent.term == 9


def test_a_term_that_is_lower_for_good_is_followed_again() -> None:
    agent = an_agent()
    session = held(agent)
    before = session.held_until
    agent.replied(sent(agent, 21.0), answer(granted("a"), term=3), 21.1)
    assert (agent.term, session.held_until) == (7, before)
    agent.replied(sent(agent, 31.0), answer(granted("a"), term=3), 31.1)
    assert agent.term == 3
    assert session.held_until > before
    assert session.held_until > before


def test_a_release_is_repeated_until_it_is_confirmed() -> None:
    agent = an_agent()
    session = held(agent)
    agent.leave(session, 5.0)
    for now in (5.0, 7.0):
        request = sent(agent, now)
        assert (request.body["claims"], request.body["releases"]) == ([], ["a"])
        agent.replied(request, answer(released=[]), now + 0.1)
    agent.replied(sent(agent, 9.0), answer(released=["a"]), 9.1)
    assert agent.idle


def test_a_release_is_given_up_when_its_patience_ends() -> None:
    agent = an_agent()
    session = held(agent)
    agent.leave(session, 5.0)
    assert agent.next_change() == 25.0
    assert agent.elapse(24.9) == []
    assert agent.elapse(25.0) == ["a"]
    assert agent.idle


def test_leaving_the_queue_waits_a_shorter_time_for_its_confirmation() -> None:
    agent = an_agent()
    session = joined(agent, "a")
    sent(agent, 0.0)
    agent.leave(session, 5.0)
    assert agent.elapse(7.0) == ["a"]


def test_a_confirmation_of_something_not_released_changes_nothing() -> None:
    agent = an_agent()
    session = held(agent)
    agent.replied(sent(agent, 21.0), answer(granted("a"), released=["a", "z"]), 21.1)
    assert session.state is State.HELD


def test_pauses_grow_slowly_with_the_outage_up_to_five_seconds() -> None:
    agent = Agent("pod/1", "boot-1", lambda: 0.999999)
    held(agent)
    now, pauses = 21.0, []
    while now < 120.0:
        agent.unanswered(sent(agent, now), now)
        pauses.append(agent.due(now) - now)
        now += pauses[-1] + 1e-6
    assert pauses[0] == pytest.approx(0.3, abs=0.01), "a successor is often there already"
    assert pauses[1] == pytest.approx(0.5, abs=0.01)
    assert pauses == sorted(pauses)
    assert pauses[-1] == pytest.approx(5.0, abs=0.01)


def test_the_request_after_a_silence_does_not_wait() -> None:
    agent = an_agent()
    held(agent)
    agent.unanswered(sent(agent, 21.0), 21.0)
    probe = sent(agent, 22.0)
    assert probe.wait == 0
    agent.replied(probe, answer(granted("a")), 22.1)
    assert sent(agent, 22.1).wait == 20


@pytest.mark.parametrize(
    ("reply", "pause"),
    [
        (Reply(503, problem("stopping", 503, retryAfter=4)), 4.5),
        (Reply(429, problem("queue-full", 429), 8.0), 9.0),
        (Reply(503, problem("not-ready", 503, retryAfter=9000)), 22.5),
        (Reply(200, {"term": 7, "claims": [granted("a")], "retryAfter": 6}), 6.0),
    ],
)
def test_a_retry_after_sets_the_pause_but_never_past_a_third_of_a_ttl_held(
    reply: Reply, pause: float
) -> None:
    agent = an_agent()
    held(agent)
    agent.replied(sent(agent, 21.0), reply, 21.0)
    assert agent.due(21.0) == pytest.approx(21.0 + pause)
    joined(agent, "b", 21.5)
    assert agent.due(21.5) == pytest.approx(21.0 + pause), "a new claim jumps the pause"


@pytest.mark.parametrize("status", [401, 403])
def test_not_being_let_in_is_an_outage_for_what_is_held(status: int) -> None:
    agent = an_agent()
    holder = held(agent)
    agent.replied(sent(agent, 21.0), Reply(status, problem("no", status)), 21.1)
    assert (holder.state, agent.silent_since) == (State.HELD, 21.1)
    assert 21.1 < agent.due(21.1) <= 26.1
    agent.elapse(holder.held_until)
    assert holder.state is State.UNCONFIRMED
    agent.replied(sent(agent, 70.0), answer(granted("a")), 70.1)
    assert (holder.state, agent.silent_since) == (State.HELD, None)


def test_a_token_that_is_not_accepted_refuses_nobody() -> None:
    agent = an_agent()
    session = joined(agent, "a")
    agent.replied(sent(agent, 0.0), Reply(401, problem("unauthenticated", 401)), 0.1)
    assert (session.state, agent.silent_since) == (State.WAITING, 0.1)


def test_the_release_of_somebody_elses_claim_is_not_repeated() -> None:
    agent = an_agent()
    agent.leave(held(agent), 5.0)
    refused = {"claim": "a", "state": "refused", "problem": problem("forbidden", 403)}
    agent.replied(sent(agent, 5.0), answer(notReleased=[refused]), 5.1)
    assert agent.idle


@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_definite_no_ends_what_waits_and_leaves_what_is_held(status: int) -> None:
    agent = an_agent()
    holder = held(agent)
    waiter = joined(agent, "b", 5.0)
    agent.replied(sent(agent, 5.0), Reply(status, problem("forbidden", status)), 5.1)
    assert (holder.state, waiter.state) == (State.HELD, State.REFUSED)
    agent.elapse(holder.held_until)
    assert holder.state is State.UNCONFIRMED


def test_an_error_page_of_a_proxy_refuses_nobody() -> None:
    agent = an_agent()
    session = joined(agent, "a")
    agent.replied(sent(agent, 0.0), Reply(404, None), 0.1)
    assert session.state is State.WAITING
    assert agent.silent_since == 0.1


def test_a_stale_answer_to_an_older_request_is_as_it_should_be() -> None:
    agent = an_agent()
    held(agent)
    old = sent(agent, 21.0)
    joined(agent, "b", 22.0)
    new = sent(agent, 22.0)
    agent.replied(old, Reply(409, problem("stale-sync", 409)), 22.1)
    assert agent.silent_since is None
    assert agent.due(22.2) > 22.2
    agent.replied(new, answer(granted("a"), queued("b")), 22.3)
    assert agent.name == "pod/1"


def test_a_claim_in_use_cannot_be_asked_for_a_second_time() -> None:
    agent = an_agent()
    held(agent)
    with pytest.raises(ValueError, match="'a' is in use"):
        joined(agent, "a")


def test_an_agent_has_at_most_a_thousand_claims() -> None:
    agent = an_agent()
    for number in range(1000):
        joined(agent, f"c{number}")
    with pytest.raises(ValueError, match="at most 1000"):
        joined(agent, "one-more")


def test_settling_is_asked_again_after_a_second() -> None:
    agent = an_agent()
    joined(agent, "a")
    agent.replied(sent(agent, 0.0), answer({"claim": "a", "state": "settling"}), 0.1)
    assert agent.due(0.1) == 1.1
    assert sent(agent, 1.1).claims == ("a",)


def test_a_release_during_an_outage_is_still_within_the_pace() -> None:
    agent = an_agent()
    session = held(agent)
    agent.unanswered(sent(agent, 21.0), 21.0)
    due = agent.due(21.0)
    agent.leave(session, 21.1)
    assert agent.due(21.1) == due


def test_a_claim_that_queues_waits_a_third_of_its_ttl_so_that_a_late_grant_is_worth_something() -> (
    None
):
    agent = an_agent()
    session = joined(agent, "a", ttl=12)
    agent.replied(sent(agent, 0.0), answer(queued("a")), 0.1)
    waits = sent(agent, 0.1)
    assert waits.wait == 4
    agent.replied(waits, answer(granted("a", ttl=12)), 0.1 + waits.timeout)
    assert session.held_until - (0.1 + waits.timeout) > 12 / 3
