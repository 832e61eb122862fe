"""P1 to P9 after every step of a world with delays, conflicts, lost answers and two leaders."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.core import planted, planted_headroom
from tests.core.healing import heal
from tests.core.intruder import intrude
from tests.core.walk import walk
from tests.core.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

THOROUGH = int(os.environ.get("NODESLOTS_THOROUGH", "1"))
"""Multiplies the examples: 50 is a good night's run."""

SITE, CLAIM, WHICH = st.integers(0, 1), st.integers(0, 4), st.integers(0, 5)


class SlotsMachine(RuleBasedStateMachine):
    """Hypothesis chooses the steps; `World.feed` judges each; the end heals and must be empty."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()

    @initialize(headroom=st.integers(0, 2))
    def keep_slots_for_urgent_claims(self, headroom: int) -> None:
        self.world = World(headroom)

    @rule(site=SITE, claim=CLAIM, bare=st.booleans(), stay=st.booleans(), ending=st.booleans())
    def ask(self, site: int, claim: int, bare: bool, stay: bool, ending: bool) -> None:
        self.world.ask(site, claim, bare=bare, stay=stay, ending=ending)

    @rule(site=SITE, claim=CLAIM)
    def end_poll(self, site: int, claim: int) -> None:
        self.world.end_poll(site, claim)

    @rule(site=SITE, claim=CLAIM)
    def leave(self, site: int, claim: int) -> None:
        self.world.leave(site, claim)

    @rule(site=SITE, which=WHICH, fate=st.integers(0, 6))
    def deliver(self, site: int, which: int, fate: int) -> None:
        self.world.deliver(site, which, fate)

    @rule(site=SITE, writes=st.integers(1, 4))
    def deliver_well(self, site: int, writes: int) -> None:
        for _ in range(writes):
            self.world.deliver(site, 0, 0)

    @rule(which=WHICH)
    def arrive_late(self, which: int) -> None:
        self.world.arrive_late(which)

    @rule(site=SITE, count=st.integers(1, 9))
    def watch(self, site: int, count: int) -> None:
        self.world.watch(site, count)

    @rule(site=SITE, back=WHICH)
    def replay(self, site: int, back: int) -> None:
        self.world.replay(site, back)

    @rule(site=SITE)
    def advance_list(self, site: int) -> None:
        self.world.advance_list(site)

    @rule(what=st.integers(0, 5), ordinal=st.integers(0, 3))
    def operator(self, what: int, ordinal: int) -> None:
        self.world.operator(what, ordinal)

    @rule(limit=st.integers(0, 3))
    def set_limit(self, limit: int) -> None:
        self.world.set_limit(limit)

    @rule(site=SITE, reason=st.sampled_from(["", "upgrade"]))
    def set_hold(self, site: int, reason: str) -> None:
        self.world.set_hold(site, reason)

    @rule(site=SITE, claim=CLAIM)
    def courtesy(self, site: int, claim: int) -> None:
        self.world.courtesy(site, claim)

    @rule(site=SITE, verdict=st.integers(0, 3), there=st.booleans())
    def evidence(self, site: int, verdict: int, there: bool) -> None:
        self.world.evidence(site, verdict, there=there)

    @rule(site=SITE, claim=CLAIM)
    def pod_changed(self, site: int, claim: int) -> None:
        self.world.pod_changed(site, claim)

    @rule(site=SITE, claim=CLAIM, ending=st.booleans())
    def intrude(self, site: int, claim: int, ending: bool) -> None:
        intrude(self.world, site, claim, ending=ending)

    @rule(claim=CLAIM)
    def restart(self, claim: int) -> None:
        self.world.restart(claim)

    @rule(jump=st.sampled_from([0, 0, 1, 1, 2, 3, 4, 5, 6]))
    def tick(self, jump: int) -> None:
        self.world.tick(jump)

    @rule()
    def elect(self) -> None:
        self.world.elect()

    def teardown(self) -> None:
        heal(self.world)


TestSlotsMachine = SlotsMachine.TestCase
TestSlotsMachine.settings = settings(
    max_examples=60 * THOROUGH,
    stateful_step_count=50,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize("first", range(0, 200, 50))
def test_promises_hold_on_seeded_walks(first: int) -> None:
    for seed in range(first * THOROUGH, (first + 50) * THOROUGH):
        walk(seed, 80)


@pytest.mark.parametrize("headroom", [1, 2])
def test_promises_hold_with_slots_kept_for_urgent_claims(headroom: int) -> None:
    for seed in range(1000, 1000 + 50 * THOROUGH):
        walk(seed, 80, headroom)


@pytest.mark.parametrize("plant", planted_headroom.ALL, ids=lambda plant: str(plant.__name__))
def test_a_fault_planted_into_the_headroom_is_seen(
    plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    with pytest.raises(AssertionError, match="headroom"):
        walk_often(0, headroom=2)


@pytest.mark.parametrize("plant", planted.ALL, ids=lambda plant: str(plant.__name__))
def test_a_planted_fault_is_seen(
    plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    with pytest.raises((AssertionError, KeyError)):
        walk_often(HINTS.get(plant.__name__, 0))


HINTS = {
    "frees_are_blind": 2410,
    "running_is_no_reason": 4658,
    "reading_is_proof": 159,
    "failed_after_unknown_is_failure": 100,
}
"""Seeds that see the rare ones at once. Only a hint: the search goes on from there."""


def walk_often(first: int, headroom: int = 0) -> None:
    for seed in range(first, first + 800):
        walk(seed, 80, headroom)
