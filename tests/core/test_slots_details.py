"""The small print of a node's table: whole commands, repeated requests, borders of its times."""

from __future__ import annotations

from dataclasses import replace

import pytest

from coordinator.core import messages as m
from coordinator.core.claims import LATE
from coordinator.core.grants import stands_by
from coordinator.core.model import PodRef
from coordinator.core.pods import PodIndex
from coordinator.core.views import Lost
from tests.core.play import OPERATOR, POD, US, Play, ask, free_lease, held_lease, terms

MOVED = PodRef("velero", "pod-b", "uid-b")


def adopt(play: Play, *leases: tuple[str, int]) -> None:
    """One Lease for each claim and token, granted by another leader."""
    for ordinal, (claim, token) in enumerate(leases):
        play.server.commit(ordinal, held_lease(ordinal, claim, token), OPERATOR)
    play.now += 1
    play.relist()


def paused(play: Play, op: m.Operation, *kinds: type) -> None:
    play(m.Failed(op.op, "429 Too Many Requests"), *kinds)


# --- whole commands -------------------------------------------------------------------------


def test_a_courtesy_names_the_slot_its_lease_and_its_claim() -> None:
    play = Play()
    play.grant("a")
    sent = play(m.Courtesy("a"), m.Refresh)
    assert sent == m.Refresh(sent.op, 0, play.server.leases[0], "a", terms("a"))


def test_an_adopted_pod_is_written_with_the_slot_its_lease_and_its_claim() -> None:
    play = Play(2)
    play.grant("a")
    play.grant("b", pod=POD)
    _, sent = play(ask("b", pod=MOVED), m.Examine, m.Refresh)
    assert isinstance(sent.op, int)
    assert sent == m.Refresh(sent.op, 1, play.server.leases[1], "b", terms("b", pod=MOVED))


def test_a_read_names_the_lease() -> None:
    play = Play()
    grant = play.done(play(ask("a"), m.Make), m.Grant)
    read = play(m.Conflict(grant.op), m.ReadBack)
    assert (read.ordinal, read.name) == (0, "node1-slot-0")


def test_every_write_has_a_number_of_its_own() -> None:
    play = Play(3)
    for claim in "abc":
        play(m.Leave(claim))
    sent = [
        play(play.hand(ordinal, held_lease(ordinal, claim, 41)), m.Free)
        for ordinal, claim in enumerate("abc")
    ]
    assert len({op.op for op in sent}) == 3
    assert all(isinstance(op.op, int) for op in sent)


def test_an_outcome_of_nothing_is_called_so() -> None:
    with pytest.raises(m.IllegalTransition, match=r"while no such operation is under way$"):
        Play()(m.Conflict(99))


# --- requests that come again ---------------------------------------------------------------


def test_a_presented_token_is_looked_up_once_however_often_it_is_shown() -> None:
    play = Play()
    play(ask("a", token=41), m.Relist)
    play(ask("a", token=41))
    play(ask("a", token=42))
    play.relist()
    assert isinstance(play.view("a"), Lost)


def test_a_token_that_a_list_showed_under_an_own_write_is_looked_up_again_when_shown_again() -> (
    None
):
    play = Play()
    grant = play.done(play(ask("a"), m.Make), m.Grant)
    play.lost(grant)
    shown = ask("a", token=grant.base.version)
    play(shown, m.Relist)
    play.relist()
    play(shown, m.Relist)


def test_a_waiting_claim_that_shows_a_token_waits_no_more() -> None:
    play = Play()
    play.grant("a")
    play(ask("b"))
    play(ask("b", token=41), m.Relist)
    assert play.waits() == []


def test_who_shows_the_token_of_the_grant_that_was_taken_from_it_is_looked_up() -> None:
    play = Play(2)
    adopt(play, ("a", 52), ("a", 51))
    play(ask("a"))
    play.done(play(play.hand(1, free_lease(1)), m.ReadBack))
    renewed = play.table.roll.claims["a"].renewed
    play.now += 5
    play(ask("a", token=51), m.Relist)
    assert play.table.roll.claims["a"].renewed == renewed


def test_whoever_waits_for_an_unknown_claim_is_told_of_its_release() -> None:
    play = Play()
    play(m.Leave("a"))
    assert play.answers == ["a"]


def test_an_expired_claim_whose_other_lease_is_being_freed_does_not_come_back() -> None:
    play = Play(2)
    adopt(play, ("a", 52), ("a", 51))
    _, _, chosen = play.later(60, m.Reclaimed, m.Free, m.Free)
    paused(play, chosen)
    play(ask("a", token=51))
    again = play.later(1, m.Free)
    assert again.ordinal == 1


# --- limits that shrink (P1) ------------------------------------------------------------------


