"""One fault at every point of two claims' lives: at most one hold each, and nothing left (P2, P6).

Every write of the story in turn loses its answer, its request, or arrives only long after; a late
one arrives at every later point in turn.
"""

from __future__ import annotations

from collections import Counter

import pytest

from coordinator.core.messages import ReadBack
from coordinator.core.survey import view_of
from coordinator.core.views import Granted, Released
from tests.core.world import World

LOSE_ANSWER, DELAY, LOSE_REQUEST = 3, 4, 5
WRITES = 6
"""Make, Grant, HandOver, Free, Remove, and one more for what a fault adds."""


class Story:
    """Two claims and one slot; the numbers say where it goes wrong."""

    def __init__(self, fault_at: int, fate: int, late_at: int) -> None:
        self.world = World()
        self.world.set_limit(1)
        self.world.tick(1)
        self.fault_at, self.fate, self.late_at = fault_at, fate, late_at
        self.writes = 0

    def settle(self) -> None:
        """Perform what is under way, with the one fault where it belongs."""
        site = self.world.sites[0]
        while waiting := [attempt for attempt in site.wire if attempt.awaited]:
            write = not isinstance(waiting[0].op, ReadBack)
            faulty = write and self.writes == self.fault_at
            self.writes += write
            self.world.deliver(0, 0, self.fate if faulty else 0)
            if self.writes == self.late_at:
                self.world.arrive_late(0)
            self.world.watch(0, 100)
            self.one_hold_each()

    def one_hold_each(self) -> None:
        held = [le.holder.claim for le in self.world.server.leases.values() if le.holder]
        assert all(count == 1 for count in Counter(held).values())
        assert len(held) <= 1

    def granted(self, claim: int) -> bool:
        view = view_of(self.world.sites[0].table, f"c{claim}", self.world.now)
        return isinstance(view, Granted)

    def tell(self) -> None:
        self.world.ask(0, 0)
        self.world.ask(0, 1)
        self.settle()
        assert self.granted(0)
        self.world.ask(0, 0)
        self.world.leave(0, 0)
        self.settle()
        assert self.granted(1)
        self.world.leave(0, 1)
        self.settle()
        self.world.set_limit(0)
        self.settle()
        self.world.arrive_late(0)
        self.world.watch(0, 100)
        self.settle()


@pytest.mark.parametrize("fate", [LOSE_ANSWER, DELAY, LOSE_REQUEST])
@pytest.mark.parametrize("fault_at", range(WRITES))
def test_one_fault_anywhere_leaves_at_most_one_hold_and_then_none(fault_at: int, fate: int) -> None:
    for late_at in range(fault_at + 1, fault_at + WRITES):
        story = Story(fault_at, fate, late_at)
        story.tell()
        assert story.world.server.leases == {}
        for claim in ("c0", "c1"):
            assert view_of(story.world.sites[0].table, claim, story.world.now) == Released(claim)


@pytest.mark.parametrize("fate", [LOSE_ANSWER, DELAY, LOSE_REQUEST])
def test_a_client_that_leaves_during_the_unknown_write_ends_with_no_hold(fate: int) -> None:
    story = Story(1, fate, 99)
    story.world.ask(0, 0)
    story.world.deliver(0, 0, 0)
    story.world.deliver(0, 0, fate)
    story.world.leave(0, 0)
    story.world.tick(6)
    story.settle()
    story.world.arrive_late(0)
    story.world.watch(0, 100)
    story.settle()
    assert not any(lease.holder for lease in story.world.server.leases.values())
    assert view_of(story.world.sites[0].table, "c0", story.world.now) == Released("c0")


@pytest.mark.parametrize("fate", [LOSE_ANSWER, DELAY])
def test_a_deposed_leaders_late_grant_is_the_claims_one_grant(fate: int) -> None:
    """The new leader sees nothing at first; the old one's write arrives after the election."""
    world = World()
    world.tick(1)
    world.ask(0, 0)
    world.deliver(0, 0, 0)
    world.deliver(0, 0, DELAY)
    world.elect()
    world.tick(3)
    world.ask(0, 0)
    world.arrive_late(0)
    while any(attempt.awaited for attempt in world.sites[-1].wire):
        world.deliver(len(world.sites) - 1, 0, 0 if fate == DELAY else 2)
        world.watch(len(world.sites) - 1, 100)
    assert len(world.server.names("c0")) == 1
    assert isinstance(view_of(world.sites[-1].table, "c0", world.now), Granted)
