"""When a node's table wants a tick: hardly ever while its agents renew, and never too late."""

from __future__ import annotations

import copy
import math
import random

import pytest

from coordinator.core import messages as m
from coordinator.core.claims import LATE, Policy
from tests.core.play import POD, Play, ask
from tests.core.walk import NAMES, STEPS, WEIGHTS
from tests.core.world import World

LONG = Policy().long_wait


def due_in(play: Play) -> float:
    """Seconds after which the table is to be looked at, once it was looked at now."""
    play.later(0.0)
    return play.table.due - play.now


def renew(play: Play, claim: str) -> None:
    token = play.granted(claim).token
    play(ask(claim, token=token))
    play(m.PollEnded((claim,)))


def test_a_renewal_makes_no_look_due_and_a_look_reckons_with_the_last_one() -> None:
    play = Play()
    play.grant("a")
    renew(play, "a")
    assert due_in(play) == 60
    play.now += 20
    renew(play, "a")
    assert play.table.due == play.now + 40
    assert due_in(play) == 60


def test_a_table_of_which_nothing_is_known_is_never_due_once_it_was_looked_at() -> None:
    assert due_in(Play()) == math.inf


def test_a_silent_holder_is_looked_at_each_time() -> None:
    play = Play()
    play.grant("a", pod=POD)
    play.later(60, m.Examine)
    assert due_in(play) <= 0


def test_a_waiting_claim_is_due_when_it_would_be_given_up() -> None:
    play = Play()
    play.grant("x", ttl=3600)
    play(ask("a", ttl=60))
    assert due_in(play) == 60
    play.now += 30
    play(m.PollEnded(("a",)))
    assert due_in(play) == 60


def test_a_long_wait_is_due_when_it_is_long_and_only_for_a_claim_with_a_pod() -> None:
    play = Play()
    play.grant("x", ttl=3600)
    play(ask("a", pod=POD, ttl=3600))
    play(ask("b", ttl=3600))
    assert due_in(play) == LONG
    play.now += LONG
    assert due_in(play) == 3600 - LONG


def test_an_end_is_due_when_it_is_forgotten() -> None:
    play = Play()
    play(m.Leave("a"))
    assert due_in(play) == 120 + LATE


def test_a_new_leader_is_due_when_it_grants_and_after_a_failure_when_the_pause_is_over() -> None:
    play = Play(settled=False)
    play(ask("a"))
    assert due_in(play) == 1
    make = play.later(1, m.Make)
    play(m.Failed(make.op, "429"))
    assert due_in(play) == 1


def test_while_a_node_is_on_hold_its_queue_alone_makes_nothing_due() -> None:
    play = Play(policy=Policy(long_wait=0.0))
    play(m.SetHold("upgrade"))
    play(ask("a"))
    assert due_in(play) == 60


def test_a_queue_beside_a_free_slot_is_looked_at_each_time() -> None:
    play = Play(policy=Policy(long_wait=0.0))
    play(m.SetHold("upgrade"))
    play(ask("a"))
    play(m.PollEnded(("a",)))
    play.now += 20
    play(m.SetHold(""))
    assert due_in(play) == 0, "its client may come back"


def test_a_queue_whose_slot_is_being_made_waits_for_that_alone() -> None:
    play = Play(policy=Policy(long_wait=0.0))
    play(ask("a"), m.Make)
    assert due_in(play) == 60


@pytest.mark.parametrize("seed", range(40))
def test_before_it_is_due_a_tick_changes_nothing(seed: int) -> None:
    rnd, world = random.Random(seed), World(seed % 3)
    for name in rnd.choices(NAMES, WEIGHTS, k=120):
        numbers = rnd.randrange(2), rnd.randrange(8), rnd.randrange(70)
        STEPS[name][1](world, *numbers)
        for site in world.sites:
            wait = min(site.table.due - world.now, 1000.0)
            if wait > 0:
                table = copy.deepcopy(site.table)
                commands = table.handle(m.Tick(), world.now + wait * rnd.random())
                assert commands == []
                assert table.roll.claims == site.table.roll.claims
                assert table.roll.ended == site.table.roll.ended
                assert table.picture.slots == site.table.picture.slots
