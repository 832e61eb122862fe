"""Slots kept for restores: backups never hold more than the rest, counted as a grant is sent."""

from __future__ import annotations

from dataclasses import replace

import pytest

from coordinator.core import messages as m
from coordinator.core.cap import part_of
from coordinator.core.claims import Policy
from coordinator.core.grants import stands_by
from coordinator.core.headroom import kept, left
from coordinator.core.survey import Survey
from coordinator.core.views import Queued
from tests.core.play import Play, ask, free_lease, held_lease


def play_with(headroom: int, limit: int) -> Play:
    return Play(limit, policy=Policy(headroom=headroom))


def restore(claim: str) -> m.Ask:
    return ask(claim, priority=100)


def reason(play: Play, claim: str) -> str:
    view = play.view(claim)
    assert isinstance(view, Queued), view
    return view.reason


@pytest.mark.parametrize(
    ("headroom", "limit", "slots"),
    [(0, 3, 0), (1, 3, 1), (2, 3, 2), (3, 3, 2), (9, 3, 2), (1, 1, 0), (1, 0, 0), (5, 2, 1)],
)
def test_one_slot_is_always_left_for_the_rest(headroom: int, limit: int, slots: int) -> None:
    assert kept(headroom, limit) == slots


@pytest.mark.parametrize(
    ("headroom", "limit", "backups"), [(0, 3, 3), (1, 3, 2), (2, 3, 1), (9, 3, 1), (1, 1, 1)]
)
def test_backups_get_all_but_what_is_kept(headroom: int, limit: int, backups: int) -> None:
    play = play_with(headroom, limit)
    for claim in ("a", "b", "c", "d")[:backups]:
        play.grant(claim)
    play(ask("x"))
    assert play.waits() == ["x"]


@pytest.mark.parametrize(
    ("headroom", "limit", "told"),
    [
        (1, 3, "2 of 3 slots of node1 are held, and 1 is kept for restores"),
        (2, 3, "1 of 3 slots of node1 are held, and 2 are kept for restores"),
        (1, 1, "1 of 1 slots of node1 are held"),
    ],
)
def test_a_backup_that_waits_is_told_what_is_kept(headroom: int, limit: int, told: str) -> None:
    play = play_with(headroom, limit)
    for claim in ("a", "b", "c")[: limit - kept(headroom, limit)]:
        play.grant(claim)
    play(ask("x"))
    assert reason(play, "x") == told


def test_a_restore_passes_the_backups_that_are_held_back_and_they_keep_their_order() -> None:
    play = play_with(1, 2)
    play.grant("a")
    for claim in "bc":
        play(ask(claim))
    grant = play.done(play(restore("r"), m.Make), m.Grant)
    assert (grant.claim, grant.ordinal) == ("r", 1)
    assert play.waits() == ["b", "c"]
    assert play(m.Leave("a"), m.HandOver).claim == "b"


def test_a_restore_that_waits_behind_older_backups_gets_what_they_may_not_have() -> None:
    play = Play(2, policy=Policy(headroom=1, aging=0.1))
    play.grant("a")
    play(ask("b"))
    play.now += 60
    play(ask("b"))
    play(restore("r"), m.Make)
    assert play.waits() == ["b", "r"], "the older one is first"
    assert Survey(play.table, play.now).is_imminent("r")
    assert not Survey(play.table, play.now).is_imminent("b")


def test_restores_may_have_every_slot() -> None:
    play = play_with(1, 2)
    for claim in "rs":
        play.grant(claim, priority=100)
    play(restore("t"))
    assert reason(play, "t") == "2 of 2 slots of node1 are held"


def test_a_restores_slot_is_freed_where_only_backups_wait_that_have_enough() -> None:
    play = play_with(1, 2)
    play.grant("a")
    play.grant("r", priority=100)
    play(ask("b"))
    play.done(play(m.Leave("r"), m.Free))
    assert play.waits() == ["b"]


def test_a_restores_slot_goes_to_a_backup_while_there_is_room() -> None:
    play = play_with(1, 3)
    play.grant("a")
    for claim in "rs":
        play.grant(claim, priority=100)
    for claim in "bc":
        play(ask(claim))
    assert play(m.Leave("r"), m.HandOver).claim == "b"
    play(m.Leave("s"), m.Free)


