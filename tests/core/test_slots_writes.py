"""Writes and their outcomes: lost answers, conflicts, failures, late events, lists (P2, P3, P7)."""

from __future__ import annotations

from typing import Any

import pytest

from coordinator.core import messages as m
from coordinator.core.views import Lost, Queued, Released, Settling
from tests.core.play import OPERATOR, OTHER, POD, Play, ask, free_lease, held_lease


def granting(play: Play, claim: str = "a") -> Any:
    """The claim's Grant is under way."""
    return play.done(play(ask(claim), m.Make), m.Grant)


@pytest.mark.parametrize("losses", [1, 5])
def test_an_unknown_grant_is_repeated_until_it_is_settled(losses: int) -> None:
    play = Play()
    grant = granting(play)
    for _ in range(losses):
        assert play(m.Unknown(grant.op), m.Grant) is grant
    assert play(m.Failed(grant.op, "429"), m.Grant) is grant
    assert isinstance(play.view("a"), Queued)
    play.done(grant)
    assert play.granted("a")


def test_a_grant_whose_answer_was_lost_is_found_by_its_conflict_and_a_read() -> None:
    play = Play()
    grant = granting(play)
    play.lost(grant)
    read = play.done(grant, m.ReadBack)
    play.done(read)
    assert play.granted("a").token == grant.base.version


def test_a_grant_that_lost_to_another_returns_to_its_place() -> None:
    play = Play()
    grant = granting(play)
    play(ask("b"))
    play.hand(0, held_lease(0, "x", 90))
    read = play.done(grant, m.ReadBack)
    play.done(read)
    assert play.waits() == ["a", "b"]
    assert play.holders() == {0: "x"}


def test_an_unknown_grant_counts_as_held() -> None:
    play = Play(1)
    grant = granting(play)
    play(m.Unknown(grant.op), m.Grant)
    play(m.Leave("a"))
    play(ask("b"))
    play.later(10)
    assert play.table.picture.taken == 1


def test_a_failed_hand_over_returns_its_claim_to_its_place_and_pauses() -> None:
    play = Play()
    play.grant("a")
    play(ask("b"))
    play(ask("c"))
    over = play(m.Leave("a"), m.HandOver)
    play(m.Failed(over.op, "429 Too Many Requests"))
    assert play.waits() == ["b", "c"]
    assert isinstance(play.view("a"), Settling)
    play.later(0.5)
    assert play.later(0.5, m.HandOver).claim == "b"


def test_the_pause_after_failures_grows_up_to_thirty_seconds_and_never_breaks() -> None:
    play = Play()
    play.grant("a", ttl=3600)
    op = play(m.Leave("a"), m.Free)
    pauses = []
    for _ in range(1100):
        play(m.Failed(op.op, "403 Forbidden"))
        pauses.append(play.table.paused_until - play.now)
        play.now = play.table.paused_until
        op = play(m.Tick(), m.Free)
    assert pauses[:7] == [1, 2, 4, 8, 16, 30, 30]
    assert set(pauses[5:]) == {30}
    play.done(op)
    assert play.view("a") == Released("a")


@pytest.mark.parametrize("outcome", ["written", "loss", "failed"])
def test_a_leave_during_the_grant_is_applied_to_its_outcome(outcome: str) -> None:
    play = Play()
    grant = granting(play)
    play(m.Leave("a"))
    assert isinstance(play.view("a"), Settling)
    if outcome == "written":
        play.done(play.done(grant, m.Free))
    elif outcome == "loss":
        play.hand(0, held_lease(0, "x", 90))
        play.done(play.done(grant, m.ReadBack))
    else:
        play(m.Failed(grant.op, "429"))
    assert play.view("a") == Released("a")
    assert "a" not in play.holders().values()


def test_a_leave_during_an_unknown_grant_waits_for_the_truth() -> None:
    play = Play()
    grant = granting(play)
    play.lost(grant)
    play(m.Leave("a"))
    play.later(600)
    assert isinstance(play.view("a"), Settling)
    read = play.done(grant, m.ReadBack)
    play.done(play.done(read, m.Free))
    assert play.view("a") == Released("a")


def test_a_leave_while_the_lease_is_made_ends_at_once_and_the_next_gets_it() -> None:
    play = Play()
    make = play(ask("a"), m.Make)
    play(ask("b"))
    play(m.Leave("a"))
    assert play.view("a") == Released("a")
    assert play.done(make, m.Grant).claim == "b"


def test_an_heir_that_leaves_during_the_hand_over_gives_it_to_the_next() -> None:
    play = Play()
    play.grant("a")
    play(ask("b"))
    play(ask("c"))
    over = play(m.Leave("a"), m.HandOver)
    play(m.Leave("b"))
    assert play.done(over, m.HandOver).claim == "c"


def test_a_create_whose_answer_was_lost_is_read_back_and_used() -> None:
    play = Play()
    make = play(ask("a"), m.Make)
    play.lost(make)
    assert play.done(play.done(make, m.ReadBack), m.Grant).claim == "a"


