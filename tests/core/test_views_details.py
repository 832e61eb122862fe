"""Every field and sentence of what the table says of itself; who is about to be granted."""

from __future__ import annotations

from dataclasses import replace

from coordinator.core import messages as m
from coordinator.core.model import Holder, Lease, Verdict
from coordinator.core.survey import Survey
from coordinator.core.views import (
    Granted,
    Held,
    Lost,
    Queued,
    Settling,
    SlotView,
    Waiting,
    holders,
    slot_views,
    waiting,
)
from tests.core.play import OPERATOR, POD, Play, ask, free_lease, held_lease, terms

LOAD_A = Held("a", "load-a", "node1-slot-0", 3, POD, 60)


def queued(play: Play, claim: str) -> Queued:
    view = play.view(claim)
    assert isinstance(view, Queued), view
    return view


def test_who_waits_is_told_everything_about_who_holds() -> None:
    play = Play()
    play.grant("a", priority=3, pod=POD)
    play(ask("b"))
    view = queued(play, "b")
    assert (view.claim, view.position, view.holders) == ("b", 1, (LOAD_A,))
    assert holders(play.table) == (LOAD_A,)


def test_a_claim_whose_grant_is_being_written_is_told_the_first_place() -> None:
    play = Play(2)
    play.done(play(ask("a"), m.Make), m.Grant)
    assert queued(play, "a").position == 1


def test_a_pause_is_over_at_the_second_at_which_grants_may_go_on() -> None:
    play = Play()
    play.grant("a")
    free = play(m.Leave("a"), m.Free)
    play(ask("b"))
    play(m.Failed(free.op, "429 Too Many Requests"))
    play.now += 0.75
    assert "429 Too Many Requests" in queued(play, "b").reason
    play.now += 0.25
    assert play.table.may_grant(play.now)
    assert queued(play, "b").reason == "1 of 1 slots of node1 are held"


def shown(play: Play) -> dict[int, SlotView]:
    return {view.slot: view for view in slot_views(play.table, play.now)}


def told(play: Play) -> dict[int, tuple[str, str]]:
    return {slot: (view.state, view.detail) for slot, view in shown(play).items()}


def test_a_held_slot_is_shown_with_all_that_its_lease_says() -> None:
    play = Play()
    holder = Holder("a", terms("a", 3, pod=POD), 51, "2026-01-01T00:00:00.000000Z")
    play.server.commit(0, replace(free_lease(0), holder=holder), OPERATOR)
    play.now += 1
    play.relist()
    play.now += 5
    held = replace(LOAD_A, acquired="2026-01-01T00:00:00.000000Z")
    expected = SlotView(0, "node1-slot-0", "held", "", held, 51, 5.0)
    assert shown(play) == {0: expected}


def test_a_slot_that_nobody_has_is_shown_without_a_holder() -> None:
    play = Play()
    play(play.hand(0, free_lease(0)))
    assert shown(play) == {0: SlotView(0, "node1-slot-0", "free", "", None, None, None)}
    play(m.SetHold("x"))
    play(play.hand(0, None))
    play(m.SetHold(""))
    play(ask("b"), m.Make)
    assert shown(play) == {0: SlotView(0, "node1-slot-0", "absent", "", None, None, None)}


def test_a_blocked_slot_says_why() -> None:
    play = Play(2)
    blocked: list[Lease] = [
        free_lease(0, foreign="not ours"),
        free_lease(1, terminating=True),
    ]
    for ordinal, lease in enumerate(blocked):
        play(play.hand(ordinal, lease))
    assert told(play) == {
        0: ("blocked", "not ours"),
        1: ("blocked", "its Lease is being deleted"),
    }


def test_a_slot_that_is_given_back_or_whose_holder_is_silent_says_so() -> None:
    play = Play(2)
    play.grant("a")
    play(m.Leave("a"), m.Free)
    play.grant("d", pod=POD)
    play.confirm("d", pod=POD)
    play.later(60, m.Examine)
    play.look("d", Verdict.UNREACHABLE)
    silent = "its agent is silent and its Pod cannot be shown to have ended"
    assert told(play) == {0: ("releasing", ""), 1: ("unresponsive", silent)}