def test_a_grant_past_a_limit_that_shrank_before_it_was_sent_is_not_stood_by() -> None:
    play = Play(2)
    play.grant("a")
    grant = play.done(play(ask("b"), m.Make), m.Grant)
    play.done(play(m.Leave("a"), m.Free))
    assert stands_by(play.table, grant, play.now)
    play(m.SetLimit(1))
    assert play.table.picture.taken == 1
    assert not stands_by(play.table, grant, play.now)


def test_a_grant_that_may_have_been_sent_is_never_withdrawn() -> None:
    play = Play()
    grant = play.done(play(ask("a"), m.Make), m.Grant)
    play.lost(grant)
    with pytest.raises(m.IllegalTransition, match="after it was sent"):
        play(m.Withdrawn(grant.op))
    assert play(m.Unknown(grant.op), m.Grant) is grant


def test_a_holder_past_the_limit_leaves_less_room_for_those_who_wait() -> None:
    play = Play(3)
    for claim in "abc":
        play.grant(claim)
    for claim in "ab":
        play.done(play(m.Leave(claim), m.Free))
    play(m.SetHold("disk"))
    for claim in "xy":
        play(ask(claim))
    play(m.SetLimit(2))
    assert play(m.SetHold(""), m.Grant).claim == "x"


# --- times ----------------------------------------------------------------------------------


def test_a_ttl_counts_from_the_moment_at_which_a_slow_grant_stands() -> None:
    play = Play()
    grant = play.done(play(ask("a"), m.Make), m.Grant)
    play.now += 50
    play.done(grant)
    play(m.PollEnded(("a",)))
    play.later(59)
    assert play.granted("a")
    play.later(1, m.Reclaimed, m.Free)


@pytest.mark.parametrize(("after", "kinds"), [(0.75, []), (1.0, [m.Refresh])])
def test_a_courtesy_may_be_written_from_the_end_of_a_pause(after: float, kinds: list[type]) -> None:
    play = Play(2)
    play.grant("a")
    paused(play, play(ask("b"), m.Make))
    play.now += after
    play(m.Courtesy("a"), *kinds)


# --- events while something is under way ------------------------------------------------------


@pytest.mark.parametrize("taken", [True, False])
def test_a_list_may_follow_what_was_told_during_a_write(taken: bool) -> None:
    play = Play()
    play.grant("a")
    free = play(m.Leave("a"), m.Free)
    answer = play.server.apply(free, US) if taken else m.Failed(free.op, "429")
    play(play.hand(0, held_lease(0, "x", 41)))
    play(answer)
    play.now += 1
    play.relist()
    assert play.granted("x").token == 41


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_two_events_during_a_write_the_newer_counts(order: tuple[int, int]) -> None:
    play = Play(2)
    play.grant("a")
    free = play(m.Leave("a"), m.Free)
    events = [play.hand(0, held_lease(0, "x", 41)), play.hand(0, held_lease(0, "y", 42))]
    for which in order:
        play(events[which])
    paused(play, free)
    holder = play.table.picture.slot(0).holder
    assert holder is not None
    assert holder.claim == "y"


def test_a_deleted_lease_is_not_brought_back_by_an_older_event() -> None:
    play = Play()
    older = play.hand(0, free_lease(0))
    play(older)
    play(play.hand(0, None))
    play(older)
    make = play(ask("a"), m.Make)
    assert make.ordinal == 0


def test_an_older_list_does_not_make_a_deletion_forgotten() -> None:
    play = Play()
    older = play.hand(0, free_lease(0))
    play(older)
    play(play.hand(0, None))
    play(m.Relisted({}, play.now - 1))
    play(older)
    play(ask("a"), m.Make)


def test_a_slot_that_is_just_being_read_is_given_to_nobody() -> None:
    play = Play(2)
    play.grant("x")
    play(play.hand(0, free_lease(0)), m.ReadBack)
    assert play(ask("b"), m.Make).ordinal == 1


def test_a_lease_that_could_not_be_made_is_forgotten() -> None:
    play = Play()
    paused(play, play(ask("a"), m.Make))
    play.now += 0.5
    play.relist()
    assert play.table.picture.slots == {}


def test_a_list_that_shows_the_very_same_lease_costs_no_read() -> None:
    play = Play()
    play.grant("a")
    same = {0: replace(play.server.leases[0])}
    play(m.Relisted(same, play.now - 1))
    assert play.granted("a")


def test_no_claim_names_a_pod_that_was_never_heard_of() -> None:
    assert PodIndex().claims_of(("velero", "pod-z")) == []


def test_a_table_is_empty_once_no_claim_no_end_and_no_lease_is_known() -> None:
    play = Play()
    assert play.table.empty
    play(m.Leave("a"))
    assert not play.table.empty
    play.later(120 + LATE)
    assert play.table.empty
    play(play.hand(0, free_lease(0)))
    assert not play.table.empty
    play(play.hand(0, None))
    assert play.table.empty
    play(ask("a"), m.Make)
    assert not play.table.empty
