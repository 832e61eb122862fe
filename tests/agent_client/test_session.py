"""The session's rules as tables: where it was, what happened, where it is."""

from __future__ import annotations

from copy import deepcopy
from math import inf
from typing import TYPE_CHECKING, Any

import pytest

from agent_client.messages import (
    PROBLEMS,
    Gone,
    Granted,
    Problem,
    Queued,
    Rejected,
    Settling,
    Terms,
    Told,
)
from agent_client.session import (
    EVENTS,
    Ending,
    IllegalEventError,
    Patience,
    Session,
    State,
    margin,
)

if TYPE_CHECKING:
    from collections.abc import Callable

TTL = 60
TERMS = Terms("claim-1", "backup-7/pvc-3", ttl=TTL)
GRANT = Granted(0, "node1-slot-0", 1201, TTL)
OTHER_GRANT = Granted(1, "node1-slot-1", 1300, TTL)
QUEUED = Queued(2, "7.17", "1 of 1 slots of node1 are held")
SETTLING = Settling(1.0)


def a_problem(name: str, status: int, retry_after: float | None = None) -> Problem:
    return Problem(PROBLEMS + name, name, status, name, (), retry_after)


GONE = Gone(a_problem("slot-lost", 409))
RELEASED_ID = Rejected(a_problem("released", 410))
FULL = Rejected(a_problem("queue-full", 429, 9.0))


def waiting() -> Session:
    session = Session(TERMS, Patience(timeout=100))
    session.ask(0.0)
    session.sent = session.tried = True
    return session


def held() -> Session:
    session = waiting()
    session.hear(GRANT, 0.0, 0.1)
    return session


def unconfirmed() -> Session:
    session = held()
    session.elapse(TTL)
    return session


def ungoverned() -> Session:
    session = waiting()
    session.run_without()
    return session


def in_state(state: State) -> Session:
    makers: dict[State, Callable[[], Session]] = {
        State.IDLE: lambda: Session(TERMS),
        State.WAITING: waiting,
        State.HELD: held,
        State.UNCONFIRMED: unconfirmed,
    }
    if state in makers:
        return makers[state]()
    session = held() if state is State.LOST else waiting()
    if state is State.RELEASED:
        session.leave()
    else:
        session.hear(GONE if state is State.LOST else RELEASED_ID, 1.0, 1.0)
    return session


@pytest.mark.parametrize(
    ("start", "told", "end"),
    [
        (State.WAITING, QUEUED, State.WAITING),
        (State.WAITING, GRANT, State.HELD),
        (State.WAITING, SETTLING, State.WAITING),
        (State.WAITING, FULL, State.WAITING),
        (State.WAITING, GONE, State.WAITING),
        (State.WAITING, RELEASED_ID, State.REFUSED),
        (State.HELD, GRANT, State.HELD),
        (State.HELD, QUEUED, State.HELD),
        (State.HELD, SETTLING, State.HELD),
        (State.HELD, FULL, State.HELD),
        (State.HELD, GONE, State.LOST),
        (State.HELD, RELEASED_ID, State.LOST),
        (State.HELD, OTHER_GRANT, State.LOST),
        (State.UNCONFIRMED, GRANT, State.HELD),
        (State.UNCONFIRMED, QUEUED, State.UNCONFIRMED),
        (State.UNCONFIRMED, SETTLING, State.UNCONFIRMED),
        (State.UNCONFIRMED, GONE, State.LOST),
        (State.UNCONFIRMED, OTHER_GRANT, State.LOST),
    ],
)
def test_what_an_answer_does(start: State, told: Told, end: State) -> None:
    session = in_state(start)
    session.hear(told, sent_at=70.0, now=71.0)
    assert session.state is end


@pytest.mark.parametrize("told", [QUEUED, SETTLING, FULL])
def test_only_a_grant_renews(told: Told) -> None:
    session = held()
    before = session.held_until
    session.hear(told, sent_at=30.0, now=30.1)
    assert session.held_until == before


def test_a_slot_is_held_from_the_send_of_the_answered_request_for_the_ttl_less_a_margin() -> None:
    session = waiting()
    session.hear(GRANT, sent_at=5.0, now=25.0)
    assert session.held_until == 5.0 + TTL - margin(TTL)
    assert session.state_at(session.held_until - 0.001) is State.HELD
    assert session.state_at(session.held_until) is State.UNCONFIRMED


