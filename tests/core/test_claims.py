"""The queue and the memory of ended claims, against the plainest model of each."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from coordinator.core.claims import Claim, Policy, Roll
from coordinator.core.queue import Queue
from tests.core.play import ask, terms

PLACES = st.lists(st.tuples(st.integers(-2, 2), st.integers(1, 9)), max_size=12)


def claims(places: list[tuple[int, int]]) -> list[Claim]:
    return [
        Claim(f"c{n}", terms(f"c{n}", priority), (-priority, 1, c, f"c{n}"), 0.0, 0.0)
        for n, (priority, c) in enumerate(places)
    ]


@given(PLACES, st.data())
def test_the_queue_is_sorted_by_its_keys(
    places: list[tuple[int, int]], data: st.DataObject
) -> None:
    left = claims(places)
    queue = Queue({claim.id: claim for claim in left})
    for claim in data.draw(st.permutations(left)):
        queue.add(claim)
        queue.add(claim)
    for claim in data.draw(st.lists(st.sampled_from(left), max_size=4)) if left else []:
        queue.discard(claim)
        left = [other for other in left if other is not claim]
    left.sort(key=lambda c: (-c.terms.priority, c.ticket, c.id))
    assert list(queue) == left
    assert len(queue) == len(left)
    assert [queue.position(claim) for claim in left] == list(range(1, len(left) + 1))
    assert {claim.id for claim in claims(places) if claim.id in queue} == {c.id for c in left}


def test_an_end_is_remembered_for_two_minutes_and_then_forgotten() -> None:
    roll = Roll("n", 1, 0.0, Policy())
    roll.end(roll.admit(ask("a"), 0.0), "released", "", 10.0)
    ended = roll.recall("a", 129.9)
    assert ended is not None
    assert ended.reason == "released"
    assert roll.recall("a", 130.0) is None
    roll.forget_old(roll.forgets_at)
    assert roll.ended == {}


def test_ends_are_let_go_of_many_at_a_time() -> None:
    roll = Roll("n", 1, 0.0, Policy(memory=120.0))
    roll.remember("a", "released", "", 0.0)
    roll.remember("b", "released", "", 9.0)
    assert roll.forgets_at == 130.0
    roll.forget_old(129.0)
    assert list(roll.ended) == ["a", "b"]
    roll.forget_old(130.0)
    assert roll.ended == {}
    assert roll.forgets_at == math.inf


def test_tickets_count_up_and_none_is_given_twice() -> None:
    roll = Roll("n", 4, 0.0, Policy())
    tickets = [roll.admit(ask(f"c{n}"), 0.0).ticket for n in range(3)]
    assert tickets == [(4, 1), (4, 2), (4, 3)]
    again = roll.admit(ask("late", ticket=(4, 2)), 0.0)
    assert again.ticket == (4, 2)
    assert roll.admit(ask("new"), 0.0).ticket == (4, 4)


def test_a_claim_that_releases_stays_released() -> None:
    roll = Roll("n", 1, 0.0, Policy())
    claim = roll.admit(ask("a"), 0.0)
    roll.part(claim, "expired", 5.0)
    roll.part(claim, "released", 6.0)
    roll.part(claim, "lost", 7.0)
    assert (claim.leaving, claim.left) == ("released", 5.0)
