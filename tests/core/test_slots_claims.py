"""A claim's life after its grant: renewal, release, expiry."""

from __future__ import annotations

import pytest

from coordinator.core import messages as m
from coordinator.core.model import PodRef
from coordinator.core.refusals import ClaimReleased
from coordinator.core.views import Lost, Queued, Released, Settling
from tests.core.play import OPERATOR, POD, Play, ask, held_lease


def test_renewal_keeps_and_silence_for_the_ttl_frees() -> None:
    play = Play()
    play.grant("a")
    for _ in range(5):
        play.later(40)
        play.confirm("a")
    play.later(59.5)
    assert play.granted("a")
    free = play.later(0.5, m.Reclaimed, m.Free)[1]
    play.done(free)
    assert isinstance(play.view("a"), Lost)
    assert play.holders() == {}


def test_a_claim_that_comes_back_before_its_slot_was_taken_keeps_it() -> None:
    play = Play()
    token = play.grant("a").token
    free = play.later(60, m.Reclaimed, m.Free)[1]
    play(ask("a", token=token))
    assert isinstance(play.view("a"), Settling)
    play(m.Failed(free.op, "429"))
    play.later(1)
    assert play.granted("a").token == token


def test_a_claim_that_comes_back_too_late_is_lost() -> None:
    play = Play()
    token = play.grant("a").token
    free = play.later(60, m.Reclaimed, m.Free)[1]
    play(ask("a", token=token))
    play.done(free)
    assert isinstance(play.view("a"), Lost)


def test_release_is_idempotent_and_the_id_is_gone_for_two_minutes() -> None:
    play = Play()
    play.grant("a")
    free = play(m.Leave("a"), m.Free)
    assert isinstance(play.view("a"), Settling)
    play(m.Leave("a"))
    play.done(free)
    assert play.view("a") == Released("a")
    play(m.Leave("a"))
    for _ in range(2):
        with pytest.raises(ClaimReleased):
            play(ask("a"))
        play.later(119.5)
        play(m.Leave("a"))
    play.later(120)
    assert play.view("a") is None
    play(ask("a"), m.Grant)


def test_a_release_of_an_unknown_claim_is_remembered_too() -> None:
    play = Play()
    play(m.Leave("a"))
    assert play.view("a") == Released("a")
    with pytest.raises(ClaimReleased):
        play(ask("a"))


def test_a_late_release_never_frees_the_successor() -> None:
    play = Play()
    play.grant("a")
    play(ask("b"))
    play.done(play(m.Leave("a"), m.HandOver))
    play(m.Leave("a"))
    assert play.granted("b")


def test_release_wins_over_lost_and_expired() -> None:
    play = Play()
    play.grant("a")
    free = play.later(60, m.Reclaimed, m.Free)[1]
    play(m.Leave("a"))
    play.done(free)
    assert play.view("a") == Released("a")


def test_a_lease_that_names_a_released_claim_is_a_stray_and_cleared() -> None:
    play = Play()
    play(m.Leave("a"))
    seen = play.hand(0, held_lease(0, "a", 55))
    free = play(seen, m.Free)
    assert isinstance(play.view("a"), Settling)
    play.done(free)
    assert play.view("a") == Released("a")


def test_a_claim_that_asks_anew_waits_until_its_stray_is_cleared() -> None:
    play = Play()
    play(ask("a", token=41), m.Relist)
    play.relist()
    assert isinstance(play.view("a"), Lost)
    free = play(play.hand(0, held_lease(0, "a", 55)), m.Free)
    play(ask("a"))
    assert isinstance(play.view("a"), Settling)
    play.done(free)
    assert play.answers == ["a"]
    assert play(ask("a"), m.Grant).claim == "a"


def test_a_new_leader_gives_every_holder_a_full_ttl() -> None:
    play = Play()
    play.server.commit(0, held_lease(0, "a", 51), OPERATOR)
    play.now += 500
    play.relist()
    play.later(59.5)
    assert play.granted("a").token == 51
    play.later(0.5, m.Reclaimed, m.Free)


def test_another_pod_is_adopted_and_written() -> None:
    play = Play()
    play.grant("a", pod=POD)
    moved = PodRef("velero", "pod-b", "uid-b")
    _, refresh = play(ask("a", pod=moved), m.Examine, m.Refresh)
    assert refresh.terms.pod == moved
    play.done(refresh)
    assert play.granted("a")


def test_a_request_for_a_lost_claim_without_a_token_is_a_new_claim() -> None:
    play = Play()
    play.grant("a")
    play.done(play.later(60, m.Reclaimed, m.Free)[1])
    assert play(ask("a"), m.Grant).claim == "a"
    assert isinstance(play.view("a"), Queued)


def test_the_end_of_an_older_request_is_not_taken_for_the_end_of_a_newer_one() -> None:
    play = Play()
    play.grant("a")
    play(m.Ask("b", ask("b").terms, poll=1))
    play(m.Ask("b", ask("b").terms, poll=2))
    play(m.PollEnded(("b",), 1))
    play(m.PollEnded(("b",), 1))
    play.later(50)
    assert play(m.Leave("a"), m.HandOver).claim == "b"
