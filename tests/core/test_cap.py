"""The cap on a node's slots in all pools: how many, whose turn, what those who wait are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from coordinator.core import messages as m
from coordinator.core.cap import Part, Rank, left, part_of, turns, why
from coordinator.core.claims import Policy
from coordinator.core.grants import stands_by
from coordinator.core.views import Queued
from tests.core.play import Play, ask

if TYPE_CHECKING:
    from coordinator.core.picture import Slot

HOUR = Policy(aging=3600.0)


def rank(place: int, pool: str) -> Rank:
    return place, place, True, 0, pool, f"{pool}-{place}"


def part(pool: str, taken: int = 0, *places: int) -> Part:
    return Part(pool, taken, tuple(rank(place, pool) for place in places))


@pytest.mark.parametrize(
    ("cap", "taken", "places"),
    [(4, (), 4), (4, (3, 1), 0), (4, (1, 1), 2), (1, (2, 1), -2)],
)
def test_what_is_left_is_what_nobody_has(cap: int, taken: tuple[int, ...], places: int) -> None:
    assert left(cap, [part(f"p{n}", count) for n, count in enumerate(taken)]) == places


@pytest.mark.parametrize(
    ("parts", "places", "velero", "scans"),
    [
        ([part("velero", 0, 1), part("scans", 0, 2)], 1, 1, 0),
        ([part("velero", 0, 3), part("scans", 0, 2)], 1, 0, 1),
        ([part("velero", 0, 1, 4), part("scans", 0, 2, 3)], 3, 1, 2),
        ([part("velero", 0, 1, 4), part("scans", 0, 2, 3)], 9, 2, 2),
        ([part("velero", 0, 1), part("scans")], 2, 1, 0),
        ([part("velero", 0, 1), part("scans", 0, 2)], 0, 0, 0),
        ([part("velero", 0, 1), part("scans", 0, 2)], -1, 0, 0),
        ([part("velero", 0, 9, 1), part("scans", 0, 2)], 1, 0, 1),
        ([part("scans", 0, 1)], 1, 0, 1),
    ],
    ids=[
        "first",
        "second",
        "by turns",
        "enough",
        "alone",
        "none left",
        "too many held",
        "a pool keeps its own order",
        "no table",
    ],
)
def test_places_go_to_whoever_comes_first(
    parts: list[Part], places: int, velero: int, scans: int
) -> None:
    assert turns(parts, "velero", places) == velero
    assert turns(parts, "scans", places) == scans


@pytest.mark.parametrize(
    ("cap", "parts", "told"),
    [
        (
            4,
            [part("velero", 3), part("scans", 1), part("pulls")],
            "node cap 4 of n is used up: velero 3, scans 1",
        ),
        (
            1,
            [part("velero", 2), part("scans", 1)],
            "node cap 1 of n is used up, more than it allows: velero 2, scans 1",
        ),
        (
            2,
            [part("velero", 1, 5), part("scans", 0, 3)],
            "node cap 2 of n: claims of scans come first",
        ),
        (2, [part("velero", 1, 2), part("scans", 0, 3)], ""),
        (2, [part("velero", 1), part("scans", 0)], ""),
    ],
)
def test_the_reason_says_who_has_the_places(cap: int, parts: list[Part], told: str) -> None:
    assert why(cap, "n", parts, "velero") == told


class Left:
    """A share of so many places, which no other pool wants."""

    def __init__(self, places: int = 9, blind: str = "") -> None:
        self.places = places
        self.unseen = blind

    def blind(self) -> str:
        return self.unseen

    def fits(self) -> bool:
        return self.places >= 0

    def turns(self, parting: Slot | None = None) -> int:
        return max(0, self.places + (parting is not None))

    def why(self) -> str:
        return self.unseen or ("" if self.places > 0 else "the cap is used up")


def capped(places: int, limit: int = 3, blind: str = "") -> tuple[Play, Left]:
    play, share = Play(limit), Left(places, blind)
    play.table.share = share
    return play, share


def test_a_free_place_of_the_limit_is_not_granted_without_one_of_the_cap() -> None:
    play, share = capped(0)
    play(ask("a"))
    assert reason(play, "a") == "the cap is used up"
    share.places = 1
    grant = play.done(play(m.Turn(), m.Make), m.Grant)
    assert (grant.claim, grant.ordinal) == ("a", 0)


def test_so_many_of_the_queue_are_granted_as_there_are_places() -> None:
    play, share = capped(0)
    for claim in "abc":
        play(ask(claim))
    share.places = 2
    assert [make.ordinal for make in play(m.Turn(), m.Make, m.Make)] == [0, 1]


def test_the_reason_of_a_full_limit_comes_before_the_caps() -> None:
    play, share = capped(1, limit=1)
    play.grant("x")
    share.places = 0
    play(ask("a"))
    assert reason(play, "a") == "1 of 1 slots of node1 are held"


def reason(play: Play, claim: str) -> str:
    view = play.view(claim)
    assert isinstance(view, Queued)
    return view.reason


@pytest.mark.parametrize(("places", "write"), [(0, m.HandOver), (-1, m.Free)])
def test_a_slot_is_handed_over_within_the_cap_and_freed_above_it(
    places: int, write: type[m.Operation]
) -> None:
    play, share = capped(1)
    play.grant("x")
    share.places = places
    play(ask("a"))
    play(m.Leave("x"), write)


def test_nobody_grants_or_hands_over_until_every_pool_is_known() -> None:
    play, share = capped(3)
    play.grant("x")
    share.unseen = "scans is not known"
    play(ask("a"))
    assert reason(play, "a") == "scans is not known"
    play.done(play(m.Leave("x"), m.Free))
    share.unseen = ""
    play(m.Turn(), m.Grant)


@pytest.mark.parametrize(
    ("places", "blind", "stands"), [(0, "", True), (-1, "", False), (0, "x", False)]
)
def test_a_grant_that_waited_is_sent_only_within_the_cap(
    places: int, blind: str, stands: bool
) -> None:
    play, share = capped(1)
    grant = play.done(play(ask("a"), m.Make), m.Grant)
    share.places, share.unseen = places, blind
    assert stands_by(play.table, grant, play.now) is stands


# --- a table's part ---------------------------------------------------------------------------


def shown(play: Play, most: int = 9, parting: Slot | None = None) -> Part:
    return part_of("velero", play.table, play.now, most, play.now - 1.0, parting)


def names(told: Part) -> list[str]:
    return [claim for *_, claim in told.waiting]


def waiting(*claims: str, limit: int = 2, policy: Policy | None = None) -> Play:
    """They wait, and but for the cap would be granted."""
    play = Play(limit, policy=policy)
    play.table.share = Left(0)
    for claim in claims:
        play(ask(claim))
    return play


def test_a_part_is_what_is_taken_and_who_could_go_on() -> None:
    play = waiting("a", "b", "c", limit=3)
    assert names(shown(play)) == ["a", "b", "c"]
    assert names(shown(play, most=2)) == ["a", "b"]
    play.table.share = None
    play.done(play(m.Turn(), m.Make, m.Make, m.Make)[0], m.Grant)
    assert shown(play).taken == 1
    assert names(shown(play)) == ["b", "c"]


def test_a_pool_at_its_limit_takes_part_with_the_slot_that_it_lets_go_of() -> None:
    play = Play(limit=1)
    play.grant("x")
    play(ask("a"))
    assert names(shown(play)) == []
    assert names(shown(play, parting=play.table.picture.slots[0])) == ["a"]


@pytest.mark.parametrize(
    "change",
    [
        m.SetHold("drain"),
        m.SetLimit(0),
        pytest.param(None, id="its clients are gone"),
    ],
)
def test_a_pool_that_cannot_grant_keeps_no_place(change: m.Event | None) -> None:
    play = waiting("a", "b")
    for claim in "ab":
        play(m.PollEnded((claim,)))
    if change is None:
        play.now += 15.1
    else:
        play(change)
    assert names(shown(play)) == []


def test_a_pool_whose_limit_is_not_known_keeps_no_place() -> None:
    play = waiting("a")
    play.table.limit_known = False
    assert names(shown(play)) == []


def test_a_pool_that_pauses_after_a_failure_keeps_no_place() -> None:
    play = waiting("a", limit=1)
    play.table.share = Left(1)
    make = play(m.Turn(), m.Make)
    assert names(shown(play)) == ["a"], "its Lease is just being made"
    play(m.Failed(make.op, "403"))
    assert names(shown(play)) == []
    play.now += 1.1
    assert names(shown(play)) == ["a"]


def test_a_write_that_may_never_end_keeps_no_place() -> None:
    play = waiting("a", limit=1)
    play.table.share = Left(1)
    play.lost(play(m.Turn(), m.Make))
    assert names(shown(play)) == []


def first(one: Play, other: Play) -> str:
    """Whose next claim comes first, of pools that began at different times."""
    parts = [
        part_of(name, play.table, 1100.0, 1, 990.0)
        for name, play in (("one", one), ("other", other))
    ]
    return "one" if turns(parts, "one", 1) else "other"


def arriving(at: float, priority: int = 0, policy: Policy = HOUR, takeover: float = 999.0) -> Play:
    play = Play(policy=policy)
    play.table.roll.takeover = takeover
    play.table.share = Left(0)
    play.now = at
    play(ask("a", priority=priority))
    return play


@pytest.mark.parametrize(
    ("one", "other", "won"),
    [
        (arriving(1001), arriving(1002), "one"),
        (arriving(1002), arriving(1001), "other"),
        (arriving(1002, takeover=1000.5), arriving(1001, takeover=995.0), "other"),
        (arriving(1050, priority=1), arriving(1001), "one"),
        (arriving(1050, 1, Policy(aging=10.0)), arriving(1001, 0, Policy(aging=10.0)), "other"),
        (arriving(1050, 1, Policy(aging=0.0)), arriving(1001, 0, Policy(aging=0.0)), "one"),
        (arriving(1050, 1, Policy(aging=0.0)), arriving(1001, 1, Policy(aging=0.0)), "other"),
    ],
)
def test_between_pools_priority_counts_as_earlier_arrival(one: Play, other: Play, won: str) -> None:
    assert first(one, other) == won


def test_claims_of_an_earlier_leader_come_first_in_the_order_of_their_tickets() -> None:
    one, other, new = (arriving(1001.0, policy=HOUR) for _ in range(3))
    for play, milliseconds in ((one, 70_000), (other, 60_000)):
        play(m.Leave("a"))
        play(ask("old", ticket=(3, milliseconds)))
    assert first(one, other) == "other"
    assert first(one, new) == "one"
