"""Whom a claim's id belongs to over time: refusals by name, last tickets, ids that come again."""

from __future__ import annotations

import pytest

from coordinator.core import messages as m
from coordinator.core.claims import Policy, Roll
from coordinator.core.model import DEFAULT_TTL, MAX_TTL, MIN_TTL
from coordinator.core.refusals import ClaimMismatch, ClaimReleased, QueueFull
from tests.core.modelserver import NODE
from tests.core.play import Play, ask


def test_an_id_whose_release_is_still_being_written_is_refused() -> None:
    play = Play()
    play.grant("a")
    play(m.Leave("a"), m.Free)
    with pytest.raises(ClaimReleased, match=r"^a$"):
        play(ask("a"))


def test_a_refusal_names_the_claim() -> None:
    play = Play(policy=Policy(max_queue=0))
    with pytest.raises(QueueFull, match=r"^b$"):
        play(ask("b"))
    play = Play()
    play.grant("a")
    with pytest.raises(ClaimMismatch, match=r"^a$"):
        play(ask("a", priority=1))


def test_the_ticket_that_was_given_out_last_keeps_its_place_too() -> None:
    roll = Roll(NODE, 4, 0.0, Policy())
    last = roll.admit(ask("a"), 0.0).ticket
    assert roll.admit(ask("b", ticket=last), 0.0).ticket == last


def test_the_loss_of_an_id_that_came_again_is_told_no_more() -> None:
    play = Play()
    play.grant("a", ttl=10)
    play.done(play(play.hand(0, None), m.ReadBack))
    play(m.SetHold("disk"))
    play(ask("a", ttl=10))
    play(m.PollEnded(("a",)))
    play.later(16)
    assert play.view("a") is None


def test_the_numbers_that_hold_where_nothing_is_said() -> None:
    assert Policy() == Policy(
        settling=1.0,
        presence=15.0,
        memory=120.0,
        unresponsive_timeout=None,
        recheck=30.0,
        max_queue=1000,
        aging=1800.0,
    )
    assert (MIN_TTL, DEFAULT_TTL, MAX_TTL) == (10, 60, 3600)
