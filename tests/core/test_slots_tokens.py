"""Which grant is a claim's: presented tokens, doubts, and two Leases that name one claim."""

from __future__ import annotations

from coordinator.core import messages as m
from coordinator.core.views import Lost, Released, Settling
from tests.core.play import OPERATOR, Play, ask, free_lease, held_lease


def test_an_unknown_token_is_looked_up_and_never_gets_a_new_grant() -> None:
    play = Play()
    play(ask("a", token=41), m.Relist)
    assert isinstance(play.view("a"), Settling)
    assert play.waits() == []
    play.relist(started=play.now - 1)
    assert isinstance(play.view("a"), Settling)
    play.relist()
    assert isinstance(play.view("a"), Lost)
    play(ask("a", token=41))
    assert isinstance(play.view("a"), Lost)
    assert play.server.leases == {}


def test_an_unknown_token_that_the_list_shows_is_the_grant() -> None:
    play = Play()
    play.server.commit(0, held_lease(0, "a", 41), OPERATOR)
    play(ask("a", token=41), m.Relist)
    play.relist()
    assert play.granted("a").token == 41
    assert play.table.roll.claims["a"].confirmed


def test_a_token_shown_while_the_claims_grant_is_written_is_looked_up() -> None:
    play = Play()
    grant = play.done(play(ask("a"), m.Make), m.Grant)
    play(ask("a", token=5), m.Relist)
    play.done(grant)
    assert isinstance(play.view("a", 5), Settling)
    play.relist(started=play.now + 1)
    assert isinstance(play.view("a", 5), Lost)


def test_a_claim_whose_token_was_refuted_waits_again_only_when_it_asks_without_one() -> None:
    play = Play()
    grant = play.done(play(ask("a"), m.Make), m.Grant)
    play(ask("a", token=5), m.Relist)
    play.relist(started=play.now + 1)
    play.hand(0, free_lease(0))
    read = play.done(grant, m.ReadBack)
    play.done(read)
    assert play.waits() == []
    assert play.view("a") is None
    play(ask("a"), m.Grant)


def test_a_token_that_never_was_takes_nothing_from_who_holds_under_the_same_id() -> None:
    play = Play()
    held = play.grant("a")
    renewed = play.table.roll.claims["a"].renewed
    play.now += 5
    play(ask("a", token=5), m.Relist)
    play.relist(started=play.now + 1)
    assert isinstance(play.view("a", 5), Lost)
    assert play.view("a", held.token) == play.view("a") == held
    play(ask("a", token=5))
    assert play.holders() == {0: "a"}
    assert play.table.roll.claims["a"].renewed == renewed


def test_the_own_grant_whose_answer_was_lost_is_no_loss_for_who_shows_its_token() -> None:
    play = Play()
    grant = play.done(play(ask("a"), m.Make), m.Grant)
    play.lost(grant)
    play(ask("a", token=grant.base.version), m.Relist)
    play.relist()
    assert isinstance(play.view("a", grant.base.version), Settling)
    read = play.done(grant, m.ReadBack)
    play.done(read, m.ReadBack)
    assert play.granted("a").token == grant.base.version


def test_a_doubt_stands_when_a_delayed_plain_request_arrives() -> None:
    play = Play()
    play(ask("a", token=41), m.Relist)
    play(ask("a"))
    assert play.waits() == []
    play.relist()
    assert isinstance(play.view("a"), Lost)


def two_leases(play: Play) -> None:
    for ordinal, token in ((0, 52), (1, 51)):
        play.server.commit(ordinal, held_lease(ordinal, "a", token), OPERATOR)
    play.now += 1
    play.relist()


def test_of_two_leases_the_older_is_answered_and_the_other_cleared_once_its_token_is_shown() -> (
    None
):
    play = Play(2)
    two_leases(play)
    assert play.granted("a").token == 51
    play(ask("a"))
    assert play.holders() == {0: "a", 1: "a"}
    free = play(ask("a", token=51), m.Free)
    assert free.base.holder.token == 52
    assert play.granted("a").token == 51


def test_of_two_leases_the_one_whose_token_is_shown_stays() -> None:
    play = Play(2)
    two_leases(play)
    free = play(ask("a", token=52), m.Free)
    assert free.base.holder.token == 51
    assert play.granted("a").token == 52
    play.done(free)
    assert play.holders() == {0: "a"}


def test_the_token_of_a_stray_that_is_being_cleared_is_not_answered() -> None:
    play = Play(2)
    two_leases(play)
    free = play(ask("a", token=51), m.Free)
    play(ask("a", token=52), m.Relist)
    assert isinstance(play.view("a", 52), Settling)
    play.done(free)
    play.relist()
    assert isinstance(play.view("a", 52), Lost)
    assert play.granted("a").token == 51


def test_a_claim_whose_answered_lease_is_gone_is_lost_and_not_given_its_stray() -> None:
    play = Play(2)
    two_leases(play)
    free = play(ask("a", token=51), m.Free)
    read = play(play.hand(1, free_lease(1)), m.ReadBack)
    play.done(read)
    assert isinstance(play.view("a"), Settling)
    play.done(free)
    assert isinstance(play.view("a"), Lost)


def test_an_unheard_answer_whose_lease_is_gone_leaves_the_other_one_to_who_shows_its_token() -> (
    None
):
    play = Play(2)
    two_leases(play)
    play(ask("a"))
    play.done(play(play.hand(1, free_lease(1)), m.ReadBack))
    assert isinstance(play.view("a"), Lost)
    assert play.holders() == {0: "a"}
    play(ask("a", token=52))
    assert play.granted("a").token == 52


def test_a_release_of_a_claim_whose_answered_lease_is_gone_ends_when_no_lease_names_it() -> None:
    play = Play(2)
    two_leases(play)
    play(ask("a"))
    play.done(play(play.hand(1, free_lease(1)), m.ReadBack))
    free = play(m.Leave("a"), m.Free)
    assert isinstance(play.view("a"), Settling)
    play.done(free)
    assert isinstance(play.view("a"), Released)