def test_those_that_go_in_one_pass_count() -> None:
    play = play_with(2, 4)
    play(m.SetHold("drain"))
    for claim in "abcd":
        play(ask(claim))
    play(restore("r"))
    assert len(play(m.SetHold(""), m.Make, m.Make, m.Make)) == 3, "a restore and two backups"


def test_two_hand_overs_of_one_pass_count() -> None:
    play = play_with(1, 3)
    play.grant("a")
    for claim in "rs":
        play.grant(claim, priority=100)
    play(m.SetHold("drain"))
    for claim in "bc":
        play(ask(claim))
    for claim in "rs":
        play.table.roll.part(play.table.roll.claims[claim], "released", play.now)
    over, _ = play(m.SetHold(""), m.HandOver, m.Free)
    assert over.claim == "b"


def test_a_backups_grant_of_unknown_outcome_counts() -> None:
    play = play_with(1, 2)
    play.lost(play.done(play(ask("a"), m.Make), m.Grant))
    play(ask("b"))
    assert left(play.table) == 0
    assert reason(play, "b") == "1 of 2 slots of node1 are held, and 1 is kept for restores"


def test_a_hand_over_to_a_restore_counts_for_the_backup_until_it_stands() -> None:
    play = play_with(1, 2)
    play.grant("a")
    play.grant("s", priority=100)
    play(restore("r"))
    play(ask("b"))
    over = play(m.Leave("a"), m.HandOver)
    assert (over.claim, left(play.table)) == ("r", 0)
    play.done(over)
    assert left(play.table) == 1
    assert play(m.Leave("s"), m.HandOver).claim == "b"


def test_a_hand_over_to_a_backup_counts_for_it_from_its_start() -> None:
    play = play_with(1, 2)
    play.grant("r", priority=100)
    play(restore("s"), m.Make)
    play(m.Leave("s"))
    play(ask("b"))
    over = play(m.Leave("r"), m.HandOver)
    assert (over.claim, left(play.table)) == ("b", 0)


@pytest.mark.parametrize(
    "lease", [free_lease(0, foreign="not ours"), free_lease(0, terminating=True)]
)
def test_who_holds_a_slot_unknown_to_us_counts_as_no_restore(lease: object) -> None:
    play = play_with(1, 2)
    play(play.hand(0, lease))  # type: ignore[arg-type]
    play(ask("a"))
    assert reason(play, "a") == "1 of 2 slots of node1 are held, and 1 is kept for restores"
    play(restore("r"), m.Make)


def test_an_event_that_shows_a_backup_under_a_write_counts() -> None:
    play = play_with(1, 3)
    grant = play.done(play(restore("r"), m.Make), m.Grant)
    assert left(play.table) == 2
    by_another_hand = replace(held_lease(0, "x", 90), version=grant.base.version + 5)
    play(m.Seen(0, by_another_hand))
    assert left(play.table) == 1


@pytest.mark.parametrize(("limit", "stands"), [(3, True), (2, False), (1, False)])
def test_a_backups_grant_that_waited_is_sent_only_within_what_is_left(
    limit: int, stands: bool
) -> None:
    play = play_with(1, 4)
    play.grant("a")
    grant = play.done(play(ask("b"), m.Make), m.Grant)
    play(m.SetLimit(limit))
    assert stands_by(play.table, grant, play.now) is stands


def test_a_restores_grant_that_waited_is_sent_whatever_the_backups_have() -> None:
    play = play_with(1, 4)
    play.grant("a")
    grant = play.done(play(restore("r"), m.Make), m.Grant)
    play(m.SetLimit(2))
    assert stands_by(play.table, grant, play.now)


def test_a_lower_limit_evicts_nobody_and_backups_wait_until_few_enough_hold() -> None:
    play = play_with(1, 4)
    for claim in "abc":
        play.grant(claim)
    play(ask("d"))
    play(m.SetLimit(3))
    assert set(play.holders().values()) == {"a", "b", "c"}
    play.done(play(m.Leave("b"), m.Free))
    assert play.waits() == ["d"]
    assert play(m.Leave("c"), m.HandOver).claim == "d"


def test_held_backups_keep_no_place_of_the_node_cap_that_they_could_not_use() -> None:
    play = play_with(1, 2)
    play.grant("a")
    play(ask("b"))
    shown = part_of("velero", play.table, play.now, 9, 0.0)
    assert (shown.taken, shown.waiting) == (1, ())
    slot = play.table.picture.slots[0]
    assert len(part_of("velero", play.table, play.now, 9, 0.0, slot).waiting) == 1
