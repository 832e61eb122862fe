"""Rare sightings: changes by other hands, doubts that end well, answers that are lost."""

from __future__ import annotations

from dataclasses import replace

from coordinator.core import messages as m
from coordinator.core.views import Lost
from tests.core.play import OPERATOR, Play, ask, free_lease, held_lease


def lost(play: Play, claim: str, token: int | None = None) -> str:
    view = play.view(claim, token)
    assert isinstance(view, Lost), view
    return view.detail


def paused(play: Play, op: m.Operation) -> None:
    play(m.Failed(op.op, "429 Too Many Requests"))


def leases(play: Play, *tokens: int) -> None:
    """One Lease for each token, all of them the claim `a`'s."""
    for ordinal, token in enumerate(tokens):
        play.server.commit(ordinal, held_lease(ordinal, "a", token), OPERATOR)
    play.now += 1
    play.relist()


def test_a_label_that_somebody_adds_to_a_held_lease_is_taken_in_without_a_read() -> None:
    play = Play()
    play.grant("a")
    labelled = replace(play.server.leases[0], rest={"labels": {"team": "x"}})
    play(play.hand(0, labelled))
    assert play.granted("a")
    free = play(m.Leave("a"), m.Free)
    assert free.base.rest == {"labels": {"team": "x"}}


def test_a_lease_that_names_an_ended_claim_may_be_freed_by_another_hand() -> None:
    play = Play()
    play(m.Leave("a"))
    free = play(play.hand(0, held_lease(0, "a", 41)), m.Free)
    paused(play, free)
    play(play.hand(0, free_lease(0)))
    assert play.holders() == {}
    play.later(1)
    play(ask("b"), m.Grant)


def test_a_slot_past_the_limit_is_never_handed_over() -> None:
    play = Play(2)
    play.grant("a")
    play.grant("b")
    play.done(play(m.Leave("a"), m.Free))
    play(m.SetLimit(1))
    play(ask("c"))
    free = play(m.Leave("b"), m.Free)
    assert free.ordinal == 1
    grant = play.done(free, m.Remove, m.Grant)[1]
    assert (grant.claim, grant.ordinal) == ("c", 0)


def test_a_stray_whose_clearing_failed_is_the_grant_of_who_shows_its_token() -> None:
    play = Play(2)
    leases(play, 52, 51)
    clearing = play(ask("a", token=51), m.Free)
    play(ask("a", token=52), m.Relist)
    paused(play, clearing)
    play.relist(started=play.now + 0.25)
    assert play.answers == ["a"]
    assert play.granted("a").token == 52
    play.now += 1
    free = play(m.Tick(), m.Free)
    assert free.base.holder.token == 51


def test_a_token_that_no_list_shows_is_told_with_its_number() -> None:
    play = Play()
    play(ask("a", token=41), m.Relist)
    play.relist()
    assert play.answers == ["a"]
    assert lost(play, "a") == "no Lease of node1 names it with the fencing token 41"


def test_who_shows_a_wrong_token_under_a_held_id_is_answered_at_once() -> None:
    play = Play()
    play.grant("a")
    play(ask("a", token=5), m.Relist)
    play.relist(started=play.now + 1)
    assert play.answers == ["a"]
    assert lost(play, "a", 5) == "no Lease of node1 names it with the fencing token 5"


def test_a_claim_that_lost_the_grant_it_showed_gives_back_the_other_from_that_moment() -> None:
    play = Play(2)
    leases(play, 52, 51)
    paused(play, play(ask("a", token=51), m.Free))
    play(ask("w"))
    play.done(play(play.hand(1, free_lease(1)), m.ReadBack))
    left = play.now
    over = play.later(1, m.HandOver)
    assert (over.ordinal, over.claim, over.since) == (0, "w", left)
    play.done(over)
    assert lost(play, "a") == "Lease node1-slot-0: lost"


def test_whoever_waits_for_a_claim_is_told_when_its_answered_grant_goes() -> None:
    play = Play(2)
    leases(play, 52, 51)
    play(ask("a"))
    play.done(play(play.hand(1, free_lease(1)), m.ReadBack))
    assert play.answers == ["a"]
    assert lost(play, "a") == "the grant that was answered was taken from it by another hand"


def test_an_unanswered_claim_whose_grant_goes_is_answered_with_its_other_lease() -> None:
    play = Play(2)
    leases(play, 52, 51)
    play.done(play(play.hand(1, free_lease(1)), m.ReadBack))
    assert play.granted("a").token == 52


def test_an_unanswered_claim_whose_grant_goes_gets_the_one_that_is_being_written() -> None:
    play = Play(2)
    grant = play.done(play(ask("a"), m.Make), m.Grant)
    play(m.PollEnded(("a",)))
    play(play.hand(1, held_lease(1, "a", 77)))
    play.done(play(play.hand(1, free_lease(1)), m.ReadBack))
    play.done(grant)
    assert play.granted("a").token == grant.base.version


def test_an_unanswered_claim_keeps_the_oldest_grant_that_stands() -> None:
    play = Play(3)
    leases(play, 53, 51, 52)
    play.done(play(play.hand(1, free_lease(1)), m.ReadBack))
    assert play.granted("a").token == 52


def test_of_the_grants_that_are_left_the_oldest_is_answered_in_whatever_order_they_were_seen() -> (
    None
):
    play = Play(3)
    for ordinal, token in ((0, 53), (1, 52), (2, 51)):
        play(play.hand(ordinal, held_lease(ordinal, "a", token)))
    play.done(play(play.hand(0, free_lease(0)), m.ReadBack))
    assert play.granted("a").token == 51


def test_a_presented_token_that_the_watch_shows_first_waits_for_no_list() -> None:
    play = Play()
    play(ask("a", token=41), m.Relist)
    play(play.hand(0, held_lease(0, "a", 41)))
    assert play.view("a", 41) == play.granted("a")
    assert play.granted("a").token == 41


def stray_then_no_grant(play: Play, grant: m.Operation) -> None:
    """The grant is written, a second Lease names the claim, and the first is cleared."""
    play.done(grant)
    play(play.hand(1, held_lease(1, "a", 777)))
    play.done(play(play.hand(0, free_lease(0)), m.ReadBack))


def test_a_grant_counts_as_answered_where_a_request_of_its_claim_was_open() -> None:
    play = Play(2)
    stray_then_no_grant(play, play.done(play(ask("a"), m.Make), m.Grant))
    assert lost(play, "a") == "the grant that was answered was taken from it by another hand"


def test_a_grant_that_nobody_was_there_to_hear_of_counts_as_unanswered() -> None:
    play = Play(2)
    grant = play.done(play(ask("a"), m.Make), m.Grant)
    play(m.PollEnded(("a",)))
    stray_then_no_grant(play, grant)
    assert play.granted("a").token == 777


def test_a_slot_that_only_a_list_shows_to_be_free_is_given_at_once() -> None:
    play = Play()
    play(play.hand(0, held_lease(0, "x", 41)))
    play(ask("b"))
    play.hand(0, free_lease(0))
    play.now += 1
    assert play.relist(m.Grant).claim == "b"
