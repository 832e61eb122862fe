"""Who gets which slot, and when: first use, hand-over, order, limits, presence."""

from __future__ import annotations

import pytest

from coordinator.core import messages as m
from coordinator.core.claims import LATE, Policy
from coordinator.core.refusals import ClaimMismatch, QueueFull
from coordinator.core.slots import NodeTable
from coordinator.core.views import Lost, Queued, Released
from tests.core.play import OPERATOR, Play, ask, free_lease, held_lease


def test_first_use_makes_the_lease_then_grants_it() -> None:
    play = Play()
    make = play(ask("a"), m.Make)
    assert (make.ordinal, make.name) == (0, "node1-slot-0")
    grant = play.done(make, m.Grant)
    assert grant.claim == "a"
    play.done(grant)
    assert play.answers == ["a"]
    assert play.granted("a").token == grant.base.version


def test_a_free_lease_is_granted_with_one_write() -> None:
    play = Play()
    play.grant("a")
    play.done(play(m.Leave("a"), m.Free))
    grant = play(ask("b"), m.Grant)
    play.done(grant)
    assert play.server.leases[0].transitions == 2


def test_a_release_is_handed_over_in_one_write() -> None:
    play = Play()
    first = play.grant("a").token
    play(ask("b"))
    over = play(m.Leave("a"), m.HandOver)
    assert (over.claim, over.since) == ("b", play.now)
    play.done(over)
    assert set(play.answers) == {"a", "b"}
    assert play.view("a") == Released("a")
    assert play.granted("b").token == over.base.version > first


def test_priority_goes_first_then_arrival() -> None:
    play = Play()
    play.grant("a")
    for claim, priority in (("b", 0), ("c", 5), ("d", 0), ("e", 5)):
        play(ask(claim, priority=priority))
    assert play.waits() == ["c", "e", "b", "d"]
    order = []
    holder = "a"
    for _ in range(4):
        over = play(m.Leave(holder), m.HandOver)
        play.done(over)
        holder = over.claim
        order.append(holder)
    assert order == ["c", "e", "b", "d"]


def test_a_queued_claim_is_told_its_place_its_ticket_and_who_holds() -> None:
    play = Play()
    play.grant("a")
    play(ask("b"))
    play(ask("c"))
    view = play.view("c")
    assert isinstance(view, Queued)
    assert (view.position, view.ticket) == (2, (7, 1002))
    assert [held.claim for held in view.holders] == ["a"]
    assert view.reason == "1 of 1 slots of node1 are held"


def test_asking_again_keeps_the_place() -> None:
    play = Play()
    play.grant("a")
    for claim in ("b", "c", "b", "b"):
        play(ask(claim))
    assert play.waits() == ["b", "c"]


def test_the_lowest_free_ordinal_is_used() -> None:
    play = Play(3)
    for claim in "abc":
        play.grant(claim)
    for claim in "ba":
        play.done(play(m.Leave(claim), m.Free))
    assert play(ask("d"), m.Grant).ordinal == 0
    assert play(ask("e"), m.Grant).ordinal == 1


def test_a_slow_create_lets_nobody_pass() -> None:
    play = Play(2)
    play(ask("a"), m.Make)
    make = play(ask("b"), m.Make)
    assert make.ordinal == 1
    assert play.done(make, m.Grant).claim == "a"


def test_a_growing_limit_grants_at_once() -> None:
    play = Play(1)
    play.grant("a")
    play(ask("b"))
    play(ask("c"))
    makes = play(m.SetLimit(3), m.Make, m.Make)
    assert [make.ordinal for make in makes] == [1, 2]


def test_a_shrinking_limit_evicts_nobody_and_grants_nothing_until_enough_left() -> None:
    play = Play(3)
    for claim in "abc":
        play.grant(claim)
    play(m.SetLimit(1))
    play(ask("d"))
    play.done(play(m.Leave("a"), m.Free))
    assert set(play.holders().values()) == {"b", "c"}
    play.done(play(m.Leave("b"), m.Free), m.Remove)
    over = play.done(play(m.Leave("c"), m.Free), m.Remove, m.Grant)[1]
    assert (over.claim, over.ordinal) == ("d", 0)


def test_a_surplus_lease_is_removed_only_once_it_is_free() -> None:
    play = Play(2)
    play.grant("a")
    play.grant("b")
    play(m.SetLimit(1))
    remove = play.done(play(m.Leave("b"), m.Free), m.Remove)
    play.done(remove)
    assert list(play.server.leases) == [0]


def test_limit_zero_drains_the_node_and_says_why() -> None:
    play = Play(1)
    play.grant("a")
    play(m.SetLimit(0, "the node is gone"))
    play(ask("b"))
    view = play.view("b")
    assert isinstance(view, Queued)
    assert view.reason == "node1 has no slots: the node is gone"
    play.done(play.done(play(m.Leave("a"), m.Free), m.Remove))
    play(m.Leave("b"))
    play.later(121 + LATE)
    assert play.table.empty


