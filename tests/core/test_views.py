"""What the table says of claims, slots and the queue, in words that help."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from coordinator.core import messages as m
from coordinator.core.model import Verdict
from coordinator.core.views import Queued, Settling, slot_views, waiting
from tests.core.play import POD, Play, ask, free_lease, held_lease

if TYPE_CHECKING:
    from collections.abc import Callable


def reason(play: Play, claim: str) -> str:
    view = play.view(claim)
    assert isinstance(view, Queued), view
    return view.reason


def full(play: Play) -> None:
    play.grant("a")


def held(play: Play) -> None:
    play(m.SetHold("disk swap"))


def shrunk(play: Play) -> None:
    play(m.SetLimit(2))
    play.grant("a")
    play.grant("b")
    play(m.SetLimit(1))


def zero(play: Play) -> None:
    play(m.SetLimit(0))


def paused(play: Play) -> None:
    play.grant("a")
    free = play(m.Leave("a"), m.Free)
    play(m.Failed(free.op, "403 Forbidden: no update of leases"))


@pytest.mark.parametrize(
    ("prepare", "expected"),
    [
        (full, "1 of 1 slots of node1 are held"),
        (held, "node1 is on hold: disk swap"),
        (shrunk, "2 slots of node1 are held, more than its limit of 1"),
        (zero, "node1 has no slots: its limit is 0"),
        (paused, "the API server did not take the last write: 403 Forbidden: no update of leases"),
    ],
)
def test_who_waits_is_told_why(prepare: Callable[[Play], None], expected: str) -> None:
    play = Play()
    prepare(play)
    play(ask("w"))
    assert reason(play, "w") == expected


def test_who_waits_for_a_write_is_told_so() -> None:
    play = Play()
    make = play(ask("w"), m.Make)
    assert reason(play, "w") == "a slot of node1 is being prepared"
    play.done(make, m.Grant)
    assert reason(play, "w") == "its slot is being written"


def test_a_new_leader_says_that_it_gathers() -> None:
    play = Play(settled=False)
    play(ask("w"))
    assert reason(play, "w").startswith("the coordinator has just started")


def test_an_unknown_claim_has_no_view() -> None:
    assert Play().view("nobody") is None


def test_a_lost_claim_is_told_which_lease_and_why() -> None:
    play = Play()
    play.grant("a")
    play.done(play(play.hand(0, None), m.ReadBack))
    assert "Lease node1-slot-0: taken from it by another hand" in str(play.view("a"))


def states(play: Play) -> list[tuple[int, str]]:
    return [(view.slot, view.state) for view in slot_views(play.table, play.now)]


def test_the_state_of_each_slot() -> None:
    play = Play(9)
    leases: dict[int, Any] = {
        0: held_lease(0, "a", 51),
        1: free_lease(1),
        2: free_lease(2, foreign="not ours"),
        3: free_lease(3, terminating=True),
        4: held_lease(4, "d", 52, pod=POD),
        5: held_lease(5, "e", 53),
    }
    for ordinal, lease in leases.items():
        play.server.commit(ordinal, lease, -1)
    play.now += 1
    play.relist()
    play(m.Leave("a"), m.Free)
    play.later(40)
    play.confirm("e")
    play.later(20, m.Examine)
    play.look("d", Verdict.UNREACHABLE)
    assert states(play) == [
        (0, "releasing"),
        (1, "free"),
        (2, "blocked"),
        (3, "blocked"),
        (4, "unresponsive"),
        (5, "held"),
    ]
    silent = slot_views(play.table, play.now)[4]
    assert silent.silent_seconds == 60
    assert silent.held is not None
    assert silent.held.pod == POD


def test_a_holder_past_the_limit_is_shown_as_such() -> None:
    play = Play(2)
    play.grant("a")
    play.grant("b")
    play(m.SetLimit(1))
    assert [view.detail for view in slot_views(play.table, play.now)] == ["", "over the limit"]


def test_a_slot_that_is_made_is_shown_as_absent() -> None:
    play = Play()
    play(ask("a"), m.Make)
    assert states(play) == [(0, "absent")]


def test_the_queue_shows_places_and_who_is_absent() -> None:
    play = Play()
    play.grant("a")
    play(ask("b", priority=1))
    play(ask("c"))
    play(m.PollEnded(("b",)))
    play.later(16)
    shown = [(w.claim, w.position, w.present) for w in waiting(play.table, play.now)]
    assert shown == [("b", 1, False), ("c", 2, True)]


def test_a_leaving_claim_is_never_shown_as_granted() -> None:
    play = Play()
    play.grant("a")
    play(m.Leave("a"), m.Free)
    assert isinstance(play.view("a"), Settling)
