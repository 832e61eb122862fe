"""The order of the queue (P9): arrival within a priority, and no priority starves another."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from coordinator.core import messages as m
from coordinator.core.claims import Policy, Roll
from coordinator.core.model import Lease
from coordinator.core.slots import NodeTable
from tests.core.modelserver import NODE
from tests.core.play import Play, ask

HOUR = 3600.0
ARRIVALS = st.lists(st.tuples(st.integers(-3, 3), st.integers(0, 20_000)), max_size=12)


def order(policy: Policy, *came: tuple[str, int, float]) -> list[str]:
    """Claims (id, priority, seconds since the takeover), in the order in which they are served."""
    roll = Roll(NODE, 4, 100.0, policy)
    for name, priority, after in came:
        roll.queue.add(roll.admit(ask(name, priority=priority), 100.0 + after))
    return [claim.id for claim in roll.queue]


def test_one_step_of_priority_is_worth_one_aging_time_of_waiting() -> None:
    policy = Policy(aging=1800.0)
    assert order(policy, ("low", 0, 0.0), ("high", 1, 1799.0)) == ["high", "low"]
    assert order(policy, ("low", 0, 0.0), ("high", 1, 1801.0)) == ["low", "high"]
    assert order(policy, ("low", 0, 0.0), ("high", 5, 8999.0)) == ["high", "low"]
    assert order(policy, ("low", -1, 0.0), ("high", 5, 10801.0)) == ["low", "high"]


def test_without_aging_priorities_are_absolute() -> None:
    assert order(Policy(aging=0), ("low", 0, 0.0), ("high", 1, 1e6)) == ["high", "low"]


@given(ARRIVALS, st.sampled_from([0.0, 1.0, 1800.0]))
def test_within_a_priority_the_order_is_that_of_the_tickets(
    came: list[tuple[int, int]], aging: float
) -> None:
    roll = Roll(NODE, 4, 0.0, Policy(aging=aging))
    for number, (priority, after) in enumerate(sorted(came, key=lambda one: one[1])):
        roll.queue.add(roll.admit(ask(f"c{number}", priority=priority), after))
    for priority in range(-3, 4):
        tickets = [claim.ticket for claim in roll.queue if claim.terms.priority == priority]
        assert tickets == sorted(tickets)


def test_a_low_priority_gets_its_turn_though_high_ones_come_without_end() -> None:
    play = Play(policy=Policy(aging=600.0, presence=1e9))
    play.grant("first")
    play(ask("low"))
    holder, served = "first", [""]
    for n in range(200):
        play(ask(f"high{n}", priority=3))
        play.now += 60
        hand_over = play(m.Leave(holder), m.HandOver)
        play.done(hand_over)
        holder = hand_over.claim
        served.append(holder)
        if holder == "low":
            break
    assert served[-1] == "low"
    assert 31 <= len(served) <= 33, "three steps of 600 s, one claim a minute"


def test_the_order_of_those_who_wait_never_changes_while_they_wait() -> None:
    play = Play(policy=Policy(aging=60.0, presence=1e9))
    play.grant("holder", ttl=3600)
    for name, priority in (("a", 0), ("b", 2), ("c", 1), ("d", 0)):
        play.now += 35
        play(ask(name, priority=priority, ttl=3600))
    first = play.waits()
    for _ in range(30):
        play.later(100)
        assert play.waits() == first
    assert first == ["b", "a", "c", "d"]


def takeover(*tickets: tuple[str, int, tuple[int, int] | None]) -> list[str]:
    """The queue of a leader of term 9, which took over a minute ago."""
    table = NodeTable(NODE, 9, 1000.0, Policy(aging=1800.0))
    for name, priority, ticket in tickets:
        table.handle(m.Ask(name, ask(name, priority=priority).terms, ticket), 1060.0)
    return [claim.id for claim in table.roll.queue]


def test_tickets_of_earlier_leaders_go_first_in_their_order_within_their_priority() -> None:
    new, old, older = ("new", 0, None), ("old", 0, (8, 5_000_000)), ("older", 0, (7, 9_000_000))
    assert takeover(new, old, older) == ["older", "old", "new"]


def test_after_a_takeover_a_priority_counts_again_as_if_all_had_come_at_that_moment() -> None:
    low, high = ("low", 0, (8, 10)), ("high", 1, (8, 5_000_000))
    assert takeover(low, high) == ["high", "low"]
    assert takeover(low, ("newcomer", 1, None)) == ["newcomer", "low"]


def test_tickets_grow_with_the_time_since_the_takeover_and_none_is_given_twice() -> None:
    roll = Roll(NODE, 4, 100.0, Policy())
    times = (100.0, 100.0, 100.0, 101.5, 101.5004, 101.0)
    tickets = [roll.admit(ask(f"c{n}"), now).ticket for n, now in enumerate(times)]
    assert tickets == [(4, 1), (4, 2), (4, 3), (4, 1500), (4, 1501), (4, 1502)]


def test_a_slot_that_is_made_ready_goes_to_whoever_is_first_by_then() -> None:
    play = Play(policy=Policy(aging=1800.0))
    make = play(ask("low"), m.Make)
    play(ask("high", priority=1))
    grant = play.done(make, m.Grant)
    assert isinstance(grant.base, Lease)
    assert grant.claim == "high"
