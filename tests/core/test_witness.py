"""What happened is told once, when its write stands: also where nobody heard the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from coordinator.core import messages as m
from coordinator.core.happenings import Granted, HandedOver, Party, Reclaimed, Released
from coordinator.core.model import Cause
from coordinator.core.witness import Change, Witness, reclaimed
from tests.core.modelserver import NODE
from tests.core.play import POD, US, Play, ask, free_lease, held_lease

if TYPE_CHECKING:
    from coordinator.core.happenings import Happening

LEASE = "node1-slot-0"


class Watched(Play):
    """A play of which everything is witnessed."""

    def __init__(self, limit: int = 1) -> None:
        self.witness = Witness()
        self.told: list[Happening] = []
        super().__init__(limit)

    def ended(self, op: m.Operation, outcome: m.Outcome) -> Change | None:
        found = self.witness.ended(self.table, op, outcome, self.now)
        self.told += [found] if found else []
        return found

    def done(self, op: m.Operation, *kinds: type) -> Any:
        outcome = self.server.apply(op, US)
        self.ended(op, outcome)
        return self(outcome, *kinds)

    def lost(self, op: m.Operation) -> None:
        self.ended(op, m.Unknown(op.op))
        super().lost(op)

    def conflict(self, op: m.Operation) -> m.ReadBack:
        """Its precondition does not hold; the read that follows."""
        self.ended(op, m.Conflict(op.op))
        read = self(m.Conflict(op.op), m.ReadBack)
        assert isinstance(read, m.ReadBack)
        return read

    def asked(self, claim: str, **more: Any) -> Any:
        """The command that follows from the claim's request."""
        return self.table.handle(ask(claim, **more), self.now)[0]


def party(claim: str) -> Party:
    return Party(claim, f"load-{claim}")


def test_making_a_lease_is_no_happening_and_the_grant_is_one() -> None:
    play = Watched()
    make = play.asked("a", pod=POD)
    play.now += 2
    grant = play.done(make, m.Grant)
    assert play.told == []
    play.now += 3
    play.done(grant, m.Examine)
    token = play.granted("a").token
    assert play.told == [Granted(NODE, LEASE, 0, Party("a", "load-a", POD), token, 5.0)]


def test_a_hand_over_tells_how_long_each_waited_and_held() -> None:
    play = Watched()
    play.grant("a")
    play.now += 10
    play(ask("b"))
    play.now += 20
    over = play(m.Leave("a"), m.HandOver)
    play.now += 0.5
    play.done(over)
    token = play.granted("b").token
    assert play.told[1:] == [
        HandedOver(NODE, LEASE, 0, party("a"), party("b"), token, 20.5, 30.0, 0.5)
    ]


def test_a_release_tells_how_long_it_was_held_until_it_was_let_go() -> None:
    play = Watched()
    play.grant("a")
    play.now += 30
    free = play(m.Leave("a"), m.Free)
    play.now += 4
    play.done(free)
    assert play.told[1:] == [Released(NODE, LEASE, 0, party("a"), 30.0)]


def test_of_a_grant_that_this_leader_did_not_see_nobody_knows_how_long_it_was_held() -> None:
    play = Watched()
    play.server.commit(0, held_lease(0, "a", 5), US)
    play.relist()
    play.now += 30
    play.done(play(m.Leave("a"), m.Free))
    assert play.told == [Released(NODE, LEASE, 0, party("a"), None)]


def test_a_slot_that_changed_hands_by_another_hand_is_not_counted_as_held_since() -> None:
    """The Lease has another token than the grant that was seen."""
    play = Watched()
    play.grant("a")
    play.done(play(play.hand(0, held_lease(0, "b", 9)), m.ReadBack))
    play.now += 30
    play.done(play(m.Leave("b"), m.Free))
    assert play.told[-1] == Released(NODE, LEASE, 0, party("b"), None)


@pytest.mark.parametrize("lost", [False, True], ids=["answered", "answer lost"])
def test_a_write_whose_answer_was_lost_is_told_once_when_it_is_known_to_stand(lost: bool) -> None:
    play = Watched()
    grant = play.done(play.asked("a"), m.Grant)
    if lost:
        play.lost(grant)
        assert play.told == []
        read = play.conflict(grant)
        assert play.told == []
        play.done(read)
    else:
        play.done(grant)
    assert [type(one) for one in play.told] == [Granted]
    free = play(m.Leave("a"), m.Free)
    if lost:
        play.lost(free)
        play.done(play.conflict(free))
    else:
        play.done(free)
    assert [type(one) for one in play.told] == [Granted, Released]


def test_a_write_that_another_one_won_is_not_told() -> None:
    play = Watched()
    grant = play.done(play.asked("a"), m.Grant)
    play.hand(0, held_lease(0, "z", 3))
    play.done(play.conflict(grant))
    assert play.told == []


def test_a_read_that_nothing_was_in_doubt_about_tells_nothing() -> None:
    """A slot with a foreign Lease, then a free one, is looked at and nothing follows."""
    play = Watched()
    play.server.commit(0, free_lease(0), US)
    read = m.ReadBack(99, 0, LEASE)
    assert play.ended(read, m.Read(99, play.server.leases[0])) is None


def test_a_reclaim_names_the_slot_that_is_taken_back() -> None:
    play = Watched()
    play.grant("a")
    command, free = play.later(60, m.Reclaimed, m.Free)
    told = reclaimed(play.table, command)
    assert told == Reclaimed(NODE, LEASE, 0, party("a"), Cause.EXPIRED, "not renewed for 60 s")
    play.done(free)
    assert play.told[-1] == Released(NODE, LEASE, 0, party("a"), 60.0)
