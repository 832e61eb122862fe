"""Why a node grants or does not, and where a pool is stuck."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from coordinator.core import messages as m
from coordinator.core.cap import CapUse
from coordinator.core.claims import Policy
from coordinator.core.estimate import Estimate, Unforeseen
from coordinator.core.explain import PoolWhy, Starved
from coordinator.core.forecast import Typical
from coordinator.core.model import Verdict
from coordinator.core.sentences import node_sentence, pool_sentence, span
from coordinator.core.surroundings import ConfigTrouble
from tests.core.explained import pool_why
from tests.core.explaining import RULE, around, full, node_why, why
from tests.core.play import POD, Play, ask
from tests.core.test_explain_claim import CASES

if TYPE_CHECKING:
    from collections.abc import Callable

TROUBLE = ConfigTrouble("2026-01-01T00:00:00Z", "ConfigMap limits is refused: no data")
SHARED = {
    "on-hold",
    "starting",
    "no-slots",
    "write-refused",
    "over-limit",
    "slots-held",
    "headroom",
    "node-cap",
}
"""What stands in the way of a whole node."""


@pytest.mark.parametrize(("code", "made"), [c[:2] for c in CASES if c[0] in SHARED])
def test_what_stands_in_the_way_of_a_claim_stands_in_that_of_its_node(
    code: str, made: Callable[[], Play]
) -> None:
    found = node_why(made())
    assert found.code == code
    assert node_sentence(found)


def test_a_full_node_is_told_of_with_who_holds_who_waits_and_when_it_goes_on() -> None:
    play = full("a", "b", limit=2)
    play.later(180)
    found = node_why(play)
    assert node_sentence(found) == (
        "2 of 2 slots of node1 are held (load-x1 for 5 min, load-x2 for 5 min), limit 2 from"
        f" {RULE}; 2 wait, the first for 3 min; the next slot is likely to come free in 7 min (5 to"
        " 10 min, from 40 loads)."
    )


def test_a_free_node_grants_at_once() -> None:
    found = node_why(Play(2))
    assert (found.code, found.forecast) == ("free", Unforeseen("a slot is free"))
    assert node_sentence(found) == (
        f"2 of 2 slots of node1 are free, limit 2 from {RULE}; nobody waits."
    )


def test_the_next_grant_is_that_of_the_first_who_waits() -> None:
    play = full("a", "b")
    assert node_why(play).forecast == why(play, "a").forecast
    assert isinstance(why(play, "a").forecast, Estimate)


def test_on_a_full_node_where_nobody_waits_it_is_that_of_whoever_comes() -> None:
    play = full()
    told = node_why(play).forecast
    play(ask("a"))
    assert told == why(play, "a").forecast


def test_what_is_typical_is_told_with_its_spread_or_not_at_all() -> None:
    found = node_why(full(), around(durations=(100.0,) * 9)).typical
    assert found == Typical(100, 100, 100, 9)
    assert node_why(full(), around(durations=(100.0,) * 4)).typical is None


def test_a_cap_that_others_may_use_up_leaves_no_estimate() -> None:
    def told(cap: int, others: int) -> object:
        use = CapUse(cap, (("scans", others), ("velero", 1)))
        return why(full("a"), "a", around(cap=use)).forecast

    assert isinstance(told(3, 2), Estimate)
    assert told(2, 2) == Unforeseen("it depends on what other pools have of the node")


# --- pools --------------------------------------------------------------------------------------


def test_a_pool_names_some_of_the_nodes_where_somebody_waits() -> None:
    starved = tuple(Starved(f"n{number}", 1, number) for number in range(12, 2, -1))
    found = PoolWhy("", 13, 13, starved, 0, None)
    assert found.code == "waiting"
    assert pool_sentence(found) == (
        "13 claims wait on 13 nodes, longest on n12 (1, for 12 s), n11 (1, for 11 s), n10 (1, for"
        " 10 s) and 10 more."
    )


def test_a_pool_where_nobody_waits_says_so() -> None:
    found = PoolWhy("", 0, 0, (), 0, TROUBLE)
    assert found.code == "idle"
    assert pool_sentence(found) == (
        "nobody waits; refused since 2026-01-01T00:00:00Z: ConfigMap limits is refused: no data."
    )


def test_a_pool_tells_of_silent_holders() -> None:
    play = Play(policy=Policy())
    play.grant("x", pod=POD)
    play.confirm("x", pod=POD)
    play.later(60, m.Examine)
    play.look("x", Verdict.UNREACHABLE)
    found = pool_why(play.table, play.now)
    assert (found.code, found.unresponsive) == ("unresponsive", 1)
    assert "1 holder cannot be shown to have ended: look at its Pod" in pool_sentence(found)


def test_a_pool_that_serves_nobody_yet_says_why() -> None:
    found = PoolWhy("the first list of Leases is not complete", 3, 1, (), 1, None)
    assert found.code == "not-ready"
    assert pool_sentence(found) == (
        "nothing is granted yet: the first list of Leases is not complete."
    )


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "0 s"),
        (119.4, "119 s"),
        (119.6, "2 min"),
        (7169, "119 min"),
        (7200, "2 h"),
        (7500, "2 h 5 min"),
        (172_799, "2 d"),
        (172_800, "2 d"),
        (180_000, "2 d 2 h"),
    ],
)
def test_times_are_told_as_people_tell_them(seconds: float, text: str) -> None:
    assert span(seconds) == text
