"""What would have been: never above the limit, everybody served once, in the core's order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from coordinator.core.claims import Policy
from coordinator.observe.measure import Spell, measure
from coordinator.observe.replay import FREEING, START, replay

STEPS = ((0.0, 1),)


def spells(*lengths: float, restores: str = "") -> list[Spell]:
    """Named a, b, c ..., ready one second after the other; all of them moved data at once."""
    return [
        Spell(name, name in restores, float(at), float(at), at + length)
        for at, (name, length) in enumerate(zip("abcdefgh", lengths, strict=False))
    ]


def order(found: list[Spell]) -> str:
    return "".join(one.id for one in sorted(found, key=lambda one: one.moving))


def test_one_after_the_other_each_for_its_own_time() -> None:
    a, b = replay(spells(10, 20), STEPS)
    assert (a.moving, a.done) == (START, START + 10)
    assert b.moving == a.done + FREEING + START
    assert b.done - b.moving == 20


def test_a_slow_start_delays_the_asking_not_the_hand_over() -> None:
    a, b = replay(spells(10, 20), STEPS, startup=8.0)
    assert a.moving == 8
    assert b.moving == a.done + FREEING + START


def test_first_come_first_served_but_restores_first() -> None:
    assert order(replay(spells(9, 9, 9, 9), STEPS)) == "abcd"
    assert order(replay(spells(9, 9, 9, 9, restores="cd"), STEPS)) == "acdb"


def test_the_order_is_the_cores() -> None:
    """Without aging a restore goes before everybody; a step of a second is worth little."""
    late = [*spells(9, 9, 9), Spell("z", True, 200.0, 200.0, 209.0)]
    long = [Spell(one.id, one.restores, one.ready, one.moving, one.done + 300) for one in late]
    assert order(replay(long, STEPS, policy=Policy(aging=0.0))) == "azbc"
    assert order(replay(long, STEPS, policy=Policy(aging=0.001))) == "abcz"


def test_a_raised_limit_lets_more_go_at_once_and_a_lowered_one_evicts_nobody() -> None:
    raised = replay(spells(60, 60, 60), ((0.0, 1), (30.0, 3)))
    assert [one.moving for one in raised] == [START, 30 + START, 30 + START]
    lowered = replay(spells(60, 60, 60), ((0.0, 2), (30.0, 1)))
    assert order(lowered) == "abc"
    assert lowered[2].moving >= max(one.done for one in lowered[:2])


def test_nobody_to_serve_is_no_fault() -> None:
    assert replay([], STEPS) == []


SPELLS = st.lists(
    st.tuples(st.integers(0, 300), st.integers(0, 90), st.integers(1, 90), st.booleans()),
    max_size=25,
).map(
    lambda rows: [
        Spell(f"m{at}", restores, ready, ready + wait, ready + wait + length)
        for at, (ready, wait, length, restores) in enumerate(rows)
    ]
)


@given(SPELLS, st.integers(1, 4), st.integers(0, 30))
def test_no_recording_leads_above_the_limit_and_all_are_served(
    given_spells: list[Spell], limit: int, startup: int
) -> None:
    steps = ((0.0, limit),)
    found = replay(given_spells, steps, startup)
    assert sorted(one.id for one in found) == sorted(one.id for one in given_spells)
    figures = measure(found, steps)
    assert figures.overlaps == 0
    assert figures.most <= limit
    lengths = {one.id: one.done - one.moving for one in given_spells}
    assert all(abs(one.done - one.moving - lengths[one.id]) < 1e-6 for one in found)
    assert all(one.moving >= one.ready + START for one in found)