def test_an_answer_that_comes_too_late_renews_nothing() -> None:
    session = unconfirmed()
    session.hear(GRANT, sent_at=10.0, now=10.0 + TTL)
    assert session.state is State.UNCONFIRMED


def test_a_first_grant_that_comes_too_late_is_no_grant() -> None:
    session = waiting()
    session.hear(GRANT, sent_at=0.0, now=TTL)
    assert (session.state, session.grant) == (State.WAITING, None)


def test_the_shorter_of_the_two_ttls_counts() -> None:
    session = waiting()
    session.hear(Granted(0, "l", 1, 10), sent_at=0.0, now=0.1)
    assert session.held_until == 10 - margin(10)


def test_an_older_answer_does_not_shorten_what_a_newer_one_renewed() -> None:
    session = held()
    session.hear(GRANT, sent_at=30.0, now=30.1)
    session.hear(GRANT, sent_at=20.0, now=30.2)
    assert session.held_until == 30.0 + TTL - margin(TTL)


def test_another_grant_of_the_same_claim_is_a_loss_and_is_given_back() -> None:
    session = held()
    session.hear(OTHER_GRANT, 1.0, 1.0)
    assert (session.state, session.owes_release) == (State.LOST, True)


def test_a_refused_claim_is_not_released_it_may_be_another_ones() -> None:
    session = waiting()
    session.hear(Rejected(a_problem("claim-mismatch", 409)), 0.0, 0.1)
    assert (session.state, session.owes_release) == (State.REFUSED, False)


def test_a_passing_refusal_is_repeated_after_its_retry_after() -> None:
    session = waiting()
    session.hear(FULL, 0.0, 2.0)
    assert (session.state, session.retry_at) == (State.WAITING, 11.0)


def test_a_timeout_leaves_the_queue() -> None:
    session = waiting()
    session.elapse(99.9)
    assert session.state is State.WAITING
    session.elapse(100.0)
    assert (session.state, session.ending) == (State.RELEASED, Ending.TIMEOUT)
    assert session.owes_release


def test_a_timeout_of_zero_leaves_time_for_a_request_and_for_a_grants_write() -> None:
    session = Session(TERMS, Patience(timeout=0))
    session.ask(0.0)
    assert session.next_change == 5.0
    session.hear(QUEUED, 0.0, 0.1)
    assert session.next_change == 1.0
    session.hear(GRANT, 0.1, 0.2)
    assert session.state is State.HELD


def test_a_claim_that_was_never_sent_owes_nothing() -> None:
    session = Session(TERMS)
    session.ask(0.0)
    session.leave()
    assert (session.state, session.owes_release) == (State.RELEASED, False)


def test_a_load_that_runs_without_a_slot_is_not_governed_and_not_listed() -> None:
    session = ungoverned()
    assert (session.state, session.governed, session.listed) == (State.UNCONFIRMED, False, False)
    assert session.next_change == inf


def calls(session: Session) -> dict[str, Callable[[], Any]]:
    return {
        "ask": lambda: session.ask(1.0),
        "resume": lambda: session.resume(GRANT, 1.0),
        "hear": lambda: session.hear(GRANT, 1.0, 1.0),
        "run without a slot": session.run_without,
        "give up": session.give_up,
        "leave": session.leave,
    }


def test_the_table_of_events_is_complete() -> None:
    assert set(calls(Session(TERMS))) == set(EVENTS)


@pytest.mark.parametrize("event", sorted(EVENTS))
@pytest.mark.parametrize("state", list(State))
def test_an_event_is_legal_or_raises_and_changes_nothing(event: str, state: State) -> None:
    session = in_state(state)
    assert session.state is state
    before = deepcopy(session)
    if state in EVENTS[event]:
        calls(session)[event]()
    else:
        with pytest.raises(IllegalEventError, match=str(state)):
            calls(session)[event]()
        assert session == before


@pytest.mark.parametrize(("ttl", "seconds"), [(10, 1.0), (20, 1.0), (60, 3.0), (3600, 180.0)])
def test_the_margin_grows_with_the_ttl(ttl: int, seconds: float) -> None:
    assert margin(ttl) == seconds
