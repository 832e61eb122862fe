"""What an agent says when it goes, when a claim is in doubt, and when a coordinator just went."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agent_client.agent import Agent
from agent_client.messages import Reply
from agent_client.session import State, margin
from tests.agent_client.fake import problem
from tests.agent_client.test_agent import an_agent, answer, granted, held, joined, queued, sent

if TYPE_CHECKING:
    from agent_client.sync import SyncRequest

TTL = 60
OVERDUE = 0.1 + TTL - margin(TTL)


def endings(request: SyncRequest) -> dict[str, bool]:
    return {one["claim"]: one.get("ending", False) for one in request.body["claims"]}


def test_the_last_words_mark_what_is_held_and_release_what_waits_and_only_that() -> None:
    agent = an_agent()
    session = held(agent)
    joined(agent, "b", 1.0)
    agent.replied(sent(agent, 1.0), answer(granted("a"), queued("b")), 1.1)
    sent(agent, 1.1)
    agent.depart(5.0)
    assert (agent.departing, agent.departed) == (True, False)
    last = sent(agent, 5.0)
    assert endings(last) == {"a": True}
    assert (last.body["releases"], last.wait) == (["b"], 0)
    agent.replied(last, answer(granted("a"), released=["b"]), 5.1)
    assert agent.departed
    assert session.state is State.HELD


def test_nothing_is_marked_before_the_agent_goes() -> None:
    agent = an_agent()
    held(agent)
    assert endings(sent(agent, 21.0)) == {"a": False}


def test_an_answer_to_an_older_request_is_none_to_the_last_words() -> None:
    agent = an_agent()
    held(agent)
    old = sent(agent, 21.0)
    agent.depart(22.0)
    agent.replied(old, answer(granted("a")), 22.1)
    assert not agent.departed


def test_a_release_that_is_under_way_is_said_once_more_with_the_last_words() -> None:
    agent = an_agent()
    session = held(agent)
    agent.leave(session, 5.0)
    sent(agent, 5.0)
    agent.depart(5.1)
    assert sent(agent, 5.1).body["releases"] == ["a"]


@pytest.mark.parametrize("said", ["silence", "retry after"])
def test_no_pause_keeps_the_last_words_back(said: str) -> None:
    agent = an_agent()
    held(agent)
    request = sent(agent, 21.0)
    if said == "silence":
        agent.unanswered(request, 21.0)
    else:
        agent.replied(request, Reply(503, problem("stopping", 503, retryAfter=15)), 21.0)
    assert agent.due(21.01) > 21.01
    agent.depart(21.03)
    assert agent.due(21.03) <= 21.03


def test_an_agent_with_nothing_to_say_has_departed_at_once() -> None:
    agent = an_agent()
    agent.depart(0.0)
    assert agent.departed


def test_a_claim_that_turns_unconfirmed_is_asked_for_at_once_and_the_word_is_not_waited_for() -> (
    None
):
    agent = an_agent()
    session = held(agent)
    sent(agent, 21.0)  # it still waits: the machine slept
    agent.elapse(OVERDUE)
    assert session.state is not State.HELD
    asks = sent(agent, OVERDUE)
    assert asks.wait == 0
    agent.replied(asks, answer(granted("a")), OVERDUE + 0.1)
    assert session.held_until > OVERDUE + 0.1


def test_a_claim_in_doubt_that_gets_no_clear_word_does_not_make_the_loop_hot() -> None:
    agent = an_agent()
    held(agent)
    sent(agent, 21.0)
    agent.elapse(OVERDUE)
    now, count = OVERDUE, 0
    while now < OVERDUE + 20:
        request = sent(agent, now)
        count += 1
        now += request.wait + 0.001
        agent.replied(request, answer({"claim": "a", "state": "settling"}), now)
        now = max(now, agent.due(now))
    assert count < 30


def test_the_first_retry_after_a_coordinator_went_is_quick_and_spread() -> None:
    pauses = []
    for jitter in (0.0, 0.5, 0.999999):
        agent = Agent("pod/1", "boot-1", lambda jitter=jitter: jitter)  # type: ignore[misc]
        held(agent)
        agent.unanswered(sent(agent, 21.0), 30.0)
        pauses.append(agent.due(30.0) - 30.0)
    assert pauses == pytest.approx([0.02, 0.16, 0.3], abs=0.001)


def test_where_nobody_ever_answered_the_first_retry_is_no_quicker_than_the_others() -> None:
    agent = Agent("pod/1", "boot-1", lambda: 0.0)
    joined(agent, "a")
    agent.unanswered(sent(agent, 0.0), 0.0)
    assert agent.due(0.0) == pytest.approx(0.1)


def test_a_second_failure_in_a_row_waits_as_an_outage_does_until_an_answer_comes() -> None:
    agent = Agent("pod/1", "boot-1", lambda: 0.0)
    held(agent)
    agent.unanswered(sent(agent, 21.0), 30.0)
    agent.unanswered(sent(agent, 30.1), 30.1)
    assert agent.due(30.1) - 30.1 == pytest.approx(0.1)
    agent.replied(sent(agent, 31.0), answer(granted("a")), 31.1)
    agent.unanswered(sent(agent, 31.2), 40.0)
    assert agent.due(40.0) - 40.0 == pytest.approx(0.02)


def test_a_process_that_was_stopped_itself_takes_nobody_for_silent_and_asks_again_at_once() -> None:
    agent = an_agent()
    held(agent)
    request = sent(agent, 21.0)
    agent.unanswered(request, 21.0 + request.timeout + 100.0)
    assert agent.silent_since is None
    assert agent.due(21.0 + request.timeout + 100.0) <= 21.0 + request.timeout + 100.0
