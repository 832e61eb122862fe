"""Fifty thousand holders and as many that wait: what two records say of one thing is kept once."""

from __future__ import annotations

from dataclasses import replace

from coordinator.core.model import Holder
from tests.core.play import POD, Play, ask, terms


def test_an_answer_brings_no_second_copy_of_the_terms() -> None:
    play = Play()
    token = play.grant("a", pod=POD).token
    anew = Holder("a", terms("a", pod=replace(POD)), token)
    play(play.hand(0, replace(play.server.leases[0], holder=anew)))
    slot, claim = play.table.picture.slots[0], play.table.roll.claims["a"]
    assert slot.holder is anew
    assert claim.terms is anew.terms


def test_other_terms_in_the_lease_are_not_the_claims() -> None:
    play = Play()
    token = play.grant("a").token
    other = Holder("a", replace(terms("a"), priority=7), token)
    play(play.hand(0, replace(play.server.leases[0], holder=other)))
    assert play.table.roll.claims["a"].terms == terms("a")


def test_a_slots_name_is_that_of_its_lease() -> None:
    play = Play()
    play.grant("a")
    slot = play.table.picture.slots[0]
    assert slot.lease is not None
    assert slot.name is slot.lease.name


def test_the_queue_is_the_nodes_claims_that_wait_and_no_others() -> None:
    play = Play()
    play.grant("a")
    play(ask("b"))
    queue = play.table.roll.queue
    assert [name for name in ("a", "b", "c") if name in queue] == ["b"]
    assert play.table.roll.claims["b"].ticket == play.table.roll.claims["b"].key[1:3]