def test_a_create_that_meets_a_foreign_lease_goes_round_it() -> None:
    play = Play(2)
    make = play(ask("a"), m.Make)
    play.hand(0, free_lease(0, foreign="not ours"))
    read = play.done(make, m.ReadBack)
    assert play.done(read, m.Make).ordinal == 1


def test_a_foreign_lease_told_while_a_create_is_under_way_counts_at_once() -> None:
    play = Play(1)
    make = play(ask("a"), m.Make)
    play(play.hand(0, free_lease(0, foreign="not ours")))
    assert play.table.picture.taken == 1
    play.done(play.done(make, m.ReadBack))


def test_an_unknown_removal_is_repeated_and_settled_by_reading() -> None:
    play = Play()
    play.grant("a")
    play.done(play(m.Leave("a"), m.Free))
    remove = play(m.SetLimit(0), m.Remove)
    play.lost(remove)
    play.done(play.done(remove, m.ReadBack))
    assert play.table.picture.slots[0].lease is None


def test_late_watch_events_are_dropped() -> None:
    play = Play()
    play.grant("a")
    play.done(play(m.Leave("a"), m.Free))
    for entry in play.server.history:
        play(entry.event)
    assert play.table.picture.named == {}
    play.done(play(m.SetLimit(0), m.Remove))
    for entry in play.server.history:
        play(entry.event)
    assert play.table.picture.slots[0].lease is None


def test_an_event_during_an_operation_is_kept_for_its_end() -> None:
    play = Play()
    grant = granting(play)
    written = play.server.apply(grant, 1)
    cleared = play.hand(0, free_lease(0))
    play(cleared)
    read = play(written, m.ReadBack)
    play.done(read)
    assert isinstance(play.view("a"), Lost)


def test_lost_is_said_only_after_a_fresh_read() -> None:
    play = Play()
    play.grant("a")
    read = play(play.hand(0, None), m.ReadBack)
    assert play(m.Unknown(read.op), m.ReadBack) is read
    assert play(m.Failed(read.op, "429"), m.ReadBack) is read
    assert play.granted("a")
    play.done(read)
    assert isinstance(play.view("a"), Lost)


def test_a_slot_taken_by_another_leaders_grant_is_read_first() -> None:
    play = Play()
    play.grant("a")
    read = play(play.hand(0, held_lease(0, "x", 90)), m.ReadBack)
    play.done(read)
    assert isinstance(play.view("a"), Lost)
    assert play.granted("x").token == 90


def test_a_new_grant_of_the_same_claim_by_another_is_read_too() -> None:
    play = Play()
    play.grant("a")
    play.confirm("a")
    read = play(play.hand(0, held_lease(0, "a", 90)), m.ReadBack)
    free = play.done(read, m.Free)
    play.done(free)
    assert isinstance(play.view("a"), Lost)


def test_a_404_with_a_newer_event_waiting_is_read_again() -> None:
    play = Play()
    play.grant("a")
    read = play(play.hand(0, None), m.ReadBack)
    answer = play.server.apply(read, 1)
    play.server.commit(0, held_lease(0, "x", 90), OTHER)
    play(play.server.history[-1].event)
    play.done(play(answer, m.ReadBack))
    assert play.granted("x")


def test_a_courtesy_is_written_once_and_never_repeated() -> None:
    play = Play()
    play.grant("a")
    refresh = play(m.Courtesy("a"), m.Refresh)
    play(m.Courtesy("a"))
    read = play(m.Unknown(refresh.op), m.ReadBack)
    play.done(read)
    play.done(play(m.Courtesy("a"), m.Refresh))
    assert play.granted("a")


def test_a_courtesy_that_takes_effect_late_only_costs_a_read() -> None:
    play = Play()
    play.grant("a")
    refresh = play(m.Courtesy("a"), m.Refresh)
    play.done(play(m.Unknown(refresh.op), m.ReadBack))
    free = play(m.Leave("a"), m.Free)
    play.server.apply(refresh, 1)
    read = play.done(free, m.ReadBack)
    play.done(play.done(read, m.Free))
    assert play.view("a") == Released("a")


def test_no_courtesy_during_a_pause_for_a_leaving_or_an_unknown_claim() -> None:
    play = Play(2)
    play.grant("a")
    play.grant("b")
    play(m.Failed(play(m.Courtesy("a"), m.Refresh).op, "429"))
    play(m.Courtesy("a"))
    play(m.Courtesy("nobody"))
    play(m.Leave("b"))
    play(m.Courtesy("b"))


def test_a_courtesy_that_failed_gives_way_to_what_waits() -> None:
    play = Play()
    play.grant("a", pod=POD)
    refresh = play(m.Courtesy("a"), m.Refresh)
    play(m.Leave("a"))
    play.done(refresh, m.Free)


def test_two_leaders_cannot_give_one_slot_to_two_claims() -> None:
    play, other = Play(), Play()
    other.server = play.server
    grant = granting(play)
    other.now += 1
    other.relist()
    rival = other(ask("b"), m.Grant)
    other.done(rival)
    play.done(play.done(grant, m.ReadBack))
    assert play.holders() == {0: "b"}
    assert play.waits() == ["a"]
    play.server.commit(0, None, OPERATOR)
    assert play.server.apply(grant, 1) == m.Conflict(grant.op)
