"""The estimate by itself: what it answers, when it is silent, and that it is the same each time."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.core.estimate import (
    FEWEST,
    MOST_STEPS,
    Busy,
    Estimate,
    Line,
    Unforeseen,
    estimate,
    spread,
)

EQUAL = (100.0,) * 20
MIXED = tuple(10.0 * number for number in range(1, 65))


def line(limit: int = 1, busy: tuple[Busy, ...] = (Busy(40.0),), place: int = 0) -> Line:
    """Nothing is kept for urgent claims, and nobody waits behind `place`."""
    return Line(limit, limit, busy, (False,) * (place + 1), place)


def found(one: Line, durations: tuple[float, ...] = EQUAL) -> Estimate:
    told = estimate(one, durations, "node1")
    assert isinstance(told, Estimate), told
    return told


def why_not(one: Line, durations: tuple[float, ...] = EQUAL) -> str:
    told = estimate(one, durations, "node1")
    assert isinstance(told, Unforeseen), told
    return told.why


def seconds(one: Line) -> tuple[float, float, float]:
    told = found(one)
    return told.low, told.seconds, told.high


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        pytest.param(line(), 60, id="what is left of the holder"),
        pytest.param(line(place=2), 260, id="then two loads one after the other"),
        pytest.param(line(2, (Busy(40.0), Busy(90.0))), 10, id="the older holder ends first"),
        pytest.param(line(2, (Busy(40.0), Busy(90.0)), 3), 160, id="two slots serve four"),
        pytest.param(line(2, (Busy(40.0),)), 0, id="a slot is free"),
        pytest.param(line(2, (Busy(40.0),), 1), 60, id="one is free, for the one before"),
        pytest.param(line(1, (Busy(40.0), Busy(90.0))), 60, id="the first end is over the limit"),
        pytest.param(line(1, (Busy(0.0, parting=True),)), 0, id="its slot is being given back"),
        pytest.param(line(2, (Busy(inf), Busy(40.0)), 1), 160, id="one slot never comes free"),
        pytest.param(line(2, (Busy(150.0), Busy(40.0))), 60, id="older than all: never"),
    ],
)
def test_with_loads_that_all_take_the_same_the_answer_is_exact(one: Line, expected: float) -> None:
    assert seconds(one) == (expected, expected, expected)


@pytest.mark.parametrize(
    ("waiting", "place", "busy", "expected"),
    [
        pytest.param((False,), 0, (Busy(40.0),), 60, id="the free slot is kept"),
        pytest.param((True,), 0, (Busy(40.0),), 0, id="and is an urgent one's"),
        pytest.param((False, True), 1, (Busy(40.0),), 0, id="which passes who came before"),
        pytest.param((False, True, True), 2, (Busy(40.0),), 100, id="once: then in order"),
        pytest.param((False, True), 0, (Busy(40.0),), 60, id="and costs who waits nothing"),
        pytest.param((False,), 0, (Busy(40.0), Busy(90.0)), 60, id="both are held by others"),
        pytest.param(
            (False,), 0, (Busy(40.0, urgent=True), Busy(90.0, urgent=True)), 10, id="or by urgent"
        ),
        pytest.param((False,), 0, (Busy(40.0, urgent=True),), 0, id="what is kept is in use"),
        pytest.param((True, True), 1, (Busy(40.0), Busy(90.0)), 60, id="urgent ones alone"),
    ],
)
def test_of_two_slots_one_is_kept_for_urgent_claims(
    waiting: tuple[bool, ...], place: int, busy: tuple[Busy, ...], expected: float
) -> None:
    assert found(Line(2, 1, busy, waiting, place)).seconds == expected


def test_the_spread_is_that_of_the_durations() -> None:
    told = found(line(busy=(Busy(0.0),)), MIXED)
    assert (told.low, told.seconds, told.high) == pytest.approx((65, 325, 585), abs=15)


def test_an_older_holder_is_likely_to_stay_for_what_is_left_of_the_longer_loads() -> None:
    durations = (10.0,) * 20 + (1000.0,) * 20
    told = found(line(busy=(Busy(100.0),)), durations)
    assert told.low == told.high == 900


@pytest.mark.parametrize("number", range(FEWEST))
def test_too_few_loads_are_nothing_to_go_by(number: int) -> None:
    assert why_not(line(), EQUAL[:number]).startswith("too little to go by")


def test_a_slot_that_nobody_can_foresee_has_no_estimate() -> None:
    for one in (line(busy=(Busy(inf),)), line(busy=(Busy(100.0),)), line(busy=(Busy(500.0),))):
        assert "nobody can foresee" in why_not(one)
    apart = Line(2, 1, (Busy(inf), Busy(inf)), (False,), 0)
    assert "nobody can foresee" in why_not(apart)


def test_a_queue_that_is_too_long_to_be_played_through_is_not() -> None:
    assert "too long" in why_not(line(place=MOST_STEPS))
    urgent = (True,) * 1000 + (False,)
    assert "too long" in why_not(Line(2, 1, (Busy(40.0),), urgent, 1000))


def test_the_same_picture_has_the_same_answer() -> None:
    one = line(3, (Busy(5.0), Busy(50.0), Busy(200.0)), 7)
    assert found(one, MIXED) == found(one, MIXED)
    assert found(one, MIXED) == found(one, tuple(reversed(MIXED)))


AGES = st.lists(st.floats(0, 600), min_size=0, max_size=4)


@given(ages=AGES, limit=st.integers(1, 4), kept=st.integers(0, 2), urgency=st.integers(0, 2**12))
def test_nobody_is_told_less_than_who_is_before_it(
    ages: list[float], limit: int, kept: int, urgency: int
) -> None:
    """Among those of the same kind: urgent claims may pass others."""
    busy = tuple(Busy(age, urgent=age > 300) for age in ages)
    waiting = tuple(bool(urgency >> place & 1) for place in range(12))
    one = Line(limit, limit - min(kept, limit - 1), busy, waiting, 0)
    told = [estimate(replace(one, place=place), MIXED, "n") for place in range(12)]
    for kind in (True, False):
        mine = [a for a, urgent in zip(told, waiting, strict=True) if urgent is kind]
        starts = [a.seconds if isinstance(a, Estimate) else inf for a in mine]
        assert starts == sorted(starts)


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=64))
def test_the_curve_rises_from_the_shortest_to_the_longest(durations: list[float]) -> None:
    curve = spread(durations)
    assert curve == sorted(curve)
    assert (curve[0], curve[-1]) == (min(durations), max(durations)) or len(durations) > 1
    assert min(durations) <= curve[0] <= curve[-1] <= max(durations)


def test_the_middle_of_the_curve_is_the_middle_of_the_durations() -> None:
    rng = Random(1)
    durations = [rng.expovariate(0.01) for _ in range(63)]
    assert spread(durations)[128] == pytest.approx(sorted(durations)[31], rel=0.05)