def test_the_queue_is_shown_with_all_that_its_claims_asked_for() -> None:
    play = Play()
    play.grant("a")
    play(ask("b", priority=4, ttl=30, pod=POD))
    assert waiting(play.table, play.now) == (Waiting("b", "load-b", 4, 1, True, POD, 30),)


def test_a_claim_whose_grant_is_being_written_is_shown_among_those_who_wait() -> None:
    play = Play()
    grant = play.done(play(ask("a"), m.Make), m.Grant)
    play(ask("b"))
    shown = waiting(play.table, play.now)
    assert [(one.claim, one.position) for one in shown] == [("a", 1), ("b", 1)]
    play(m.Leave("a"))
    assert [one.claim for one in waiting(play.table, play.now)] == ["b"]
    play.done(grant, m.HandOver)


def test_only_as_many_waiting_claims_are_imminent_as_leases_are_being_made() -> None:
    play = Play()
    play(ask("a"), m.Make)
    play(ask("b"))
    assert Survey(play.table, play.now).is_imminent("a")
    assert not Survey(play.table, play.now).is_imminent("b")


def test_a_claim_whose_grant_is_written_or_stands_is_imminent_and_an_unknown_one_is_not() -> None:
    play = Play()
    grant = play.done(play(ask("a"), m.Make), m.Grant)
    assert Survey(play.table, play.now).is_imminent("a")
    play.done(grant)
    assert Survey(play.table, play.now).is_imminent("a")
    assert not Survey(play.table, play.now).is_imminent("nobody")


def test_a_claim_behind_a_full_node_is_not_imminent() -> None:
    play = Play()
    play(play.hand(0, held_lease(0, "x", 41)))
    play(ask("b"))
    assert not Survey(play.table, play.now).is_imminent("b")


# --- one claim's state ------------------------------------------------------------------------


def test_a_granted_claim_is_told_its_slot_its_lease_and_its_ttl() -> None:
    play = Play()
    grant = play.done(play(ask("a", ttl=30), m.Make), m.Grant)
    play.done(grant)
    assert play.view("a") == Granted("a", 0, "node1-slot-0", grant.base.version, 30)


def test_a_claim_that_gives_its_slot_back_is_told_so() -> None:
    play = Play()
    play.grant("a")
    play(m.Leave("a"), m.Free)
    assert play.view("a") == Settling("a", "its slot is being given back")


def test_a_released_claim_that_a_lease_still_names_is_settling() -> None:
    play = Play()
    play(m.Leave("a"))
    play(play.hand(0, held_lease(0, "a", 41)), m.Free)
    assert play.view("a") == Settling("a", "a Lease that still names it is being cleared")


def test_only_who_showed_the_doubtful_token_is_kept_waiting() -> None:
    play = Play()
    held = play.grant("a")
    play(ask("a", token=5), m.Relist)
    settling = Settling("a", "its fencing token is being looked up in a fresh list")
    assert (play.view("a"), play.view("a", 5)) == (held, settling)
    play.relist(started=play.now + 1)
    told = "no Lease of node1 names it with the fencing token 5"
    assert (play.view("a"), play.view("a", 5)) == (held, Lost("a", told))


def test_a_lost_claim_is_told_its_own_name() -> None:
    play = Play()
    play.grant("a")
    play.done(play(play.hand(0, None), m.ReadBack))
    lost = Lost("a", "Lease node1-slot-0: taken from it by another hand")
    assert play.view("a") == lost


def test_a_claim_whose_answered_grant_was_taken_is_told_its_own_name() -> None:
    play = Play(2)
    play.done(play.done(play(ask("a"), m.Make), m.Grant))
    play(play.hand(1, held_lease(1, "a", 777)))
    play.done(play(play.hand(0, free_lease(0)), m.ReadBack))
    lost = Lost("a", "the grant that was answered was taken from it by another hand")
    assert play.view("a") == lost