def test_a_node_on_hold_grants_nothing_and_evicts_nobody() -> None:
    play = Play(2)
    play.grant("a")
    play(m.SetHold("kernel update"))
    play(ask("b"))
    view = play.view("b")
    assert isinstance(view, Queued)
    assert view.reason == "node1 is on hold: kernel update"
    play.done(play(m.Leave("a"), m.Free))
    assert play(m.SetHold(""), m.Grant).claim == "b"


def test_nothing_is_granted_before_the_settling_time_ends() -> None:
    play = Play(settled=False)
    play(ask("a"))
    play.later(0.9)
    assert play.later(0.1, m.Make).ordinal == 0


def test_tickets_of_older_terms_go_first_whatever_their_order_of_arrival() -> None:
    play = Play(settled=False)
    play(ask("new"))
    for claim, ticket in (("z", (6, 9)), ("y", (6, 2)), ("x", (5, 40))):
        play(ask(claim, ticket=ticket))
    assert play.waits() == ["x", "y", "z", "new"]


def test_a_ticket_from_the_future_is_no_ticket() -> None:
    play = Play(settled=False)
    play(ask("a", ticket=(8, 1)))
    play(ask("b", ticket=(7, 99)))
    assert play.waits() == ["a", "b"]
    view = play.view("b")
    assert isinstance(view, Queued)
    assert view.ticket == (7, 2)


@pytest.mark.parametrize(("silence", "heir"), [(15.0, "b"), (15.1, "c")])
def test_a_claim_not_heard_of_for_fifteen_seconds_is_passed_over(silence: float, heir: str) -> None:
    play = Play()
    play.grant("a")
    play(ask("b"))
    play(m.PollEnded(("b",)))
    play(ask("c"))
    play.now += silence
    assert play(m.Leave("a"), m.HandOver).claim == heir


def test_an_open_poll_is_presence_and_an_absent_claim_keeps_its_place() -> None:
    play = Play()
    play.grant("a")
    play(ask("b"))
    play(m.PollEnded(("b",)))
    play(ask("c"))
    play.later(40)
    assert play.waits() == ["b", "c"]
    play(ask("b"))
    assert play(m.Leave("a"), m.HandOver).claim == "b"


def test_a_waiting_claim_silent_for_its_ttl_is_forgotten() -> None:
    play = Play()
    play.grant("a", ttl=600)
    play(ask("b"))
    play(m.PollEnded(("b",)))
    play.later(61)
    assert play.view("b") is None


def test_a_full_queue_refuses_new_claims_only() -> None:
    play = Play(policy=Policy(max_queue=1))
    play.grant("a")
    play(ask("b"))
    with pytest.raises(QueueFull):
        play(ask("c"))
    play(ask("b"))
    play.confirm("a")


@pytest.mark.parametrize("change", [{"priority": 1}, {"ttl": 61}])
def test_the_same_id_with_other_terms_is_refused(change: dict[str, int]) -> None:
    play = Play()
    play.grant("a")
    with pytest.raises(ClaimMismatch):
        play(ask("a", **change))


@pytest.mark.parametrize(
    "lease", [free_lease(0, foreign="not ours"), free_lease(0, terminating=True)]
)
def test_a_name_that_is_blocked_counts_and_is_never_touched(lease: object) -> None:
    play = Play()
    play(play.hand(0, lease))  # type: ignore[arg-type]
    play(ask("a"))
    play(m.SetLimit(0))
    play(m.SetLimit(2), m.Make)


def test_a_lease_that_names_a_queued_claim_is_its_grant() -> None:
    play = Play()
    play.grant("a")
    play(ask("b"))
    play(play.hand(1, held_lease(1, "b", 77)))
    assert play.granted("b").token == 77
    assert play.waits() == []


def test_the_operator_clears_the_holder_and_the_slot_goes_on() -> None:
    play = Play()
    play.grant("a")
    play(ask("b"))
    play.server.commit(0, free_lease(0), OPERATOR)
    read = play(play.server.history[-1].event, m.ReadBack)
    assert play.granted("a")
    grant = play.done(read, m.Grant)
    assert isinstance(play.view("a"), Lost)
    play.done(grant)
    assert play.granted("b")


def test_the_operator_deletes_the_lease_and_the_slot_is_made_anew() -> None:
    play = Play()
    play.grant("a")
    play(ask("b"))
    read = play(play.hand(0, None), m.ReadBack)
    make = play.done(read, m.Make)
    play.done(play.done(make, m.Grant))
    assert play.granted("b")


def test_a_table_whose_limit_is_not_known_yet_neither_grants_nor_removes() -> None:
    table = NodeTable("node1", 7, 0.0)
    assert table.handle(m.Relisted({0: free_lease(0)}, 1.0), 1.0) == []
    assert table.handle(ask("a"), 1.0) == []
    (grant,) = table.handle(m.SetLimit(1), 1.0)
    assert isinstance(grant, m.Grant)
