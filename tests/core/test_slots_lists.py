"""Lists: they replace the picture, but never what may be newer than they are (P1, P6)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from coordinator.core import messages as m
from coordinator.core.model import Lease
from coordinator.core.views import Lost, Queued
from tests.core.play import Play, ask, free_lease, held_lease


def granting(play: Play, claim: str = "a") -> Any:
    """The claim's Grant is under way."""
    return play.done(play(ask(claim), m.Make), m.Grant)


def test_a_list_replaces_the_picture_even_with_lower_numbers() -> None:
    play = Play()
    play.grant("a")
    play.now += 1
    old = replace(held_lease(0, "b", 3), version=7)
    play(m.Relisted({0: old}, play.now))
    assert isinstance(play.view("a"), Lost)
    assert play.granted("b").token == 3
    play(m.Seen(0, replace(old, version=8, holder=None)), m.ReadBack)


def test_a_list_older_than_an_own_write_undoes_nothing() -> None:
    play = Play()
    started, leases = play.now - 1, dict[int, Lease]()
    play.grant("a")
    read = play(m.Relisted(leases, started), m.ReadBack)
    assert play.granted("a")
    play.done(read)
    assert play.granted("a")


@pytest.mark.parametrize("leases", [{}, {0: replace(free_lease(0), version=300)}])
def test_what_a_list_shows_of_a_slot_under_way_is_read_afterwards(leases: dict[int, Lease]) -> None:
    play = Play()
    grant = granting(play)
    written = play.server.apply(grant, 1)
    play.now += 1
    play(m.Relisted(leases, play.now))
    assert isinstance(play.view("a"), Queued)
    play.done(play(written, m.ReadBack))
    assert play.granted("a")


def test_a_holder_that_only_a_list_shows_counts_before_it_is_read() -> None:
    play = Play()
    play.grant("a")
    play.done(play(m.Leave("a"), m.Free))
    play.hand(1, held_lease(1, "x", 90))
    play.hand(0, held_lease(0, "y", 91))
    play(m.Relisted(dict(play.server.leases), play.now), m.ReadBack)
    play(m.SetLimit(2))
    play(ask("b"))
    assert play.table.picture.taken == 2


def test_a_list_forgets_the_ordinals_that_have_no_lease() -> None:
    play = Play(3)
    for claim in "abc":
        play.grant(claim)
        play(m.Leave(claim), m.Free)
    for slot in play.table.picture.slots.values():
        assert slot.op is not None
        play.done(slot.op)
    play(m.SetLimit(0), m.Remove, m.Remove, m.Remove)
    for slot in play.table.picture.slots.values():
        assert slot.op is not None
        play.done(slot.op)
    play.now += 1
    play.relist()
    assert play.table.picture.slots == {}
